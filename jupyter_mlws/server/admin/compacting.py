"""Making a database small: tails of metrics into chunks, free pages back to the disk. Without a server."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from msgspec import Struct
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from jupyter_mlws.db.base import Base
from jupyter_mlws.db.database import Database
from jupyter_mlws.db.engine import sqlite_name
from jupyter_mlws.domain.metrics import tasks as metrics_tasks
from jupyter_mlws.server import schema
from jupyter_mlws.server.admin.contents import bytes_of
from jupyter_mlws.server.admin.errors import NoRoom, OldSchema, OnlyACopy
from jupyter_mlws.server.admin.place import opened, owned, unreadable, version_of
from jupyter_mlws.server.admin.progress import silent
from jupyter_mlws.server.admin.sources import check_room

if TYPE_CHECKING:
    from jupyter_mlws.server.admin.place import Place
    from jupyter_mlws.server.admin.progress import Progress

BUSY_S = 10.0


class Compacted(Struct, kw_only=True):
    """What was done."""

    database: str
    series: int
    """Series whose points were moved or merged."""
    damaged_series: int
    """Series that were left as they are, for they have a chunk that cannot be read."""
    bytes_before: int
    bytes_after: int


def compact(place: Place, *, progress: Progress = silent) -> Compacted:
    """Move all points into chunks, then give back what is free. Raises `OwnedByServer`, `OldSchema`, `NoRoom`."""
    if place.manifest is not None:
        raise OnlyACopy(f"{place.folders.root} is a backup, which stays as it is.")
    _check_version(place)
    with owned(place, "A server moves long tails of metrics by itself; free pages are given back only when none runs."):
        try:
            if place.sqlite:
                _check_room(place)
            before = _bytes(place)
            moved = _move(place, progress)
            progress("Giving back free pages", 0, None)
            (_vacuum_file if place.sqlite else _vacuum_tables)(place)
            after = _bytes(place)
        except (DBAPIError, sqlite3.Error) as error:
            if sqlite_name(getattr(error, "orig", error)).startswith(("SQLITE_FULL", "SQLITE_IOERR")):
                raise NoRoom(
                    f"The disk of {place.file.parent} became full. The database is whole, and as large as before; free some space, "
                    "then try again."
                ) from error
            raise unreadable(place, error) from error
    return Compacted(
        database=place.location,
        series=moved.series,
        damaged_series=len(moved.damaged),
        bytes_before=before,
        bytes_after=after,
    )


def _check_version(place: Place) -> None:
    with opened(place) as database:
        found = version_of(database.reader_engine, place)
    schema.check_known(found)
    if found != schema.HEAD:
        raise OldSchema(f"The database has schema {found}, and this program {schema.HEAD}: run `mlws db upgrade` first.")


def _check_room(place: Place) -> None:
    """SQLite writes what is in use once beside the file and once into its journal before it takes the place of the old."""
    with opened(place) as database, database.reader_engine.connect() as connection:
        pages, free, size = (
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("page_count", "freelist_count", "page_size")
        )
    check_room(place.file.parent, 2 * (pages - free) * size)


def _bytes(place: Place) -> int:
    with opened(place) as database:
        return database.read_sync(lambda session: bytes_of(place, session))


def _move(place: Place, progress: Progress) -> metrics_tasks.Compacted:
    database = Database(place.url)
    try:
        database.start()
        return metrics_tasks.compact_all(database, lambda done, total: progress("Moving metrics", done, total))
    finally:
        database.close()


def _vacuum_file(place: Place) -> None:
    # What it writes beside the file lies on the same disk, whose room was looked at.
    os.environ["SQLITE_TMPDIR"] = str(place.file.parent)
    with closing(sqlite3.connect(place.file, isolation_level=None, timeout=BUSY_S)) as connection:
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _vacuum_tables(place: Place) -> None:
    engine = create_engine(place.url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            for name in sorted(Base.metadata.tables):
                connection.execute(text(f'VACUUM (ANALYZE) "{name}"'))
    finally:
        engine.dispose()
