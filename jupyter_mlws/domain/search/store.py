"""SQL of searches: keyset pages over any order, on the indexes of runs and their latest metrics. Reads the tables of lower slices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Text, and_, cast, func, literal, or_, select

from jupyter_mlws.db.text import lowered
from jupyter_mlws.domain.experiments.tables import ExperimentRow, ExperimentTagRow
from jupyter_mlws.domain.metrics.tables import MetricLatestRow
from jupyter_mlws.domain.runs.tables import RunDatasetRow, RunParamRow, RunRow, RunTagRow
from jupyter_mlws.domain.search import paging
from jupyter_mlws.domain.search.attributes import EXPERIMENTS
from jupyter_mlws.domain.search.columns import (
    DatasetColumns,
    ExperimentColumns,
    KeyedColumns,
    MetricColumns,
    RunColumns,
    SearchColumns,
)
from jupyter_mlws.domain.search.filters import compile_filter
from jupyter_mlws.domain.search.joins import OrderedJoin
from jupyter_mlws.domain.search.nodes import Aggregate, Entity
from jupyter_mlws.domain.search.order import CompiledOrder, SortKey, compile_order
from jupyter_mlws.domain.search.paging import Found
from jupyter_mlws.domain.search.records import Records

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.runs.schemas import Lifecycle
    from jupyter_mlws.domain.runs.states import RunStatus
    from jupyter_mlws.domain.search.nodes import Filter, OrderTerm
    from jupyter_mlws.domain.search.paging import KeyPart

COUNT_LIMIT = 10_000
FIRST_LOOK = 4_000
"""So many values of a metric are looked at in their order, before all runs that match are found and sorted."""
PLAIN = (
    "id", "workspace_id", "experiment_id", "name", "kind", "status", "user", "user_id", "created_at", "started_at", "ended_at", "lifecycle",
    "source", "note", "parent_id",
)  # fmt: skip


class Criteria(NamedTuple):
    """What is searched for."""

    workspace_id: int
    experiment_ids: Sequence[int]
    lifecycle: Lifecycle | None
    parent_id: str | None
    text: str
    tree: Filter | None
    order: Sequence[OrderTerm]
    now: int
    statuses: Sequence[RunStatus] = ()


def columns() -> SearchColumns:
    """The columns that filters speak of."""
    run, metric = RunRow.__table__.c, MetricLatestRow.__table__.c
    experiment = ExperimentRow.__table__.c
    names = (
        "id",
        "experiment_id",
        "name",
        "status",
        "user",
        "created_at",
        "started_at",
        "ended_at",
        "kind",
        "source",
        "note",
        "target",
    )
    runs = {name: run[name] for name in (*names, "parent_id", "lifecycle")}
    dataset = RunDatasetRow.__table__.c
    return SearchColumns(
        runs=RunColumns(**runs, artifact_uri=_artifact_uri(), user_id=func.coalesce(run.user_id, run.user)),
        datasets=DatasetColumns(**{name: dataset[name] for name in ("run_id", "name", "digest", "context")}),
        params=KeyedColumns(**{name: RunParamRow.__table__.c[name] for name in ("run_id", "key", "value")}),
        tags=KeyedColumns(**{name: RunTagRow.__table__.c[name] for name in ("run_id", "key", "value")}),
        metrics=MetricColumns(
            **{name: metric[name] for name in ("run_id", "experiment_id", "key", "value", "min_value", "max_value")}
        ),
        experiments=ExperimentColumns(**{name: experiment[name] for name in ("id", "name", "goal_metric", "goal_direction")}),
    )


def _artifact_uri() -> ColumnElement[Any]:
    """Where the artifacts of a run lie: below its experiment's place, without regard to a query at the end of that."""
    run, experiment = RunRow.__table__.c, ExperimentRow.__table__.c
    own = literal("mlflow-artifacts:/") + cast(experiment.id, Text())
    place = select(func.rtrim(func.coalesce(experiment.artifact_location, own), "/"))
    return place.where(experiment.id == run.experiment_id).scalar_subquery() + "/" + run.id + "/artifacts"


def page(session: Session, criteria: Criteria, after: Sequence[Any] | None, limit: int) -> Found[RunRow]:
    """Runs that match, in their order, after a sort key."""
    return _page(session, criteria, after, limit, [RunRow])


def plain_page(session: Session, criteria: Criteria, after: Sequence[Any] | None, limit: int) -> Found[Any]:
    """The same, as rows of a run's plain columns: a thousand live rows cost more than the search."""
    return _page(session, criteria, after, limit, [RunRow.__table__.c[name] for name in PLAIN])


def _page(session: Session, criteria: Criteria, after: Sequence[Any] | None, limit: int, wanted: list[Any]) -> Found[Any]:
    if FIRST_LOOK and _starts_with_metric(criteria) and (after is None or after[0] == 0):
        found = _by_metric(session, criteria, after, limit, wanted)
        if found is not None:
            return found
    return paging.page(session, lambda *keys: _matching(select(*wanted, *keys), criteria), _order(criteria), after, limit)


