"""Rules of jobs: submitting rows, the queue, canceling. The work itself is done by `submit` and `engine`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec
from msgspec import UNSET

from jupyter_mlws.db.outbox import record_change
from jupyter_mlws.domain.access import service as access
from jupyter_mlws.domain.compute.schemas import Amounts, JobResources
from jupyter_mlws.domain.environments import service as environments
from jupyter_mlws.domain.environments.schemas import EnvironmentCapture
from jupyter_mlws.domain.experiments import service as experiments
from jupyter_mlws.domain.jobs import history, queue, store
from jupyter_mlws.domain.jobs.attempts import attempts_of
from jupyter_mlws.domain.jobs.errors import IdempotencyConflict, JobStarted, NotAJob
from jupyter_mlws.domain.jobs.schemas import Job, JobList, NotebookSpec, Spec
from jupyter_mlws.domain.jobs.states import phase_of
from jupyter_mlws.domain.jobs.tables import JobRow
from jupyter_mlws.domain.jobs.usage import usage_of
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.schemas import Run, RunKind, RunUpdate
from jupyter_mlws.domain.runs.states import TERMINAL, RunStatus
from jupyter_mlws.domain.secrets import service as secrets
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.kit.actors import Action, Actor
from jupyter_mlws.kit.clock import now_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.environments.schemas import GitState
    from jupyter_mlws.domain.jobs.schemas import JobCreate, JobUpdate
    from jupyter_mlws.domain.runs.schemas import RunIO

ACTIVE_LIMIT = 1000
ENDED_LIMIT = 200
LATELY_MS = 60_000
WAITING = (RunStatus.NOT_STARTED, RunStatus.QUEUED, RunStatus.PAUSED)


class Prepared(NamedTuple):
    """What submitting found out before the transaction: frozen sources and the words for the run."""

    spec: Spec
    source: str
    default_experiment: str
    snapshot_id: str | None
    source_dir: str | None
    work_subdir: str
    links: list[list[str]]
    not_captured: list[str]
    params: dict[str, str]
    git: GitState | None = None
    """The repository of the sources, as it was when they were frozen."""
    environment: environments.Chosen | None = None
    used: tuple[list[RunIO], list[RunIO]] = ([], [])
    """What it reads and writes."""
    capture: EnvironmentCapture | None = None
    """What it runs in, where that is known already."""


def find_by_key(session: Session, workspace: str, key: str, body_hash: str) -> str | None:
    """The run id of the job that this key was used for; `IdempotencyConflict` if it was for another body."""
    row = store.by_key(session, workspaces.find(session, workspace).id, key)
    if row is None:
        return None
    if row.body_hash != body_hash:
        raise IdempotencyConflict(
            "This Idempotency-Key was used for another job; use a new key for a new job.", field="Idempotency-Key"
        )
    return row.run_id


def add_job(
    session: Session, actor: Actor, workspace: str, body: JobCreate, prepared: Prepared, *, key: str | None, body_hash: str
) -> Job:
    """Store a job; it is queued from now on."""
    if key is not None and (known := find_by_key(session, workspace, key, body_hash)) is not None:
        return get_job(session, actor, known)
    space = workspaces.find(session, workspace)
    workspaces.check_open(session, space.name)
    name = body.experiment if body.experiment is not UNSET else prepared.default_experiment
    experiment = experiments.find_or_create(session, space, name)
    new = runs.NewRun(
        experiment=experiment,
        kind=RunKind(prepared.spec.__struct_config__.tag),
        status=RunStatus.QUEUED,
        before=(RunStatus.NOT_STARTED,),
        user=actor.name,
        source=prepared.source,
        name=body.name if body.name is not UNSET else None,
        target=body.target,
        note=body.note if body.note is not UNSET else "",
        snapshot_id=prepared.snapshot_id,
        parent_id=runs.parent_of(session, actor, workspace, body.parent_id) if body.parent_id is not UNSET else None,
        inputs=prepared.used[0],
        outputs=prepared.used[1],
    )
    run = runs.add_run(session, new)
    runs.write_params(session, run.id, prepared.params)
    if body.tags is not UNSET:
        runs.store_tags(session, run.id, dict(body.tags))
    row = _row_of(run.id, space.id, actor, body, prepared, key, body_hash)
    store.add(session, row)
    secrets.note_uses(session, run.id, space, body.secrets or {})
    if prepared.capture is not None:
        environments.store_capture(session, run.id, prepared.capture)
    elif prepared.git is not None or prepared.environment is not None:
        shown = None if prepared.environment is None else prepared.environment.shown
        environments.store_capture(session, run.id, EnvironmentCapture(git=prepared.git, environment=shown))
    record_change(session, space.name, "compute", body.target)
    return _wire(session, runs.wires(session, [run], made_now=True)[0], row, made_now=True)


def _row_of(
    run_id: str, workspace_id: int, actor: Actor, body: JobCreate, prepared: Prepared, key: str | None, body_hash: str
) -> JobRow:
    asked = body.resources or JobResources()
    return JobRow(
        run_id=run_id,
        workspace_id=workspace_id,
        kind=str(prepared.spec.__struct_config__.tag),
        spec=msgspec.to_builtins(prepared.spec),
        target=body.target,
        priority=body.priority,
        submitted_at=now_ms(),
        timeout_s=body.timeout_s or None,
        max_retries=body.max_retries,
        submitted_by=actor.name,
        cpus=asked.cpus or None,
        memory_bytes=asked.memory_bytes or None,
        gpus=asked.gpus or 0,
        environment_id=None if prepared.environment is None else prepared.environment.id,
        environment=None if prepared.environment is None else prepared.environment.shown,
        env=body.env if body.env is not UNSET else {},
        source_dir=prepared.source_dir,
        work_subdir=prepared.work_subdir,
        in_place=body.in_place,
        links=prepared.links,
        not_captured=prepared.not_captured,
        new_files=[],
        idempotency_key=key,
        body_hash=body_hash,
    )


def get_job(session: Session, actor: Actor, run_id: str) -> Job:
    """A job and its run."""
    return _wire(session, runs.get_run(session, actor, run_id), job_row(session, run_id))


def _wire(session: Session, run: Run, row: JobRow, *, made_now: bool = False) -> Job:
    spec = spec_of(row)
    return Job(
        run=run,
        spec=spec,
        priority=row.priority,
        timeout_s=row.timeout_s,
        environment=row.environment,
        env_names=sorted(row.env),
        secrets=secrets.names_of_run(session, run.id),
        in_place=row.in_place,
        attempt=row.attempt,
        max_retries=row.max_retries,
        attempts=[] if made_now else attempts_of(session, row, run.status),
        asks=asks_of(row),
        gpu_ids=row.gpu_ids or [],
        not_captured=row.not_captured,
        new_files=row.new_files,
        notebook_artifact=row.notebook_artifact,
        usage=None if made_now else usage_of(session, run.id, spec),
    )


def asks_of(row: JobRow | store.Ask) -> Amounts:
    """What a job asks of its target."""
    return Amounts(cpus=row.cpus, memory_bytes=row.memory_bytes, gpus=row.gpus or None)


def job_row(session: Session, run_id: str) -> JobRow:
    """The row of a job. Raises `NotAJob`."""
    row = store.by_id(session, run_id)
    if row is None:
        raise NotAJob(f"The run {run_id!r} is no job: it was followed in a notebook or script, not submitted.")
    return row


def spec_of(row: JobRow) -> Spec:
    """What a job was asked to do."""
    spec: Spec = msgspec.convert(row.spec, Spec)
    return spec


def kernel_of(spec: Spec) -> str | None:
    """The kernel that a job names; None for what runs without one."""
    return spec.kernel if isinstance(spec, NotebookSpec) and isinstance(spec.kernel, str) else None


def list_active(session: Session, workspace: str) -> JobList:
    """Jobs that wait or run, and those that came and ended in the last minute."""
    space = workspaces.find(session, workspace).id
    ids = store.unfinished(session, space, ACTIVE_LIMIT)
    latest = runs.jobs_made_since(session, space, now_ms() - LATELY_MS, ENDED_LIMIT)
    return JobList(jobs=runs.wires_by_id(session, ids), ended=store.ended(session, latest))


def any_unfinished(session: Session) -> bool:
    """Whether a job waits or runs, in whatever workspace."""
    return store.any_unfinished(session)


def cancel(session: Session, actor: Actor, run_id: str) -> tuple[Job, bool]:
    """Cancel a job in whatever status it is; again is harmless. The flag: its processes must be told (it is past the queue)."""
    store.hold(session, run_id)
    run = runs.open_run(session, actor, Action.SUBMIT, run_id)
    row = job_row(session, run_id)
    tell = False
    if run.status not in TERMINAL and row.cancel_requested_at is None:
        row.cancel_requested_at = now_ms()
        session.flush()
        if run.status in WAITING:
            runs.change_status(session, run_id, RunStatus.CANCELED, actor=actor.name, reason="canceled")
        elif run.status is not RunStatus.FINALIZING:  # its process is gone: that no other attempt follows is all there is to do
            runs.change_status(session, run_id, RunStatus.CANCEL_REQUESTED, actor=actor.name)
            tell = True
        record_change(session, run.workspace, "compute", row.target)
    return get_job(session, actor, run_id), tell


def pause(session: Session, actor: Actor, run_id: str) -> Job:
    """Hold a job that waits; again is harmless. Raises `JobStarted` for one that waits no longer."""
    store.hold(session, run_id)
    run = runs.open_run(session, actor, Action.SUBMIT, run_id)
    row = job_row(session, run_id)
    if run.status not in WAITING:
        raise JobStarted(f"This job is {run.status.value}; only one that waits can be put on hold.")
    if runs.change_status(session, run_id, RunStatus.PAUSED, actor=actor.name):
        record_change(session, run.workspace, "compute", row.target)
    return get_job(session, actor, run_id)


def resume(session: Session, actor: Actor, run_id: str) -> Job:
    """Let a job that is on hold wait for its turn again, and one in back-off at once. Raises `JobStarted` for one that does not wait."""
    store.hold(session, run_id)
    run = runs.open_run(session, actor, Action.SUBMIT, run_id)
    row = job_row(session, run_id)
    if run.status not in WAITING:
        raise JobStarted(f"This job is {run.status.value}; only one that is on hold can be resumed.")
    row.not_before = None
    session.flush()
    runs.change_status(session, run_id, RunStatus.QUEUED, actor=actor.name)
    record_change(session, run.workspace, "compute", row.target)
    return get_job(session, actor, run_id)


def update_job(session: Session, actor: Actor, run_id: str, body: JobUpdate, version: int | None) -> Job:
    """Change what is given of a job and its run. Raises `JobStarted` for the priority of a job that waits no longer."""
    store.hold(session, run_id)
    run = runs.open_run(session, actor, Action.EDIT, run_id)
    row = job_row(session, run_id)
    if body.priority is not UNSET and body.priority != row.priority:
        if run.status not in WAITING:
            raise JobStarted("This job waits no longer; a priority only counts in the queue.", field="priority")
        row.priority = body.priority
        record_change(session, run.workspace, "compute", row.target)
    fields = {name: getattr(body, name) for name in RunUpdate.__struct_fields__}
    runs.update_run(session, actor, run_id, RunUpdate(**fields), version)
    return get_job(session, actor, run_id)


@runs.decorating.register
def _tell_why_they_wait(session: Session, found: dict[str, Run]) -> None:
    queued = [run.id for run in found.values() if run.status is RunStatus.QUEUED and run.kind is not RunKind.INTERACTIVE]
    for run_id, waiting in (queue.why(session, queued) if queued else {}).items():
        found[run_id].waiting = waiting
    for run in found.values():
        if run.status is RunStatus.PAUSED:
            run.waiting = queue.on_hold()
        elif run.status in (RunStatus.PREPARING, RunStatus.NOT_RESPONDING):
            run.waiting = queue.held_up(run.id)


@runs.changed.register
def _follow_status(session: Session, ref: runs.RunRef) -> None:
    if ref.kind is RunKind.INTERACTIVE:
        return
    store.set_phase(session, ref.id, phase_of(ref.status))
    if ref.status is RunStatus.QUEUED or ref.status in TERMINAL:
        # What an earlier attempt still sends is refused from now on.
        access.revoke_tokens_of_run(session, ref.id)
    if ref.status in TERMINAL:
        secrets.forget_given(session, ref.id)
        store.close_attempts(session, ref.id, ref.status, now_ms())
        history.note_end(session, ref)


@runs.purging.register
def _remove_with_runs(session: Session, ids: Sequence[str]) -> None:
    store.remove(session, ids)
    secrets.remove_with_runs(session, ids)


def list_workspaces(session: Session, actor: Actor) -> list[str]:
    """Names of the workspaces whose jobs may run here."""
    return [one.name for one in workspaces.list_workspaces(session, actor, archived=False).workspaces]


def check_workspace(session: Session, name: str) -> None:
    """Raise `WorkspaceNotFound`, or `WorkspaceArchived` for one that takes no new jobs."""
    workspaces.check_open(session, name)
