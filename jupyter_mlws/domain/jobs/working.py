"""What worker threads do with one job that is followed: prepare it, look at its folder, settle it. What fails is tried again."""

from __future__ import annotations

import contextlib
import logging
import time
from typing import TYPE_CHECKING

from jupyter_mlws.domain.jobs import attempts, environments, queue, remote, store, usage
from jupyter_mlws.domain.jobs.errors import JobGone, NotNow
from jupyter_mlws.domain.jobs.folder import Outcome, began_at
from jupyter_mlws.domain.jobs.followed import PASSING, Followed, begun, changed_files, new_progress, passes, reason_of
from jupyter_mlws.domain.jobs.prepare import plan_of, prepare
from jupyter_mlws.domain.jobs.secret_values import start
from jupyter_mlws.domain.jobs.settle import begin, give_up, settle
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.errors import RunNotFound, StatusConflict
from jupyter_mlws.domain.runs.schemas import RunError
from jupyter_mlws.domain.runs.states import RunStatus
from jupyter_mlws.kit.clock import now_ms
from mlws import jobdir

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.compute.service import Compute
    from jupyter_mlws.domain.jobs.engine import JobEngine
    from jupyter_mlws.domain.jobs.tables import JobRow

log = logging.getLogger(__name__)

LOST_AFTER_S = 3.0
FOREIGN_LOST_AFTER_S = 30.0
"""A job on another machine is given longer: its folder may only be cut off for a while."""
TRIES = 5
ACTOR = "mlws"


