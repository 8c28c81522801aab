"""Engines for SQLite and PostgreSQL, set up so that a commit that was answered survives a crash."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqlalchemy import URL, create_engine, event, make_url
from sqlalchemy.exc import DisconnectionError, InterfaceError, OperationalError
from sqlalchemy.pool import QueuePool

from jupyter_mlws.db import driver

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection, Engine
    from sqlalchemy.exc import DBAPIError

READERS = 4
BUSY_MS = 10_000
ASLEEP_MS = 120_000
SCHEMA_LOCK = 0x6D6C7773
"""Any number, the same for all: "mlws"."""
RESTED_S = 1.0
_USED = "mlws_used"


def sqlite_url(path: Path) -> URL:
    """URL of the SQLite database at `path`."""
    return URL.create("sqlite+pysqlite", database=str(path))


def read_only_url(path: Path, *, immutable: bool = False) -> URL:
    """URL of the SQLite database at `path` that opens it for reading alone. `immutable`: nobody writes to it, so that it needs neither
    locks nor files beside it, and may lie on a disk that cannot be written to."""
    query = {"mode": "ro", "uri": "true", **({"immutable": "1"} if immutable else {})}
    return URL.create("sqlite+pysqlite", database=f"file:{quote(str(path.absolute()))}", query=query)


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()


def _prepare_sqlite(engine: Engine, *, read_only: bool) -> None:
    @event.listens_for(engine, "connect")
    def connect(dbapi_connection: Any, _record: Any) -> None:
        # Transactions are begun by us (below), never by the driver.
        dbapi_connection.isolation_level = None
        dbapi_connection.create_function(
            "lower", 1, _lower, deterministic=True
        )  # SQLite's own knows the letters of English alone
        cursor = dbapi_connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA temp_store=MEMORY")
        cursor.execute("PRAGMA cache_size=-16000")
        if read_only:
            cursor.execute("PRAGMA query_only=ON")
        else:
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=FULL")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        driver.tell(connection, "BEGIN" if read_only else "BEGIN IMMEDIATE")


def make_writer(url: str | URL) -> Engine:
    """The engine of the one writer: a single connection."""
    parsed = make_url(url)
    options: dict[str, Any] = {"poolclass": QueuePool, "pool_size": 1, "max_overflow": 0}
    if parsed.get_backend_name() == "sqlite":
        options["connect_args"] = {"check_same_thread": False}
        engine = create_engine(parsed, **options)
        _prepare_sqlite(engine, read_only=False)
        return engine
    return _ask_if_alive(_let_go_when_asleep(create_engine(parsed, **options)))


def make_readers(url: str | URL) -> Engine:
    """The engine of the readers; on SQLite its connections cannot write."""
    parsed = make_url(url)
    options: dict[str, Any] = {"poolclass": QueuePool, "pool_size": READERS, "max_overflow": 2}
    if parsed.get_backend_name() == "sqlite":
        options["connect_args"] = {"check_same_thread": False}
        engine = create_engine(parsed, **options)
        _prepare_sqlite(engine, read_only=True)
        return engine
    return _ask_if_alive(create_engine(parsed, isolation_level="REPEATABLE READ", **options))


def _let_go_when_asleep(engine: Engine) -> Engine:
    """PostgreSQL ends a transaction in which nothing is asked any more, as of a machine that was cut off or fell asleep: what it has
    locked, other servers wait for."""

    @event.listens_for(engine, "connect")
    def connect(dbapi_connection: Any, _record: Any) -> None:
        cursor = dbapi_connection.cursor()
        cursor.execute(f"SET idle_in_transaction_session_timeout = {ASLEEP_MS}")
        cursor.close()
        dbapi_connection.commit()

    return engine


def _ask_if_alive(engine: Engine) -> Engine:
    """Connections that have rested are asked before they are used, and replaced where they are dead. SQLAlchemy's own way asks before
    each transaction, which costs one of a logged point's eight round trips."""

    @event.listens_for(engine, "checkout")
    def checkout(connection: Any, record: Any, _proxy: Any) -> None:
        now, used = time.monotonic(), record.info.get(_USED)
        record.info[_USED] = now
        if used is None or now - used < RESTED_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error

    return engine


def one_at_a_time(connection: Connection) -> None:
    """Of the servers that share a PostgreSQL database only one makes or changes its tables, until its transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({SCHEMA_LOCK})")


_SQLITE_WORDS = {
    "disk is full": "SQLITE_FULL",
    "disk I/O error": "SQLITE_IOERR",
    "unable to open database file": "SQLITE_CANTOPEN",
    "attempt to write a readonly database": "SQLITE_READONLY",
}


def sqlite_name(error: object) -> str:
    """SQLite's name of an error; before Python 3.11 known by its words, and only where the disk is at fault. Else empty."""
    name = getattr(error, "sqlite_errorname", None)
    return name or next((name for words, name in _SQLITE_WORDS.items() if words in str(error)), "")


def is_failure(error: Exception) -> bool:
    """Whether the database itself failed (a full disk, a lost connection, two that wait for each other), not the statement."""
    faulty_sql = sqlite_name(getattr(error, "orig", None)) == "SQLITE_ERROR"
    return isinstance(error, (OperationalError, InterfaceError)) and not faulty_sql


def words_of_failure(error: DBAPIError) -> str:
    """A database's failure in words for people."""
    name = sqlite_name(error.orig)
    if name.startswith("SQLITE_FULL"):
        return "The disk of the workspace's database is full; nothing was stored. Free some space, then try again."
    if name.startswith(("SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY")):
        return f"The workspace's database could not be written ({name}); nothing was stored. Is its disk full, or gone?"
    return f"The workspace's database failed; nothing was stored: {str(error.orig)[:300]}"
