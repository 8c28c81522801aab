"""Secrets of a workspace: values that jobs are given as environment variables.

A value goes in and is never told again: no route answers one. In the database it lies sealed (AES-256-GCM), bound to its workspace and
name, so that it cannot be moved to another. The key lies apart from the database (`keys`). A job's run keeps a sealed copy of what it
was given until it ends, to hide it in what it logs even if the secret is replaced meanwhile.
"""
