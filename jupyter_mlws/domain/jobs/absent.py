"""Jobs whose server is away, where several share a database.

Nobody but that server sees the job's folder, and a machine that is cut off, asleep or restarting goes on with it, as a batch system does:
so no other server soon takes the job for lost, which would run it twice. It is NotResponding, in words that name the server, until that
comes back. Whoever cancels the job gives it up: it is Canceled at once, and its server ends what is left of it when it comes back. A job
that ran on the machine of its server is lost once that was away for an hour; one on a host or a batch system, which goes on without its
server, never is.
"""

from __future__ import annotations

import logging
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING

from jupyter_mlws.db.outbox import record_change
from jupyter_mlws.domain.jobs import queue, remote, store
from jupyter_mlws.domain.jobs.states import Phase
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.schemas import RunError
from jupyter_mlws.domain.runs.states import RunStatus
from mlws import jobdir

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.jobs.engine import JobEngine
    from jupyter_mlws.domain.jobs.leases import Left

log = logging.getLogger(__name__)

ACTOR = "mlws"
SEEN = frozenset({RunStatus.RUNNING, RunStatus.FINALIZING})
"""Who has this status is NotResponding from now on; one that did not begin, or that is canceled, keeps its own."""


class Absent:
    """What a server does for the jobs of others that are away, and for its own after it was away itself."""

    def __init__(self, engine: JobEngine) -> None:
        self._engine = engine
        self._told: set[str] = set()
        self._renewed_at = 0
        self._looks_back = False

    def look(self) -> None:
        """Renew the leases of this server, and see to those that others let run out."""
        minds = self._engine.leases
        now = self._engine.db.write_sync(minds.renew)
        if now - self._renewed_at > minds.lease_ms:
            self._end_taken()
            self._looks_back = True
        self._renewed_at = now
        if self._looks_back:
            self._looks_back = self._end_given_up()
        if not minds.is_steady():
            return  # and what was said of jobs stands
        away = {one.run_id: one for one in self._engine.db.read_sync(minds.run_out)}
        for one in list(away.values()):
            here = self._engine.folders.job(one.run_id, one.attempt).is_dir()  # as after a data folder lost its name
            if here or self._gone(one, now):
                log.warning("Job %s is minded here from now on: %s", one.run_id, "its folder is here" if here else where(one))
                self._engine.db.write_sync(partial(minds.take_over, one=one))
                del away[one.run_id]
            else:
                self._engine.db.write_sync(partial(self._leave, one=one))
                self._tell(one)
        for run_id in self._told - set(away):
            queue.Queues.held_up.pop(run_id, None)
        self._told = set(away)

    def _gone(self, one: Left, now: int) -> bool:
        """It was a job of its server's own machine, and that is taken to be gone for good: who minds it finds nothing of it."""
        target = self._engine.computes.get(one.target)
        of_its_machine = target is not None and not remote.is_remote(target)
        return one.owner is not None and of_its_machine and now - one.heard_at > self._engine.leases.lost_ms

    def _tell(self, one: Left) -> None:
        words = (
            f"{where(one)} Canceling the job gives it up: what still runs of it there is ended only when that server comes back."
        )
        if queue.Queues.held_up.get(one.run_id) != words:
            log.warning("Job %s is left alone. %s", one.run_id, words)
            queue.Queues.held_up[one.run_id] = words
            self._engine.db.write_sync(partial(_hint, run_id=one.run_id))

    def _leave(self, session: Session, one: Left) -> None:
        """Say that it does not respond; end it if somebody has canceled it. Nothing if its server has come back."""
        store.hold(session, one.run_id)
        row = store.by_id(session, one.run_id)
        if row is None or (row.owner, row.lease_until) != (one.owner, one.lease_until):
            return
        ref = runs.ref_by_id(session, one.run_id)
        if row.cancel_requested_at is not None:
            error = RunError(message=f"It was canceled while its server was away, which may not have ended it yet. {where(one)}")
            runs.change_status(session, ref.id, RunStatus.CANCELED, actor=ACTOR, reason="canceled", error=error)
            row.lease_until = store.GIVEN_UP
            record_change(session, ref.workspace, "compute", row.target)
        elif ref.status in SEEN:
            runs.change_status(session, ref.id, RunStatus.NOT_RESPONDING, actor=ACTOR)

    def _end_taken(self) -> None:
        """This server was away: end what runs on its machine of attempts that another one has taken for lost; the next may run already."""
        jobs = self._engine.folders.jobs
        running = {
            folder: folder.relative_to(jobs).parts for folder in (*jobs.glob("*"), *jobs.glob("*/attempts/*")) if _runs(folder)
        }
        current = self._engine.db.read_sync(partial(store.current, ids=[parts[0] for parts in running.values()]))
        for folder, (run_id, *later) in running.items():
            attempt, phase = current.get(run_id, (0, Phase.ENDED))
            if phase == Phase.ENDED or attempt != int(later[-1] if later else 1):
                log.warning("What runs of job %s is ended: it was taken for lost while this server was away", run_id)
                jobdir.request_cancel(str(folder))

    def _end_given_up(self) -> bool:
        """This server was away: end what others gave up meanwhile. True if that is to be looked at again."""
        left = self._engine.db.read_sync(self._engine.leases.given_up)
        for one in left:
            folder = self._engine.folders.job(one.run_id, one.attempt)
            target = self._engine.target(one.target)
            unended = folder.is_dir() and jobdir.read_exit(str(folder)) is None
            if unended and (target.is_alive(folder) or remote.words_of_away(target, folder)):
                target.cancel(folder)
                continue
            jobdir.kill_leftovers(str(folder))
            self._engine.db.write_sync(partial(self._engine.leases.forget, run_id=one.run_id))
        return bool(left)


def _runs(folder: Path) -> bool:
    """Whether the supervisor of an attempt lives."""
    numbered = folder.parent.name != "attempts" or folder.name.isdecimal()
    return numbered and folder.is_dir() and jobdir.read_exit(str(folder)) is None and jobdir.is_alive(str(folder))


def where(one: Left) -> str:
    """Which server has a job, in a sentence."""
    if one.owner is None:
        return "No server on this database says that it has this job."
    since = datetime.fromtimestamp(one.heard_at / 1000, timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    return f"The server that has it, {one.owner}, has not been heard from since {since}; how the job does is known when it comes back."


def _hint(session: Session, run_id: str) -> None:
    ref = runs.ref_by_id(session, run_id)
    record_change(session, ref.workspace, "run", run_id, str(ref.experiment_id))
