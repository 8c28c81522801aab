"""Databases for contract tests: the same tests over SQLite and PostgreSQL, each time empty and with the whole schema."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine, inspect, text

from jupyter_mlws.db.database import Database
from jupyter_mlws.db.engine import make_writer, sqlite_url
from jupyter_mlws.server.schema import ensure_schema
from tests.postgres import PostgresServer

ENGINES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
"""What a fixture is parametrised by, to run its tests over both."""


class PostgresPool:
    """Databases with the schema: copies of one for tests that share theirs, one that is emptied for those that want their own."""

    def __init__(self, server: PostgresServer) -> None:
        self.server = server
        self._template = server.new_database()
        writer = make_writer(self._template)
        ensure_schema(writer)
        writer.dispose()
        self._used = self.copy()
        self._engine = create_engine(self._used, pool_pre_ping=True)  # tests may cut it
        self._tables = [name for name in inspect(self._engine).get_table_names() if name != "alembic_version"]

    def copy(self) -> URL:
        """A new database with the schema: a fifth of a second."""
        return self.server.new_database(str(self._template.database))

    def emptied(self) -> URL:
        """The one that was used before, emptied: a few hundredths of a second."""
        names = ", ".join(f'"{name}"' for name in self._tables)
        with self._engine.begin() as connection:
            connection.execute(text("SET LOCAL lock_timeout = '10s'"))
            connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))
        return self._used

    def close(self) -> None:
        """Let go of the connection."""
        self._engine.dispose()


@contextmanager
def fresh_database(request: pytest.FixtureRequest, folder: Path) -> Iterator[Database]:
    """A started database for a fixture that is parametrised by `ENGINES`."""
    database = Database(_url(request, folder))
    try:
        ensure_schema(database.writer_engine)
        database.start()
        yield database
    finally:
        database.close()


def _url(request: pytest.FixtureRequest, folder: Path) -> URL:
    if request.param == "sqlite":
        return sqlite_url(folder / "mlws.db")
    pool: PostgresPool = request.getfixturevalue("postgres_pool")
    return pool.emptied() if request.scope == "function" else pool.copy()
