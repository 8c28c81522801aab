"""The engine of jobs: starts what may start, follows what runs, settles what ended.

One thread decides and is woken when there is something to do; looking at a job's folder, preparing and settling are done in worker
threads (`working`), so that a slow disk or a job that cannot be settled holds up nobody else. All that is known stands in the database
and in the job folders: what nobody follows (after a restart, after a failure) is taken up again within seconds.
"""

from __future__ import annotations

import contextlib
import logging
import math
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import TYPE_CHECKING, Any

from jupyter_mlws.domain.compute.errors import ComputeNotFound
from jupyter_mlws.domain.compute.service import kept as kept_limits
from jupyter_mlws.domain.compute.service import limits_of
from jupyter_mlws.domain.jobs import attempts, environments, kept, queue, remote, service, store
from jupyter_mlws.domain.jobs.absent import Absent
from jupyter_mlws.domain.jobs.errors import JobGone
from jupyter_mlws.domain.jobs.folder import base_environment
from jupyter_mlws.domain.jobs.followed import Followed, begun
from jupyter_mlws.domain.jobs.leases import Leases
from jupyter_mlws.domain.jobs.prepare import claim
from jupyter_mlws.domain.jobs.working import Worker
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.errors import StatusConflict
from jupyter_mlws.domain.runs.states import RunStatus
from jupyter_mlws.domain.secrets.service import KeyPlaces
from jupyter_mlws.kit.actors import Actor, ActorKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from sqlalchemy.orm import Session

    from jupyter_mlws.db.database import Database
    from jupyter_mlws.domain.compute.schemas import LimitsChanged
    from jupyter_mlws.domain.compute.service import Compute, Hosts
    from jupyter_mlws.domain.environments.service import Environments
    from jupyter_mlws.domain.jobs.prepare import Plan
    from jupyter_mlws.domain.jobs.store import Current
    from jupyter_mlws.domain.jobs.tables import JobRow
    from jupyter_mlws.domain.storage.service import BlobStore
    from jupyter_mlws.kit.paths import Folders

log = logging.getLogger(__name__)

