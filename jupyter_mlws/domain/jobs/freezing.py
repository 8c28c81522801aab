"""Freezes the bytes of a snapshot: each file that is not known yet is read once, into the store.

A file is known by path, size, mtime and inode. Files are opened relative to the source folder, component by component, without
following links, and stat before and after reading must agree, else the file is read again: a link or folder swapped in never
leads outside, and a hash never belongs to other bytes than those stored.
"""

from __future__ import annotations

import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple, Protocol

from jupyter_mlws.domain.jobs.snapshots import Left, SourceFile, Walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

CHUNK = 1 << 20
WORKERS = 4
BATCH = 32
TRIES = 3
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: a pipe swapped in must not hold us.
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class StatKey(NamedTuple):
    """What a file is recognised by."""

    path: str
    """Absolute."""
    size: int
    mtime_ns: int
    inode: int


class StatCache(Protocol):
    """Remembers the SHA-256 of files by what they are recognised by."""

    def get_many(self, keys: Sequence[StatKey]) -> Mapping[StatKey, str]:
        """The hashes of those keys that are known."""

    def put_many(self, hashes: Mapping[StatKey, str]) -> None:
        """Remember hashes; an older entry of the same path may go."""


class Blobs(Protocol):
    """The store, as far as it is needed here. Both are called from several threads at once."""

    def missing(self, hashes: Iterable[str]) -> set[str]:
        """Those of the hashes that the store does not have."""

    def put(self, chunks: Iterable[bytes]) -> tuple[str, int]:
        """Store the bytes; their SHA-256 and number."""


class Frozen(NamedTuple):
    """A captured file. `path` is relative to the source folder."""

    path: str
    sha256: str
    size: int
    executable: bool
    mtime_ns: int


def freeze(walk: Walk, cache: StatCache, blobs: Blobs) -> tuple[list[Frozen], list[Left]]:
    """Store what the store lacks of `walk`; the captured files, and those that could not be read after all."""
    keys = [StatKey(file.absolute, file.size, file.mtime_ns, file.inode) for file in walk.files]
    known = cache.get_many(keys)
    gone = blobs.missing(set(known.values())) if known else set()
    frozen: list[Frozen] = []
    new: list[SourceFile] = []
    for file, key in zip(walk.files, keys, strict=True):
        sha256 = known.get(key)
        if sha256 is None or sha256 in gone:
            new.append(file)
        else:
            frozen.append(Frozen(file.path, sha256, file.size, file.executable, file.mtime_ns))
    left: list[Left] = []
    learned: dict[StatKey, str] = {}
    if new:
        root = os.open(walk.source, FOLDER)
        try:
            for file, outcome in _read_all(root, new, blobs.put):
                if isinstance(outcome, Left):
                    left.append(outcome)
                    continue
                result, remembered = outcome
                frozen.append(result)
                if remembered is not None:
                    learned[remembered._replace(path=file.absolute)] = result.sha256
        finally:
            os.close(root)
    if learned:
        cache.put_many(learned)
    frozen.sort()
    return frozen, left


Outcome = Left | tuple[Frozen, StatKey | None]


def _read_all(
    root: int, files: list[SourceFile], put: Callable[[Iterable[bytes]], tuple[str, int]]
) -> Iterator[tuple[SourceFile, Outcome]]:
    def batch(part: list[SourceFile]) -> list[tuple[SourceFile, Outcome]]:
        return [(file, _read(root, file, put)) for file in part]

    parts = [files[start : start + BATCH] for start in range(0, len(files), BATCH)]
    with ThreadPoolExecutor(min(WORKERS, len(parts)), thread_name_prefix="mlws-freeze") as pool:
        for results in pool.map(batch, parts):
            yield from results


def _read(root: int, file: SourceFile, put: Callable[[Iterable[bytes]], tuple[str, int]]) -> Outcome:
    """Store one file. A file that changes at each try is taken as last read, and not remembered."""
    try:
        for attempt in range(TRIES):
            fd = open_inside(root, file.path)
            try:
                before = os.fstat(fd)
                if not stat.S_ISREG(before.st_mode):
                    return Left(file.path, "not a file any more")
                sha256, size = put(_chunks(fd))
                after = os.fstat(fd)
            finally:
                os.close(fd)
            steady = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns) and size == after.st_size
            if steady or attempt == TRIES - 1:
                result = Frozen(file.path, sha256, size, bool(after.st_mode & stat.S_IXUSR), after.st_mtime_ns)
                key = StatKey("", size, after.st_mtime_ns, after.st_ino)
                return result, key if steady and _is_settled(after.st_mtime_ns) else None
    except OSError as error:
        return Left(file.path, f"cannot be read: {error.strerror}")
    raise AssertionError("unreachable")


def _is_settled(mtime_ns: int) -> bool:
    """Whether a later change would show in the mtime: file systems count in steps of up to 10 ms, some in whole seconds."""
    step_ns = 2_000_000_000 if mtime_ns % 1_000_000_000 == 0 else 50_000_000
    return time.time_ns() - mtime_ns > step_ns


def _chunks(fd: int) -> Iterator[bytes]:
    while chunk := os.read(fd, CHUNK):
        yield chunk


def open_inside(root: int, path: str) -> int:
    """Open the file `path` below the folder `root` for reading; no component may be a link (OSError ELOOP or ENOTDIR)."""
    *folders, name = path.split("/")
    at = root
    try:
        for folder in folders:
            below = os.open(folder, FOLDER, dir_fd=at)
            if at != root:
                os.close(at)
            at = below
        return os.open(name, FILE, dir_fd=at)
    finally:
        if at != root:
            os.close(at)
