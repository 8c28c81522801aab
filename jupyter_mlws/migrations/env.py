"""Alembic's entry: uses the connection it is given, in whose transaction all happens; compares with the tables' metadata."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context

from jupyter_mlws.db.base import Base, EnumText, JsonText


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """A draft of a revision names plain types in place of our own: it must mean the same for ever."""
    if kind == "type" and isinstance(item, JsonText):
        return "sa.Text()"
    if kind == "type" and isinstance(item, EnumText):
        return "sa.String(32).with_variant(sa.String(32, collation='C'), 'postgresql')"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    render_item=render_item,
    compare_type=True,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
