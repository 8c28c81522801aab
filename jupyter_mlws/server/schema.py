"""The database schema at start: made in one go when new, upgraded by Alembic when old, refused when newer than this program.

Alembic is imported only when the one SELECT says that the schema differs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from jupyter_mlws.db.base import Base
from jupyter_mlws.kit.errors import Unavailable
from jupyter_mlws.server import tables

if TYPE_CHECKING:
    from sqlalchemy import Engine

HEAD = "0001"
"""Revision that this program's tables stand for."""
KNOWN = ("0001",)


class NewerSchema(Unavailable):
    """The database was written by a newer version of this program."""

    code = "newer_schema"


def ensure_schema(engine: Engine) -> None:
    """Bring the database to `HEAD`."""
    tables.load()
    with engine.connect() as connection:
        names = set(inspect(connection).get_table_names())
        found = None
        if "alembic_version" in names:
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    if found == HEAD:
        return
    if found is None and "runs" not in names:
        with engine.begin() as connection:
            Base.metadata.create_all(connection)
            connection.execute(text("CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
            connection.execute(text("INSERT INTO alembic_version (version_num) VALUES (:head)"), {"head": HEAD})
        return
    if found is not None and found not in KNOWN:
        raise NewerSchema(
            f"The database has schema {found!r}, which this version does not know: it was used by a newer one. "
            "Upgrade jupyter_mlws, or point `MlwsApp.data_dir` at another folder."
        )
    from jupyter_mlws.migrations.upgrade import upgrade  # noqa: PLC0415 - Alembic costs 150 ms and is rarely needed

    upgrade(engine, HEAD)
