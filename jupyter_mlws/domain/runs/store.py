"""SQL of runs."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from sqlalchemy import CursorResult, delete, exists, func, select, update
from sqlalchemy.orm import aliased
from sqlalchemy.orm.attributes import set_committed_value

from jupyter_mlws.db import driver
from jupyter_mlws.db.outbox import hints_of
from jupyter_mlws.db.values import listed
from jupyter_mlws.domain.runs.schemas import Lifecycle, Process, RunKind
from jupyter_mlws.domain.runs.states import TERMINAL, RunStatus
from jupyter_mlws.domain.runs.tables import RetentionRow, RunBatchRow, RunDatasetRow, RunParamRow, RunRow, RunStatusRow, RunTagRow
from jupyter_mlws.kit.clock import now_ms

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy.orm import Session

    from jupyter_mlws.db.shortcut import Plain


def by_id(session: Session, run_id: str) -> RunRow | None:
    """The run with this id."""
    return session.get(RunRow, run_id)


_TARGET = """
SELECT r.workspace_id, w.name, r.experiment_id, r.status, r.kind, r.snapshot_id, r.lifecycle
FROM runs AS r JOIN workspaces AS w ON w.id = r.workspace_id WHERE r.id = ?
"""


class Target(NamedTuple):
    """What logging needs to know of a run."""

    workspace_id: int
    workspace: str
    experiment_id: int
    status: str
    kind: str
    snapshot_id: str | None
    lifecycle: str


def target(session: Session, run_id: str) -> Target | None:
    """What logging needs to know of a run: a prepared statement, for it runs with every point."""
    session.flush()
    rows = driver.fetch(session, _TARGET, (run_id,))
    return Target._make(rows[0]) if rows else None


def target_of(connection: Plain, run_id: str) -> Target | None:
    """As `target`, in a shortcut."""
    rows = connection.fetch(_TARGET, (run_id,))
    return Target._make(rows[0]) if rows else None


class GivenPoint(NamedTuple):
    """A point that a shortcut is to store, and its place in the group."""

    n: int
    run_id: str
    only_in: int | None
    """Id of the workspace that the run must be in."""
    key: str
    value: str | None
    """In digits, for JSON has no infinity; None is NaN."""
    step: int
    time: int
    seq: int


def append_points(connection: Plain, parts: str, given: Sequence[GivenPoint]) -> list[tuple[int, str, str, int]]:
    """In a shortcut on PostgreSQL: store points of runs that take them now, in one statement with their changes.

    `parts`: what stores them, given rows named `taken`, and tells them as `moved`. Returns (n, run id, workspace, experiment id) of the
    points that were stored.
    """
    # One text: the database takes it apart quicker than the driver makes arrays.
    points = msgspec.json.encode([point._asdict() for point in given]).decode()
    found = connection.ask(_storing(parts), (points, str(now_ms()), Lifecycle.ACTIVE.value))
    return [(int(n), run_id, workspace, int(experiment_id)) for n, run_id, workspace, experiment_id in found]


@cache
def _storing(parts: str) -> str:
    ended = ", ".join(f"'{status.value}'" for status in sorted(TERMINAL))
    hints = hints_of(
        "(SELECT 'metrics' AS kind, run_id AS object_id, seq, workspace, experiment_id::text AS parent, now_ms AS at FROM moved) AS m"
    )
    return f"""
WITH given AS (
  SELECT * FROM json_to_recordset($1::json)
    AS g (n int, run_id text, only_in bigint, key text, value float8, step bigint, time bigint, seq bigint)),
