"""SQL of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec
from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import aliased

from jupyter_mlws.db import driver
from jupyter_mlws.db.values import listed
from jupyter_mlws.domain.runs.schemas import Lifecycle, Process, RunKind
from jupyter_mlws.domain.runs.states import TERMINAL, RunStatus
from jupyter_mlws.domain.runs.tables import RunBatchRow, RunDatasetRow, RunParamRow, RunRow, RunStatusRow, RunTagRow

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy.orm import Session


def by_id(session: Session, run_id: str) -> RunRow | None:
    """The run with this id."""
    return session.get(RunRow, run_id)


_NAMED = """
SELECT e.name, r.name, r.source, r.kind, r."user" FROM runs AS r JOIN experiments AS e ON e.id = r.experiment_id WHERE r.id = ?
"""


class Named(NamedTuple):
    """What a run is called."""

    experiment: str
    name: str
    source: str
    kind: RunKind
    user: str


def named(session: Session, run_id: str) -> Named | None:
    """What a run is called, and whose it is."""
    session.flush()
    rows = driver.fetch(session, _NAMED, (run_id,))
    if not rows:
        return None
    experiment, name, source, kind, user = rows[0]
    return Named(experiment, name, source, RunKind(kind), user)


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


_CHILDREN = """
SELECT parent_id, count(*) FROM runs WHERE parent_id {among} AND lifecycle = 'active' GROUP BY parent_id
"""


def children_counts(session: Session, ids: Collection[str]) -> dict[str, int]:
    """Number of children that are not deleted, by run id."""
    return dict(driver.fetch_among(session, _CHILDREN, ids))


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
    session.flush()
    return int(driver.fetch(session, "SELECT count(*) FROM runs WHERE experiment_id = ?", [experiment_id])[0][0])


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
