"""Alembic migrations: one file a schema version, in `versions`. A new database is made from the tables directly and stamped.

There are no downgrades: the way back is the copy that is made before an upgrade (`copies.py`).
"""
