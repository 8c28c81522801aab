"""Environments: versioned definitions of what jobs run in, their builds on this machine, and what each run ran in, as captured.

A version never changes, and the same definition again is the same version. Versions stand in the database, which machines may share;
builds stand in the data folder, by a hash of definition, interpreter and platform, and are seen only once they are whole.
"""
