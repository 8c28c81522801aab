"""Rules of runs: making, reading, logging, ending. Deleting stands in `deletion.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import UNSET

from jupyter_mlws.db.outbox import record_change
from jupyter_mlws.domain.access.service import require
from jupyter_mlws.domain.environments import service as environments
from jupyter_mlws.domain.experiments import service as experiments
from jupyter_mlws.domain.metrics import service as metrics
from jupyter_mlws.domain.runs import store
from jupyter_mlws.domain.runs.errors import (
    BadParent,
    JobOwnsStatus,
    NotYourRun,
    ParamConflict,
    RunDeleted,
    RunNotFound,
    SnapshotFrozen,
    StatusConflict,
)
from jupyter_mlws.domain.runs.schemas import (
    IODeclare,
    Lifecycle,
    LogBatch,
    LogReply,
    Run,
    RunCreate,
    RunEnd,
    RunError,
    RunKind,
    RunUpdate,
    StatusChange,
    StatusHistory,
)
from jupyter_mlws.domain.runs.states import TERMINAL, RunStatus, may_change
from jupyter_mlws.domain.runs.tables import RunRow
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.domain.workspaces.errors import StaleVersion
from jupyter_mlws.kit.actors import Action, Actor, ActorKind
from jupyter_mlws.kit.clock import now_ms
from jupyter_mlws.kit.errors import BadInput
from jupyter_mlws.kit.events import Hook
from jupyter_mlws.kit.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.environments.schemas import EnvironmentCapture
    from jupyter_mlws.domain.experiments.service import ExperimentRef
    from jupyter_mlws.domain.runs.schemas import Process

MAX_DEPTH = 50


class RunRef(NamedTuple):
    """What upper slices and routes need of a run."""

    id: str
    workspace_id: int
    workspace: str
    experiment_id: int
    status: RunStatus
    kind: RunKind
    snapshot_id: str | None


class NewRun(NamedTuple):
    """What makes a run, whoever makes it."""

    experiment: ExperimentRef
    kind: RunKind
    status: RunStatus
    user: str
    source: str = ""
    id: str | None = None
    name: str | None = None
    parent_id: str | None = None
    target: str | None = None
    started_at: int | None = None
    process: Process | None = None
    note: str = ""
    snapshot_id: str | None = None


ended: Hook[[Session, RunRef]] = Hook()
"""A run came to its end."""
decorating: Hook[[Session, dict[str, Run]]] = Hook()
"""Runs are about to be answered: upper slices add what they know (why a job waits)."""


def add_run(session: Session, new: NewRun) -> RunRow:
    """Make a run. Its name, if none is given, is made from its source and a number."""
    at = now_ms()
    name = experiments.clean_name(new.name, "a run") if new.name is not None else _made_name(session, new)
    row = RunRow(
        id=new.id or new_id(),
        workspace_id=new.experiment.workspace.id,
        experiment_id=new.experiment.id,
        name=name,
        kind=new.kind,
        status=new.status,
        user=new.user,
        created_at=at,
        started_at=new.started_at,
        parent_id=new.parent_id,
        source=new.source,
        target=new.target,
        process=new.process,
        note=new.note,
        snapshot_id=new.snapshot_id,
        inputs=[],
        outputs=[],
    )
    store.add(session, row)
    store.add_status(session, row.id, new.status, at, None, new.user)
    experiments.touch(session, new.experiment, at)
    _note_change(session, row, new.experiment.workspace.name)
    return row


def _made_name(session: Session, new: NewRun) -> str:
    stem = new.source.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".ipynb").removesuffix(".py").strip()
    first = "".join(c for c in stem.split()[0] if c.isprintable())[:60] if stem.split() else ""
    return f"{first or new.kind.value}-{store.number_of_runs(session, new.experiment.id) + 1}"


def create_run(session: Session, actor: Actor, workspace: str, body: RunCreate) -> Run:
    """Make an interactive run; one that has this id already is answered as it is."""
    if body.id is not UNSET and (known := store.by_id(session, body.id)) is not None:
        ref = _open(session, actor, Action.LOG, known.id)[1]
        if ref.workspace != workspace:
            raise BadInput(f"The run id {body.id!r} is taken; leave the id out.", field="id")
        return wires(session, [known])[0]
    space = workspaces.find(session, workspace)
    parent_id = _parent_of(session, actor, workspace, body.parent_id if body.parent_id is not UNSET else None)
    if body.experiment is UNSET and parent_id is not None:
        experiment = experiments.find(session, _row(session, parent_id).experiment_id)
    else:
        experiment = experiments.find_or_create(
            session, space, body.experiment if body.experiment is not UNSET else experiments.DEFAULT
        )
    new = NewRun(
        experiment=experiment,
        kind=RunKind.INTERACTIVE,
        status=RunStatus.RUNNING,
        user=actor.name,
        id=body.id if body.id is not UNSET else None,
        name=body.name if body.name is not UNSET else None,
        parent_id=parent_id,
        source=body.source if body.source is not UNSET else "",
        started_at=body.started_at if body.started_at is not UNSET else now_ms(),
        process=body.process if body.process is not UNSET else None,
        note=body.note if body.note is not UNSET else "",
    )
    row = add_run(session, new)
    write_params(session, row.id, body.params if body.params is not UNSET else {})
    store.set_tags(session, row.id, dict(body.tags) if body.tags is not UNSET else {})
    return wires(session, [row])[0]


def _parent_of(session: Session, actor: Actor, workspace: str, parent_id: str | None) -> str | None:
    """The parent a new run gets; whatever a job makes stands below its own run."""
    if parent_id is None:
        return actor.run_id if actor.kind is ActorKind.JOB else None
    parent = store.by_id(session, parent_id)
    if parent is None or workspaces.workspace_names(session, [parent.workspace_id])[parent.workspace_id] != workspace:
        raise BadParent(f"There is no run {parent_id!r} in workspace {workspace!r} that could be the parent.", field="parent_id")
    if len(_chain(session, parent)) > MAX_DEPTH:
        raise BadParent(f"Runs nest at most {MAX_DEPTH} deep.", field="parent_id")
    _check_writable(session, actor, parent)
    return parent_id


def open_run(session: Session, actor: Actor, action: Action, run_id: str) -> RunRef:
    """The run, if `actor` may do `action` to it; else `RunNotFound`, `Forbidden` or `NotYourRun`."""
    return _open(session, actor, action, run_id)[1]


def get_run(session: Session, actor: Actor, run_id: str) -> Run:
    """One run with all that is known of it."""
    row, _ = _open(session, actor, Action.READ, run_id)
    return wires(session, [row])[0]


def history(session: Session, actor: Actor, run_id: str) -> StatusHistory:
    """All status changes of a run."""
    _open(session, actor, Action.READ, run_id)
    return StatusHistory(
        changes=[
            StatusChange(status=row.status, at=row.at, reason=row.reason, actor=row.actor)
            for row in store.status_history(session, run_id)
        ]
    )


def update_run(session: Session, actor: Actor, run_id: str, body: RunUpdate, version: int | None) -> Run:
    """Change name, note, tags or experiment."""
    row, ref = _open(session, actor, Action.EDIT if actor.kind is not ActorKind.JOB else Action.LOG, run_id)
    _check_alive(row)
    if version is not None and version != row.version:
        raise StaleVersion(f"This run was changed meanwhile (version {row.version}, not {version}); reload it and try again.")
    if body.name is not UNSET:
        row.name = experiments.clean_name(body.name, "a run")
    if body.note is not UNSET:
        row.note = body.note
    if body.tags is not UNSET:
        store.set_tags(session, row.id, body.tags)
    if body.experiment_id is not UNSET and body.experiment_id != str(row.experiment_id):
        _move(session, row, body.experiment_id)
    row.version += 1
    session.flush()
    _note_change(session, row, ref.workspace)
    return wires(session, [row])[0]


def _move(session: Session, row: RunRow, experiment_id: str) -> None:
    target = experiments.find(session, experiment_id)
    if target.workspace.id != row.workspace_id:
        raise BadInput("A run moves within its own workspace only.", field="experiment_id")
    experiments.touch(session, experiments.find(session, row.experiment_id))
    row.experiment_id = target.id
    metrics.move_run(session, row.id, target.id)
    experiments.touch(session, target, now_ms())


def log_batch(session: Session, actor: Actor, run_id: str, body: LogBatch) -> LogReply:
    """Store metrics, params and tags; a batch that was stored already is answered with 0."""
    row, ref = _open(session, actor, Action.LOG, run_id)
    _check_alive(row)
    if store.seen_batch(session, run_id, body.batch_id, now_ms()):
        return LogReply(stored=0)
    stored = 0
    if body.metrics is not UNSET and body.metrics:
        stored = metrics.log_points(session, run_id, row.experiment_id, body.metrics)
        record_change(session, ref.workspace, "metrics", run_id, str(row.experiment_id))
    if body.params is not UNSET:
        write_params(session, run_id, body.params)
    if body.tags is not UNSET:
        store.set_tags(session, run_id, dict(body.tags))
    if body.params is not UNSET or body.tags is not UNSET:
        _note_change(session, row, ref.workspace)
    return LogReply(stored=stored)


def write_params(session: Session, run_id: str, params: dict[str, str]) -> None:
    """Store params. One that has the same value already is left; one that has another is a `ParamConflict`, and none is stored."""
    if not params:
        return
    known = store.params_of(session, [run_id]).get(run_id, {})
    for key, value in params.items():
        if key in known and known[key] != value:
            raise ParamConflict(
                f"The param {key[:80]!r} of this run is {known[key][:200]!r} already and cannot become {value[:200]!r}; "
                "log it under another name, or in another run.",
                field=key,
            )
    store.add_params(session, run_id, {key: value for key, value in params.items() if key not in known})


def store_tags(session: Session, run_id: str, tags: dict[str, str | None]) -> None:
    """Set tags of a run that is being made."""
    store.set_tags(session, run_id, tags)


def declare_io(session: Session, actor: Actor, run_id: str, body: IODeclare) -> Run:
    """Note inputs and outputs; one of the same name is replaced."""
    row, ref = _open(session, actor, Action.LOG, run_id)
    _check_alive(row)
    for column, given in (("inputs", body.inputs), ("outputs", body.outputs)):
        if given is not UNSET:
            by_name = {item.name: item for item in [*getattr(row, column), *given]}
            setattr(row, column, list(by_name.values()))
    session.flush()
    _note_change(session, row, ref.workspace)
    return wires(session, [row])[0]


def end_run(session: Session, actor: Actor, run_id: str, body: RunEnd) -> Run:
    """End an interactive run; ending it again with the same status is harmless."""
    row, _ = _open(session, actor, Action.LOG, run_id)
    if row.kind is not RunKind.INTERACTIVE:
        raise JobOwnsStatus("This run is a job: it ends when its process ends, or when it is canceled.")
    status = RunStatus(body.status)
    if row.status is not status:
        change_status(
            session,
            run_id,
            status,
            actor=actor.name,
            reason="error" if status is RunStatus.FAILED else None,
            at=body.ended_at if body.ended_at is not UNSET else None,
            error=body.error if body.error is not UNSET else None,
        )
    return wires(session, [_row(session, run_id)])[0]


def change_status(
    session: Session,
    run_id: str,
    status: RunStatus,
    *,
    actor: str,
    reason: str | None = None,
    at: int | None = None,
    error: RunError | None = None,
    values: dict[str, Any] | None = None,
) -> bool:
    """The one door through which a run's status changes. False if it has that status already; `StatusConflict` if it may not."""
    row = _row(session, run_id)
    if row.status is status:
        return False
    if not may_change(row.status, status):
        raise StatusConflict(f"The run is {row.status.value} and cannot become {status.value}.")
    at = at if at is not None else now_ms()
    changes: dict[str, Any] = {"status": status, **(values or {})}
    if reason is not None or status in TERMINAL:
        changes["reason"] = reason
    if error is not None:
        changes["error"] = error
    if status is RunStatus.RUNNING and row.started_at is None:
        changes["started_at"] = at
    if status in TERMINAL:
        changes["ended_at"] = max(at, row.started_at or 0)
    if not store.compare_and_set(session, row, changes):
        raise StatusConflict("The run was changed at the same time; try again.")
    store.add_status(session, run_id, status, at, reason, actor)
    ref = ref_of(session, row)
    _note_change(session, row, ref.workspace)
    record_change(session, ref.workspace, "experiment", str(row.experiment_id))
    if status in TERMINAL:
        ended(session, ref)
    return True


