"""Shortcuts: what runs with each logged point, for a whole group of writes at once and past SQLAlchemy, whose session alone costs more.

A write may bring one along. Its function is handed the driver's own connection and the requests of all writes of the group, and tells of
each whether it did it; what it leaves is done by the writes themselves, with all their rules. So a shortcut knows the one case that is
common, and nothing else.

On SQLite the function runs in a transaction; `?` stands for a value. On PostgreSQL each of its statements would be a way to the server and
back: there it has exactly one, which is a transaction by itself, and stores the changes too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Engine

    from jupyter_mlws.db.outbox import Change

PREPARED = "mlws_shortcut"


class Plain:
    """The writer's connection as the driver has it."""

    def __init__(self, connection: Any, *, prepared: dict[Any, Any] | None = None) -> None:
        self.postgresql = prepared is not None
        self._connection = connection
        self._prepared: dict[Any, Any] = {} if prepared is None else prepared

    def fetch(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """On SQLite: all rows of a statement."""
        return self._connection.cursor().execute(sql, parameters).fetchall()  # type: ignore[no-any-return]

    def run(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """On SQLite: a statement without rows, once for each of these parameters."""
        self._connection.cursor().executemany(sql, rows)

    def ask(self, sql: str, values: Sequence[str]) -> list[tuple[str, ...]]:
        """On PostgreSQL: all rows of a statement, whose values stand as `$1`, `$2` …; all as text, no column of the answer NULL.

        It goes to libpq itself: psycopg's cursors cost a third of what the server does for a logged point.
        """
        from psycopg.errors import error_from_result
        from psycopg.pq import ExecStatus

        wire = self._connection.pgconn
        name = self._prepared.get((PREPARED, sql))
        if name is None:
            name = f"{PREPARED}_{len(self._prepared)}".encode()
            prepared = wire.prepare(name, sql.encode())
            if prepared.status != ExecStatus.COMMAND_OK:
                raise error_from_result(prepared)
            self._prepared[PREPARED, sql] = name
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


class Writer:
    """Runs shortcuts on the writer's connection, each in a transaction of its own. For the one thread that has the engine to itself."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._kept: Any = None
        """SQLite's connection, past the pool, where it lies unused: to ask the pool costs as much as the statements do."""

    def run(self, function: Function, requests: Sequence[Any], seq: int) -> tuple[list[bool], list[Change]]:
        """What the function answers. Whatever fails undoes all of it; a connection that failed is not used again."""
        if self._engine.dialect.name == "postgresql":
            return self._ask(function, requests, seq)
        if self._kept is None:
            fairy = self._engine.raw_connection()
            self._kept = fairy.dbapi_connection
            fairy.close()
        try:
            self._kept.execute("BEGIN IMMEDIATE")
            result = function(Plain(self._kept), requests, seq)
            self._kept.execute("COMMIT")
        except BaseException:
            self._kept = None
            self._engine.raw_connection().invalidate()
            raise
        return result

    def _ask(self, function: Function, requests: Sequence[Any], seq: int) -> tuple[list[bool], list[Change]]:
        fairy = self._engine.raw_connection()
        try:
            return function(Plain(fairy.dbapi_connection, prepared=fairy.info), requests, seq)
        except BaseException:
            fairy.invalidate()
            raise
        finally:
            fairy.close()
