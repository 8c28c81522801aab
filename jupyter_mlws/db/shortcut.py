"""Shortcuts: what runs with each logged point, for a whole group of writes at once and past SQLAlchemy, whose session alone costs more.

A write may bring one along. Its function is handed the driver's own connection and the requests of all writes of the group, and tells of
each whether it did it; what it leaves is done by the writes themselves, with all their rules. So a shortcut knows the one case that is
common, and nothing else.

On SQLite the function runs in a transaction. On PostgreSQL each of its statements would be a way to the server and back: there it has
exactly one, which is a transaction by itself, and stores the changes too.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import Engine

    from jupyter_mlws.db.outbox import Change


class Plain:
    """The writer's connection as the driver has it. `?` stands for a value on both databases."""

    def __init__(self, connection: Any, *, postgresql: bool) -> None:
        self.postgresql = postgresql
        self._cursor = connection.cursor()

    def fetch(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """All rows of a statement."""
        self._cursor.execute(sql.replace("?", "%s") if self.postgresql else sql, parameters)
        return list(self._cursor.fetchall())

    def run(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """A statement without rows, once for each of these parameters."""
        self._cursor.executemany(sql.replace("?", "%s") if self.postgresql else sql, rows)

    def say(self, sql: str) -> None:
        """A statement without values."""
        self._cursor.execute(sql)


Function: TypeAlias = "Callable[[Plain, Sequence[Any], int], tuple[list[bool], list[Change]]]"
"""(connection, requests, last sequence number) → (which requests it did, the changes that it stored)."""


class Shortcut(NamedTuple):
    """A quick way for one write: the function, what it is asked, and what the write answers then."""

    function: Function
    request: Any
    answer: Any


@contextmanager
def plain(engine: Engine) -> Iterator[Plain]:
    """The engine's connection, in a transaction of its own. Whatever fails undoes all of it; a connection that failed is not used again."""
    fairy = engine.raw_connection()
    connection: Any = fairy.dbapi_connection
    postgresql = engine.dialect.name == "postgresql"
    try:
        if postgresql:
            connection.autocommit = True
            yield Plain(connection, postgresql=True)
            connection.autocommit = False
        else:
            used = Plain(connection, postgresql=False)
            used.say("BEGIN IMMEDIATE")
            yield used
            used.say("COMMIT")
    except BaseException:
        fairy.invalidate()
        raise
    finally:
        fairy.close()