def set_progress(session: Session, run_id: str, progress: Any) -> None:
    """Note how far a run is."""
    row = _row(session, run_id)
    if row.status not in TERMINAL:
        row.progress = progress
        session.flush()
        _note_change(session, row, ref_of(session, row).workspace)


def note_artifacts(session: Session, ref: RunRef) -> None:
    """Tell listeners that the files of a run changed."""
    record_change(session, ref.workspace, "artifacts", ref.id, str(ref.experiment_id))


def wires(session: Session, rows: Sequence[RunRow], metric_keys: Sequence[str] | None = None) -> list[Run]:
    """Runs as the API answers them."""
    ids = [row.id for row in rows]
    params, tags = store.params_of(session, ids), store.tags_of(session, ids)
    summaries = metrics.summaries(session, ids, metric_keys)
    children = store.children_counts(session, ids)
    spaces = workspaces.workspace_names(session, {row.workspace_id for row in rows})
    names = {key: experiments.find(session, key).name for key in {row.experiment_id for row in rows}}
    now = now_ms()
    found = {}
    for row in rows:
        until = row.ended_at if row.ended_at is not None else now
        found[row.id] = Run(
            id=row.id,
            workspace=spaces[row.workspace_id],
            experiment_id=str(row.experiment_id),
            experiment_name=names[row.experiment_id],
            name=row.name,
            kind=row.kind,
            status=row.status,
            reason=row.reason,
            error=row.error,
            lifecycle=row.lifecycle,
            parent_id=row.parent_id,
            user=row.user,
            created_at=row.created_at,
            started_at=row.started_at,
            ended_at=row.ended_at,
            duration_ms=None if row.started_at is None else max(0, until - row.started_at),
            source=row.source,
            target=row.target,
            progress=row.progress,
            waiting=None,
            params=params.get(row.id, {}),
            metrics=summaries.get(row.id, {}),
            tags=tags.get(row.id, {}),
            note=row.note,
            inputs=row.inputs,
            outputs=row.outputs,
            children=children.get(row.id, 0),
            snapshot_id=row.snapshot_id,
            version=row.version,
        )
    decorating(session, found)
    return list(found.values())


