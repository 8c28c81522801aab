"""Shortcuts: what runs with each logged point, for a whole group of writes at once and past SQLAlchemy, whose session alone costs more.

A write may bring one along. Its function is handed the driver's own connection and the requests of all writes of the group, and tells of
each whether it did it; what it leaves is done by the writes themselves, with all their rules. So a shortcut knows the one case that is
common, and nothing else.

On SQLite the function runs in a transaction; `?` stands for a value. On PostgreSQL each of its statements would be a way to the server and
back: there it has exactly one, which is a transaction by itself, and stores the changes too.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import Engine, PoolProxiedConnection

    from jupyter_mlws.db.outbox import Change

PREPARED = "mlws_shortcut"


class Plain:
    """The writer's connection as the driver has it."""

    def __init__(self, fairy: PoolProxiedConnection, *, postgresql: bool) -> None:
        self.postgresql = postgresql
        self._fairy = fairy

    def fetch(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """On SQLite: all rows of a statement."""
        return self._fairy.cursor().execute(sql, parameters).fetchall()  # type: ignore[no-any-return]

    def run(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """On SQLite: a statement without rows, once for each of these parameters."""
        self._fairy.cursor().executemany(sql, rows)

    def ask(self, sql: str, values: Sequence[str]) -> list[tuple[str, ...]]:
        """On PostgreSQL: all rows of a statement, whose values stand as `$1`, `$2` …; all as text, no column of the answer NULL.

        It goes to libpq itself: psycopg's cursors cost a third of what the server does for a logged point.
        """
        from psycopg.errors import error_from_result
        from psycopg.pq import ExecStatus

        wire = self._fairy.dbapi_connection.pgconn  # type: ignore[union-attr]
        name = self._fairy.info.get((PREPARED, sql))
        if name is None:
            name = f"{PREPARED}_{len(self._fairy.info)}".encode()
            prepared = wire.prepare(name, sql.encode())
            if prepared.status != ExecStatus.COMMAND_OK:
                raise error_from_result(prepared)
            self._fairy.info[PREPARED, sql] = name
        found = wire.exec_prepared(name, [value.encode() for value in values])
        if found.status != ExecStatus.TUPLES_OK:
            raise error_from_result(found)
        return [tuple(found.get_value(row, column).decode() for column in range(found.nfields)) for row in range(found.ntuples)]


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
    postgresql = engine.dialect.name == "postgresql"
    try:
        if postgresql:
            yield Plain(fairy, postgresql=True)
        else:
            cursor: Any = fairy.cursor()
            cursor.execute("BEGIN IMMEDIATE")
            yield Plain(fairy, postgresql=False)
            cursor.execute("COMMIT")
    except BaseException:
        fairy.invalidate()
        raise
    finally:
        fairy.close()
