"""Deleting much for good: in writes so short that nobody waits long for the writer, and with the folders that lie on the disk."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from sqlalchemy.orm import Session

    from jupyter_mlws.kit.paths import Folders
    from jupyter_mlws.kit.transactions import Transactions

STEP = 20
"""So many runs are removed in one write."""


async def in_steps(db: Transactions, step: Callable[[Session], bool]) -> None:
    """Write `step` again and again until it says that it is done. One that fails leaves what was removed before removed."""
    while not await db.write(step):
        pass


async def bytes_of_jobs(folders: Folders, run_ids: Iterable[str]) -> int:
    """Bytes in the folders of those of the runs that are jobs."""
    return await asyncio.to_thread(lambda: sum(bytes_below(folders.job(run_id)) for run_id in run_ids))


async def remove_jobs(folders: Folders, run_ids: Iterable[str]) -> None:
    """Remove those folders. What cannot be removed now the sweep removes later."""

    def remove() -> None:
        for run_id in run_ids:
            shutil.rmtree(folders.job(run_id), ignore_errors=True)

    await asyncio.to_thread(remove)


def bytes_below(folder: Path) -> int:
    """Bytes of the files below a folder, those of links left out; 0 where there is none."""
    total, stack = 0, [os.fspath(folder)]
    while stack:
        with contextlib.suppress(OSError), os.scandir(stack.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    stack.append(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    total += entry.stat(follow_symlinks=False).st_size
    return total


def bytes_on_disk(path: Path) -> int:
    """What `du -b` says of a file or folder: with the folders themselves, each file once however many names it has there."""
    seen: set[tuple[int, int]] = set()
    total, stack = 0, [os.fspath(path)]
    while stack:
        here = stack.pop()
        with contextlib.suppress(OSError):
            status = os.lstat(here)
            if (status.st_dev, status.st_ino) not in seen:
                seen.add((status.st_dev, status.st_ino))
                total += status.st_size
                if stat.S_ISDIR(status.st_mode):
                    stack += [entry.path for entry in os.scandir(here)]
    return total
