"""The writer and the readers over both databases, and on PostgreSQL connections that break."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from jupyter_mlws.db import database, engine, outbox
from jupyter_mlws.db.database import Database, DatabaseFailed
from jupyter_mlws.db.engine import sqlite_name, words_of_failure
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.kit.errors import Busy
from tests.databases import ENGINES, fresh_database
from tests.postgres import PostgresServer


@pytest.fixture(params=ENGINES)
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with fresh_database(request, tmp_path) as found:
        yield found


@pytest.fixture(params=ENGINES[1:])
def pg(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with fresh_database(request, tmp_path) as found:
        found.write_sync(lambda s: workspaces.ensure_default(s, "ada"))
        yield found


def note(session: Session, name: str) -> None:
    outbox.record_change(session, "default", "run", name)


def changes(db: Database) -> list[tuple[int, str]]:
    return [(change.seq, change.id) for change in db.read_sync(lambda s: outbox.changes_after(s, 0, 100))]


@contextlib.contextmanager
def held(db: Database) -> Iterator[None]:
    """The writer is busy until the block ends: what is handed over meanwhile becomes one group."""
    entered, go = threading.Event(), threading.Event()

    def hold(session: Session) -> None:
        entered.set()
        assert go.wait(10)

    first = db.submit(hold)
    assert entered.wait(10)
    try:
        yield
    finally:
        go.set()
        first.result(10)


def add_twice(session: Session) -> None:
    note(session, "twice")
    for _ in range(2):
        session.execute(text("INSERT INTO package_sets (id, packages) VALUES ('x', '{}')"))


def test_one_that_fails_takes_nothing_of_its_group_along(db: Database) -> None:
    with held(db):
        group = [db.submit(lambda s: note(s, "a")), db.submit(add_twice), db.submit(lambda s: note(s, "b"))]
    assert group[0].result(10) is group[2].result(10) is None
    assert isinstance(group[1].exception(10), IntegrityError)
    assert changes(db) == [(1, "a"), (2, "b")]
    assert db.read_sync(lambda s: s.execute(text("SELECT count(*) FROM package_sets")).scalar_one()) == 0


def test_repeatable_writes_begin_anew_where_one_fails(db: Database) -> None:
    called: list[str] = []

    def named(session: Session, name: str) -> str:
        called.append(name)
        note(session, name)
        return name

    def failing(session: Session) -> None:
        called.append("failing")
        add_twice(session)

    def grouped(*writes: Any) -> list[Future[Any]]:
        with held(db):
            return [db.submit(write, repeatable=True) for write in writes]

    done = grouped(partial(named, name="a"), partial(named, name="b"))
    assert [future.result(10) for future in done] == ["a", "b"]
    assert called == ["a", "b"]
    done = grouped(partial(named, name="c"), failing, partial(named, name="d"))
    assert (done[0].result(10), done[2].result(10)) == ("c", "d")
    assert isinstance(done[1].exception(10), IntegrityError)
    assert called[2:] == ["c", "failing", "c", "failing", "d"]
    assert changes(db) == [(1, "a"), (2, "b"), (3, "c"), (4, "d")]
    assert db.read_sync(lambda s: s.execute(text("SELECT count(*) FROM package_sets")).scalar_one()) == 0


async def test_tasks_are_told_together_and_who_left_before_is_left_out(db: Database) -> None:
    def fail(session: Session) -> None:
        raise KeyError("no")

    with held(db):
        tasks = [asyncio.ensure_future(db.write(partial(note, name=name))) for name in ("a", "left", "b")]
        failing = asyncio.ensure_future(db.write(fail))
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.sleep(0)
    await asyncio.gather(*tasks, failing, return_exceptions=True)
    assert tasks[1].cancelled()
    assert isinstance(failing.exception(), KeyError)
    assert changes(db) == [(1, "a"), (2, "b")]


def test_a_loop_that_was_closed_meanwhile_stops_nothing(db: Database) -> None:
    entered, go = threading.Event(), threading.Event()

    def hold(session: Session) -> None:
        entered.set()
        assert go.wait(10)
        note(session, "a")

    async def leave() -> None:
        task = asyncio.ensure_future(db.write(hold))
        assert await asyncio.to_thread(entered.wait, 10)
        assert not task.done()

    asyncio.run(leave())  # cancels the task and closes the loop
    go.set()
    db.write_sync(partial(note, name="b"))
    assert changes(db) == [(1, "a"), (2, "b")]


def test_a_full_queue_is_told_and_takes_more_once_it_is_shorter(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "QUEUE_LIMIT", 3)
    with held(db):
        for name in "abc":
            db.submit(partial(note, name=name))
        with pytest.raises(Busy, match="more to write than it can queue"):
            db.submit(partial(note, name="d"))
    db.write_sync(partial(note, name="e"))
    assert [name for _, name in changes(db)] == ["a", "b", "c", "e"]


@pytest.mark.parametrize(
    ("words", "name", "said"),
    [
        ("database or disk is full", "SQLITE_FULL", "is full"),
        ("disk I/O error", "SQLITE_IOERR", "written (SQLITE_IOERR)"),
        ("unable to open database file", "SQLITE_CANTOPEN", "written (SQLITE_CANTOPEN)"),
        ("attempt to write a readonly database", "SQLITE_READONLY", "written (SQLITE_READONLY)"),
        ("near SELECT: syntax error", "", "syntax error"),
    ],
)
def test_failures_without_a_name_are_known_by_their_words(words: str, name: str, said: str) -> None:
    error = sqlite3.OperationalError(words)  # nameless, as all are before Python 3.11
    assert sqlite_name(error) == name
    assert said in words_of_failure(OperationalError("SELECT 1", None, error))


def test_changes_are_numbered_on_after_a_restart(db: Database) -> None:
    for name in ("a", "b", "a"):
        db.write_sync(partial(note, name=name))
    assert changes(db) == [(2, "b"), (3, "a")]
    again = Database(db.writer_engine.url)
    again.start()
    assert again.seq == 3
    again.write_sync(lambda s: note(s, "c"))
    again.close()
    assert changes(db)[-1] == (4, "c")


def test_a_reader_sees_one_moment_and_cannot_write_on_sqlite(db: Database) -> None:
    def read(session: Session) -> list[int]:
        counts = []
        for n in range(2):
            counts.append(session.execute(text("SELECT count(*) FROM changes")).scalar_one())
            db.write_sync(partial(note, name=f"meanwhile {n}"))
        return counts

    assert db.read_sync(read) == [0, 0]
    assert len(changes(db)) == 2
    if db.reader_engine.dialect.name == "sqlite":
        with pytest.raises(DatabaseFailed, match="readonly"):
            db.read_sync(lambda s: s.execute(text("DELETE FROM changes")))


def cut(postgres: PostgresServer, database: Database) -> int:
    """End all connections of a database, as a restart of PostgreSQL does."""
    query = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = :name AND pid <> pg_backend_pid()"
    with postgres.administer() as connection:
        return connection.execute(text(query), {"name": database.writer_engine.url.database}).scalar_one()


def default_there(session: Session) -> bool:
    return workspaces.find(session, "default").name == "default"


def test_connections_that_were_cut_while_idle_are_made_anew(
    pg: Database, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "RESTED_S", 0.0)
    assert pg.read_sync(default_there)
    assert cut(postgres, pg) >= 2
    assert pg.write_sync(default_there)
    assert pg.read_sync(default_there)
    assert pg.health() is None


def test_of_connections_that_were_cut_while_in_use_one_use_fails(
    pg: Database, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "RESTED_S", 3600.0)
    pg.write_sync(default_there)
    pg.read_sync(default_there)
    cut(postgres, pg)
    for ask in (pg.write_sync, pg.read_sync):
        with pytest.raises(DatabaseFailed):
            ask(default_there)
        assert ask(default_there)


def test_a_write_whose_connection_breaks_fails_in_words_and_the_next_works(pg: Database, postgres: PostgresServer) -> None:
    def breaks(session: Session) -> None:
        note(session, "lost")
        default_there(session)
        cut(postgres, pg)
        default_there(session)

    with pytest.raises(DatabaseFailed, match="nothing was stored"):
        pg.write_sync(breaks)
    pg.write_sync(lambda s: note(s, "kept"))
    assert [name for _, name in changes(pg)] == ["kept"]


def test_a_write_that_was_done_before_its_group_lost_the_connection_does_not_count(
    pg: Database, postgres: PostgresServer
) -> None:
    entered, go = threading.Event(), threading.Event()

    def hold(session: Session) -> None:
        entered.set()
        assert go.wait(10)

    first = pg.submit(hold)
    assert entered.wait(10)
    group: list[Future[Any]] = [pg.submit(partial(note, name="early")), pg.submit(lambda s: cut(postgres, pg))]
    group.append(pg.submit(partial(note, name="late")))
    go.set()
    first.result(10)
    for future in group:
        assert isinstance(future.exception(10), DatabaseFailed)
    assert changes(pg) == []
    pg.write_sync(lambda s: note(s, "kept"))
    assert [name for _, name in changes(pg)] == ["kept"]


def test_a_read_whose_connection_breaks_says_so_and_the_next_works(pg: Database, postgres: PostgresServer) -> None:
    def breaks(session: Session) -> None:
        default_there(session)
        cut(postgres, pg)
        default_there(session)

    with pytest.raises(DatabaseFailed):
        pg.read_sync(breaks)
    assert pg.read_sync(default_there)


def test_what_a_server_that_fell_asleep_has_locked_is_let_go(pg: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "ASLEEP_MS", 1000)
    other = Database(pg.writer_engine.url)
    other.start()
    locked, wakes = threading.Event(), threading.Event()
    lock = text("SELECT id FROM workspaces FOR UPDATE")

    def sleep(session: Session) -> None:
        session.execute(lock)
        locked.set()
        assert wakes.wait(60)

    try:
        asleep = other.submit(sleep)
        assert locked.wait(60)
        assert pg.submit(lambda s: len(s.execute(lock).all())).result(60) == 1
        wakes.set()
        with pytest.raises(DatabaseFailed, match="nothing was stored"):
            asleep.result(60)
        other.write_sync(lambda s: s.execute(lock).all())
    finally:
        wakes.set()
        other.close()
