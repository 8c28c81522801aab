"""Changing runs: what people edit, and what training logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from jupyter_mlws.db.outbox import record_change
from jupyter_mlws.domain.environments import service as environments
from jupyter_mlws.domain.experiments import service as experiments
from jupyter_mlws.domain.metrics import service as metrics
from jupyter_mlws.domain.runs import store
from jupyter_mlws.domain.runs.errors import ParamConflict
from jupyter_mlws.domain.runs.schemas import IODeclare, LogBatch, LogReply, Run, RunUpdate
from jupyter_mlws.domain.runs.service.reading import wires
from jupyter_mlws.domain.runs.service.rows import check_alive, note_change, open_row, open_to_log
from jupyter_mlws.domain.workspaces.errors import StaleVersion
from jupyter_mlws.kit.actors import Action, Actor, ActorKind
from jupyter_mlws.kit.clock import now_ms
from jupyter_mlws.kit.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.environments.schemas import EnvironmentCapture
    from jupyter_mlws.domain.metrics.schemas import MetricPoint
    from jupyter_mlws.domain.runs.service.rows import RunRef
    from jupyter_mlws.domain.runs.tables import RunRow


def update_run(session: Session, actor: Actor, run_id: str, body: RunUpdate, version: int | None) -> Run:
    """Change name, note, tags or experiment."""
    row, ref = open_row(session, actor, Action.EDIT if actor.kind is not ActorKind.JOB else Action.LOG, run_id)
    check_alive(session, row)
    if version is not None and version != row.version:
        raise StaleVersion(f"This run was changed meanwhile (version {row.version}, not {version}); reload it and try again.")
    if body.name is not UNSET:
        row.name = experiments.clean_name(body.name, "a run")
    if body.note is not UNSET:
        row.note = body.note
    if body.tags is not UNSET:
        store.set_tags(session, row.id, body.tags)
    if body.experiment_id is not UNSET and body.experiment_id != str(row.experiment_id):
        _move(session, actor, row, body.experiment_id)
    row.version += 1
    session.flush()
    note_change(session, row, ref.workspace)
    return wires(session, [row])[0]


def _move(session: Session, actor: Actor, row: RunRow, experiment_id: str) -> None:
    experiments.get_experiment(session, actor, experiment_id)  # one that the caller may not read is not there
    target = experiments.find(session, experiment_id)
    if target.workspace.id != row.workspace_id:
        raise BadInput("A run moves within its own workspace only.", field="experiment_id")
    experiments.check_open(session, target.id)
    experiments.touch(session, experiments.find(session, row.experiment_id))
    row.experiment_id = target.id
    metrics.move_run(session, row.id, target.id)
    experiments.touch(session, target, now_ms())


def log_batch(session: Session, actor: Actor, run_id: str, body: LogBatch) -> LogReply:
    """Store metrics, params and tags; a batch that was stored already is answered with 0."""
    ref = open_to_log(session, actor, run_id)
    if store.seen_batch(session, run_id, body.batch_id, now_ms()):
        return LogReply(stored=0)
    points = body.metrics if body.metrics is not UNSET else None
    params = body.params if body.params is not UNSET else None
    return LogReply(stored=_store(session, ref, points, params, body.tags if body.tags is not UNSET else None))


def log(
    session: Session,
    actor: Actor,
    run_id: str,
    *,
    metrics: Sequence[MetricPoint] = (),
    params: dict[str, str] | None = None,
    tags: dict[str, str] | None = None,
) -> RunRef:
    """Store metrics, params and tags of a client that has no batch ids: the same again changes nothing."""
    ref = open_to_log(session, actor, run_id)
    _store(session, ref, metrics, params, tags)
    return ref


def _store(
    session: Session,
    ref: RunRef,
    points: Sequence[MetricPoint] | None,
    params: dict[str, str] | None,
    tags: dict[str, str] | None,
) -> int:
    stored, parent = 0, str(ref.experiment_id)
    if params is not None:
        write_params(session, ref.id, params)
    if points:
        stored = metrics.log_points(session, ref.id, ref.experiment_id, points)
        record_change(session, ref.workspace, "metrics", ref.id, parent)
    if tags is not None:
        store.set_tags(session, ref.id, dict(tags))
    if params is not None or tags is not None:
        record_change(session, ref.workspace, "run", ref.id, parent)
    return stored


def write_params(session: Session, run_id: str, params: dict[str, str]) -> None:
    """Store params. One that has the same value already is left; one that has another is a `ParamConflict`, and none is stored."""
    if not params:
        return
    known = store.params_of(session, [run_id]).get(run_id, {})
    conflicts = [(key, known[key], value) for key, value in params.items() if key in known and known[key] != value]
    if conflicts:
        raise ParamConflict(conflicts)
    store.add_params(session, run_id, {key: value for key, value in params.items() if key not in known})


def declare_io(session: Session, actor: Actor, run_id: str, body: IODeclare) -> Run:
    """Note inputs and outputs; one of the same name is replaced."""
    row, ref = open_row(session, actor, Action.LOG, run_id)
    check_alive(session, row)
    for column, given in (("inputs", body.inputs), ("outputs", body.outputs)):
        if given is not UNSET:
            by_name = {item.name: item for item in [*getattr(row, column), *given]}
            setattr(row, column, list(by_name.values()))
    session.flush()
    note_change(session, row, ref.workspace)
    return wires(session, [row])[0]


def store_tags(session: Session, run_id: str, tags: dict[str, str | None]) -> None:
    """Set tags of a run that is being made."""
    store.set_tags(session, run_id, tags)


def note_environment(session: Session, actor: Actor, run_id: str, body: EnvironmentCapture) -> EnvironmentCapture:
    """Keep what a run ran in."""
    row, ref = open_row(session, actor, Action.LOG, run_id)
    check_alive(session, row)
    kept = environments.store_capture(session, run_id, body)
    note_change(session, row, ref.workspace)
    return kept


def forget_batches(session: Session, before: int) -> None:
    """Forget the ids of batches that were logged before this time (ms)."""
    store.forget_batches(session, before)
