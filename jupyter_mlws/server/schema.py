"""The database schema at start: made in one go when new, upgraded by Alembic when old, refused when newer than this program.

Alembic is imported only when the one SELECT says that the schema differs.
"""

from __future__ import annotations

import logging
import re
import sqlite3
from typing import TYPE_CHECKING

from sqlalchemy import Column, MetaData, PrimaryKeyConstraint, String, Table, inspect, select, text
from sqlalchemy.exc import DBAPIError

from jupyter_mlws.db.base import Base
from jupyter_mlws.db.engine import one_at_a_time, words_of_failure
from jupyter_mlws.kit.errors import Unavailable
from jupyter_mlws.server import tables

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Connection, Engine

    Keep = Callable[[Engine, str], Path | None]
    """Copies a database, whose version it is told, and says where the copy lies; None if there is none."""

log = logging.getLogger(__name__)

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007")
"""The schema versions, the oldest first: one file in `migrations/versions` each."""
HEAD = REVISIONS[-1]
"""The version that this program's tables stand for."""

STAMP = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""Where Alembic keeps the version; the very table that it would make."""


class NewerSchema(Unavailable):
    """The database was written by a newer version of this program."""

    code = "newer_schema"


class ForeignDatabase(Unavailable):
    """The database is another program's, or was made by hand."""

    code = "foreign_database"


class UnsuitableDatabase(Unavailable):
    """The database cannot hold all texts."""

    code = "unsuitable_database"


class UpgradeFailed(Unavailable):
    """The database could not be brought up to date; it is as it was."""

    code = "upgrade_failed"


def ensure_schema(engine: Engine) -> None:
    """Bring the database to `HEAD`."""
    tables.load()
    while (found := version_of(engine)) != HEAD:
        if found is None:
            _create(engine)
        else:
            upgrade_from(found, engine)


def version_of(engine: Engine) -> str | None:
    """The schema version of the database; None for an empty one. Raises `ForeignDatabase`."""
    with engine.connect() as connection:
        return _stamped(connection)


def _stamped(connection: Connection) -> str | None:
    names = set(inspect(connection).get_table_names())
    stamps: list[str] = list(connection.execute(select(STAMP.c.version_num)).scalars()) if STAMP.name in names else []
    ours = sorted(names & set(Base.metadata.tables))
    where = connection.engine.url.render_as_string(hide_password=True)
    if not stamps and not ours:
        return None
    if len(stamps) != 1 or not re.fullmatch(r"\d{4}", stamps[0]):
        what = f"its schema version is {', '.join(map(repr, stamps))}" if stamps else f"it has a table {ours[0]!r} already"
        raise ForeignDatabase(
            f"The database {where} belongs to another program: {what}. Give Jupyter ML Workspace an empty one of its own "
            "(`MlwsApp.database_url`, MLWS_DATABASE_URL)."
        )
    return stamps[0]


def _create(engine: Engine) -> None:
    """Make all tables and note their version, in one transaction."""
    with engine.begin() as connection:
        one_at_a_time(connection)
        if _stamped(connection) is not None:  # another server was faster
            return
        _check_encoding(connection)
        Base.metadata.create_all(connection)
        STAMP.create(connection, checkfirst=True)
        connection.execute(STAMP.insert().values(version_num=HEAD))


def _check_encoding(connection: Connection) -> None:
    if connection.dialect.name != "postgresql":
        return
    encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8":
        raise UnsuitableDatabase(
            f"The database {connection.engine.url.database!r} has the encoding {encoding}, which lacks most letters. "
            "Make one that has them all: CREATE DATABASE mlws ENCODING 'UTF8' TEMPLATE template0."
        )


def check_known(found: str) -> None:
    """Raise `NewerSchema` where a later version of this program made the database."""
    if found not in REVISIONS:
        raise NewerSchema(
            f"The database has schema {found!r}, which this version does not know: it was used by a newer one. "
            "Upgrade jupyter_mlws, or point `MlwsApp.data_dir` at another folder."
        )


def upgrade_from(found: str, engine: Engine, keep: Keep | None = None) -> Path | None:
    """Bring a database of the version `found` to `HEAD`; returns where the copy lies that was made before.

    `keep` makes that copy, given the engine and the version: by default that of an SQLite file, beside it. Raises `NewerSchema` and
    `UpgradeFailed`.
    """
    check_known(found)
    from jupyter_mlws.migrations.copies import keep_copy  # noqa: PLC0415 - rarely needed
    from jupyter_mlws.migrations.upgrade import upgrade  # noqa: PLC0415 - Alembic costs 150 ms and is rarely needed

    step = f"from schema {found} to {HEAD}"
    try:
        copy = (keep or keep_copy)(engine, found)
    except (OSError, sqlite3.Error) as error:
        raise UpgradeFailed(
            f"The database is to be upgraded {step}, but the copy that is made before could not be written: {error}. "
            "Free as much space as the database takes, beside it, then start the server again."
        ) from error
    log.info("Upgrading the database %s; %s", step, f"as it was it lies in {copy}" if copy else "no copy is made")
    try:
        upgrade(engine, HEAD)
    except DBAPIError as error:
        raise UpgradeFailed(
            f"The database could not be upgraded {step}, and is as it was: the version of jupyter_mlws that was used before "
            f"still works with it. {words_of_failure(error)}"
        ) from error
    return copy
