"""Alembic's entry: uses the engine it is given, compares with the tables' metadata."""

from __future__ import annotations

from alembic import context

from jupyter_mlws.db.base import Base

engine = context.config.attributes["engine"]
with engine.begin() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()