TICK_S = 0.1
IDLE_S = 5.0
ADOPT_EVERY_S = 10.0
STOP_S = 10.0
ACTOR = "mlws"


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
        secrets: KeyPlaces | None = None,
        *,
        retry_backoff_s: float = attempts.BACKOFF_S,
        compute_limits: Mapping[str, Any] | None = None,
        leases: Leases | None = None,
        hosts: Hosts | None = None,
    ) -> None:
        self.db = db
        self.blobs = blobs
        self.folders = folders
        self.computes = computes
        self.url = url
        self.secrets = secrets or KeyPlaces(folders.secrets_key)
        self.mirrors: Mapping[str, str] = {}
        self.usual = {name: compute.max_jobs for name, compute in computes.items()}
        """The limits of the settings; those of the targets may have been changed since."""
        self.environments: Environments | None = None
        self.kept_kernel_s = kept.KEPT_S
        self.kept = kept.Kept(folders.jobs)
        self.retry_backoff_s = retry_backoff_s
        self.stopping = threading.Event()
        self.leases = leases or Leases(None)
        self.hosts = hosts
        self._compute_limits = compute_limits or {}
        self._hint = hint
        self._followed: dict[str, Followed] = {}
        self._targets, self._limiting = threading.Lock(), threading.Lock()
        self._wake, self._changed = threading.Event(), threading.Event()
        """Something is to be done; what may start is other than before."""
        self._adopt_at = 0.0
        self._due_at = math.inf
        """When the next back-off ends (ms)."""
        self._looks = ThreadPoolExecutor(4, thread_name_prefix="mlws-look")
        self._work = ThreadPoolExecutor(4, thread_name_prefix="mlws-job")
        self._running: set[Future[None]] = set()
        self._worker = Worker(self)
        self._absent = Absent(self)
        self._thread = threading.Thread(target=self._run, name="mlws-jobs", daemon=True)
        for compute in computes.values():
            self._attach(compute)

    def start(self) -> None:
        """Take up what an earlier server left, then begin."""
        self.refresh_targets()
        self.refresh_limits()
        self._adopt()
        self.wake()
        self._thread.start()

    def stop(self) -> None:
        """Stop following; the jobs go on. What is being prepared or settled is begun anew by the next server, if it takes long."""
        self.stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(STOP_S)
        for pool in (self._looks, self._work):
            pool.shutdown(wait=False, cancel_futures=True)
        wait(list(self._running), STOP_S)
        _close(self.computes.values())

    def wake(self) -> None:
        """Jobs may be able to start: one was submitted or canceled, or has ended."""
        self._changed.set()
        self._wake.set()

    def look_now(self) -> None:
        """There is something to see of a job."""
        self._wake.set()

    def _attach(self, compute: Compute) -> None:
        ends = "when_this_ends" if hasattr(compute, "when_this_ends") else "when_one_ends"
        for name, told in (
            (ends, partial(self._ended, compute)),
            ("when_it_changes", lambda: self._target_changed(compute.name)),
        ):
            if hasattr(compute, name):
                setattr(compute, name, told)

    def _ended(self, compute: Compute, folder: str | None = None) -> None:
        """A target says that the job of this folder has ended, or that one of its jobs has."""
        for followed in list(self._followed.values()):
            if str(followed.folder) == folder if folder is not None else followed.target == compute.name:
                followed.look_now = True
        self.look_now()

    def refresh_targets(self) -> None:
        """Somebody may have made, changed or removed targets, here or on another server. Blocks: for threads."""
        _close(self._renewed_targets())

    def _renewed_targets(self) -> list[Compute]:
        """The targets that are gone, and still to be closed; the others are known from here on."""
        with self._targets:
            found = None if self.hosts is None else self.hosts.refresh(self.computes)
            if found is None:
                return []
            for name, compute in found.targets.items():
                if self.computes.get(name) is not compute:
                    self._attach(compute)
                    self.usual[name] = compute.max_jobs
            self.computes = found.targets
        self.refresh_limits()
        return found.gone

    def _close_later(self, gone: list[Compute]) -> None:
        """Another server changed or removed them, and the deciding thread does not wait for their hosts."""
        if gone:
            threading.Thread(target=_close, args=(gone,), name="mlws-gone", daemon=True).start()

    def _target_changed(self, name: str) -> None:
        """A host went away, or came back."""
        with contextlib.suppress(RuntimeError):  # stopped meanwhile
            self._looks.submit(self._tell_target, name)

    def _tell_target(self, name: str) -> None:
        self.refresh_limits()
        everybody = Actor(name=ACTOR, kind=ActorKind.LOCAL)
        for workspace in self.db.read_sync(lambda s: service.list_workspaces(s, everybody)):
            self._hint(workspace, "compute", name, None)

    def changed_limits(self, name: str) -> LimitsChanged:
        """What somebody changed of a target's limits: on any server, where all have it."""
        row = None if self.hosts is None else self.hosts.rows.get(name)
        return kept_limits(self.folders.compute, name) if row is None or row.limits is None else row.limits

    def refresh_limits(self) -> None:
        """What jobs may have of each target may have changed. Asks the targets; may block."""
        with self._limiting:  # of two the later one has what counts
            found = {}
            for name, compute in self.computes.items():
                found[name] = limits_of(self.changed_limits(name), compute, self.usual[name], self._compute_limits)
                compute.max_jobs = found[name].max_jobs
                if hasattr(compute, "keep_spares"):
                    compute.keep_spares(found[name].min_instances, base_environment())
            queue.Queues.limits, queue.Queues.owner = found, self.leases.owner
            queue.Queues.shared = frozenset(() if self.hosts is None else self.hosts.rows)
            queue.Queues.problems = {name: remote.problem(compute) for name, compute in self.computes.items()}
        self.wake()

    def active(self) -> bool:
        """Whether jobs run here: such a server is not idle."""
        return bool(self._followed)

    def tell_canceled(self, run_id: str) -> None:
        """Ask the job's supervisor to end it."""
        followed = self._followed.get(run_id)
        if followed is not None:
            followed.cancel = True
            self._worker.pass_on_cancel(followed)
        elif self.leases.owner is not None:  # its server may be away
            self.adopt_soon()
        self.wake()

    def wanted(self, run_id: str) -> bool:
        """Whether preparing this job is still worth the while."""
        followed = self._followed.get(run_id)
        return not self.stopping.is_set() and not (followed is not None and followed.cancel)

    # ---- the deciding thread

    def _run(self) -> None:
        while not self.stopping.is_set():
            woken = self._wake.wait(TICK_S if self._followed else self._patience_s())
            if woken:  # else somebody may have called just after the wait was over, and would be forgotten
                self._wake.clear()
            try:
                now = time.monotonic()
                if now >= self._adopt_at:
                    self._adopt()
                if changed := self._changed.is_set():
                    self._changed.clear()
                if changed or not self._followed or time.monotonic() >= self._due_at:
                    self._dispatch()
                self._hand_out(now)
            except Exception:
                self.leases.failed()
                if not self.stopping.is_set():
                    log.exception("The engine of jobs stumbled; going on")
                self.wake()
                self.stopping.wait(1)

    def _hand_out(self, now: float) -> None:
        """Let worker threads see to the jobs of which there may be something to see."""
        for followed in list(self._followed.values()):
            if followed.busy or followed.rests(now) or not followed.is_due(time.monotonic()):
                continue
            followed.look_now = False
            if followed.unprepared and not followed.elsewhere:
                self._hand(self._work, self._worker.prepare, followed)
            else:
                self._hand(self._looks, self._worker.look, followed)

    def _patience_s(self) -> float:
        return max(0.0, min(IDLE_S, self._due_at - time.monotonic()))

    def _hand(self, pool: ThreadPoolExecutor, work: Callable[[Followed], None], followed: Followed) -> None:
        """Let a worker thread have a job."""
        followed.busy = True
        try:
            future = pool.submit(work, followed)
        except RuntimeError:  # stopped meanwhile
            followed.busy = False
            return
        self._running.add(future)
        future.add_done_callback(self._running.discard)

    def _adopt(self) -> None:
        """Take up the live jobs that nobody follows: those of an earlier server, and those that a failure let fall."""
        self._adopt_at = time.monotonic() + ADOPT_EVERY_S
        if self.leases.owner is not None:
            self.leases.take_unowned(self.db, lambda run_id, attempt: self.folders.job(run_id, attempt).is_dir())
            self._absent.look()
        for followed, status, canceled in self.db.read_sync(self._unfollowed):
            try:
                self._take_up(followed, status, canceled=canceled)
            except StatusConflict:
                log.debug("Job %s went on by itself", followed.run_id)
        self._close_later(self._renewed_targets())
        for compute in self.computes.values():
            compute.tidy()
        self.kept.end_deleted(self.db)

    def _unfollowed(self, session: Session) -> list[tuple[Followed, RunStatus, bool]]:
        """The live jobs that nobody follows, whether one is canceled. Of the others what became of them through other servers."""
        found = []
        for row in store.live(session, self.leases.mine()):
            ref = runs.ref_by_id(session, row.run_id)
            known = self._followed.get(row.run_id)
            if known is not None:
                known.cancel = known.cancel or ref.status is RunStatus.CANCEL_REQUESTED
                if ref.status is RunStatus.NOT_RESPONDING:  # as others said while this server was cut off
                    known.status = ref.status
            else:
                folder = self.folders.job(row.run_id, row.attempt)
                followed = Followed(row.run_id, ref.workspace, ref.experiment_id, row.target, folder)
                found.append((followed, ref.status, row.cancel_requested_at is not None))
        if self.leases.owner is not None:
            owners = store.owners(session, list(self._followed))
            for followed in list(self._followed.values()):
                followed.elsewhere = owners.get(followed.run_id, self.leases.owner) != self.leases.owner
        return found

    def _take_up(self, followed: Followed, status: RunStatus, *, canceled: bool) -> None:
        followed.status, followed.cancel = status, canceled
        if not begun(followed.folder) and (canceled or status is RunStatus.PREPARING):
            back = RunStatus.CANCELED if canceled else RunStatus.QUEUED
            reason = "canceled" if canceled else None
            self.db.write_sync(partial(runs.change_status, run_id=followed.run_id, status=back, actor=ACTOR, reason=reason))
            self.wake()
        else:
            self._followed[followed.run_id] = followed

    def _dispatch(self) -> None:
        """Start what may start, in the order of the queue."""
        due = math.inf
        for name, compute in self.computes.items():
            if remote.problem(compute):
                continue
            if self._is_full(name):  # what ends wakes it; meanwhile environments are built
                environments.see_to(self, self.db.read_sync(partial(store.environments_wanted, target=name)))
                continue
            read_plan = partial(queue.plan_of, target=name, owner=self.leases.owner)
            if not (plan := self.db.read_sync(read_plan)).waiting:
                continue
            if wanted := {ask.environment_id for ask in plan.waiting if ask.environment_id is not None}:
                environments.see_to(self, wanted)
                plan = self.db.read_sync(read_plan)
            if (at := plan.due()) is not None:  # from here on a clock that nobody sets
                due = min(due, time.monotonic() + (at - plan.now) / 1000)
            if picks := plan.starts():
                taken = self.db.write_sync(partial(claim, picks=picks, target=name, leases=self.leases))
                for one in taken:
                    self._begin(one, name)
                if len(taken) < len(picks):  # the others left the queue otherwise, meanwhile: who is behind them is next
                    self.wake()
        self._due_at = due

    def _is_full(self, target: str) -> bool:
        """Whether as many jobs are followed as the target takes at once: then the queue need not be read, however long it is."""
        limits = queue.Queues.limits.get(target, queue.NO_TARGET)
        return sum(followed.target == target for followed in list(self._followed.values())) >= limits.max_jobs

    def _begin(self, plan: Plan, target: str) -> None:
        ref, folder = plan.ref, self.folders.job(plan.ref.id, plan.row.attempt)
        self._followed[ref.id] = followed = Followed(ref.id, ref.workspace, ref.experiment_id, target, folder)
        followed.plan = plan
        self._hand(self._work, self._worker.prepare, followed)

    # ---- what is asked by those who work for it

    def target(self, name: str) -> Compute:
        """The target of this name; any other where that was removed, which can tell at least whether a job lives here."""
        return self.computes.get(name) or next(iter(self.computes.values()))

    def target_to_begin(self, name: str) -> Compute:
        """The target of this name, and no other. Raises `ComputeNotFound` where it was deleted since the job left the queue."""
        if (compute := self.computes.get(name)) is None:
            raise ComputeNotFound(name)
        return compute

    def check_current(self, row: JobRow | Current, folder: Path) -> None:
        """Raise `JobGone` unless this is the folder of the job's current attempt: no other one may change the job."""
        if self.folders.job(row.run_id, row.attempt) != folder or self.leases.owner not in (None, row.owner):
            raise JobGone(f"Attempt {row.attempt} of job {row.run_id} runs now, or another server minds it.")

    def hint(self, followed: Followed, kind: str = "run") -> None:
        """Something of a job has changed that stands in no row."""
        self._hint(followed.workspace, kind, followed.run_id, str(followed.experiment_id))

    def drop(self, followed: Followed) -> None:
        """Follow a job no longer."""
        for table in (queue.Queues.held_up, queue.Queues.outside):
            table.pop(followed.run_id, None)
        if self._followed.get(followed.run_id) is followed:  # and not its next attempt
            del self._followed[followed.run_id]
        self.wake()

    def adopt_soon(self) -> None:
        """A job that nobody follows now is to be taken up again."""
        self._adopt_at = 0.0

    def settle_later(self, followed: Followed) -> None:
        """A job has ended: a worker thread stores what it left."""
        self._hand(self._work, self._worker.settle, followed)


def _close(computes: Iterable[Compute]) -> None:
    for compute in computes:
        if hasattr(compute, "close"):
            compute.close()
