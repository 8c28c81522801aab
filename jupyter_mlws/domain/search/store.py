"""SQL of searches: keyset pages over any order, on the indexes of runs and their latest metrics. Reads the tables of lower slices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import func, or_, select

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
from jupyter_mlws.domain.search.order import compile_order
from jupyter_mlws.domain.search.records import Records

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.runs.schemas import Lifecycle
    from jupyter_mlws.domain.search.nodes import Filter, OrderTerm
    from jupyter_mlws.domain.search.order import CompiledOrder
    from jupyter_mlws.domain.search.paging import Found, KeyPart

COUNT_LIMIT = 10_000


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
        runs=RunColumns(**runs),
        datasets=DatasetColumns(**{name: dataset[name] for name in ("run_id", "name", "digest", "context")}),
        params=KeyedColumns(**{name: RunParamRow.__table__.c[name] for name in ("run_id", "key", "value")}),
        tags=KeyedColumns(**{name: RunTagRow.__table__.c[name] for name in ("run_id", "key", "value")}),
        metrics=MetricColumns(
            **{name: metric[name] for name in ("run_id", "experiment_id", "key", "value", "min_value", "max_value")}
        ),
        experiments=ExperimentColumns(**{name: experiment[name] for name in ("id", "name", "goal_metric", "goal_direction")}),
    )


def page(session: Session, criteria: Criteria, after: Sequence[Any] | None, limit: int) -> Found[RunRow]:
    """Runs that match, in their order, after a sort key."""
    return paging.page(session, lambda *keys: _matching(select(RunRow, *keys), criteria), _order(criteria), after, limit)


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


def _matching(statement: Select[Any], criteria: Criteria) -> Select[Any]:
    if len(criteria.experiment_ids) == 1:
        statement = statement.where(RunRow.experiment_id == criteria.experiment_ids[0])
    elif criteria.experiment_ids:
        statement = statement.where(RunRow.experiment_id.in_(criteria.experiment_ids))
    statement = statement.where(RunRow.workspace_id == criteria.workspace_id)
    if criteria.lifecycle is not None:
        statement = statement.where(RunRow.lifecycle == criteria.lifecycle)
    if criteria.parent_id is not None:
        statement = statement.where(RunRow.parent_id == criteria.parent_id)
    if criteria.text:
        text = criteria.text.lower()
        statement = statement.where(
            or_(lowered(RunRow.name).contains(text, autoescape=True), RunRow.id.startswith(text, autoescape=True))
        )
    if criteria.tree is not None:
        # With another order than the default all matches are sorted anyway: then the metrics' own index finds them soonest.
        narrowed = criteria.experiment_ids if criteria.order else ()
        statement = statement.where(compile_filter(criteria.tree, columns(), now=criteria.now, experiment_ids=narrowed))
    return statement
