"""Databases that are only read: SQLite by the standard library, PostgreSQL by psycopg."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, unquote, urlsplit

from jupyter_mlws.sdk.mlflow_stores.records import bad_source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

ROWS = 2000
"""So many are held at a time."""


class Database(Protocol):
    """A database open for reading."""

    identity: str

    def columns(self) -> dict[str, set[str]]:
        """Names of columns by table."""

    def rows(self, query: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of a query, whose values stand as `?`."""

    def close(self) -> None:
        """Let go of it."""


class Sqlite:
    """A database file."""

    def __init__(self, path: Path) -> None:
        self.identity = f"sqlite:///{path}"
        if not path.is_file():
            raise bad_source(f"There is no database file {path}.")
        try:
            self._db = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=30)
            self._db.execute("PRAGMA query_only = 1")
            self._db.execute("SELECT count(*) FROM sqlite_master")
        except sqlite3.Error as error:
            raise bad_source(f"{path} cannot be read as an SQLite database: {error}.") from None
        self._db.text_factory = lambda content: content.decode("utf-8", "replace")

    def columns(self) -> dict[str, set[str]]:
        """Asked of SQLite's own table."""
        query = "SELECT m.name, p.name FROM sqlite_master AS m, pragma_table_info(m.name) AS p WHERE m.type = 'table'"
        found: dict[str, set[str]] = {}
        for table, column in self.rows(query):
            found.setdefault(table, set()).add(column)
        return found

    def rows(self, query: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Some at a time."""
        try:
            with closing(self._db.execute(query, values)) as cursor:
                while some := cursor.fetchmany(ROWS):
                    yield from some
        except sqlite3.Error as error:
            raise bad_source(f"The database {self.identity} cannot be read: {error}.") from None

    def close(self) -> None:
        """Close the file."""
        self._db.close()


class Postgres:
    """A database of a PostgreSQL server, read as it was at one moment."""

    def __init__(self, url: str) -> None:
        self.identity = without_password(url)
        try:
            import psycopg  # noqa: PLC0415 - an extra
        except ImportError:
            raise bad_source(
                'Reading PostgreSQL takes the extra `postgres`, which is not installed: pip install "jupyter_mlws[postgres]".',
                "missing_extra",
            ) from None
        self._failure = psycopg.Error
        try:
            self._db = psycopg.connect("postgresql://" + url.partition("://")[2], connect_timeout=20)
            self._db.read_only = True
            self._db.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        except (psycopg.Error, UnicodeError, ValueError) as error:
            raise self._unreadable(error, url) from None

    def _unreadable(self, error: Exception, url: str = "") -> Exception:
        words = " ".join(str(error).split())
        if password := (urlsplit(url).password if url else None):
            words = words.replace(password, "…").replace(unquote(password), "…")
        return bad_source(f"The database {self.identity} cannot be read: {words[:500]}.")

    def columns(self) -> dict[str, set[str]]:
        """Asked of the catalogue, for the schema that names without one mean."""
        query = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"
        found: dict[str, set[str]] = {}
        for table, column in self.rows(query):
            found.setdefault(table, set()).add(column)
        return found

    def rows(self, query: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Through a cursor of the server's, some at a time."""
        self._cursors = getattr(self, "_cursors", 0) + 1
        try:
            with self._db.cursor(name=f"mlws_{self._cursors}") as cursor:
                cursor.itersize = ROWS
                cursor.execute(query.replace("%", "%%").replace("?", "%s"), values)  # made of our own words
                yield from cursor
        except self._failure as error:
            raise self._unreadable(error) from None

    def close(self) -> None:
        """Close the connection."""
        self._db.close()


def without_password(url: str) -> str:
    """Which database a URL means, without who asks."""
    try:
        parts = urlsplit(url)
        port = parts.port or 5432
    except ValueError:
        raise bad_source("This is no URL of a PostgreSQL database: postgresql://user:password@host:5432/name.") from None
    return f"postgresql://{parts.hostname or 'localhost'}:{port}{parts.path}"
