"""Datasets as training code describes them: name, digest and where they come from.

A dataset is known once an experiment by (name, digest), and is never changed. It is a description only; bytes are not kept.
"""
