"""Lays the working folder of a job from stored blobs and links (`snapshots` says how it lies)."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from jupyter_mlws.kit.paths import clean_relative

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from jupyter_mlws.domain.storage.service import SnapshotFile


def materialize(
    work: Path,
    subdir: str,
    files: Iterable[SnapshotFile],
    blob_path: Callable[[str], Path],
    links: Iterable[tuple[str, str]],
) -> Path:
    """Lay the working folder in `work` (new or empty); the folder that the job runs in.

    `files` go below `subdir`. They are copies (by reflink where that can be) and never hard links: a job that writes into its
    files must not reach the store. `links` are (path relative to `work`, target); one whose place is taken is left out.
    """
    base = work / clean_relative(subdir, empty_ok=True)
    base.mkdir(parents=True, exist_ok=True)
    made = {base}
    for file in files:
        if file.sha256 is None:
            continue
        target = base / clean_relative(file.path)
        if target.parent not in made:
            target.parent.mkdir(parents=True, exist_ok=True)
            made.add(target.parent)
        copy_file(blob_path(file.sha256), target, executable=file.executable)
    for path, original in links:
        place = work / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if not os.path.lexists(place):
            place.symlink_to(original)
    return base


def copy_file(source: Path, target: Path, *, executable: bool) -> None:
    """Copy a regular file to a place where nothing is, by reflink where that can be."""
    reading = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        writing = os.open(
            target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o755 if executable else 0o644
        )
        try:
            _copy_bytes(reading, writing)
        finally:
            os.close(writing)
    finally:
        os.close(reading)


def _copy_bytes(reading: int, writing: int) -> None:
    left = os.fstat(reading).st_size
    try:
        while left:
            done = os.copy_file_range(reading, writing, left)  # the kernel shares blocks where the file system can
            if not done:
                return
            left -= done
    except (OSError, AttributeError):
        # Another file system, or a system without it (macOS): go on where it stopped.
        with os.fdopen(os.dup(reading), "rb") as source, os.fdopen(os.dup(writing), "wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
