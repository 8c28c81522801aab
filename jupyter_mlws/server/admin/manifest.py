"""`backup.json`: what a backup holds. It is written last, so that a folder without it is no backup."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from jupyter_mlws.server.admin.errors import BadTarget

NAME = "backup.json"
PART = ".part"
"""Folder in it for what is not whole yet."""
FORMAT = 1
FILES = "files.txt"
"""A line for each stored file: its SHA-256, and its number of bytes."""


class DatabaseCopy(Struct, kw_only=True):
    """The copy of the database."""

    kind: str
    """`sqlite` (a file) or `postgresql` (what `pg_restore` reads)."""
    file: str
    bytes: int
    sha256: str


class FilesCopy(Struct, kw_only=True):
    """The stored files beside it."""

    number: int
    bytes: int
    missing: int
    """Files that rows name and that the store lacked already."""


class Manifest(Struct, kw_only=True):
    """What a backup holds, and what it is of."""

    format: int
    program: str
    """Version of jupyter_mlws."""
    schema: str
    made_at: int
    """Milliseconds since the epoch; the copy is of this moment or a little later."""
    data_dir: str
    database_url: str
    """Without a password."""
    database: DatabaseCopy
    files: FilesCopy | None
    """None: only the database was copied."""
    counts: dict[str, int]


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a backup; None where there is none. Raises `BadTarget` for one that cannot be read."""
    path = folder / NAME
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadTarget(f"{path} cannot be read: {error.strerror}.") from error
    try:
        found = msgspec.json.decode(data, type=Manifest)
    except ValueError as error:
        raise BadTarget(f"{path} is damaged, or no manifest of a backup: {error}.") from error
    if found.format > FORMAT or Path(found.database.file).name != found.database.file:
        raise BadTarget(f"The backup {folder} was made by a newer version of jupyter_mlws ({found.program}): upgrade it.")
    return found
