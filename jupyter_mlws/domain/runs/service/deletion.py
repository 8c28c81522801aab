"""Deleting runs: into the bin, back, and for good, with the bytes that really become free. Also what lists of experiments show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from jupyter_mlws.db.outbox import record_change
from jupyter_mlws.domain.access import service as access
from jupyter_mlws.domain.environments import service as environments
from jupyter_mlws.domain.experiments import service as experiments
from jupyter_mlws.domain.experiments.schemas import BestRun, Goal
from jupyter_mlws.domain.metrics import service as metrics
from jupyter_mlws.domain.runs import store
from jupyter_mlws.domain.runs.errors import RunActive, RunNotDeleted
from jupyter_mlws.domain.runs.schemas import DeletePlan, Lifecycle, Run
from jupyter_mlws.domain.runs.service.reading import get_run
from jupyter_mlws.domain.runs.service.rows import open_run, row_of
from jupyter_mlws.domain.runs.store import retention as rules
from jupyter_mlws.domain.storage import service as storage
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.kit.actors import Action, Actor
from jupyter_mlws.kit.clock import now_ms
from jupyter_mlws.kit.events import Hook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

KEEP_TAG = "mlws.keep"
"""A run with it is spared by rules of retention."""
purging: Hook[[Session, Sequence[str]]] = Hook()
"""Runs are about to be removed for good: upper slices remove what they keep of them."""


def deletion_plan(session: Session, actor: Actor, run_id: str, *, purge: bool) -> tuple[DeletePlan, list[str]]:
    """What would become free once a run, and what goes with it, is removed for good; and the ids, the run itself first."""
    ref = open_run(session, actor, Action.READ, run_id)
    ids = _doomed(session, run_id) if purge and _is_in_bin(session, ref.id) else _below(session, run_id)
    return plan_of(session, ids), ids


def move_to_bin(session: Session, actor: Actor, run_id: str) -> DeletePlan:
    """Move a run and the runs below it to the bin."""
    open_run(session, actor, Action.EDIT, run_id)
    ids = _below(session, run_id)
    check_ended(session, ids)
    plan = plan_of(session, ids)
    note_all(session, ids)
    store.set_lifecycle(session, ids, Lifecycle.DELETED, now_ms())
    return msgspec.structs.replace(plan, dry_run=False)


def restore_run(session: Session, actor: Actor, run_id: str) -> Run:
    """Bring a run and the runs below it back from the bin."""
    open_run(session, actor, Action.EDIT, run_id)
    ids = _below(session, run_id)
    note_all(session, ids)
    store.set_lifecycle(session, ids, Lifecycle.ACTIVE, None)
    if rules.has_retention(session, run_id):  # else it would be gone again within the hour
        store.set_tags(session, run_id, {KEEP_TAG: "true"})
    return get_run(session, actor, run_id)


def purge_some(session: Session, actor: Actor, run_id: str, ids: Sequence[str]) -> None:
    """Remove for good some of the runs that go with a run in the bin. What was restored stays: it only loses its parent."""
    open_run(session, actor, Action.ADMIN, run_id)
    if not _is_in_bin(session, run_id):
        raise RunNotDeleted("Only a run that is in the bin can be removed for good; delete it first.")
    gone = store.with_lifecycle(session, ids, Lifecycle.DELETED)
    check_ended(session, gone)
    note_all(session, gone)
    remove_all(session, gone)


def _below(session: Session, run_id: str) -> list[str]:
    return [run_id, *store.descendants(session, [run_id])]


def _doomed(session: Session, run_id: str) -> list[str]:
    return [run_id, *store.descendants(session, [run_id], lifecycle=Lifecycle.DELETED)]


def _is_in_bin(session: Session, run_id: str) -> bool:
    return row_of(session, run_id).lifecycle is Lifecycle.DELETED


def check_ended(session: Session, ids: Sequence[str]) -> None:
    """Raise `RunActive` unless all have ended."""
    if store.unfinished(session, ids=ids):
        raise RunActive("The run, or one below it, still runs; cancel or end it first.")


def note_all(session: Session, ids: Sequence[str]) -> None:
    """Tell of a change of runs."""
    places = store.places(session, ids)
    names = workspaces.workspace_names(session, {workspace for _, workspace, _ in places})
    for run_id, workspace, experiment in places:
        record_change(session, names[workspace], "run", run_id, str(experiment))
        record_change(session, names[workspace], "experiment", str(experiment))


def plan_of(session: Session, ids: Sequence[str], *, logs: bool = True) -> DeletePlan:
    """What becomes free once runs are removed; or (not `logs`) once only their outputs are, the snapshot and the logs left."""
    snapshots = store.snapshots_of_these_alone(session, ids) if logs else []
    freed = storage.freed_bytes(session, ids, snapshots, logs=logs)
    return DeletePlan(
        runs=len(ids), artifacts=storage.number_of_artifacts(session, ids, logs=logs), bytes_freed=freed, dry_run=True
    )


def remove_all(session: Session, ids: Sequence[str]) -> None:
    """Remove runs with all that is kept of them."""
    unused = store.snapshots_of_these_alone(session, ids)
    purging(session, ids)
    access.forget_tokens_of_runs(session, ids)
    metrics.delete_of_runs(session, ids)
    environments.delete_of_runs(session, ids)
    storage.delete_of_runs(session, ids)
    store.remove(session, ids)
    storage.delete_snapshots(session, unused)


@experiments.deleting.register
def _delete_with_experiments(session: Session, contents: experiments.Contents) -> None:
    contents.busy = store.unfinished(session, experiment_ids=contents.experiment_ids)
    limit = contents.limit
    ids = store.ids_of_experiments(session, contents.experiment_ids, None if limit is None else limit + 1)
    if limit is None:
        plan = plan_of(session, ids)
        contents.run_ids, contents.artifacts, contents.bytes_freed = ids, plan.artifacts, plan.bytes_freed
    elif not contents.busy:
        contents.run_ids, contents.more = ids[:limit], len(ids) > limit
        remove_all(session, contents.run_ids)


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
        summary.best = best_of(session, experiment_id, summary.goal)


def best_of(session: Session, experiment_id: int, goal: Goal) -> BestRun | None:
    """The best run that is not in the bin; each time all that were found are there, twice as many are asked for."""
    binned: list[str] = []
    while True:
        limit = max(metrics.BEST_AT_ONCE, len(binned))
        found = metrics.best_of_experiment(session, experiment_id, goal.metric, goal.direction, binned, limit)
        names = store.names_of_active(session, [run_id for run_id, _ in found])
        for run_id, value in found:
            if run_id in names:
                return BestRun(run_id=run_id, run_name=names[run_id], value=value)
        if len(found) < limit:
            return None
        binned += [run_id for run_id, _ in found]
