"""`mlws gc`: removes what nobody needs any more, of whatever kind, and says what that freed. Its dry run looks by the same rules."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import stat
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

from msgspec import Meta, Struct

from jupyter_mlws.domain.jobs import environments as job_environments
from jupyter_mlws.domain.jobs import tasks as jobs_tasks
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.storage import accounting
from jupyter_mlws.domain.storage import service as storage
from jupyter_mlws.domain.storage.holding import sweeping
from jupyter_mlws.domain.storage.schemas import Garbage, GarbageReport
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.http import ApiHandler, Route, endpoint
from mlws import jobdir

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_mlws.db.database import Database
    from jupyter_mlws.domain.environments.service import Builds
    from jupyter_mlws.domain.storage.blobs import BlobStore

GRACE_S = 24 * 3600
LEAST_GRACE_S = 3600
"""What is younger may belong to an upload, a submit or a job that is just ending."""
REJECTED_KEPT_S = 30 * 24 * 3600.0
"""Records that the server refused are kept for a person to look at, so long."""
CONTENTS = (".blob", ".part")
"""Of artifacts: whole ones, and ones whose process ended while it wrote them."""
TEMPORARY = re.compile(r"\.tmp$|^tmp-")
SNAPSHOTS_AT_ONCE = 50


class GarbageQuery(Struct):
    """How old what goes is at least, and whether to remove it or only to tell."""

    grace_s: Annotated[int, Meta(ge=LEAST_GRACE_S, le=365 * 24 * 3600)] = GRACE_S
    dry_run: bool = False


def collect(services: Any, db: Database, grace_s: float, *, dry_run: bool) -> GarbageReport:
    """Remove it, or tell what would go. Blocks, and takes its time: for a thread."""
    blobs: BlobStore = services.blobs
    before = int((time.time() - grace_s) * 1000)
    found = [
        _folders(services, db, grace_s, ended=True, dry_run=dry_run),
        _folders(services, db, grace_s, ended=False, dry_run=dry_run),
        _builds(services.environments.builds, db, grace_s, dry_run=dry_run),
        _files("temporary", "files that interrupted writes left", _temporary(services.folders.root, grace_s), dry_run=dry_run),
        _files("rejected", "records that were refused long ago", _rejected(services.folders.spool, grace_s), dry_run=dry_run),
    ]
    with sweeping(blobs.root) as free:
        pass
    if free:
        uploads = blobs.leftovers(grace_s)
        found.insert(
            0, _files("uploads", "uploads that did not come to their end", [path for path, _ in uploads], dry_run=dry_run)
        )
        found.insert(0, _blobs(blobs, db, grace_s, before, dry_run=dry_run))
    return GarbageReport(kinds=found, bytes_freed=sum(one.bytes for one in found), dry_run=dry_run, held=not free)


def _blobs(blobs: BlobStore, db: Database, grace_s: float, before: int, *, dry_run: bool) -> Garbage:
    """Stored files that nobody names; those of snapshots that no run has among them."""
    unused = db.read_sync(partial(runs.unused_snapshots, before=before))
    if dry_run:
        number, size = db.read_sync(lambda s: storage.freed_blobs(s, [], unused, before=before))
        swept = accounting.sweep(blobs, db, grace_s, dry_run=True)
        number, size = number + swept.blobs, size + swept.bytes
    else:
        for start in range(0, len(unused), SNAPSHOTS_AT_ONCE):
            part = unused[start : start + SNAPSHOTS_AT_ONCE]
            db.write_sync(partial(runs.remove_unused, ids=part, before=before))
        swept = accounting.sweep(blobs, db, grace_s)
        number, size = swept.blobs, swept.bytes
    return Garbage(kind="files", what="stored files that nothing names", number=number, bytes=size)


def _folders(services: Any, db: Database, grace_s: float, *, ended: bool, dry_run: bool) -> Garbage:
    kind, what = ("ended_jobs", "folders of jobs that ended") if ended else ("gone_jobs", "folders of jobs that were deleted")
    number = size = 0
    for one in jobs_tasks.unneeded(services.folders, db, grace_s, grace_s):
        if one.ended is ended:
            freed = jobs_tasks.size_of(one) if dry_run else jobs_tasks.remove(db, one)
            number, size = number + (freed > 0), size + freed
    return Garbage(kind=kind, what=what, number=number, bytes=size)


def _builds(builds: Builds, db: Database, grace_s: float, *, dry_run: bool) -> Garbage:
    """Environments that were built for definitions which nobody has any more."""
    needed = db.read_sync(job_environments.hashes_in_use)
    number = size = 0
    for key in builds.unused(needed, grace_s):
        freed = builds.size_of(key) if dry_run else builds.remove(key, needed, grace_s)
        number, size = number + (freed > 0), size + freed
    return Garbage(kind="environments", what="built environments that nobody has any more", number=number, bytes=size)


def _files(kind: str, what: str, paths: list[Path], *, dry_run: bool) -> Garbage:
    number = size = 0
    for path in paths:
        with contextlib.suppress(OSError):
            freed = path.lstat().st_size
            if not dry_run:
                path.unlink()
            number, size = number + 1, size + freed
    return Garbage(kind=kind, what=what, number=number, bytes=size)


def _temporary(root: Path, grace_s: float) -> list[Path]:
    """Files of interrupted writes, in the data folder itself and in the folders of jobs that are over; the store has its own.

    The supervisor of a job that runs holds one from its start to its end: the record of its exit to be.
    """
    return [path for folder in (root, *_below(root / "jobs")) for path in _old(folder, grace_s) if TEMPORARY.search(path.name)]


def _below(folder: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return [path for path in folder.iterdir() if not path.is_symlink() and _is_over(str(path))]
    return []


def _is_over(job_dir: str) -> bool:
    return jobdir.read_exit(job_dir) is not None and not jobdir.is_alive(job_dir)


def _rejected(spool: Path, grace_s: float) -> list[Path]:
    """Records that were refused long ago; and contents of artifacts whose record is gone, refused or not: nobody can send them any more."""
    with contextlib.suppress(OSError):
        refused = [path for path in _old(spool, max(grace_s, REJECTED_KEPT_S)) if path.suffix == ".rejected"]
        records = {path for path in spool.iterdir() if path.suffix in (".wal", ".rejected")}.difference(refused)
        waiting = {path.name.split(".")[0] for path in records}
        alone = [path for path in _old(spool, grace_s) if path.suffix in CONTENTS and path.name.split(".")[0] not in waiting]
        return [*refused, *alone]
    return []


def _old(folder: Path, grace_s: float) -> Iterator[Path]:
    """Plain files that nobody has written to for so long."""
    before = time.time() - grace_s
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode) and status.st_mtime < before:
                    yield Path(entry.path)


class GarbageHandler(ApiHandler):
    """What nobody needs any more."""

    @endpoint(Action.ADMIN, summary="Remove what nobody needs any more", query=GarbageQuery, reply=GarbageReport)
    async def post(self) -> None:
        """Of the whole data folder, all workspaces; with `dry_run=true` nothing is removed and the answer tells what would be.

        Runs, files and models are not touched: what goes is what their deletion, crashes and ended jobs left behind.
        """
        grace_s, dry_run = self.query.grace_s, self.query.dry_run
        self.reply(await asyncio.to_thread(collect, self.services, cast("Database", self.db), grace_s, dry_run=dry_run))


ROUTES = [Route("/gc", GarbageHandler)]
