"""Runs Alembic on an engine that is open already: all revisions in one transaction, which stands or falls as a whole."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from sqlalchemy.exc import IntegrityError

from jupyter_mlws.db.engine import one_at_a_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine


def config_for(connection: Connection | None = None) -> Config:
    """Alembic's configuration for this package's migrations, bound to a connection if there is one."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def upgrade(engine: Engine, revision: str) -> None:
    """Bring the schema to `revision`. Whatever fails on the way leaves the database as it was."""
    with _references_at_rest(engine) as connection, connection.begin():
        one_at_a_time(connection)
        command.upgrade(config_for(connection), revision)
        _check_references(connection)


@contextmanager
def _references_at_rest(engine: Engine) -> Iterator[Connection]:
    """A connection outside of any transaction. SQLite changes a table by making it anew and dropping the old one; with foreign
    keys in force that would delete all rows that refer to it, and they can be switched only here."""
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        if engine.dialect.name != "sqlite" or driver is None:
            yield connection
            return
        driver.execute("PRAGMA foreign_keys=OFF")
        try:
            yield connection
        finally:
            driver.execute("PRAGMA foreign_keys=ON")


def _check_references(connection: Connection) -> None:
    """What SQLite did not check meanwhile."""
    if connection.dialect.name != "sqlite":
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        table, row, other, _ = broken[0]
        words = f"{len(broken)} rows refer to what is not there: the first is row {row} of {table}, to {other}"
        raise IntegrityError("PRAGMA foreign_key_check", None, ValueError(words))
