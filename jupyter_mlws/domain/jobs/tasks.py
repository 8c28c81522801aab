"""Background work of jobs."""

from __future__ import annotations

import os
import shutil
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_mlws.domain.jobs import store
from jupyter_mlws.kit.ids import is_id
from mlws import jobdir

if TYPE_CHECKING:
    from jupyter_mlws.kit.paths import Folders
    from jupyter_mlws.kit.transactions import Transactions

GRACE_S = 24 * 3600.0
BATCH = 500


def sweep(folders: Folders, db: Transactions, grace_s: float = GRACE_S) -> int:
    """Remove the folders of jobs that were removed for good, once they are older than the grace period. How many those were."""
    before = time.time() - grace_s
    with os.scandir(folders.jobs) as entries:
        old = [entry.name for entry in entries if is_id(entry.name) and entry.stat(follow_symlinks=False).st_mtime < before]
    removed = 0
    for start in range(0, len(old), BATCH):
        names = old[start : start + BATCH]
        there = db.read_sync(partial(store.known, ids=names))
        for name in names:
            folder = Path(folders.job(name))
            if name not in there and not folder.is_symlink() and not jobdir.is_alive(str(folder)):
                shutil.rmtree(folder, ignore_errors=True)
                removed += not folder.exists()
    return removed