taken AS (
  SELECT g.*, w.name AS workspace, r.experiment_id, $2::bigint AS now_ms
  FROM given AS g JOIN runs AS r ON r.id = g.run_id JOIN workspaces AS w ON w.id = r.workspace_id
  WHERE r.lifecycle = $3 AND r.status NOT IN ({ended}) AND (g.only_in IS NULL OR g.only_in = r.workspace_id)),
{parts},
hinted AS ({hints})
SELECT n, run_id, workspace, experiment_id FROM moved"""  # noqa: S608 - constants of ours


def by_ids(session: Session, ids: Sequence[str]) -> list[RunRow]:
    """Runs in the order of `ids`; those that are not there are left out."""
    rows = {row.id: row for row in session.execute(select(RunRow).where(RunRow.id.in_(listed(session, ids)))).scalars()}
    return [rows[run_id] for run_id in ids if run_id in rows]


def jobs_made_since(session: Session, workspace_id: int, since: int, limit: int) -> list[str]:
    """Ids of the newest jobs of a workspace that were made after a moment (ms)."""
    query = (
        select(RunRow.id)
        .where(
            RunRow.workspace_id == workspace_id,
            RunRow.lifecycle == Lifecycle.ACTIVE,
            RunRow.created_at > since,
            RunRow.kind != RunKind.INTERACTIVE,
        )
        .order_by(RunRow.created_at.desc(), RunRow.id.desc())
    )
    return list(session.execute(query.limit(limit)).scalars())


def running_processes(session: Session) -> list[tuple[str, Process]]:
    """(run, process) of the runs that a notebook or script follows now, oldest first."""
    query = (
        select(RunRow.id, RunRow.process)
        .where(RunRow.status == RunStatus.RUNNING, RunRow.kind == RunKind.INTERACTIVE, RunRow.process.is_not(None))
        .order_by(RunRow.created_at, RunRow.id)
    )
    return [(run_id, process) for run_id, process in session.execute(query) if process is not None]


def add(session: Session, row: RunRow) -> None:
    """Store a new run."""
    session.add(row)
    session.flush()


def compare_and_set(session: Session, row: RunRow, values: dict[str, Any]) -> bool:
    """Write `values` if the row still has the version and status it was read with; then the row has them too, else those of the other."""
    values = {**values, "version": row.version + 1}
    query = (
        update(RunRow)
        .where(RunRow.id == row.id, RunRow.version == row.version, RunRow.status == row.status)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    done = session.execute(query)
    assert isinstance(done, CursorResult)  # noqa: S101 - tells the type checker what an UPDATE answers
    if done.rowcount != 1:
        session.refresh(row)
        return False
    for name, value in values.items():
        set_committed_value(row, name, value)
    return True


_STATUS = """
INSERT INTO run_status_changes (run_id, n, status, at, reason, actor)
SELECT ?, COALESCE(MAX(n), 0) + 1, ?, ?, ?, ? FROM run_status_changes WHERE run_id = ?
"""


def add_status(session: Session, run_id: str, status: RunStatus, at: int, reason: str | None, actor: str) -> None:
    """Append to the status history."""
    session.flush()
    driver.run(session, _STATUS, [run_id, status.value, at, reason, actor, run_id])


def status_history(session: Session, run_id: str) -> list[RunStatusRow]:
    """All status changes of a run, oldest first."""
    return list(session.execute(select(RunStatusRow).where(RunStatusRow.run_id == run_id).order_by(RunStatusRow.n)).scalars())


def params_of(session: Session, ids: Collection[str]) -> dict[str, dict[str, str]]:
    """Params by run id, sorted by key."""
    return _texts_of(session, ids, _PARAMS)


def tags_of(session: Session, ids: Collection[str]) -> dict[str, dict[str, str]]:
    """Tags by run id, sorted by key."""
    return _texts_of(session, ids, _TAGS)


_PARAMS = "SELECT run_id, key, value FROM run_params WHERE run_id {among} ORDER BY key"
_TAGS = "SELECT run_id, key, value FROM run_tags WHERE run_id {among} ORDER BY key"


def _texts_of(session: Session, ids: Collection[str], sql: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for run_id, key, value in driver.fetch_among(session, sql, ids):
        found.setdefault(run_id, {})[key] = value
    return found


def add_params(session: Session, run_id: str, params: dict[str, str]) -> None:
    """Store new params."""
    rows = [{"run_id": run_id, "key": key, "value": value} for key, value in params.items()]
    driver.put(session, RunParamRow.__tablename__, rows, ["run_id", "key"], ["value"])


def set_tags(session: Session, run_id: str, tags: dict[str, str | None]) -> None:
    """Set tags; those given as None are removed."""
    rows = [{"run_id": run_id, "key": key, "value": value} for key, value in tags.items() if value is not None]
    if gone := [key for key, value in tags.items() if value is None]:
        session.execute(delete(RunTagRow).where(RunTagRow.run_id == run_id, RunTagRow.key.in_(gone)))
    driver.put(session, RunTagRow.__tablename__, rows, ["run_id", "key"], ["value"])


def seen_batch(session: Session, run_id: str, batch_id: str, at: int) -> bool:
    """Whether a batch was logged before; if not, it counts as logged from now on."""
    if driver.fetch(session, "SELECT 1 FROM run_batches WHERE run_id = ? AND batch_id = ?", (run_id, batch_id)):
        return True
    driver.run(session, "INSERT INTO run_batches (run_id, batch_id, at) VALUES (?, ?, ?)", (run_id, batch_id, at))
    return False


def forget_batches(session: Session, before: int) -> None:
    """Forget batches logged before this time (ms)."""
    session.execute(delete(RunBatchRow).where(RunBatchRow.at < before))


def children_counts(session: Session, ids: Collection[str]) -> dict[str, int]:
    """Number of children that are not deleted, by run id."""
    query = (
        select(RunRow.parent_id, func.count())
        .where(RunRow.parent_id.in_(listed(session, ids)), RunRow.lifecycle == Lifecycle.ACTIVE)
        .group_by(RunRow.parent_id)
    )
    return {parent: count for parent, count in session.execute(query) if parent is not None}


def descendants(session: Session, ids: Collection[str], *, lifecycle: Lifecycle | None = None) -> list[str]:
    """Ids of the runs below these, the nearest first; with a `lifecycle` only those that have it, and what is below those."""
    found: list[str] = []
    level = list(ids)
    while level:
        query = select(RunRow.id).where(RunRow.parent_id.in_(listed(session, level)))
        if lifecycle is not None:
            query = query.where(RunRow.lifecycle == lifecycle)
        level = list(session.execute(query).scalars())
        found += level
    return found


def ids_of_experiments(session: Session, experiment_ids: Collection[int], limit: int | None = None) -> list[str]:
    """Ids of all runs of experiments, deleted ones too; at most `limit`."""
    query = select(RunRow.id).where(RunRow.experiment_id.in_(listed(session, experiment_ids))).limit(limit)
    return list(session.execute(query).scalars())


def places(session: Session, ids: Collection[str]) -> list[tuple[str, int, int]]:
    """(run, workspace, experiment) of runs."""
    query = select(RunRow.id, RunRow.workspace_id, RunRow.experiment_id).where(RunRow.id.in_(listed(session, ids)))
    return [(run_id, workspace, experiment) for run_id, workspace, experiment in session.execute(query)]


def unfinished(session: Session, *, ids: Collection[str] = (), experiment_ids: Collection[int] = ()) -> list[str]:
    """Those of the runs, or of the runs of experiments, that still run."""
    mine = RunRow.experiment_id.in_(listed(session, experiment_ids)) if experiment_ids else RunRow.id.in_(listed(session, ids))
    active = [status for status in RunStatus if status not in TERMINAL]
    return list(session.execute(select(RunRow.id).where(mine, RunRow.status.in_(active))).scalars())


def with_lifecycle(session: Session, ids: Collection[str], lifecycle: Lifecycle) -> list[str]:
    """Those of the runs that are active, or in the bin."""
    query = select(RunRow.id).where(RunRow.id.in_(listed(session, ids)), RunRow.lifecycle == lifecycle)
    return list(session.execute(query).scalars())


def names_of_active(session: Session, ids: Collection[str]) -> dict[str, str]:
    """Names of those of the runs that are not in the bin, by id."""
    query = select(RunRow.id, RunRow.name).where(RunRow.id.in_(listed(session, ids)), RunRow.lifecycle == Lifecycle.ACTIVE)
    return dict(session.execute(query).all())


def set_lifecycle(session: Session, ids: Collection[str], lifecycle: Lifecycle, deleted_at: int | None) -> None:
    """Move runs to the bin, or back."""
    session.execute(
        update(RunRow)
        .where(RunRow.id.in_(listed(session, ids)))
        .values(lifecycle=lifecycle, deleted_at=deleted_at, version=RunRow.version + 1),
        execution_options={"synchronize_session": False},
    )
    session.expire_all()


def number_of_runs(session: Session, experiment_id: int) -> int:
    """How many runs an experiment has, deleted ones too."""
    return session.execute(select(func.count()).select_from(RunRow).where(RunRow.experiment_id == experiment_id)).scalar_one()


def counts_by_status(session: Session, experiment_ids: Collection[int]) -> list[tuple[int, RunStatus, int, int]]:
    """(experiment, status, number, latest creation) of runs that are not deleted."""
    query = (
        select(RunRow.experiment_id, RunRow.status, func.count(), func.max(RunRow.created_at))
        .where(RunRow.experiment_id.in_(experiment_ids), RunRow.lifecycle == Lifecycle.ACTIVE)
        .group_by(RunRow.experiment_id, RunRow.status)
    )
    return list(session.execute(query).all())


def counts_by_workspace(session: Session) -> dict[int, int]:
    """Number of runs that are not deleted, by workspace id."""
    query = select(RunRow.workspace_id, func.count()).where(RunRow.lifecycle == Lifecycle.ACTIVE).group_by(RunRow.workspace_id)
    return dict(session.execute(query).all())


def remove(session: Session, ids: Collection[str]) -> None:
    """Remove runs with their params, tags, history and batches."""
    gone, past_orm = listed(session, ids), {"synchronize_session": False}
    session.execute(update(RunRow).where(RunRow.parent_id.in_(gone)).values(parent_id=None), execution_options=past_orm)
    for table in (RunParamRow, RunTagRow, RunStatusRow, RunBatchRow, RunDatasetRow):
        session.execute(delete(table).where(table.run_id.in_(gone)), execution_options=past_orm)
    session.execute(delete(RunRow).where(RunRow.id.in_(gone)), execution_options=past_orm)
    session.expire_all()


def snapshots_of_these_alone(session: Session, ids: Collection[str]) -> list[str]:
    """Snapshots of these runs that no other run has."""
    other, mine = aliased(RunRow), listed(session, ids)
    elsewhere = exists().where(other.snapshot_id == RunRow.snapshot_id, other.id.not_in(mine))
    query = select(RunRow.snapshot_id).where(RunRow.id.in_(mine), RunRow.snapshot_id.is_not(None), ~elsewhere).distinct()
    return [snapshot_id for snapshot_id in session.execute(query).scalars() if snapshot_id is not None]


def with_snapshots(session: Session, snapshot_ids: Collection[str]) -> set[str]:
    """Those of the snapshots that a run has."""
    query = select(RunRow.snapshot_id).where(RunRow.snapshot_id.in_(listed(session, snapshot_ids))).distinct()
    return {snapshot_id for snapshot_id in session.execute(query).scalars() if snapshot_id is not None}


_DATASETS = "SELECT run_id, dataset_id, tags FROM run_datasets WHERE run_id {among} ORDER BY run_id, at, dataset_id"


def datasets_of(session: Session, ids: Collection[str]) -> list[tuple[str, int, dict[str, str]]]:
    """(run, dataset, tags) of what runs have read, in the order in which it was told."""
    found = driver.fetch_among(session, _DATASETS, ids)
    return [(run_id, dataset_id, msgspec.json.decode(tags, type=dict[str, str])) for run_id, dataset_id, tags in found]


def add_dataset(
    session: Session, run_id: str, dataset_id: int, name: str, digest: str, context: str, tags: dict[str, str], at: int
) -> None:
    """Note that a run has read a dataset, unless that is noted."""
    if session.get(RunDatasetRow, (run_id, dataset_id)) is None:
        row = RunDatasetRow(run_id=run_id, dataset_id=dataset_id, name=name, digest=digest, context=context, tags=tags, at=at)
        session.add(row)
        session.flush()


def busy_jobs(session: Session, experiment_id: int) -> int:
    """How many jobs of an experiment have not ended."""
    query = select(func.count()).select_from(RunRow).where(RunRow.experiment_id == experiment_id)
    query = query.where(RunRow.kind != RunKind.INTERACTIVE, RunRow.status.not_in(list(TERMINAL)))
    return session.execute(query).scalar_one()


# Retention


def retention(session: Session, workspace_id: int, experiment_id: int) -> RetentionRow | None:
    """The rule of an experiment, or (0) of a workspace."""
    return session.get(RetentionRow, (workspace_id, experiment_id))


def with_retention(session: Session) -> list[tuple[int, int]]:
    """(workspace, experiment) of all experiments with a rule of their own, or in a workspace with one."""
    has_rule = RetentionRow.rule.is_not(None)
    own = select(RunRow.workspace_id, RunRow.experiment_id).join(
        RetentionRow,
        (RetentionRow.workspace_id == RunRow.workspace_id) & RetentionRow.experiment_id.in_([0, RunRow.experiment_id]) & has_rule,
    )
    return [(workspace, experiment) for workspace, experiment in session.execute(own.distinct())]


def has_retention(session: Session, run_id: str) -> bool:
    """Whether a rule is about the experiment of a run."""
    rule = (RetentionRow.workspace_id == RunRow.workspace_id) & RetentionRow.experiment_id.in_([0, RunRow.experiment_id])
    query = select(RunRow.id).join(RetentionRow, rule & RetentionRow.rule.is_not(None)).where(RunRow.id == run_id)
    return session.execute(query.limit(1)).first() is not None


def forget_retention(session: Session, experiment_ids: Collection[int]) -> None:
    """The experiments are gone."""
    session.execute(delete(RetentionRow).where(RetentionRow.experiment_id.in_(listed(session, experiment_ids))))


def top_runs(session: Session, experiment_id: int) -> list[RunRow]:
    """Runs of an experiment that are below no other and not in the bin, the newest first."""
    mine = (RunRow.experiment_id == experiment_id, RunRow.lifecycle == Lifecycle.ACTIVE, RunRow.parent_id.is_(None))
    return list(session.execute(select(RunRow).where(*mine).order_by(RunRow.created_at.desc(), RunRow.id.desc())).scalars())


def in_bin_since(session: Session, before: int) -> list[str]:
    """Runs that were moved to the bin before this time (ms) and have no run below them."""
    below = aliased(RunRow)
    free = ~exists().where(below.parent_id == RunRow.id)
    query = select(RunRow.id).where(RunRow.lifecycle == Lifecycle.DELETED, RunRow.deleted_at < before, free)
    return list(session.execute(query).scalars())
