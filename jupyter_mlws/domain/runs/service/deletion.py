"""Deleting runs: into the bin, back, and for good, with the bytes that really become free. Also what lists of experiments show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_mlws.db.outbox import record_change
from jupyter_mlws.domain.environments import service as environments
from jupyter_mlws.domain.experiments import service as experiments
from jupyter_mlws.domain.experiments.schemas import BestRun
from jupyter_mlws.domain.metrics import service as metrics
from jupyter_mlws.domain.runs import store
from jupyter_mlws.domain.runs.errors import RunActive, RunNotDeleted
from jupyter_mlws.domain.runs.schemas import DeletePlan, Lifecycle, Run
from jupyter_mlws.domain.runs.service.reading import get_run
from jupyter_mlws.domain.runs.service.rows import open_run
from jupyter_mlws.domain.runs.states import TERMINAL
from jupyter_mlws.domain.storage import service as storage
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.kit.actors import Action, Actor
from jupyter_mlws.kit.clock import now_ms
from jupyter_mlws.kit.events import Hook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

purging: Hook[[Session, Sequence[str]]] = Hook()
"""Runs are about to be removed for good: upper slices remove what they keep of them."""


def delete_run(session: Session, actor: Actor, run_id: str, *, purge: bool, dry_run: bool) -> DeletePlan:
    """Move a run and the runs below it to the bin, or (purge) remove them for good."""
    open_run(session, actor, Action.READ if dry_run else Action.ADMIN if purge else Action.EDIT, run_id)
    ids = [run_id, *store.descendants(session, [run_id])]
    rows = store.by_ids(session, ids)
    plan = _plan(session, ids, dry_run=dry_run)
    if dry_run:
        return plan
    if any(row.status not in TERMINAL for row in rows):
        raise RunActive("The run, or one below it, still runs; cancel or end it first.")
    if purge:
        if any(row.lifecycle is not Lifecycle.DELETED for row in rows[:1]):
            raise RunNotDeleted("Only a run that is in the bin can be removed for good; delete it first.")
        _remove(session, ids)
    for row in rows:
        workspace = workspaces.workspace_names(session, [row.workspace_id])[row.workspace_id]
        if not purge:
            row.lifecycle, row.deleted_at, row.version = Lifecycle.DELETED, now_ms(), row.version + 1
        record_change(session, workspace, "run", row.id, str(row.experiment_id))
        record_change(session, workspace, "experiment", str(row.experiment_id))
    session.flush()
    return plan


def restore_run(session: Session, actor: Actor, run_id: str) -> Run:
    """Bring a run and the runs below it back from the bin."""
    ref = open_run(session, actor, Action.EDIT, run_id)
    for row in store.by_ids(session, [run_id, *store.descendants(session, [run_id])]):
        row.lifecycle, row.deleted_at, row.version = Lifecycle.ACTIVE, None, row.version + 1
        record_change(session, ref.workspace, "run", row.id, str(row.experiment_id))
    record_change(session, ref.workspace, "experiment", str(ref.experiment_id))
    session.flush()
    return get_run(session, actor, run_id)


def _plan(session: Session, ids: Sequence[str], *, dry_run: bool) -> DeletePlan:
    snapshots = {row.snapshot_id for row in store.by_ids(session, ids) if row.snapshot_id is not None}
    freed = storage.freed_bytes(session, ids, _only_here(session, snapshots, ids))
    return DeletePlan(runs=len(ids), artifacts=storage.number_of_artifacts(session, ids), bytes_freed=freed, dry_run=dry_run)


def _only_here(session: Session, snapshots: set[str], ids: Sequence[str]) -> list[str]:
    """Those of the snapshots that no other run uses."""
    return [snapshot for snapshot in sorted(snapshots) if not store.snapshot_used_elsewhere(session, snapshot, ids)]


def _remove(session: Session, ids: Sequence[str]) -> None:
    snapshots = {row.snapshot_id for row in store.by_ids(session, ids) if row.snapshot_id is not None}
    unused = _only_here(session, snapshots, ids)
    purging(session, ids)
    metrics.delete_of_runs(session, ids)
    environments.delete_of_runs(session, ids)
    storage.delete_of_runs(session, ids)
    store.remove(session, ids)
    storage.delete_snapshots(session, unused)


@experiments.deleting.register
def _delete_with_experiment(session: Session, contents: experiments.Contents) -> None:
    ids = store.ids_of_experiment(session, contents.experiment_id)
    plan = _plan(session, ids, dry_run=contents.dry_run)
    contents.runs, contents.artifacts, contents.bytes_freed = plan.runs, plan.artifacts, plan.bytes_freed
    contents.busy = [row.id for row in store.by_ids(session, ids) if row.status not in TERMINAL]
    if not contents.dry_run and not contents.busy:
        _remove(session, ids)


@workspaces.counting.register
def _count(session: Session, counts: workspaces.Counts) -> None:
    counts.runs = store.counts_by_workspace(session)


@experiments.summarizing.register
def _summarize(session: Session, summaries: dict[int, experiments.Summary]) -> None:
    for experiment_id, status, number, last in store.counts_by_status(session, list(summaries)):
        summary = summaries[experiment_id]
        summary.by_status[status.value] = number
        summary.runs += number
        summary.last_run_at = max(last, summary.last_run_at or 0)
    for experiment_id, summary in summaries.items():
        if summary.goal is None:
            continue
        best = metrics.best_of_experiment(session, experiment_id, summary.goal.metric, summary.goal.direction)
        rows = {row.id: row for row in store.by_ids(session, [run_id for run_id, _ in best])}
        for run_id, value in best:
            if run_id in rows and rows[run_id].lifecycle is Lifecycle.ACTIVE:
                summary.best = BestRun(run_id=run_id, run_name=rows[run_id].name, value=value)
                break
