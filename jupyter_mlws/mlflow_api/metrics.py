"""MLflow's routes of metric histories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_mlws.domain.metrics import service as metrics
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.errors import RunNotFound
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.mlflow_api.convert import filled
from jupyter_mlws.mlflow_api.errors import SEE_DOCS, InvalidParameter
from jupyter_mlws.mlflow_api.runs import run_id_of

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jupyter_mlws.mlflow_api import requests as r
    from jupyter_mlws.mlflow_api.http import Context

MAX_RUNS = 100
MAX_POINTS = 2500
ALL = 2**31


def history(session: Session, context: Context, request: r.MetricHistory) -> dict[str, Any]:
    """All points of a metric, or a page of them; none for a run that is not there."""
    run_id, most = run_id_of(request), request.max_results
    if most is not None and most < 1:
        raise InvalidParameter(f"Invalid value {most} for parameter 'max_results' supplied. It must be a positive integer.")
    if not _readable(session, context, run_id):
        return {}
    page = metrics.history(session, run_id, request.metric_key or "", request.page_token, most if most is not None else ALL)
    points = [
        {"key": page.key, "value": value, "timestamp": at, "step": step}
        for step, at, value in zip(page.steps, page.times, page.values, strict=True)
    ]
    return filled(metrics=points, next_page_token=page.next_cursor)


def bulk_interval(session: Session, context: Context, request: r.BulkHistory) -> dict[str, Any]:
    """Points of one metric of several runs, thinned out evenly; the last one always stays."""
    run_ids, start, end = request.run_ids or [], request.start_step, request.end_step
    most = request.max_results if request.max_results is not None else MAX_POINTS
    if len(run_ids) > MAX_RUNS:
        raise InvalidParameter(
            f"GetMetricHistoryBulkInterval request must specify at most {MAX_RUNS} run_ids. Received {len(run_ids)} run_ids. {SEE_DOCS}"
        )
    if (start is None) != (end is None):
        raise InvalidParameter("If either start step or end step are specified, both must be specified.")
    if start is not None and end is not None and start > end:
        raise InvalidParameter(f"end_step must be greater than start_step. Found start_step={start} and end_step={end}.")
    if not 1 <= most <= MAX_POINTS:
        raise InvalidParameter(f"max_results must be between 1 and {MAX_POINTS}. {SEE_DOCS}")
    key = request.metric_key or ""
    found = []
    for run_id in dict.fromkeys(run_ids):
        if _readable(session, context, run_id):
            points = metrics.spread(session, run_id, key, most=most, first_step=start, last_step=end)
            found += [{"key": key, "value": value, "timestamp": at, "step": step, "run_id": run_id} for step, at, value in points]
    return filled(metrics=found)


def _readable(session: Session, context: Context, run_id: str) -> bool:
    try:
        runs.open_run(session, context.actor, Action.READ, run_id)
    except RunNotFound:
        return False
    return True
