"""A job that the engine follows: what was last seen of it, and which failures say nothing against it."""

from __future__ import annotations

import errno
import time
from typing import TYPE_CHECKING

from sqlalchemy.exc import OperationalError

from jupyter_mlws.domain.jobs.errors import NotNow
from jupyter_mlws.domain.jobs.folder import progress_of
from jupyter_mlws.domain.runs.states import RunStatus
from jupyter_mlws.domain.storage.errors import StorageFull
from jupyter_mlws.kit.errors import Busy, Unavailable
from mlws import jobdir

if TYPE_CHECKING:
    from pathlib import Path

    from jupyter_mlws.domain.jobs.prepare import Plan
    from jupyter_mlws.domain.runs.schemas import Progress

LONGEST_PAUSE_S = 30.0
PROGRESS_EVERY_S = 0.5
FIRST_LOOK_S = 0.1
"""So long after its start a job is looked at first, unless its target says before that it has ended."""
PASSING = (Busy, Unavailable, NotNow, StorageFull, OperationalError)
"""Failures that say nothing against the job: a full disk, a busy or stopping server. They are waited out."""


class Followed:
    """A job past the queue, and what was last seen of it."""

    def __init__(self, run_id: str, workspace: str, experiment_id: int, target: str, folder: Path) -> None:
        self.run_id = run_id
        self.workspace = workspace
        self.experiment_id = experiment_id
        self.target = target
        self.folder = folder
        self.status = RunStatus.PREPARING
        self.cancel = False
        """Its supervisor must be told to end it."""
        self.elsewhere = False
        """Another server has taken it over."""
        self.unprepared = False
        """Preparing it failed for a passing reason; it is tried again."""
        self.busy = False
        """A worker thread has it."""
        self.plan: Plan | None = None
        """What preparing it needs to know, as it was when it left the queue."""
        self.look_at = 0.0
        """Not looked at before, unless `look_now`: until its supervisor begins there is nothing to see."""
        self.look_now = False
        """Its target said that it has ended."""
        self.tries = 0
        self.failures = 0
        """Tries to settle it that failed, and not for a passing reason."""
        self.not_before = 0.0
        self.sizes: dict[str, int] = {}
        self.progress_at = 0.0
        self.progress_stamp = 0
        self.silent_since: float | None = None
        self.usage_at = 0.0
        self.spool_at = 0.0
        self.usage_offset = 0
        """Up to here the notes of what it uses are taken in."""

    def prepared(self) -> None:
        """Its supervisor was started, if all went well."""
        self.look_at = time.monotonic() + FIRST_LOOK_S
        self.usage_at = time.monotonic()
        self.busy = False

    def is_due(self, now: float) -> bool:
        """Whether there may be something to see of it."""
        return self.look_now or self.cancel or now >= self.look_at

    def rests(self, now: float) -> bool:
        """Whether it is left alone now. A job that is canceled before it began has nothing to wait for."""
        return now < self.not_before and not (self.unprepared and self.cancel)

    def rest(self) -> None:
        """After a failure: leave it alone for a while that doubles."""
        self.tries += 1
        self.not_before = time.monotonic() + min(2.0 ** min(self.tries - 1, 10), LONGEST_PAUSE_S)


def passes(error: Exception) -> bool:
    """Whether a failure says nothing against the job."""
    return isinstance(error, PASSING) or (isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT))


def reason_of(error: Exception) -> str:
    """A passing failure in words for a person."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full."
    return str(error)


def begun(folder: Path) -> bool:
    """Whether a supervisor was ever started in a job's folder, or may have been on another host."""
    path = str(folder)
    if (folder / jobdir.SENT).exists():
        return True
    return jobdir.read_pid(path) is not None or jobdir.read_exit(path) is not None or jobdir.is_alive(path)


def changed_files(followed: Followed) -> list[str]:
    """Which of `log` and `notebook` have changed since the last look."""
    found = []
    for kind, name in (("log", jobdir.USER_LOG), ("notebook", jobdir.NOTEBOOK)):
        try:
            stat = (followed.folder / name).stat()
        except OSError:
            continue
        # A live line is rewritten in place, so the size alone does not tell.
        stamp = hash((stat.st_size, stat.st_mtime_ns))
        if followed.sizes.get(kind) != stamp:
            followed.sizes[kind] = stamp
            found.append(kind)
    return found


def new_progress(followed: Followed) -> Progress | None:
    """How far the job is, if that has changed, and was not told just now."""
    try:
        stamp = (followed.folder / jobdir.PROGRESS).stat().st_mtime_ns
    except OSError:
        return None
    if stamp == followed.progress_stamp or time.monotonic() - followed.progress_at < PROGRESS_EVERY_S:
        return None
    progress = progress_of(followed.folder)
    if progress is not None:
        followed.progress_stamp, followed.progress_at = stamp, time.monotonic()
    return progress