def _starts_with_metric(criteria: Criteria) -> bool:
    """Whether the last value of a metric is what the runs of one experiment are first sorted by: then an index has their order."""
    first = criteria.order[0].field if criteria.order else None
    return (
        first is not None
        and first.entity is Entity.METRIC
        and first.aggregate is Aggregate.LAST
        and len(criteria.experiment_ids) == 1
    )


def _by_metric(
    session: Session, criteria: Criteria, after: Sequence[Any] | None, limit: int, wanted: list[Any]
) -> Found[Any] | None:
    """A page read from the index of the metric, in its order; None where it is not full, for then runs without the metric follow, or
    so few match that it is quicker to find these first."""
    term, metric = criteria.order[0], MetricLatestRow.__table__.alias()
    mine = and_(metric.c.experiment_id == criteria.experiment_ids[0], metric.c.key == term.field.key, metric.c.value.is_not(None))
    whole = _order(criteria)
    order = CompiledOrder(whole.joins[1:], (SortKey(metric.c.value, None, term.descending), *whole.keys[1:]))
    start = after[1] if after is not None else None
    values = select(metric.c.value).where(mine)
    if start is not None:
        values = values.where(metric.c.value <= start if term.descending else metric.c.value >= start)
    values = values.order_by(metric.c.value.desc() if term.descending else metric.c.value).offset(FIRST_LOOK).limit(1)
    end = session.execute(values).scalar_one_or_none()
    if end is not None:
        mine = and_(mine, metric.c.value >= end if term.descending else metric.c.value <= end)
    runs = RunRow.__table__
    joined = OrderedJoin(metric, runs, metric.c.run_id == runs.c.id)

    def statement(*keys: Any) -> Select[Any]:
        return _matching(select(*wanted, *keys).select_from(joined), criteria, few=True).where(mine)

    found = paging.page(session, statement, order, after[1:] if after is not None else None, limit)
    return None if found.last_key is None else Found(found.rows, [0, *found.last_key])


def experiment_records() -> Records:
    """What filters over experiments speak of."""
    row, tag = ExperimentRow.__table__.c, ExperimentTagRow.__table__.c
    attributes = {
        "name": row["name"],
        "experiment_id": row["id"],
        "creation_time": row["created_at"],
        "last_update_time": row["updated_at"],
    }
    return Records(EXPERIMENTS, [row["id"]], attributes, KeyedColumns(tag["experiment_id"], tag["key"], tag["value"]))


def experiment_page(
    session: Session, workspace_id: int, *, archived: bool | None, condition: Any, order: CompiledOrder, after: Any, limit: int
) -> Found[ExperimentRow]:
    """Experiments that match, in their order, after a sort key."""

    def statement(*keys: Any) -> Select[Any]:
        query = select(ExperimentRow, *keys).where(ExperimentRow.workspace_id == workspace_id, condition)
        if archived is None:
            return query
        return query.where(ExperimentRow.archived_at.is_not(None) if archived else ExperimentRow.archived_at.is_(None))

    return paging.page(session, statement, order, after, limit)


def count(session: Session, criteria: Criteria) -> int | None:
    """How many match; None over 10,000, where counting would be slow."""
    inner = _matching(select(RunRow.id), criteria).limit(COUNT_LIMIT + 1).subquery()
    found = session.execute(select(func.count()).select_from(inner)).scalar_one()
    return found if found <= COUNT_LIMIT else None


def key_parts(criteria: Criteria) -> list[KeyPart]:
    """What a sort key of this order is made of."""
    return paging.key_parts(_order(criteria))


def _order(criteria: Criteria) -> CompiledOrder:
    return compile_order(criteria.order, columns(), now=criteria.now, newest=RunRow.created_at.expression)


def _matching(statement: Select[Any], criteria: Criteria, *, few: bool = False) -> Select[Any]:
    """What a search asks of the runs of a statement. `few`: it looks at so few of them that each is asked by itself."""
    if len(criteria.experiment_ids) == 1:
        statement = statement.where(RunRow.experiment_id == criteria.experiment_ids[0])
    elif criteria.experiment_ids:
        statement = statement.where(RunRow.experiment_id.in_(criteria.experiment_ids))
    statement = statement.where(RunRow.workspace_id == criteria.workspace_id)
    if criteria.lifecycle is not None:
        statement = statement.where(RunRow.lifecycle == criteria.lifecycle)
    if criteria.parent_id is not None:
        statement = statement.where(RunRow.parent_id == criteria.parent_id)
    if criteria.statuses:
        statement = statement.where(RunRow.status.in_(criteria.statuses))
    if criteria.text:
        text = criteria.text.lower()
        statement = statement.where(
            or_(lowered(RunRow.name).contains(text, autoescape=True), RunRow.id.startswith(text, autoescape=True))
        )
    if criteria.tree is not None:
        # With another order than the default all matches are sorted anyway: then the metrics' own index finds them soonest.
        narrowed = criteria.experiment_ids if criteria.order and not few else ()
        statement = statement.where(compile_filter(criteria.tree, columns(), now=criteria.now, experiment_ids=narrowed))
    return statement
