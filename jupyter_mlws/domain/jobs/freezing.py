"""Freezes the bytes of a snapshot: each file that is not known yet is read once, into the store.

A file is known by path, size, mtime and inode, and only while the store still has its bytes. Files are opened relative to the source
folder, component by component, without following links, and what is read is of one moment. A file that somebody writes to all the
time (a log) is taken as it was when it was read. One that cannot be read any more does not stop the submit: it is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from jupyter_mlws.domain.jobs.snapshots import Left
from jupyter_mlws.domain.storage import service as storage
from jupyter_mlws.domain.storage.errors import FileChanged, NotAFile
from jupyter_mlws.domain.storage.service import BlobStore, FileStat, SnapshotFile, StoredBlob, StoredSource
from jupyter_mlws.kit.errors import MlwsError
from jupyter_mlws.kit.paths import BadPath

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from jupyter_mlws.domain.jobs.snapshots import SourceFile, Walk
    from jupyter_mlws.kit.transactions import Transactions

TRIES = 3


class Frozen(NamedTuple):
    """What was captured."""

    files: list[SnapshotFile]
    fresh: list[StoredBlob]
    """Blobs stored just now, which no row names yet."""
    left: list[Left]
    """Files that the walk saw, and that could not be read after all."""


def freeze(db: Transactions, blobs: BlobStore, walk: Walk) -> Frozen:
    """Store what the store lacks of `walk`. Raises `StorageFull`."""
    known = _known(db, blobs, walk.files)
    new = [file for file in walk.files if file.absolute not in known]
    stored: dict[str, StoredSource] = {}
    left: list[Left] = []
    settled: dict[str, FileStat] = {}
    for file, (result, steady) in zip(new, _read(blobs, walk.source, new), strict=True):
        if isinstance(result, Left):
            left.append(result)
            continue
        stored[file.absolute] = result
        if steady:
            settled[file.absolute] = FileStat(result.size, result.mtime_ns, result.inode, result.sha256)
    if settled:
        db.write_sync(lambda s: storage.remember_stats(s, settled))
    return Frozen(list(_files(walk.files, known, stored)), [one.blob for one in stored.values()], left)


def _known(db: Transactions, blobs: BlobStore, files: Sequence[SourceFile]) -> dict[str, str]:
    """Hashes of the files that did not change since they were stored, by absolute path."""
    stats = {file.absolute: (file.size, file.mtime_ns, file.inode) for file in files}
    known = db.read_sync(lambda s: storage.unchanged(s, stats))
    lost = blobs.missing(known.values())
    return {path: sha256 for path, sha256 in known.items() if sha256 not in lost} if lost else known


def _read(blobs: BlobStore, source: Path, files: Sequence[SourceFile]) -> Iterator[tuple[StoredSource | Left, bool]]:
    """(what became of it, whether it stood still meanwhile) for each file."""
    for file, result in zip(files, blobs.put_files([file.path for file in files], below=source), strict=True):
        if isinstance(result, FileChanged):
            yield _moving(blobs, source, file.path)
        elif isinstance(result, NotAFile | BadPath):
            yield Left(file.path, result.message), False
        elif isinstance(result, MlwsError):
            raise result
        else:
            yield result, True


def _moving(blobs: BlobStore, source: Path, path: str) -> tuple[StoredSource | Left, bool]:
    """A file that was written to while it was read: read it again, at last as it comes."""
    try:
        for _ in range(TRIES - 1):
            try:
                return blobs.put_file(path, below=source), True
            except FileChanged:
                continue
        return blobs.put_file(path, below=source, moving=True), False
    except (NotAFile, BadPath) as error:
        return Left(path, error.message), False


def _files(files: Sequence[SourceFile], known: dict[str, str], stored: dict[str, StoredSource]) -> Iterator[SnapshotFile]:
    for file in files:
        if (sha256 := known.get(file.absolute)) is not None:
            yield SnapshotFile(file.path, sha256, file.size, file.executable)
        elif (one := stored.get(file.absolute)) is not None:
            yield SnapshotFile(file.path, one.sha256, one.size, one.executable)