def _row(session: Session, run_id: str) -> RunRow:
    row = store.by_id(session, run_id)
    if row is None:
        raise RunNotFound(f"There is no run {run_id[:80]!r}.", field="run_id")
    return row


def ref_by_id(session: Session, run_id: str) -> RunRef:
    """What upper slices need of a run. Raises `RunNotFound`."""
    return ref_of(session, _row(session, run_id))


def ref_of(session: Session, row: RunRow) -> RunRef:
    """What upper slices need of a run."""
    workspace = workspaces.workspace_names(session, [row.workspace_id])[row.workspace_id]
    return RunRef(row.id, row.workspace_id, workspace, row.experiment_id, row.status, row.kind, row.snapshot_id)


def _open(session: Session, actor: Actor, action: Action, run_id: str) -> tuple[RunRow, RunRef]:
    row = _row(session, run_id)
    ref = ref_of(session, row)
    require(actor, action, ref.workspace, f"run {run_id!r}")
    if action is not Action.READ:
        _check_writable(session, actor, row)
    return row, ref


def _check_writable(session: Session, actor: Actor, row: RunRow) -> None:
    if actor.kind is ActorKind.JOB and actor.run_id not in _chain(session, row):
        raise NotYourRun("A job may write to its own run and to the runs below it only.")


