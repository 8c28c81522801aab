"""Background work of jobs: folders that nobody needs any more."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from jupyter_mlws.domain.jobs import store
from jupyter_mlws.kit.ids import is_id
from jupyter_mlws.kit.removal import bytes_on_disk
from mlws import jobdir

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_mlws.kit.paths import Folders
    from jupyter_mlws.kit.transactions import Transactions

GRACE_S = 24 * 3600.0
KEPT_S = 7 * 24 * 3600.0
"""So long after its end the folder of a job stays: its logs and files are stored by then, files that it left elsewhere can be kept."""
BATCH = 500


class Folder(NamedTuple):
    """The folder of a job that nobody needs."""

    path: Path
    ended: bool
    """Its job has ended and all of it is stored; else there is no such job any more."""


def sweep(folders: Folders, db: Transactions, grace_s: float = GRACE_S, kept_s: float = KEPT_S) -> int:
    """Remove the folders of jobs that were removed for good, and of those that ended long ago. How many those were."""
    return sum(remove(db, one) > 0 for one in unneeded(folders, db, grace_s, kept_s))


def unneeded(folders: Folders, db: Transactions, grace_s: float, kept_s: float) -> Iterator[Folder]:
    """Folders in which nothing has changed since the grace period (jobs that are gone) or `kept_s` (ended jobs)."""
    now = time.time()
    with os.scandir(folders.jobs) as entries:
        ages = {one.name: now - _changed_at(Path(one.path)) for one in entries if is_id(one.name)}
    old = [name for name, age in ages.items() if age > min(grace_s, kept_s)]
    for start in range(0, len(old), BATCH):
        names = old[start : start + BATCH]
        there = db.read_sync(partial(store.known, ids=names))
        done = db.read_sync(partial(store.done_with, ids=names))
        for name in names:
            folder = Path(folders.job(name))
            due = ages[name] > (kept_s if name in there else grace_s)
            if due and (name not in there or name in done) and not folder.is_symlink() and not _lives(folder):
                yield Folder(folder, name in there)


def _changed_at(folder: Path) -> float:
    """When something last changed in the folder of a job, of whatever attempt; seconds since the epoch."""
    found = [time.time()]  # of one that is gone by now
    with contextlib.suppress(OSError):
        found = [folder.stat(follow_symlinks=False).st_mtime]
    for attempt in folder.glob("attempts/*"):
        with contextlib.suppress(OSError):
            found.append(attempt.stat(follow_symlinks=False).st_mtime)
    return max(found)


def _lives(folder: Path) -> bool:
    """Whether a supervisor is there, of whatever attempt: of a job that runs, or of one that has ended and whose kernel is kept."""
    return any(jobdir.is_alive(str(one)) for one in (folder, *folder.glob("attempts/*")))


def size_of(folder: Folder) -> int:
    """The bytes that removing it frees."""
    return bytes_on_disk(folder.path)


def remove(db: Transactions, folder: Folder) -> int:
    """Remove a folder; the bytes that this freed, 0 if it stays."""
    size = bytes_on_disk(folder.path)
    if folder.ended:
        db.write_sync(partial(store.forget_new_files, run_id=folder.path.name))
    shutil.rmtree(folder.path, ignore_errors=True)
    return 0 if folder.path.exists() else size
