"""Copying stored files into a backup: those that are there already, with the same size, stay."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from jupyter_mlws.domain.storage import store
from jupyter_mlws.domain.storage.disk import READ
from jupyter_mlws.kit.durable import synced
from jupyter_mlws.server.admin.sources import check_room

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from sqlalchemy.orm import Session

    from jupyter_mlws.server.admin.progress import Progress

THREADS = 8
"""Each waits for the disk most of the time."""
BATCH = 500
PASSING = "tmp-"
Wanted = list[tuple[str, int]]
"""(hash, size) of files."""


class FileCopier:
    """Copies files from one store to another, and counts."""

    def __init__(self, source: Path, target: Path, progress: Progress) -> None:
        self._source = source
        self._target = target
        self._progress = progress
        self.number = self.bytes = 0
        """Of the files that were copied."""
        self.all_number = self.all_bytes = 0
        """Of the files that the backup holds."""
        self.missing: list[str] = []

    def copy(self, sessions: Callable[[], AbstractContextManager[Session]], listing: Path) -> None:
        """Copy all that rows name and list it in a file. Raises OSError and `NoRoom`."""
        with sessions() as session:
            new = sum(size for sha256, size in _wanted(session) if not self._there(sha256, size))
            check_room(self._existing(), new)
            self._target.mkdir(mode=0o700, parents=True, exist_ok=True)
            total = 0
            folders: set[Path] = set()
            with ThreadPoolExecutor(THREADS) as pool, listing.open("w", encoding="ascii") as lines:
                for batch in _batches(_wanted(session)):
                    for (sha256, size), folder in zip(batch, pool.map(self._take, *zip(*batch, strict=True)), strict=True):
                        total += size
                        if self._count(session, sha256, size, folder):
                            lines.write(f"{sha256} {size}\n")
                        if not isinstance(folder, bool):
                            folders.add(folder)
                    self._progress("Copying files", total, None)
            for folder in folders:
                synced(folder)
            synced(self._target)

    def _count(self, session: Session, sha256: str, size: int, done: Path | bool) -> bool:
        """Whether the backup has the file."""
        if done is False:
            # What nothing needs may go at any time, and is not missed.
            if store.needed_by(session, sha256):
                self.missing.append(sha256)
            return False
        self.all_number, self.all_bytes = self.all_number + 1, self.all_bytes + size
        if done is not True:
            self.number, self.bytes = self.number + 1, self.bytes + size
        return True

    def _take(self, sha256: str, size: int) -> Path | bool:
        """Copy one file: the folder that it came into, True where it was there already, False where the store lacks it."""
        if self._there(sha256, size):
            return True
        return self._copy(sha256)

    def _copy(self, sha256: str) -> Path | bool:
        target = self._target / sha256[:2] / sha256[2:]
        part = target.with_name(PASSING + target.name)
        try:
            source = os.open(self._source / sha256[:2] / sha256[2:], READ)
        except FileNotFoundError:
            return False
        with os.fdopen(source, "rb") as reading:
            target.parent.mkdir(mode=0o700, exist_ok=True)
            part.unlink(missing_ok=True)
            try:
                with part.open("xb") as writing:
                    shutil.copyfileobj(reading, writing, 2**20)
                    writing.flush()
                    os.fsync(writing.fileno())
                part.chmod(0o444)
                part.replace(target)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
        return target.parent

    def _there(self, sha256: str, size: int) -> bool:
        try:
            return (self._target / sha256[:2] / sha256[2:]).lstat().st_size == size
        except OSError:
            return False

    def _existing(self) -> Path:
        return self._target if self._target.is_dir() else self._target.parent


def _wanted(session: Session) -> Iterator[tuple[str, int]]:
    last = ""
    while rows := store.blobs_after(session, last, BATCH):
        last = rows[-1][0]
        yield from rows


def _batches(found: Iterator[tuple[str, int]]) -> Iterator[Wanted]:
    batch: Wanted = []
    for one in found:
        batch.append(one)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
