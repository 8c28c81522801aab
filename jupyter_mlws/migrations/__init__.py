"""Alembic migrations: one file a schema version. A new database is made from the tables directly and stamped."""
