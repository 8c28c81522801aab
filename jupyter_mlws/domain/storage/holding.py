"""While somebody copies the store nothing is swept out of it: a lock on a file in it, which the end of a process lets go."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = ".hold"


@contextlib.contextmanager
def held(root: Path) -> Iterator[None]:
    """No blob below `root` goes meanwhile; a sweep that is under way is waited for. Many may hold it at once."""
    with _opened(root) as descriptor:
        if descriptor is not None:
            import fcntl  # noqa: PLC0415 - not on Windows

            fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield


@contextlib.contextmanager
def sweeping(root: Path) -> Iterator[bool]:
    """Whether blobs may go now: False while somebody holds them."""
    with _opened(root) as descriptor:
        if descriptor is None:
            yield True
            return
        import fcntl  # noqa: PLC0415 - not on Windows

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


@contextlib.contextmanager
def _opened(root: Path) -> Iterator[int | None]:
    """The file; None where there can be none: on Windows, or where nobody may write, and so nobody sweeps."""
    if os.name == "nt":
        yield None
        return
    try:
        descriptor = os.open(root / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)
