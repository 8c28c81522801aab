"""Runs by themselves, as other protocols than our own tell them: everything logged, and nothing that upper slices add."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import UNSET, Struct

from jupyter_mlws.db.outbox import record_change
from jupyter_mlws.domain.datasets import service as datasets
from jupyter_mlws.domain.experiments import service as experiments
from jupyter_mlws.domain.metrics import service as metrics
from jupyter_mlws.domain.metrics.service import LatestPoint
from jupyter_mlws.domain.runs import store
from jupyter_mlws.domain.runs.errors import RunActive
from jupyter_mlws.domain.runs.schemas import Lifecycle, RunKind
from jupyter_mlws.domain.runs.service.creation import start_run
from jupyter_mlws.domain.runs.service.rows import check_alive, note_change, open_row
from jupyter_mlws.domain.runs.states import TERMINAL, RunStatus
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.clock import now_ms

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.datasets.schemas import Dataset
    from jupyter_mlws.domain.runs.schemas import RunCreate
    from jupyter_mlws.domain.runs.tables import RunRow
    from jupyter_mlws.kit.actors import Actor


class DatasetInput(NamedTuple):
    """A dataset that a run has read, with the tags of this reading."""

    dataset: Dataset
    tags: dict[str, str]


class RunHead(Struct, frozen=True, kw_only=True):
    """A run without what was logged. Times are ms since the epoch."""

    id: str
    workspace_id: int
    experiment_id: int
    artifact_location: str | None
    """The experiment's, where it has one of its own."""
    name: str
    kind: RunKind
    status: RunStatus
    user: str
    started_at: int
    """When it began, or else was made."""
    ended_at: int | None
    deleted: bool
    source: str
    note: str
    parent_id: str | None


class RunRecord(RunHead, frozen=True, kw_only=True):
    """A run with what was logged."""

    params: dict[str, str]
    tags: dict[str, str]
    metrics: Sequence[LatestPoint]
    datasets: Sequence[DatasetInput]


def head(session: Session, actor: Actor, run_id: str) -> RunHead:
    """One run without what was logged, if `actor` may read it."""
    row, _ = open_row(session, actor, Action.READ, run_id)
    locations = experiments.artifact_locations(session, {row.experiment_id})
    return RunHead(**_head(row, locations))


def record(session: Session, actor: Actor, run_id: str) -> RunRecord:
    """One run with what was logged, if `actor` may read it."""
    row, _ = open_row(session, actor, Action.READ, run_id)
    return records(session, [row])[0]


def new_record(session: Session, actor: Actor, workspace: str, body: RunCreate, user_id: str | None) -> RunRecord:
    """Make an interactive run for a client of another protocol."""
    started = body.started_at if body.started_at is not UNSET else None
    return records(session, [start_run(session, actor, workspace, body, user_id=user_id, created_at=started)])[0]


def records(session: Session, rows: Sequence[RunRow]) -> list[RunRecord]:
    """Runs with what was logged."""
    ids = [row.id for row in rows]
    params, tags, points = store.params_of(session, ids), store.tags_of(session, ids), metrics.latest_points(session, ids)
    inputs = dataset_inputs(session, ids)
    locations = experiments.artifact_locations(session, {row.experiment_id for row in rows})
    return [
        RunRecord(
            **_head(row, locations),
            params=params.get(row.id, {}),
            tags=tags.get(row.id, {}),
            metrics=points.get(row.id, ()),
            datasets=inputs.get(row.id, ()),
        )
        for row in rows
    ]


def _head(row: RunRow, locations: Mapping[int, str]) -> dict[str, Any]:
    return {
        "id": row.id,
        "workspace_id": row.workspace_id,
        "experiment_id": row.experiment_id,
        "artifact_location": locations.get(row.experiment_id),
        "name": row.name,
        "kind": row.kind,
        "status": row.status,
        "user": row.user_id if row.user_id is not None else row.user,
        "started_at": row.started_at if row.started_at is not None else row.created_at,
        "ended_at": row.ended_at,
        "deleted": row.lifecycle is Lifecycle.DELETED,
        "source": row.source,
        "note": row.note,
        "parent_id": row.parent_id,
    }


def dataset_inputs(session: Session, ids: Collection[str]) -> dict[str, list[DatasetInput]]:
    """The datasets that runs have read, by run id, in the order in which they were told."""
    rows = store.datasets_of(session, ids)
    known = datasets.by_id(session, {dataset_id for _, dataset_id, _ in rows}) if rows else {}
    found: dict[str, list[DatasetInput]] = {}
    for run_id, dataset_id, tags in rows:
        found.setdefault(run_id, []).append(DatasetInput(known[dataset_id], tags))
    return found


CONTEXT = "mlflow.data.context"
"""The tag of an input that says what the dataset was read for."""


def add_datasets(session: Session, actor: Actor, run_id: str, given: Sequence[tuple[Dataset, Mapping[str, str]]]) -> None:
    """Note datasets that a run reads; one that is noted already stays as it is."""
    row, ref = open_row(session, actor, Action.LOG, run_id)
    check_alive(session, row)
    for dataset, tags in given:
        dataset_id = datasets.keep(session, row.experiment_id, dataset)
        store.add_dataset(session, row.id, dataset_id, dataset.name, dataset.digest, tags.get(CONTEXT, ""), dict(tags), now_ms())
    note_change(session, row, ref.workspace)


def set_deleted(session: Session, actor: Actor, run_id: str, *, deleted: bool) -> None:
    """Move one run into the bin, or back; the runs below it stay where they are. Harmless where it is there already."""
    row, ref = open_row(session, actor, Action.EDIT, run_id)
    if (row.lifecycle is Lifecycle.DELETED) == deleted:
        return
    if deleted and row.kind is not RunKind.INTERACTIVE and row.status not in TERMINAL:
        raise RunActive("The run is a job that still runs; cancel it first.")
    row.lifecycle, row.deleted_at = (Lifecycle.DELETED, now_ms()) if deleted else (Lifecycle.ACTIVE, None)
    row.version += 1
    session.flush()
    note_change(session, row, ref.workspace)
    record_change(session, ref.workspace, "experiment", str(row.experiment_id))


def set_deleted_of_experiment(session: Session, actor: Actor, experiment_id: int, *, deleted: bool) -> None:
    """Move all runs of an experiment into the bin, or back."""
    found = experiments.record(session, actor, str(experiment_id), Action.EDIT)
    if deleted and (busy := store.busy_jobs(session, experiment_id)):
        raise RunActive(f"Jobs of experiment {found.name!r} still run ({busy}); cancel them first.")
    lifecycle, at = (Lifecycle.DELETED, now_ms()) if deleted else (Lifecycle.ACTIVE, None)
    store.set_lifecycle(session, store.ids_of_experiments(session, [experiment_id]), lifecycle, at)
    record_change(session, found.workspace, "experiment", str(experiment_id))