class Worker:
    """Works for an engine. One thread at a time has a job: `Followed.busy`."""

    def __init__(self, engine: JobEngine) -> None:
        self._engine = engine

    def _compute(self, followed: Followed) -> Compute:
        return self._engine.target(followed.target)

    def prepare(self, followed: Followed) -> None:
        """Lay its folder, and start its supervisor."""
        try:
            self._prepare(followed)
        except NotNow:
            self._engine.adopt_soon()  # taken up again at once, or by the next server
            self._engine.drop(followed)
        except Exception as error:
            followed.unprepared = not begun(followed.folder) and passes(error)
            if followed.unprepared:
                log.warning("Job %s cannot be prepared now; trying again: %s", followed.run_id, error)
                self._tell_held_up(followed, error)
                followed.rest()
                return
            log.exception("Job %s could not be prepared", followed.run_id)
            if not begun(followed.folder):
                words = RunError(message=f"The job could not be prepared: {error}")
                self._end(followed, RunStatus.FAILED, "spawn_failed", words)
        finally:
            followed.prepared()
            if followed.is_due(time.monotonic()):
                self._engine.look_now()

    def _prepare(self, followed: Followed) -> None:
        plan, followed.plan = followed.plan, None
        if plan is None or followed.cancel or self._engine.db.read_sync(lambda s: store.is_canceled(s, followed.run_id)):
            plan = self._engine.db.read_sync(lambda s: plan_of(s, followed.run_id))
        if not begun(followed.folder):
            if not prepare(self._engine, plan, followed.folder):
                self._end(followed, RunStatus.CANCELED, "canceled", None)
                return
            compute = self._engine.target_to_begin(followed.target)
            start(self._engine, compute, followed.run_id, followed.folder, has_secrets=plan.has_secrets)
        followed.unprepared, followed.tries = False, 0
        queue.Queues.held_up.pop(followed.run_id, None)
        if plan.row.environment_id is not None:
            self._note_capture(plan.row)

    def _note_capture(self, row: JobRow) -> None:
        """Of a job that named an environment: what that has is known now. Where it fails it is noted at the job's end."""
        try:
            environments.note_capture(self._engine, row)
        except Exception:
            log.exception("The environment of job %s could not be captured", row.run_id)

    def _end(self, followed: Followed, status: RunStatus, reason: str | None, error: RunError | None) -> None:
        """End an attempt that has no processes. Where that fails it is taken up again."""

        def end(session: Session) -> None:
            store.hold(session, followed.run_id)
            row = store.by_id(session, followed.run_id)
            if row is not None:
                self._engine.check_current(row, followed.folder)
                attempts.end_attempt(session, row, Outcome(status, reason, error, None, None), self._engine.retry_backoff_s)

        try:
            self._engine.db.write_sync(end)
        except Exception:
            log.exception("Job %s could not be ended", followed.run_id)
        self._engine.drop(followed)

    def _tell_held_up(self, followed: Followed, error: Exception) -> None:
        """Say on the run why it does not begin."""
        known = queue.Queues.held_up.get(followed.run_id)
        queue.Queues.held_up[followed.run_id] = words = f"It cannot begin now, and is tried again: {reason_of(error)}"
        if words != known:
            self._engine.hint(followed)

    def look(self, followed: Followed) -> None:
        """See what a job has done since the last look."""
        try:
            if not self._look_once(followed):
                followed.tries = 0
                followed.busy = False
                if followed.look_now:  # it has ended meanwhile
                    self._engine.look_now()
        except (RunNotFound, JobGone):
            log.info("Job %s was deleted, or goes on elsewhere", followed.run_id)
            self.pass_on_cancel(followed)  # nobody waits for what its processes still do
            jobdir.kill_leftovers(str(followed.folder))
            self._engine.drop(followed)
        except Exception:
            if not self._engine.stopping.is_set():
                log.exception("Job %s could not be looked at; trying again", followed.run_id)
            followed.rest()
            followed.busy = False

    def _look_once(self, followed: Followed) -> bool:
        """True if the job has ended and is being settled now."""
        folder = str(followed.folder)
        if followed.elsewhere:
            raise JobGone(f"Another server minds job {followed.run_id} now.")
        if followed.cancel:
            self.pass_on_cancel(followed)
        # Of one that has ended all that it left is taken in at once, and that it ran is told with that.
        ended = jobdir.read_exit(folder) is not None
        if not ended and followed.status is RunStatus.PREPARING and jobdir.read_pid(folder) is not None:
            self._to(followed, RunStatus.RUNNING, began_at(followed.folder))
        if not ended:
            remote.tell_waiting(self._engine, self._compute(followed), followed)
        if remote.taken_back(self._compute(followed), followed):
            return False
        for kind in changed_files(followed):
            self._engine.hint(followed, kind)
        if not ended:
            self._note_progress(followed)
            usage.follow(self._engine, followed)
            remote.follow_spool(self._engine, followed)
            if not self._is_lost(followed):
                return False
        self._engine.settle_later(followed)
        return True

    def pass_on_cancel(self, followed: Followed) -> None:
        """Ask its supervisor to end it."""
        with contextlib.suppress(OSError):  # no folder yet, or a full disk: the next look tries again
            self._compute(followed).cancel(followed.folder)

    def _note_progress(self, followed: Followed) -> None:
        if (progress := new_progress(followed)) is not None:
            self._engine.db.write_sync(lambda s: runs.set_progress(s, followed.run_id, progress))

    def _to(self, followed: Followed, status: RunStatus, at: int | None = None) -> None:
        try:
            self._engine.db.write_sync(lambda s: self._change(s, followed, status, at))
        except StatusConflict:
            followed.status = self._engine.db.read_sync(lambda s: runs.ref_by_id(s, followed.run_id).status)
        else:
            followed.status = status

    def _change(self, session: Session, followed: Followed, status: RunStatus, at: int | None) -> None:
        row = store.current_attempt(session, followed.run_id)
        if row is not None:
            self._engine.check_current(row, followed.folder)
        runs.change_status(session, followed.run_id, status, actor=ACTOR, at=at)
        if status is RunStatus.RUNNING:
            attempts.note_running(session, followed.run_id, at)

    def _is_lost(self, followed: Followed) -> bool:
        """Whether the supervisor is gone without a record; before it is believed the job is NotResponding for a moment."""
        compute = self._compute(followed)
        given_up = remote.given_up(compute, followed)
        if not given_up and followed.folder.is_dir() and compute.is_alive(followed.folder):
            followed.silent_since = None
            if followed.status is RunStatus.NOT_RESPONDING:
                self._to(followed, RunStatus.CANCEL_REQUESTED if followed.cancel else RunStatus.RUNNING)
            return False
        now = time.monotonic()
        if followed.silent_since is None:
            followed.silent_since = now
            return False
        if now - followed.silent_since < LOST_AFTER_S:
            return False
        away = remote.away(compute, followed)
        unknown = (RunStatus.NOT_RESPONDING, RunStatus.FINALIZING, *([RunStatus.PREPARING] if away else []))
        if followed.status not in unknown:
            self._to(followed, RunStatus.NOT_RESPONDING, now_ms())
        foreign = not given_up and not remote.is_remote(compute) and jobdir.is_foreign(str(followed.folder))
        if away or (foreign and now - followed.silent_since < FOREIGN_LOST_AFTER_S):
            return False
        jobdir.kill_leftovers(str(followed.folder))
        return True

    def settle(self, followed: Followed) -> None:
        """Store what it left, and end it."""
        try:
            settle(self._engine, followed.run_id, followed.folder)
        except JobGone:
            log.info("Job %s was deleted", followed.run_id)
            self._engine.drop(followed)
        except PASSING as error:
            if not self._engine.stopping.is_set():
                log.warning("Job %s cannot be settled now; trying again: %s", followed.run_id, error)
                self._tell_finalizing(followed)
            followed.rest()
        except Exception as error:
            log.exception("Job %s could not be settled", followed.run_id)
            followed.rest()
            followed.failures += 1
            if followed.failures >= TRIES:
                self._give_up(followed, error)
            else:
                self._tell_finalizing(followed)
        else:
            self._engine.drop(followed)
        finally:
            followed.busy = False

    def _tell_finalizing(self, followed: Followed) -> None:
        """What it left cannot be stored now: until it is, the job has not ended, and runs no longer."""
        with contextlib.suppress(*PASSING, JobGone, RunNotFound, StatusConflict):  # then the next try does
            begin(self._engine, followed.run_id, followed.folder, now_ms())

    def _give_up(self, followed: Followed, error: Exception) -> None:
        try:
            give_up(self._engine, followed.run_id, followed.folder, f"{type(error).__name__}: {error}")
        except (StatusConflict, JobGone):
            log.info("Job %s had ended already", followed.run_id)
        except Exception:
            log.exception("Job %s could not even be given up; trying again", followed.run_id)
            return
        self._engine.drop(followed)
