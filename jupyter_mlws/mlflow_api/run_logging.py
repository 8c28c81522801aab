"""MLflow's routes that log to a run: metrics, params, tags, and the datasets and models that it reads and makes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from jupyter_mlws.domain.datasets.schemas import Dataset
from jupyter_mlws.domain.metrics.schemas import MetricPoint
from jupyter_mlws.domain.models import service as models
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.errors import ParamConflict
from jupyter_mlws.domain.runs.schemas import RunUpdate
from jupyter_mlws.mlflow_api.convert import mapping
from jupyter_mlws.mlflow_api.errors import DoesNotExist, InvalidParameter, missing
from jupyter_mlws.mlflow_api.run_wires import NAME, NOTE
from jupyter_mlws.mlflow_api.runs import LAST_MS, active, run_id_of
from jupyter_mlws.mlflow_api.validation import (
    MAX_PARAM,
    MAX_TAG,
    all_keys,
    check_batch,
    check_distinct,
    check_key,
    check_length,
    check_note,
    check_run_id,
    cut,
    plain_text,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from jupyter_mlws.db.shortcut import Shortcut
    from jupyter_mlws.mlflow_api import requests as r
    from jupyter_mlws.mlflow_api.http import Context

MODEL_HISTORY = "mlflow.log-model.history"
MAX_HISTORY = 1_000_000
DATASET_LIMITS = {"name": 500, "digest": 36, "source": 65_535, "schema": 1_048_575, "profile": 16_777_215}


def log_metric(session: Session, context: Context, request: r.LogMetric) -> dict[str, Any]:
    """Log one point of a metric."""
    check_key(request.key or "", "name", "Metric name")
    point = point_of(request, "timestamp")
    run_id = run_id_of(request)
    with active(run_id):
        ref = runs.log(session, context.actor, run_id, metrics=[point])
        models.log_points(session, context.actor, ref, [request])
    return {}


def append(context: Context, request: r.LogMetric) -> Shortcut | None:
    """The quick way to log a point of a metric that the run has already; checked as in `log_metric`."""
    if request.model_id:
        return None
    check_key(request.key or "", "name", "Metric name")
    return runs.shortcut(context.actor, run_id_of(request), point_of(request, "timestamp"), {})


def log_param(session: Session, context: Context, request: r.LogParam) -> dict[str, Any]:
    """Log a param."""
    key, run_id = request.key or "", run_id_of(request)
    check_key(key, "key", "Param key")
    value = cut(request.value or "", "Param value", MAX_PARAM)
    try:
        with active(run_id):
            runs.log(session, context.actor, run_id, params={key: value})
    except ParamConflict as error:
        _, old, new = error.conflicts[0]
        raise InvalidParameter(
            f"Changing param values is not allowed. Param with key='{key}' was already logged with value='{old}' for run ID='{run_id}'. "
            f"Attempted logging new value '{new}'.",
            field="value",
        ) from None
    return {}


def log_batch(session: Session, context: Context, request: r.LogBatch) -> dict[str, Any]:
    """Log metrics, params and tags together: all of them or none."""
    metrics, params, tags = request.metrics or [], request.params or [], request.tags or []
    _check_items(metrics, params, tags)
    points = [point_of(metric, f"metrics[{n}].timestamp") for n, metric in enumerate(metrics)]
    check_batch(len(metrics), len(params), len(tags))
    check_distinct(
        [param.key or "" for param in params],
        "Duplicate parameter keys have been submitted: {}. Please ensure the request contains only one param value per param key.",
    )
    run_id = request.run_id or ""
    check_run_id(run_id)
    update, rest = _split(tags)
    try:
        with active(run_id):
            given = {key: cut(value, "Param value", MAX_PARAM) for key, value in mapping(params).items()} if params else None
            ref = runs.log(session, context.actor, run_id, metrics=points, params=given, tags=rest)
            models.log_points(session, context.actor, ref, metrics)
            _change(session, context, run_id, update)
    except ParamConflict as error:
        conflicts = [{"key": key, "old_value": old, "new_value": new} for key, old, new in error.conflicts]
        raise InvalidParameter(
            f"Changing param values is not allowed. Params were already logged='{conflicts}' for run ID='{run_id}'.",
            field="params",
        ) from None
    return {}


def _check_items(metrics: Sequence[r.Metric], params: Sequence[r.Pair], tags: Sequence[r.Pair]) -> None:
    for n, metric in enumerate(metrics):
        for name in ("key", "value", "timestamp"):
            if getattr(metric, name) in (None, ""):
                raise missing(f"metrics[{n}].{name}")
    for words, items in (("params", params), ("tags", tags)):
        for n, item in enumerate(items):
            if not item.key:
                raise missing(f"{words}[{n}].key")
    all_keys([metric.key or "" for metric in metrics], "metrics[{}].name", "Metric name")
    all_keys([param.key or "" for param in params], "params[{}].key", "Param key")
    all_keys([tag.key or "" for tag in tags], "tags[{}].key", "tags[{}].key")


def set_tag(session: Session, context: Context, request: r.RunTag) -> dict[str, Any]:
    """Set a tag."""
    key, run_id = request.key or "", run_id_of(request)
    check_key(key, "key", "key")
    update, rest = _split([request])
    with active(run_id):
        runs.log(session, context.actor, run_id, tags=rest)
        _change(session, context, run_id, update)
    return {}


def _split(given: Sequence[r.Pair | r.RunTag]) -> tuple[RunUpdate | None, dict[str, str] | None]:
    """What tags change of the run itself, its name and its note, and the others."""
    tags = {tag.key or "": tag.value or "" for tag in given}
    name, note = plain_text(tags.pop(NAME, "")), tags.pop(NOTE, None)
    update = RunUpdate(name=name[:500] if name else UNSET, note=check_note(note) if note is not None else UNSET)
    changes = update.name is not UNSET or update.note is not UNSET
    return update if changes else None, {key: cut(value, "value", MAX_TAG) for key, value in tags.items()} or None


def _change(session: Session, context: Context, run_id: str, update: RunUpdate | None) -> None:
    if update is not None:
        runs.update_run(session, context.actor, run_id, update, None)


def delete_tag(session: Session, context: Context, request: r.DeleteRunTag) -> dict[str, Any]:
    """Remove a tag."""
    run_id, key = request.run_id or "", request.key or ""
    with active(run_id):
        runs.open_to_log(session, context.actor, run_id)
        found = runs.record(session, context.actor, run_id)
        if key == NOTE and found.note:
            runs.update_run(session, context.actor, run_id, RunUpdate(note=""), None)
        elif key in found.tags:
            runs.update_run(session, context.actor, run_id, RunUpdate(tags={key: None}), None)
        elif key != NAME:
            raise DoesNotExist(f"No tag with name: {key} in run with id {run_id}", field="key")
    return {}


def log_model(session: Session, context: Context, request: r.LogModel) -> dict[str, Any]:
    """Note a model that a client of version 2 stored among the artifacts."""
    text = request.model_json or ""
    try:
        described = json.loads(text)
    except (ValueError, RecursionError):
        described = None
    if not isinstance(described, dict):
        raise InvalidParameter(f"Malformed model info. \n {text[:1000]} \n is not a valid JSON.", field="model_json")
    lacking = [name for name in ("artifact_path", "flavors", "utc_time_created", "run_id") if name not in described]
    if lacking:
        raise InvalidParameter(f"Model json is missing mandatory fields: {set(lacking)}", field="model_json")
    run_id, names = request.run_id or "", ("run_id", "artifact_path", "utc_time_created", "model_uuid", "flavors")
    with active(run_id):
        runs.open_to_log(session, context.actor, run_id)
        history = _history(runs.record(session, context.actor, run_id).tags.get(MODEL_HISTORY))
        entry = {name: described.get(name) for name in names}
        if entry in history:  # the client sends it again where it got no answer
            return {}
        text = json.dumps([*history, entry])
        check_length(text, MODEL_HISTORY, MAX_HISTORY)
        runs.log(session, context.actor, run_id, tags={MODEL_HISTORY: text})
    return {}


def _history(text: str | None) -> list[Any]:
    """The models that a run's tag tells of; a client may have set it to anything."""
    try:
        history = json.loads(text or "[]")
    except (ValueError, RecursionError):
        return []
    return history if isinstance(history, list) else []


