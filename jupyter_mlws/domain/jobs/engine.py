"""The engine of jobs: starts what may start, follows what runs, settles what ended. One thread, woken when there is something to do.

All it knows stands in the database and in the job folders; after a restart it goes on from there (`recover`).
"""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from jupyter_mlws.domain.jobs import service, store
from jupyter_mlws.domain.jobs.folder import progress_of
from jupyter_mlws.domain.jobs.prepare import prepare
from jupyter_mlws.domain.jobs.settle import settle
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.errors import StatusConflict
from jupyter_mlws.domain.runs.schemas import RunError
from jupyter_mlws.domain.runs.states import RunStatus
from jupyter_mlws.kit.clock import now_ms
from mlws import jobdir

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy.orm import Session

    from jupyter_mlws.db.database import Database
    from jupyter_mlws.domain.compute.service import Compute
    from jupyter_mlws.domain.storage.service import BlobStore
    from jupyter_mlws.kit.paths import Folders

log = logging.getLogger(__name__)

TICK_S = 0.1
IDLE_S = 5.0
LOST_AFTER_S = 3.0
PROGRESS_EVERY_S = 0.5
ACTOR = "mlws"


class Followed:
    """A job past the queue, and what was last seen of it."""

    def __init__(self, run_id: str, workspace: str, experiment_id: int, target: str, folder: Path) -> None:
        self.run_id = run_id
        self.workspace = workspace
        self.experiment_id = experiment_id
        self.target = target
        self.folder = folder
        self.status = RunStatus.PREPARING
        self.busy = False
        """Being prepared or settled in another thread."""
        self.sizes: dict[str, int] = {}
        self.progress_at = 0.0
        self.progress_stamp = 0
        self.silent_since: float | None = None


