"""Fixed statements handed to the database's driver: for what runs with each logged point, and with each run that is read, where
SQLAlchemy would cost more than the work.

`?` stands for a value on both databases. They run in the session's transaction; failures are SQLAlchemy's, as of any other statement.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import Connection
    from sqlalchemy.orm import Session


HELD = "mlws_held"


def hold(session: Session) -> None:
    """Begin the session's transaction and keep its connection at hand: to ask the session for it costs as much as a statement does."""
    session.info[HELD] = session.connection()


def let_go(session: Session) -> None:
    """To be called before a transaction ends in which more is to come."""
    session.info.pop(HELD, None)


def fetch(session: Session, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """All rows of a query, as the driver gives them."""
    connection = _connection(session)
    cursor = connection.connection.cursor()
    try:
        cursor.execute(_for(connection, sql), parameters)
        return list(cursor.fetchall())
    except connection.dialect.dbapi.Error as error:  # type: ignore[union-attr]
        raise _wrapped(connection, sql, error) from error
    finally:
        cursor.close()


def fetch_among(session: Session, sql: str, values: Collection[Any], *before: Any) -> list[tuple[Any, ...]]:
    """All rows of a query that asks for any number of values, all texts or all whole numbers: `WHERE id {among}`.

    `before`: the values of `?` that stand before these.
    """
    session.flush()  # as the session does before each query of its own
    if len(values) == 1:
        return fetch(session, sql.replace("{among}", "= ?"), [*before, *values])
    if _connection(session).dialect.name == "postgresql":
        return fetch(session, sql.replace("{among}", "= ANY(?)"), [*before, list(values)])
    among = "IN (SELECT value FROM json_each(?))"
    return fetch(session, sql.replace("{among}", among), [*before, msgspec.json.encode(list(values)).decode()])


def run(session: Session, sql: str, parameters: Sequence[Any], *, many: bool = False) -> None:
    """A statement without rows; with `many` once for each of a list of parameters."""
    tell(_connection(session), sql, parameters, many=many)


def change(session: Session, sql: str, parameters: Sequence[Any]) -> int:
    """A statement that changes rows; how many those were."""
    connection = _connection(session)
    cursor = connection.connection.cursor()
    try:
        cursor.execute(_for(connection, sql), parameters)
        return int(cursor.rowcount)
    except connection.dialect.dbapi.Error as error:  # type: ignore[union-attr]
        raise _wrapped(connection, sql, error) from error
    finally:
        cursor.close()


def put(session: Session, table: str, rows: Sequence[Mapping[str, Any]], key: Sequence[str], values: Sequence[str]) -> None:
    """Store rows, all of the same columns; of those whose `key` is there already the `values` are replaced."""
    if rows:
        run(session, _upsert(table, tuple(rows[0]), tuple(key), tuple(values)), [tuple(row.values()) for row in rows], many=True)


@lru_cache(maxsize=100)
def _upsert(table: str, columns: tuple[str, ...], key: tuple[str, ...], values: tuple[str, ...]) -> str:
    changes = ", ".join(f"{name} = excluded.{name}" for name in values)
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))}) "  # noqa: S608 - names of ours
        f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}"
    )


def copy(session: Session, table: str, columns: str, rows: Sequence[Sequence[Any]]) -> bool:
    """Rows into a table of PostgreSQL by its COPY, twice as quick as INSERT. False on SQLite: nothing was done."""
    connection = _connection(session)
    if connection.dialect.name != "postgresql":
        return False
    sql = f"COPY {table} ({columns}) FROM STDIN"
    cursor: Any = connection.connection.cursor()
    try:
        with cursor.copy(sql) as out:
            for row in rows:
                out.write_row(row)
    except connection.dialect.dbapi.Error as error:  # type: ignore[union-attr]
        raise _wrapped(connection, sql, error) from error
    finally:
        cursor.close()
    return True


def tell(connection: Connection, sql: str, parameters: Sequence[Any] = (), *, many: bool = False) -> None:
    """As `run`, past the session: such as BEGIN."""
    if many and len(parameters) == 1:  # psycopg opens a pipeline for many
        many, parameters = False, parameters[0]
    cursor = connection.connection.cursor()
    try:
        (cursor.executemany if many else cursor.execute)(_for(connection, sql), parameters)
    except connection.dialect.dbapi.Error as error:  # type: ignore[union-attr]
        raise _wrapped(connection, sql, error) from error
    finally:
        cursor.close()


def _connection(session: Session) -> Connection:
    held: Connection | None = session.info.get(HELD)
    return session.connection() if held is None else held


def _for(connection: Connection, sql: str) -> str:
    return sql.replace("?", "%s") if connection.dialect.name == "postgresql" else sql


def _wrapped(connection: Connection, sql: str, error: Exception) -> Exception:
    dbapi: Any = connection.dialect.dbapi
    lost = connection.dialect.is_disconnect(error, connection.connection, None)  # type: ignore[arg-type]
    if lost:
        connection.invalidate(error)
    return DBAPIError.instance(sql, None, error, dbapi.Error, connection_invalidated=lost, dialect=connection.dialect)