def log_inputs(session: Session, context: Context, request: r.LogInputs) -> dict[str, Any]:
    """Note datasets and logged models that a run reads."""
    run_id = request.run_id or ""
    check_run_id(run_id)
    given = [_dataset(item, f"datasets[{n}]") for n, item in enumerate(request.datasets or ())]
    with active(run_id):
        runs.open_to_log(session, context.actor, run_id)
        if given:
            runs.add_datasets(session, context.actor, run_id, given)
        models.add_inputs(session, context.actor, run_id, [item.model_id for item in request.models or ()])
    return {}


def _dataset(item: r.DatasetInput, where: str) -> tuple[Dataset, dict[str, str]]:
    if item.dataset is None:
        raise missing(f"{where}.dataset")
    for name, most in DATASET_LIMITS.items():
        check_length(getattr(item.dataset, name) or "", name, most)
    tags = mapping(item.tags)
    for key, value in tags.items():
        check_length(key, "key", 255)
        check_length(value, "value", 500)
    d = item.dataset
    return Dataset(
        name=d.name, digest=d.digest, source_type=d.source_type, source=d.source, schema=d.schema, profile=d.profile
    ), tags


def log_outputs(session: Session, context: Context, request: r.LogOutputs) -> dict[str, Any]:
    """Note logged models that a run makes."""
    if request.models is None:
        raise missing("models")
    run_id = request.run_id or ""
    with active(run_id):
        runs.open_to_log(session, context.actor, run_id)
        models.add_outputs(session, context.actor, run_id, [(item.model_id, item.step) for item in request.models])
    return {}


def point_of(metric: r.Metric | r.LogMetric, where: str) -> MetricPoint:
    """A point of a metric, checked."""
    value, at = metric.value if metric.value is not None else 0.0, metric.timestamp or 0
    if not 0 <= at <= LAST_MS:
        raise InvalidParameter(
            f"Invalid value {at} for parameter '{where}' supplied: metric '{metric.key}' (value={value}). Timestamp must be a "
            "nonnegative long (64-bit integer) ",
            field=where,
        )
    if (metric.dataset_name is None) != (metric.dataset_digest is None):
        raise InvalidParameter("Both dataset_name and dataset_digest must be provided if one is provided")
    return MetricPoint(key=metric.key or "", value=value, step=metric.step or 0, time=at)
