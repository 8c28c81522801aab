"""Is an SQLite file whole in itself: its pages, its indexes, what rows refer to."""

from __future__ import annotations

import sqlite3
import struct
from collections import Counter
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

    from jupyter_mlws.server.admin.progress import Progress

SQLITE_PAGES = "database_bytes"
MOST = 20
"""More faults of one file say nothing new."""
TICK = 1_000_000
"""Steps of SQLite's machine between two words of progress: some tens of a second."""
PAGE_SIZE_AT, PAGES_AT = 16, 28


def structure_faults(engine: Engine, file: Path, *, full: bool, progress: Progress) -> list[tuple[str, str]]:
    """(kind, message) of what SQLite's own check finds: `full` compares the indexes with the tables, too."""
    what, ticks = "Checking the database", 0

    def tick() -> int:
        nonlocal ticks
        ticks += 1
        progress(what, ticks, None)
        return 0

    progress(what, 0, None)
    try:
        with engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - the dialect's driver
            driver.set_progress_handler(tick, TICK)
            try:
                rows = driver.execute(f"PRAGMA {'integrity_check' if full else 'quick_check'}({MOST})").fetchall()
            finally:
                driver.set_progress_handler(None, 0)
        lines = [line for row in rows for line in str(row[0]).splitlines() if not line.startswith("***")]
    except (sqlite3.Error, DBAPIError) as error:
        lines = [str(getattr(error, "orig", error))]
    if lines == ["ok"]:
        return []
    cut = _cut(file)
    if cut:
        return [("truncated", cut)]
    shown = "; ".join(lines[:3]) + ("; …" if len(lines) > 3 else "")
    return [("damaged_database", f"The database file is damaged. SQLite says: {shown}.")]


def _cut(file: Path) -> str:
    """Words for a file whose end is missing; empty where it has all its pages."""
    try:
        with file.open("rb") as handle:
            head = handle.read(100)
        size = file.stat().st_size
    except OSError:
        return ""
    if len(head) < 100:
        return f"The database file was cut off: it has {size:,} bytes, less than its head alone takes."
    page = struct.unpack_from(">H", head, PAGE_SIZE_AT)[0]
    should = (65_536 if page == 1 else page) * struct.unpack_from(">I", head, PAGES_AT)[0]
    return f"The database file was cut off: it has {size:,} bytes of {should:,}." if size < should else ""


def foreign_key_faults(engine: Engine) -> list[tuple[str, str]]:
    """(kind, message) of rows that refer to what is not there, a line for each pair of tables."""
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    pairs = Counter((table, parent) for table, _, parent, _ in rows)
    return [
        ("broken_reference", f"{number} rows of {table} refer to rows of {parent} that are not there.")
        for (table, parent), number in sorted(pairs.items())
    ]
