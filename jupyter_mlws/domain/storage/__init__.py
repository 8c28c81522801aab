"""Content-addressed storage: blobs named by their SHA-256, manifests of runs (artifacts) and snapshots on top.

Invariants: a blob is whole and on disk before a row names it; blobs never change; no path leaves its root.
"""