class JobEngine:
    """One a server that owns its data folder."""

    def __init__(
        self,
        db: Database,
        blobs: BlobStore,
        folders: Folders,
        computes: dict[str, Compute],
        url: str,
        hint: Callable[[str, str, str, str | None], None],
    ) -> None:
        self.db = db
        self.blobs = blobs
        self.folders = folders
        self.computes = computes
        self.url = url
        self._hint = hint
        self._followed: dict[str, Followed] = {}
        self._wake = threading.Event()
        self._stopping = False
        self._work = ThreadPoolExecutor(4, thread_name_prefix="mlws-job")
        self._thread = threading.Thread(target=self._run, name="mlws-jobs", daemon=True)
        service.Slots.limits = {name: compute.max_jobs for name, compute in computes.items()}

    def start(self) -> None:
        """Take up what an earlier server left, then begin."""
        self._recover()
        self._thread.start()

    def stop(self) -> None:
        """Stop following; the jobs go on."""
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(10)
        self._work.shutdown(wait=True, cancel_futures=True)

    def wake(self) -> None:
        """There is something to do: a job was submitted or canceled."""
        self._wake.set()

    def active(self) -> bool:
        """Whether jobs run here: such a server is not idle."""
        return bool(self._followed)

    def tell_canceled(self, run_id: str) -> None:
        """Ask the job's supervisor to end it."""
        followed = self._followed.get(run_id)
        if followed is not None and followed.folder.is_dir():
            self.computes[followed.target].cancel(followed.folder)
        self.wake()

    def folder_of(self, run_id: str) -> Path:
        """The folder of a job."""
        return self.folders.jobs / run_id

    def _recover(self) -> None:
        def look(session: Session) -> list[tuple[Followed, RunStatus]]:
            found = []
            for row in store.live(session):
                ref = runs.ref_by_id(session, row.run_id)
                followed = Followed(row.run_id, ref.workspace, ref.experiment_id, row.target, self.folder_of(row.run_id))
                found.append((followed, ref.status))
            return found

        for followed, status in self.db.read_sync(look):
            followed.status = status
            if status is RunStatus.PREPARING and not begun(followed.folder):
                self.db.write_sync(partial(runs.change_status, run_id=followed.run_id, status=RunStatus.QUEUED, actor=ACTOR))
                continue
            self._followed[followed.run_id] = followed

    def _run(self) -> None:
        while not self._stopping:
            woken = self._wake.wait(TICK_S if self._followed else IDLE_S)
            self._wake.clear()
            try:
                if woken or not self._followed:
                    self._dispatch()
                for followed in list(self._followed.values()):
                    if not followed.busy:
                        self._look(followed)
            except Exception:
                log.exception("The engine of jobs stumbled; going on")
                time.sleep(1)

    def _dispatch(self) -> None:
        """Start what may start, in the order of the queue."""
        for name, compute in self.computes.items():
            if not self.db.read_sync(partial(store.queue, target=name, limit=1)):
                continue
            limit = compute.max_jobs
            for run_id in self.db.write_sync(partial(service.next_to_start, target=name, slots=limit)):
                self._begin(run_id, name)

    def _begin(self, run_id: str, target: str) -> None:
        def look(session: Session) -> Followed:
            ref = runs.ref_by_id(session, run_id)
            return Followed(run_id, ref.workspace, ref.experiment_id, target, self.folder_of(run_id))

        followed = self.db.read_sync(look)
        followed.busy = True
        self._followed[run_id] = followed
        self._work.submit(self._prepare, followed)

    def _prepare(self, followed: Followed) -> None:
        try:
            if not prepare(self, followed.run_id, followed.folder):
                self._end(followed, RunStatus.CANCELED, "canceled", None)
                return
            self.computes[followed.target].start(followed.folder)
            if self._is_canceled(followed.run_id):
                self.computes[followed.target].cancel(followed.folder)
        except Exception as error:
            log.exception("Job %s could not be prepared", followed.run_id)
            self._end(followed, RunStatus.FAILED, "spawn_failed", RunError(message=f"The job could not be prepared: {error}"))
        finally:
            followed.busy = False
            self.wake()

    def _is_canceled(self, run_id: str) -> bool:
        row = self.db.read_sync(lambda s: store.by_id(s, run_id))
        return row is not None and row.cancel_requested_at is not None

    def _end(self, followed: Followed, status: RunStatus, reason: str | None, error: RunError | None) -> None:
        """End a job that has no processes."""
        try:
            self.db.write_sync(lambda s: runs.change_status(s, followed.run_id, status, actor=ACTOR, reason=reason, error=error))
        finally:
            self._followed.pop(followed.run_id, None)
            self.wake()

    def _look(self, followed: Followed) -> None:
        """See what a job has done since the last look."""
        folder = str(followed.folder)
        if followed.status is RunStatus.PREPARING and (pid := jobdir.read_pid(folder)) is not None:
            self._to(followed, RunStatus.RUNNING, pid.get("started_at"))
        self._look_at_files(followed)
        if jobdir.read_exit(folder) is not None or self._is_lost(followed):
            followed.busy = True
            self._work.submit(self._settle, followed)

    def _look_at_files(self, followed: Followed) -> None:
        for kind, name in (("log", jobdir.USER_LOG), ("notebook", jobdir.NOTEBOOK)):
            try:
                stat = (followed.folder / name).stat()
            except OSError:
                continue
            # A live line is rewritten in place, so the size alone does not tell.
            stamp = hash((stat.st_size, stat.st_mtime_ns))
            if followed.sizes.get(kind) != stamp:
                followed.sizes[kind] = stamp
                self._hint(followed.workspace, kind, followed.run_id, str(followed.experiment_id))
        self._look_at_progress(followed)

    def _look_at_progress(self, followed: Followed) -> None:
        try:
            stamp = (followed.folder / jobdir.PROGRESS).stat().st_mtime_ns
        except OSError:
            return
        if stamp == followed.progress_stamp or time.monotonic() - followed.progress_at < PROGRESS_EVERY_S:
            return
        progress = progress_of(followed.folder)
        if progress is not None:
            followed.progress_stamp, followed.progress_at = stamp, time.monotonic()
            self.db.write_sync(lambda s: runs.set_progress(s, followed.run_id, progress))

    def _to(self, followed: Followed, status: RunStatus, at: int | None = None) -> None:
        try:
            self.db.write_sync(lambda s: runs.change_status(s, followed.run_id, status, actor=ACTOR, at=at))
        except StatusConflict:
            followed.status = self.db.read_sync(lambda s: runs.ref_by_id(s, followed.run_id).status)
        else:
            followed.status = status

    def _is_lost(self, followed: Followed) -> bool:
        """Whether the supervisor is gone without a record; before it is believed the job is NotResponding for a moment."""
        if self.computes[followed.target].is_alive(followed.folder):
            if followed.silent_since is not None:
                followed.silent_since = None
                self._to(followed, RunStatus.RUNNING)
            return False
        now = time.monotonic()
        if followed.silent_since is None:
            followed.silent_since = now
            return False
        if now - followed.silent_since < LOST_AFTER_S:
            return False
        if followed.status not in (RunStatus.NOT_RESPONDING, RunStatus.FINALIZING):
            self._to(followed, RunStatus.NOT_RESPONDING, now_ms())
        jobdir.kill_leftovers(str(followed.folder))
        return True

    def _settle(self, followed: Followed) -> None:
        try:
            settle(self, followed.run_id, followed.folder)
        except Exception:
            log.exception("Job %s could not be settled; trying again", followed.run_id)
            time.sleep(2)
            followed.busy = False
        else:
            self._followed.pop(followed.run_id, None)
        self.wake()


def begun(folder: Path) -> bool:
    """Whether a supervisor was ever started in a job's folder."""
    path = str(folder)
    return jobdir.read_pid(path) is not None or jobdir.read_exit(path) is not None or jobdir.is_alive(path)