def _chain(session: Session, row: RunRow) -> list[str]:
    """Ids of the run and of the runs above it."""
    chain = [row.id]
    while row.parent_id is not None and len(chain) <= MAX_DEPTH:
        chain.append(row.parent_id)
        parent = store.by_id(session, row.parent_id)
        if parent is None:
            break
        row = parent
    return chain


def _check_alive(row: RunRow) -> None:
    if row.lifecycle is Lifecycle.DELETED:
        raise RunDeleted("This run is in the bin; restore it first.")


def _note_change(session: Session, row: RunRow, workspace: str) -> None:
    record_change(session, workspace, "run", row.id, str(row.experiment_id))


def note_environment(session: Session, actor: Actor, run_id: str, body: EnvironmentCapture) -> EnvironmentCapture:
    """Keep what a run ran in."""
    row, ref = _open(session, actor, Action.LOG, run_id)
    _check_alive(row)
    kept = environments.store_capture(session, run_id, body)
    _note_change(session, row, ref.workspace)
    return kept


def user_of(session: Session, run_id: str) -> str:
    """Who started a run."""
    return _row(session, run_id).user


def open_for_files(session: Session, actor: Actor, run_id: str) -> RunRef:
    """The run, if `actor` may add files to it."""
    row, ref = _open(session, actor, Action.LOG, run_id)
    _check_alive(row)
    return ref


def set_snapshot(session: Session, actor: Actor, run_id: str, snapshot_id: str) -> RunRef:
    """Replace the snapshot of an interactive run."""
    row, ref = _open(session, actor, Action.LOG, run_id)
    _check_alive(row)
    if row.kind is not RunKind.INTERACTIVE:
        raise SnapshotFrozen("The snapshot of a job was frozen when it was submitted.")
    row.snapshot_id = snapshot_id
    session.flush()
    _note_change(session, row, ref.workspace)
    return ref


def interactive_running(session: Session) -> list[tuple[str, Process]]:
    """Runs that a notebook or script follows now, with the process that does."""
    rows = store.with_status(session, [RunStatus.RUNNING])
    return [(row.id, row.process) for row in rows if row.kind is RunKind.INTERACTIVE and row.process is not None]


def experiment_name(session: Session, run_id: str) -> str:
    """Name of the experiment of a run."""
    return experiments.find(session, _row(session, run_id).experiment_id).name


def source_of(session: Session, run_id: str) -> str:
    """The notebook or command line of a run."""
    return _row(session, run_id).source
