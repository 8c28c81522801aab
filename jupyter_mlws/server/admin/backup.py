"""A backup that may be made while servers work: the database as it is at one moment, then the files that it names.

In this order all is there: a file is stored before a row names it, and while the copy is made nothing is swept out of the store. What
is new stands under `.part` until it is whole; `backup.json` goes first and comes last, so that a folder that has it is a backup.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sqlite3
from importlib.metadata import version
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from sqlalchemy.exc import DBAPIError

from jupyter_mlws.db.engine import sqlite_name
from jupyter_mlws.domain.storage.disk import hash_of
from jupyter_mlws.domain.storage.holding import held
from jupyter_mlws.kit.clock import now_ms
from jupyter_mlws.kit.durable import synced
from jupyter_mlws.server import schema
from jupyter_mlws.server.admin.errors import BackupFailed, BadTarget, NoRoom, OnlyACopy
from jupyter_mlws.server.admin.files import FileCopier
from jupyter_mlws.server.admin.manifest import FILES, FORMAT, NAME, PART, DatabaseCopy, FilesCopy, Manifest, read_manifest
from jupyter_mlws.server.admin.place import opened, unreadable, version_of
from jupyter_mlws.server.admin.progress import silent
from jupyter_mlws.server.admin.sources import CopiedDatabase, copied

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jupyter_mlws.server.admin.place import Place
    from jupyter_mlws.server.admin.progress import Progress

FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", -1), errno.EFBIG)


class BackedUp(Struct, kw_only=True):
    """What a backup holds, and what of it was new."""

    folder: str
    manifest: Manifest
    files_copied: int
    bytes_copied: int
    missing: list[str]
    """Hashes of files that rows name and that the store lacks."""


def back_up(place: Place, folder: Path, *, files: bool = True, progress: Progress = silent) -> BackedUp:
    """Copy database and files into `folder`, new or of an earlier backup of the same data folder.

    Raises `BadTarget`, `NoRoom`, `DumpFailed`, `BackupFailed`; then what the folder held before is as it was.
    """
    target = folder.expanduser().absolute()
    if place.manifest is not None:
        raise OnlyACopy(f"{place.folders.root} is a backup itself; copy the folder.")
    with opened(place) as database:
        schema.check_known(version_of(database.reader_engine, place))
    with _writing(place, target) as part, contextlib.ExitStack() as stack:
        if files and place.folders.objects.is_dir():
            stack.enter_context(held(place.folders.objects))
        made_at = now_ms()
        source = stack.enter_context(copied(place, part, progress))
        copier = FileCopier(place.folders.objects, target / place.folders.objects.name, progress)
        if files:
            copier.copy(source.session_maker, part / FILES)
        if place.folders.compute.is_file():
            shutil.copyfile(place.folders.compute, part / place.folders.compute.name)
        manifest = _manifest(place, source, copier if files else None, made_at)
        (part / NAME).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
        _put_in_place(part, target)
    return BackedUp(
        folder=str(target),
        manifest=manifest,
        files_copied=copier.number,
        bytes_copied=copier.bytes,
        missing=copier.missing,
    )


def _manifest(place: Place, source: CopiedDatabase, copier: FileCopier | None, made_at: int) -> Manifest:
    with source.path.open("rb") as file:
        sha256, size = hash_of(file)
    return Manifest(
        format=FORMAT,
        program=version("jupyter_mlws"),
        schema=source.schema,
        made_at=made_at,
        data_dir=str(place.folders.root),
        database_url=place.location,
        database=DatabaseCopy(kind=source.kind, file=source.path.name, bytes=size, sha256=sha256),
        files=None
        if copier is None
        else FilesCopy(number=copier.all_number, bytes=copier.all_bytes, missing=len(copier.missing)),
        counts=source.counts,
    )


@contextlib.contextmanager
def _writing(place: Place, target: Path) -> Iterator[Path]:
    """The folder for what is not whole yet; it is emptied, whatever happens, and failures are told in words."""
    _check_target(place, target)
    try:
        part = target / PART
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.mkdir(mode=0o700, exist_ok=True)
        with _alone(target):
            _empty(part)
            try:
                yield part
            finally:
                _empty(part)
                # Where nothing is whole yet it stays, as the mark that the folder is ours to write into.
                if (target / NAME).exists():
                    part.rmdir()
    except OSError as error:
        if error.errno in FULL:
            raise NoRoom(_full(target)) from error
        where = f" ({error.filename})" if error.filename else ""
        raise BackupFailed(f"The backup could not be written to {target}: {error.strerror or error}{where}.") from error
    except sqlite3.Error as error:
        if sqlite_name(error).startswith(("SQLITE_FULL", "SQLITE_IOERR")):
            raise NoRoom(_full(target)) from error
        raise unreadable(place, error) from error
    except DBAPIError as error:
        raise unreadable(place, error) from error


def _full(target: Path) -> str:
    return (
        f"The disk of {target} is full, or may not take so large a file. The backup was not made; "
        "what the folder held before is as it was. Free some space, or choose another folder, then try again."
    )


def _check_target(place: Place, target: Path) -> None:
    real, root = target.resolve(), place.folders.root.resolve()
    if real == root or root in real.parents or real in root.parents:
        raise BadTarget(f"A backup cannot lie in the data folder {root}, nor around it: choose a folder elsewhere.")
    if not target.exists():
        return
    if not target.is_dir():
        raise BadTarget(f"{target} is no folder; choose another name.")
    found = read_manifest(target)
    if found is None:
        if any(target.iterdir()) and not (target / PART).is_dir():
            raise BadTarget(f"The folder {target} is not empty, and holds no backup; choose another one.")
    elif (found.data_dir, found.database_url) != (str(place.folders.root), place.location):
        raise BadTarget(
            f"The folder {target} holds a backup of {found.data_dir} ({found.database_url}), not of {place.folders.root} "
            f"({place.location}); choose another one."
        )


@contextlib.contextmanager
def _alone(target: Path) -> Iterator[None]:
    """While no other backup is written into the folder."""
    import fcntl  # noqa: PLC0415 - not on Windows

    descriptor = os.open(target, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # Some network file systems lock no folders.
        with contextlib.suppress(OSError):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BadTarget(f"Another backup is just written to {target}; wait for it, or choose another folder.") from None
        yield
    finally:
        os.close(descriptor)


def _empty(part: Path) -> None:
    for path in part.iterdir():
        path.unlink()


def _put_in_place(part: Path, target: Path) -> None:
    """All of it in the end: synced, then renamed. From when the old manifest goes to when the new one comes it is no backup."""
    names = [path.name for path in part.iterdir() if path.name != NAME]
    for name in [*names, NAME]:
        (part / name).chmod(0o600)
        synced(part / name)
    synced(target)
    (target / NAME).unlink(missing_ok=True)
    for name in (FILES, "compute.json"):
        if name not in names:
            (target / name).unlink(missing_ok=True)
    synced(target)
    for name in names:
        (part / name).replace(target / name)
    synced(target)
    (part / NAME).replace(target / NAME)
    synced(target)
