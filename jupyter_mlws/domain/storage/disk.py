"""What the store asks of the disk: reading without following links, copies by reference, hashes, words for a full disk."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import sys
from typing import TYPE_CHECKING, BinaryIO

from jupyter_mlws.domain.storage.errors import StorageFailed, StorageFull
from jupyter_mlws.kit import paths
from jupyter_mlws.kit.paths import clean_relative

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PIECE = 1024 * 1024
FICLONE = 0x40049409
NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
READ = paths.READ | NOFOLLOW


def hash_of(file: BinaryIO) -> tuple[str, int]:
    """SHA-256 and number of bytes from here to the end of an open file."""
    digest, size = hashed(file)
    return digest.hexdigest(), size


def hashed(file: BinaryIO) -> tuple[hashlib._Hash, int]:
    """As `hash_of`, with a hash that can go on."""
    digest, size, buffer = hashlib.sha256(), 0, memoryview(bytearray(PIECE))
    while count := file.readinto(buffer):  # type: ignore[attr-defined]  # all our files are buffered readers
        digest.update(buffer[:count])
        size += count
    return digest, size


def open_below(root: Path, relative: str) -> int:
    """A descriptor to read `relative` below `root`, reached without following any link. Raises `BadPath` and OSError."""
    *parents, name = clean_relative(relative).split("/")
    if os.open not in os.supports_dir_fd:
        return os.open(root.joinpath(*parents, name), READ)
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parents:
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = below
        return os.open(name, READ, dir_fd=folder)
    finally:
        os.close(folder)


def clone(source: int, target: int) -> bool:
    """Make `target` share the blocks of `source` (btrfs, XFS, …): a copy of one moment, at no cost."""
    if sys.platform != "linux":
        return False
    import fcntl  # noqa: PLC0415 - not on Windows

    try:
        fcntl.ioctl(target, FICLONE, source)
    except OSError:
        return False
    return True


FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
FAILED = {errno.EIO, errno.EROFS, errno.ENXIO, errno.ENODEV, getattr(errno, "ESTALE", errno.EIO)}


@contextlib.contextmanager
def disk() -> Iterator[None]:
    """Turn a full disk or quota into `StorageFull`, and one that fails into `StorageFailed`."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise StorageFull("The disk of the artifact store is full; free some space, then try again.") from error
        if error.errno in FAILED:
            raise StorageFailed(
                f"The disk of the artifact store failed ({error.strerror}); nothing was stored. Is it mounted and whole? Then try again."
            ) from error
        raise
