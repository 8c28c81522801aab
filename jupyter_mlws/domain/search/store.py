"""SQL of searches: keyset pages over any order, on the indexes of runs and their latest metrics. Reads the tables of lower slices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import and_, false, func, literal, or_, select

from jupyter_mlws.db.text import lowered
from jupyter_mlws.domain.experiments.tables import ExperimentRow
from jupyter_mlws.domain.metrics.tables import MetricLatestRow
from jupyter_mlws.domain.runs.tables import RunParamRow, RunRow, RunTagRow
from jupyter_mlws.domain.search.columns import ExperimentColumns, KeyedColumns, MetricColumns, RunColumns, SearchColumns
from jupyter_mlws.domain.search.filters import compile_filter
from jupyter_mlws.domain.search.order import compile_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.runs.schemas import Lifecycle
    from jupyter_mlws.domain.search.nodes import Filter, OrderTerm
    from jupyter_mlws.domain.search.order import CompiledOrder, SortKey

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


class Found(NamedTuple):
    """One page of runs, with the sort key of its last row if more follow."""

    rows: list[RunRow]
    last_key: list[Any] | None


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
    return SearchColumns(
        runs=RunColumns(**runs),
        params=KeyedColumns(**{name: RunParamRow.__table__.c[name] for name in ("run_id", "key", "value")}),
        tags=KeyedColumns(**{name: RunTagRow.__table__.c[name] for name in ("run_id", "key", "value")}),
        metrics=MetricColumns(
            **{name: metric[name] for name in ("run_id", "experiment_id", "key", "value", "min_value", "max_value")}
        ),
        experiments=ExperimentColumns(**{name: experiment[name] for name in ("id", "name", "goal_metric", "goal_direction")}),
    )


def page(session: Session, criteria: Criteria, after: Sequence[Any] | None, limit: int) -> Found:
    """Runs that match, in their order, after a sort key."""
    order = compile_order(criteria.order, columns(), now=criteria.now, newest=RunRow.created_at.expression)
    # With names of their own: a key may be a column of the row that is read as another type (an enum as text).
    keys = [column.label(f"key_{n}") for n, column in enumerate(column for key in order.keys for column in _parts(key))]
    statement = _matching(select(RunRow, *keys), criteria)
    if after is not None:
        statement = statement.where(_beyond(order, after))
    rows = session.execute(order.apply(statement).limit(limit + 1)).all()
    last = list(rows[limit - 1][1:]) if len(rows) > limit else None
    return Found([row[0] for row in rows[:limit]], last)


def count(session: Session, criteria: Criteria) -> int | None:
    """How many match; None over 10,000, where counting would be slow."""
    inner = _matching(select(RunRow.id), criteria).limit(COUNT_LIMIT + 1).subquery()
    found = session.execute(select(func.count()).select_from(inner)).scalar_one()
    return found if found <= COUNT_LIMIT else None


class KeyPart(NamedTuple):
    """What stands at one place of a sort key."""

    type: type[Any]
    nullable: bool
    is_rank: bool


def key_parts(criteria: Criteria) -> list[KeyPart]:
    """What a sort key of this order is made of. PostgreSQL compares only like with like."""
    order = compile_order(criteria.order, columns(), now=criteria.now, newest=RunRow.created_at.expression)
    parts = []
    for key in order.keys:
        if key.rank is not None:
            parts.append(KeyPart(int, nullable=False, is_rank=True))
        parts.append(KeyPart(key.value.type.python_type, nullable=key.rank is not None, is_rank=False))
    return parts


def _parts(key: SortKey) -> list[ColumnElement[Any]]:
    return [key.value] if key.rank is None else [key.rank, key.value]


def _matching(statement: Select[Any], criteria: Criteria) -> Select[Any]:
    if criteria.experiment_ids:
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


def _beyond(order: CompiledOrder, after: Sequence[Any]) -> ColumnElement[bool]:
    """True of rows that come after the sort key `after`: equal in the first keys, then beyond in one."""
    alternatives: list[ColumnElement[bool]] = []
    equal: list[ColumnElement[bool]] = []
    values = iter(after)
    for key in order.keys:
        if key.rank is not None:
            rank = next(values)
            alternatives.append(and_(*equal, key.rank > rank))
            equal.append(key.rank == rank)
        value = next(values)
        if value is None:
            continue  # rows without a value are told apart by the keys that follow
        further = key.value < literal(value) if key.descending else key.value > literal(value)
        alternatives.append(and_(*equal, further))
        equal.append(key.value == literal(value))
    return or_(false(), *alternatives)
