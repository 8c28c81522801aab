"""The copy of a database as it is at one moment, and what can be read of that moment."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from sqlalchemy import text
from sqlalchemy.orm import Session

from jupyter_mlws.server.admin import dumps
from jupyter_mlws.server.admin.contents import bytes_of, counts_of
from jupyter_mlws.server.admin.errors import NoRoom
from jupyter_mlws.server.admin.place import Place, opened, version_of
from jupyter_mlws.server.schema import STAMP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from jupyter_mlws.server.admin.progress import Progress

SQLITE_NAME = "mlws.db"
DUMP_NAME = "mlws.dump"
PAGES = 2_000
"""Pages of one step: 8 MB."""
MARGIN = 16 * 2**20
"""Bytes that are left free."""


VERSIONS_AT, ROLLBACK = 18, b"\x01\x01"
"""In the head of an SQLite file: that it has no write-ahead log, so that it can be read without a file beside it."""


class CopiedDatabase(NamedTuple):
    """A copy that was just made."""

    path: Path
    kind: str
    schema: str
    counts: dict[str, int]
    session_maker: Callable[[], AbstractContextManager[Session]]
    """Sessions that see what the copy holds."""


@contextlib.contextmanager
def copied(place: Place, part: Path, progress: Progress) -> Iterator[CopiedDatabase]:
    """Copy the database into the folder `part`."""
    with (_copied_sqlite if place.sqlite else _dumped)(place, part, progress) as found:
        yield found


@contextlib.contextmanager
def _copied_sqlite(place: Place, part: Path, progress: Progress) -> Iterator[CopiedDatabase]:
    path = part / SQLITE_NAME
    check_room(part, bytes_of(place, None))
    with opened(place) as database, database.reader_engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - the dialect's driver
        _copy_in_steps(driver, path, progress)
    # It is read where it was copied to: that it can be is part of the proof.
    copy = Place(place.folders._replace(root=part), place.url.set(database=str(path)))
    with opened(copy) as database:
        schema = version_of(database.reader_engine, copy)
        yield CopiedDatabase(path, "sqlite", schema, database.read_sync(counts_of), lambda: Session(database.reader_engine))


def _copy_in_steps(driver: sqlite3.Connection, path: Path, progress: Progress) -> None:
    """SQLite's own backup. An open read transaction holds the moment, whoever writes meanwhile."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    # Nobody else has it, and the file system of a backup may know no locks.
    target = sqlite3.connect(f"file:{quote(str(path))}?nolock=1", uri=True, isolation_level=None)
    try:
        target.execute("PRAGMA journal_mode=OFF")
        target.execute("PRAGMA synchronous=OFF")  # synced once it is whole
        if not driver.in_transaction:
            driver.execute("BEGIN")
        driver.execute("SELECT count(*) FROM sqlite_master").fetchone()
        driver.backup(
            target, pages=PAGES, progress=lambda _status, left, total: progress("Copying the database", total - left, total)
        )
    finally:
        target.close()
        driver.rollback()
    with path.open("r+b") as file:
        file.seek(VERSIONS_AT)
        file.write(ROLLBACK)


@contextlib.contextmanager
def _dumped(place: Place, part: Path, progress: Progress) -> Iterator[CopiedDatabase]:
    path = part / DUMP_NAME
    progress("Dumping the database", 0, None)
    dumps.check_program(place.url)
    with opened(place) as database, Session(database.reader_engine) as session:
        # What is dumped and what is read here is of the same moment.
        snapshot = session.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        dumps.dump(place.url, path, snapshot=snapshot)
        schema = session.execute(STAMP.select()).scalar_one()
        yield CopiedDatabase(path, "postgresql", schema, counts_of(session), lambda: contextlib.nullcontext(session))


def check_room(folder: Path, needed: int) -> None:
    """Raise `NoRoom` where a disk has less than `needed` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < needed + MARGIN:
        raise NoRoom(
            f"The disk of {folder} has {free / 1e9:.2f} GB free, and {(needed + MARGIN) / 1e9:.2f} GB are needed. Nothing was changed; "
            "free some space, or choose another disk."
        )
