"""SQL expressions of single fields, which filters and orders share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Text, case, func, literal, select, type_coerce

from jupyter_mlws.domain.search.direction import lower_is_better
from jupyter_mlws.domain.search.errors import FilterUnsupported
from jupyter_mlws.domain.search.nodes import Aggregate, Field

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from jupyter_mlws.domain.search.columns import ExperimentColumns, MetricColumns, RunColumns


def attribute_column(runs: RunColumns, name: str, now: int) -> ColumnElement[Any]:
    """The value of an attribute of the run's own row (all but `experiment_name`); `now` ends the duration of what still runs."""
    if name == "duration":
        return func.coalesce(runs.ended_at, literal(now, BigInteger())) - runs.started_at
    if name == "artifact_uri":
        if runs.artifact_uri is None:
            raise FilterUnsupported("Runs cannot be searched by artifact_uri here", field="filter")
        return runs.artifact_uri
    columns: dict[str, ColumnElement[Any]] = {
        "run_id": runs.id,
        "run_name": runs.name,
        "user": runs.user,
        "user_id": runs.user if runs.user_id is None else runs.user_id,
        "start_time": runs.started_at,
        "end_time": runs.ended_at,
        "created_at": runs.created_at,
        "experiment_id": runs.experiment_id,
        "note": runs.note,
        "source": runs.source,
        "target": runs.target,
        "parent_id": runs.parent_id,
        # Enums in Python, but compared as the text that is stored.
        "status": type_coerce(runs.status, Text()),
        "kind": type_coerce(runs.kind, Text()),
        "lifecycle": type_coerce(runs.lifecycle, Text()),
    }
    return columns[name]


def metric_number(metrics: MetricColumns, experiments: ExperimentColumns, field: Field) -> ColumnElement[Any]:
    """The number of a metric that `field` asks for; NULL where it is NaN."""
    if field.aggregate is Aggregate.MIN:
        return metrics.min_value
    if field.aggregate is Aggregate.MAX:
        return metrics.max_value
    if field.aggregate is Aggregate.LAST:
        return metrics.value
    lower = lower_is_better(field.key)
    usual, other = (metrics.min_value, metrics.max_value) if lower else (metrics.max_value, metrics.min_value)
    if experiments.goal_metric is None or experiments.goal_direction is None:
        return usual
    contrary = select(experiments.id).where(
        experiments.goal_metric == field.key, experiments.goal_direction == ("maximize" if lower else "minimize")
    )
    return case((metrics.experiment_id.in_(contrary), other), else_=usual)
