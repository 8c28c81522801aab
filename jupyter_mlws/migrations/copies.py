"""The copy of an SQLite database that is made before an upgrade."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_mlws.kit.durable import synced

if TYPE_CHECKING:
    from sqlalchemy import Engine


def keep_copy(engine: Engine, revision: str) -> Path | None:
    """Copy the database to `<its name>.bak-<revision>` beside it, whole or not at all; an earlier copy of that name is replaced.

    None where the database is no file: on PostgreSQL, or in memory. Raises OSError, and sqlite3.Error (a full disk).
    """
    if engine.dialect.name != "sqlite":
        return None
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - the dialect's driver
        source = next(path for _, name, path in driver.execute("PRAGMA database_list") if name == "main")
        if not source:
            return None
        copy = Path(f"{source}.bak-{revision}")
        part = Path(f"{copy}.part")
        try:
            _copy_into(driver, part)
            part.replace(copy)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    synced(copy.parent)
    return copy


def _copy_into(driver: sqlite3.Connection, part: Path) -> None:
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(sqlite3.connect(part)) as target:
        driver.backup(target)
    synced(part)
