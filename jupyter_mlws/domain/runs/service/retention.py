"""Rules of retention: which runs of an experiment go by themselves, which are spared, and what is left of those that went."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from jupyter_mlws.domain.experiments import service as experiments
from jupyter_mlws.domain.runs import store
from jupyter_mlws.domain.runs.schemas import Lifecycle, RetentionPlan, RetentionState
from jupyter_mlws.domain.runs.service.deletion import KEEP_TAG, best_of, check_ended, note_all, plan_of, remove_all
from jupyter_mlws.domain.runs.store import retention as rules
from jupyter_mlws.domain.runs.tables import RetentionRow
from jupyter_mlws.domain.storage import service as storage
from jupyter_mlws.kit.clock import now_ms
from jupyter_mlws.kit.errors import BadInput
from jupyter_mlws.kit.events import Hook

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.runs.schemas import Retention

REMOVED_TAG = "outputs_removed"
"""Says on a run, where people see it, on which day its files went."""
DAY_MS = 24 * 3600 * 1000
DEFAULT = 0
"""Stands for all experiments of a workspace that have no rule of their own."""
NAMED = 20

sparing: Hook[[Session, Collection[str], dict[str, str]]] = Hook()
"""Upper slices say which of the runs are needed, and why in a word."""


def state(session: Session, workspace_id: int, experiment_id: int) -> RetentionState:
    """The rule of an experiment, or (`DEFAULT`) of a workspace."""
    own = rules.retention(session, workspace_id, experiment_id)
    found = own if own is not None and own.rule is not None else rules.retention(session, workspace_id, DEFAULT)
    return RetentionState(
        rule=None if found is None else found.rule,
        inherited=found is not None and found.experiment_id != experiment_id,
        last_at=None if own is None else own.last_at,
        last_runs=0 if own is None else own.last_runs,
        last_bytes=0 if own is None else own.last_bytes,
    )


def set_rule(session: Session, workspace_id: int, experiment_id: int, rule: Retention | None) -> RetentionState:
    """Set a rule, or (None) take it away: then that of the workspace counts, if there is one."""
    if rule is not None:
        check_rule(rule)
    row = rules.retention(session, workspace_id, experiment_id)
    if row is None:
        row = RetentionRow(workspace_id=workspace_id, experiment_id=experiment_id)
        session.add(row)
    row.rule = rule
    session.flush()
    return state(session, workspace_id, experiment_id)


def check_rule(rule: Retention) -> None:
    """Raise `BadInput` for one that would keep nothing."""
    if rule.keep_days is None and rule.keep_last is None:
        words = "Say what is kept: runs that ended less than so many days ago (keep_days), the newest (keep_last), or both."
        raise BadInput(words, field="keep_days")


def doomed(session: Session, experiment_id: int, rule: Retention) -> tuple[list[str], dict[str, int]]:
    """Top-level runs that the rule lets go, the oldest first; and how many of those it would are spared, by why."""
    rows = rules.top_runs(session, experiment_id)
    old = rows if rule.keep_last is None else rows[rule.keep_last :]
    before = None if rule.keep_days is None else now_ms() - rule.keep_days * DAY_MS
    chosen = [row.id for row in old if before is None or (row.ended_at or row.created_at) < before]
    if rule.what == "outputs":
        chosen = [run_id for run_id in chosen if REMOVED_TAG not in store.tags_of(session, [run_id]).get(run_id, {})]
    spared = spared_of(session, experiment_id, chosen)
    counts: dict[str, int] = {}
    for run_id in chosen:
        if run_id in spared:
            counts[spared[run_id]] = counts.get(spared[run_id], 0) + 1
    return [run_id for run_id in reversed(chosen) if run_id not in spared], counts


def spared_of(session: Session, experiment_id: int, ids: Sequence[str]) -> dict[str, str]:
    """Those of the top-level runs that stay because of themselves or of a run below them, with why in a word."""
    with_children = store.children_counts(session, ids)
    family = {run_id: [run_id, *(store.descendants(session, [run_id]) if run_id in with_children else [])] for run_id in ids}
    members = [one for some in family.values() for one in some]
    why: dict[str, str] = {}
    sparing(session, members, why)
    goal = experiments.goal_by_id(session, experiment_id)
    best = best_of(session, experiment_id, goal) if goal is not None else None
    if best is not None:
        why[best.run_id] = "best"
    for run_id, tags in store.tags_of(session, members).items():
        if tags.get(KEEP_TAG, "false").lower() not in ("false", "0", "no", ""):
            why[run_id] = "kept"
    for run_id in store.unfinished(session, ids=members):
        why[run_id] = "running"
    return {run_id: why[one] for run_id, some in family.items() for one in some if one in why}


def plan(session: Session, experiment_id: int, rule: Retention) -> tuple[RetentionPlan, list[str]]:
    """What the rule would do now, and the ids of all runs that it concerns."""
    tops, spared = doomed(session, experiment_id, rule)
    ids = [*tops, *store.descendants(session, tops)]
    found = plan_of(session, ids, logs=rule.what == "runs")
    names = store.names_of_active(session, tops[:NAMED])
    made = RetentionPlan(
        runs=len(ids),
        artifacts=found.artifacts,
        bytes_freed=found.bytes_freed,
        dry_run=True,
        what=rule.what,
        spared=spared,
        named=[names.get(run_id, run_id) for run_id in tops[:NAMED]],
    )
    return made, ids


def let_go(session: Session, experiment_id: int, tops: Sequence[str], rule: Retention) -> list[str]:
    """Let some top-level runs go, those left out that are needed by now; the runs that went, those below them included."""
    active = set(store.with_lifecycle(session, tops, Lifecycle.ACTIVE))
    spared = spared_of(session, experiment_id, tops)
    tops = [run_id for run_id in tops if run_id in active and run_id not in spared]
    ids = [*tops, *store.descendants(session, tops)]
    check_ended(session, ids)
    note_all(session, ids)
    if rule.what == "runs":
        store.set_lifecycle(session, ids, Lifecycle.DELETED, now_ms())
    else:
        day = datetime.now(timezone.utc).date().isoformat()
        storage.delete_outputs(session, ids)
        for run_id in ids:
            store.set_tags(session, run_id, {REMOVED_TAG: day})
    return ids


def note_done(session: Session, workspace_id: int, experiment_id: int, done: RetentionPlan) -> None:
    """Keep what a rule did last."""
    row = rules.retention(session, workspace_id, experiment_id)
    if row is None:
        row = RetentionRow(workspace_id=workspace_id, experiment_id=experiment_id)
        session.add(row)
    row.last_at, row.last_runs, row.last_bytes = now_ms(), done.runs, done.bytes_freed
    session.flush()


def with_rules(session: Session) -> list[tuple[int, int]]:
    """(workspace, experiment) of all experiments that a rule is about."""
    return rules.with_retention(session)


def binned(session: Session, before: int, limit: int) -> list[str]:
    """Ids of runs that were moved to the bin before this time (ms), the lowest first, and that nothing holds there."""
    return _not_held(session, rules.in_bin_since(session, before))[:limit]


def empty_bin(session: Session, ids: Sequence[str]) -> list[str]:
    """Remove runs of the bin for good, but for those that are needed by now; those that went."""
    gone = _not_held(session, store.with_lifecycle(session, ids, Lifecycle.DELETED))
    note_all(session, gone)
    remove_all(session, gone)
    return gone


def _not_held(session: Session, ids: Sequence[str]) -> list[str]:
    """Those that have ended and that no upper slice needs: a person may remove the others, by themselves they do not go."""
    why = dict.fromkeys(store.unfinished(session, ids=ids), "running")
    sparing(session, ids, why)
    return [one for one in ids if one not in why]


@experiments.deleting.register
def _forget_with_experiments(session: Session, contents: experiments.Contents) -> None:
    if contents.limit is not None and not contents.more and not contents.busy:
        rules.forget_retention(session, contents.experiment_ids)
