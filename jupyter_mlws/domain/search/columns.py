"""The columns that filters and orders are compiled against. The store of search makes one `SearchColumns` of its tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import FromClause

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.sql.elements import KeyedColumnElement


@dataclass(frozen=True, slots=True)
class RunColumns:
    """Of the row that is searched: columns, or expressions over columns of the same row (or of rows joined to it)."""

    id: ColumnElement[Any]
    experiment_id: ColumnElement[Any]
    name: ColumnElement[Any]
    status: ColumnElement[Any]
    user: ColumnElement[Any]
    created_at: ColumnElement[Any]
    started_at: ColumnElement[Any]
    ended_at: ColumnElement[Any]
    kind: ColumnElement[Any]
    source: ColumnElement[Any]
    note: ColumnElement[Any]
    target: ColumnElement[Any]
    parent_id: ColumnElement[Any]
    lifecycle: ColumnElement[Any]
    artifact_uri: ColumnElement[Any] | None = None
    """None: filters by it are refused."""
    user_id: ColumnElement[Any] | None = None
    """Who the run's client says it belongs to; None: `user`, who signed in."""


@dataclass(frozen=True, slots=True)
class KeyedColumns:
    """Of the params or tags: one row a run and key."""

    run_id: KeyedColumnElement[Any]
    key: KeyedColumnElement[Any]
    value: KeyedColumnElement[Any]


@dataclass(frozen=True, slots=True)
class MetricColumns:
    """Of the latest values: one row a run and key. NaN is a NULL value; least and greatest are NULL where all values are NaN."""

    run_id: KeyedColumnElement[Any]
    experiment_id: KeyedColumnElement[Any]
    key: KeyedColumnElement[Any]
    value: KeyedColumnElement[Any]
    min_value: KeyedColumnElement[Any]
    max_value: KeyedColumnElement[Any]


@dataclass(frozen=True, slots=True)
class ExperimentColumns:
    """Of the experiments. With the goal's columns `.best` follows the goal; without them it goes by the metric's name alone."""

    id: KeyedColumnElement[Any]
    name: KeyedColumnElement[Any]
    goal_metric: KeyedColumnElement[Any] | None = None
    goal_direction: KeyedColumnElement[Any] | None = None


@dataclass(frozen=True, slots=True)
class DatasetColumns:
    """Of the datasets that runs took in: any number of rows a run."""

    run_id: KeyedColumnElement[Any]
    name: KeyedColumnElement[Any]
    digest: KeyedColumnElement[Any]
    context: KeyedColumnElement[Any]


@dataclass(frozen=True, slots=True)
class SearchColumns:
    """All that a filter may speak of. Give Core columns (`RunRow.__table__.c.id`)."""

    runs: RunColumns
    params: KeyedColumns
    tags: KeyedColumns
    metrics: MetricColumns
    experiments: ExperimentColumns
    datasets: DatasetColumns | None = None
    """None: filters by datasets are refused."""


def table_of(column: KeyedColumnElement[Any]) -> FromClause:
    """The table that a column is of."""
    table = getattr(column, "table", None)
    if not isinstance(table, FromClause):
        raise TypeError(f"{column} is no column of a table")
    return table
