"""MLflow's routes of runs. One run is one run: names, notes and parents are ours, and MLflow's tags for them a view of these."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, UnsetType

from jupyter_mlws.domain.access import service as access
from jupyter_mlws.domain.datasets.schemas import Dataset
from jupyter_mlws.domain.metrics.schemas import MetricPoint
from jupyter_mlws.domain.models import service as models
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.errors import BadParent, ParamConflict, RunActive, RunDeleted, RunNotFound
from jupyter_mlws.domain.runs.schemas import Process, RunCreate, RunKind, RunUpdate
from jupyter_mlws.domain.runs.states import TERMINAL, RunStatus
from jupyter_mlws.kit.actors import Action, ActorKind
from jupyter_mlws.mlflow_api import experiments
from jupyter_mlws.mlflow_api.convert import STATUS, artifact_uri, filled, lifecycle, mapping, number, pairs, status_of
from jupyter_mlws.mlflow_api.errors import DoesNotExist, InvalidParameter, missing, shown
from jupyter_mlws.mlflow_api.validation import (
    MAX_PARAM,
    MAX_TAG,
    all_keys,
    check_batch,
    check_distinct,
    check_key,
    check_length,
    check_run_id,
    plain_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.runs.service import RunRecord
    from jupyter_mlws.kit.actors import Actor
    from jupyter_mlws.mlflow_api import requests as r
    from jupyter_mlws.mlflow_api.http import Context

NAME, NOTE, PARENT = "mlflow.runName", "mlflow.note.content", "mlflow.parentRunId"
SOURCE, USER = "mlflow.source.name", "mlflow.user"
ADOPTED = "mlws.mlflowRun"
"""Tag of a job's run that its script's first MLflow run has become."""
REPORTED = "mlws.reportedStatus"
"""Tag of a job's run: the status that its script told. What ends a job is the end of its process."""
MODEL_HISTORY = "mlflow.log-model.history"
LAST_MS = 253_402_300_799_999
DATASET_LIMITS = {"name": 500, "digest": 36, "source": 65_535, "schema": 1_048_575, "profile": 16_777_215}


# Making, reading, changing


def create(session: Session, context: Context, request: r.CreateRun) -> dict[str, Any]:
    """Make a run; a job's first one is the job's own run."""
    experiment = experiments.to_log_in(session, context, request.experiment_id)
    tags = mapping(request.tags)
    for key in tags:
        check_length(key, "key", 250)
    name = plain_text(request.run_name or "") or None
    tagged = plain_text(tags.pop(NAME, "")) or None
    if name is not None and tagged is not None and name != tagged:
        raise InvalidParameter(
            f"Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values (run_name='{name}', "
            f"mlflow.runName='{tagged}')."
        )
    name = name or tagged
    if (
        context.actor.kind is ActorKind.JOB
        and PARENT not in tags
        and (own := _adopt(session, context, experiment.id, name, tags))
    ):
        return {"run": wire(own)}
    note, parent = tags.pop(NOTE, ""), tags.get(PARENT)
    _check_time(request.start_time, "start_time")
    body = RunCreate(
        experiment=experiment.name,
        name=name[:500] if name else UNSET,
        note=note,
        parent_id=parent if parent and _may_be_parent(session, context, parent) else UNSET,
        source=tags.get(SOURCE, "")[:4000],
        started_at=request.start_time if request.start_time is not None else UNSET,
        tags={key: value[:MAX_TAG] for key, value in tags.items()},
        process=_process(session, context.actor),
    )
    return {"run": wire(runs.new_record(session, context.actor, context.workspace, body, request.user_id or None))}


def _process(session: Session, actor: Actor) -> Process | UnsetType:
    """The kernel that calls: a run whose kernel is gone has failed."""
    holder = access.holder_of(session, actor.token_id) if actor.kind is ActorKind.KERNEL else None
    if holder is None:
        return UNSET
    return Process(host=holder.host, pid=holder.pid, start_time=holder.start_time, boot_id=holder.boot_id)


def _may_be_parent(session: Session, context: Context, run_id: str) -> bool:
    """MLflow checks nothing of the parent that a tag names; what cannot be one stays a tag only."""
    try:
        runs.parent_of(session, context.actor, context.workspace, run_id)
    except (BadParent, RunDeleted):
        return False
    return True


def _adopt(session: Session, context: Context, experiment_id: int, name: str | None, tags: dict[str, str]) -> RunRecord | None:
    """The run of the job that calls, if this is the first run that its script makes."""
    run_id = context.actor.run_id or ""
    own = runs.record(session, context.actor, run_id)
    if ADOPTED in own.tags or own.deleted:
        return None
    changes: dict[str, str | None] = {**{key: value[:MAX_TAG] for key, value in tags.items() if key != NOTE}, ADOPTED: "true"}
    update = RunUpdate(tags=changes)
    if name:
        update.name = name[:500]
    if NOTE in tags:
        update.note = tags[NOTE]
    if experiment_id != own.experiment_id:
        update.experiment_id = str(experiment_id)
    runs.update_run(session, context.actor, run_id, update, None)
    return runs.record(session, context.actor, run_id)


def get(session: Session, context: Context, request: r.EitherRunRequest) -> dict[str, Any]:
    """A run with all that was logged."""
    found = find(session, context, run_id_of(request))
    return {"run": with_io(session, [found])[0]}


def update(session: Session, context: Context, request: r.UpdateRun) -> dict[str, Any]:
    """Change status, end or name."""
    run_id = run_id_of(request)
    status = status_of(request.status)
    _check_time(request.end_time, "end_time")
    with active(run_id):
        found = _open(session, context, run_id)
        name = plain_text(request.run_name or "")
        if name and name != found.name:
            runs.update_run(session, context.actor, run_id, RunUpdate(name=name[:500]), None)
        if status is not None and found.kind is not RunKind.INTERACTIVE:
            runs.log(session, context.actor, run_id, tags={REPORTED: STATUS[status]})
        elif status is not None and status is not found.status:
            _set_status(session, context, run_id, status, request.end_time)
        elif request.end_time is not None and found.status in TERMINAL:
            runs.set_end(session, context.actor, run_id, request.end_time)
    return {"run_info": info(find(session, context, run_id))}


def _set_status(session: Session, context: Context, run_id: str, status: RunStatus, end: int | None) -> None:
    """Give an interactive run any status. One that goes on belongs to the process that says so, not to that which began it."""
    values: dict[str, Any] = {}
    if status is RunStatus.RUNNING:
        process = _process(session, context.actor)
        values["process"] = process if process is not UNSET else None
    at = end if status in TERMINAL else None
    runs.change_status(session, run_id, status, actor=context.actor.name, at=at, values=values, anew=True)


def delete(session: Session, context: Context, request: r.RunRequest) -> dict[str, Any]:
    """Move a run into the bin."""
    find(session, context, request.run_id or "")
    try:
        runs.set_deleted(session, context.actor, request.run_id or "", deleted=True)
    except RunActive as error:
        raise InvalidParameter(error.message, field="run_id") from None
    return {}


def restore(session: Session, context: Context, request: r.RunRequest) -> dict[str, Any]:
    """Bring a run back from the bin."""
    find(session, context, request.run_id or "")
    runs.set_deleted(session, context.actor, request.run_id or "", deleted=False)
    return {}


# Logging


def log_metric(session: Session, context: Context, request: r.LogMetric) -> dict[str, Any]:
    """Log one point of a metric."""
    check_key(request.key or "", "name", "Metric name")
    point = point_of(request, "timestamp")
    run_id = run_id_of(request)
    with active(run_id):
        ref = runs.log(session, context.actor, run_id, metrics=[point])
        models.log_points(session, context.actor, ref, [request])
    return {}


def log_param(session: Session, context: Context, request: r.LogParam) -> dict[str, Any]:
    """Log a param."""
    key, value, run_id = request.key or "", (request.value or "")[:MAX_PARAM], run_id_of(request)
    check_key(key, "key", "Param key")
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
    try:
        with active(run_id):
            given = {key: value[:MAX_PARAM] for key, value in mapping(params).items()} if params else None
            ref = runs.log(session, context.actor, run_id, metrics=points, params=given)
            models.log_points(session, context.actor, ref, metrics)
            _set_tags(session, context, run_id, mapping(tags))
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
    all_keys([metric.key or "" for metric in metrics], "metrics[{}].name", "metrics[{}].name")
    all_keys([param.key or "" for param in params], "params[{}].key", "params[{}].key")
    all_keys([tag.key or "" for tag in tags], "tags[{}].key", "tags[{}].key")


def set_tag(session: Session, context: Context, request: r.RunTag) -> dict[str, Any]:
    """Set a tag."""
    key, run_id = request.key or "", run_id_of(request)
    check_key(key, "key", "key")
    with active(run_id):
        _open(session, context, run_id)
        _set_tags(session, context, run_id, {key: request.value or ""})
    return {}


def _set_tags(session: Session, context: Context, run_id: str, tags: dict[str, str]) -> None:
    """Set tags; those that stand for a name or a note change these."""
    name, note = plain_text(tags.pop(NAME, "")), tags.pop(NOTE, None)
    if name or note is not None:
        update = RunUpdate(name=name[:500] if name else UNSET, note=note if note is not None else UNSET)
        runs.update_run(session, context.actor, run_id, update, None)
    if tags:
        runs.log(session, context.actor, run_id, tags={key: value[:MAX_TAG] for key, value in tags.items()})


def delete_tag(session: Session, context: Context, request: r.DeleteRunTag) -> dict[str, Any]:
    """Remove a tag."""
    run_id, key = request.run_id or "", request.key or ""
    with active(run_id):
        found = _open(session, context, run_id)
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
    run_id = request.run_id or ""
    with active(run_id):
        found = _open(session, context, run_id)
        try:
            history = json.loads(found.tags.get(MODEL_HISTORY, "[]"))
        except ValueError:
            history = []
        names = ("run_id", "artifact_path", "utc_time_created", "model_uuid", "flavors")
        history.append({name: described.get(name) for name in names})
        runs.log(session, context.actor, run_id, tags={MODEL_HISTORY: json.dumps(history)})
    return {}


def log_inputs(session: Session, context: Context, request: r.LogInputs) -> dict[str, Any]:
    """Note datasets and logged models that a run reads."""
    run_id = request.run_id or ""
    check_run_id(run_id)
    given = [_dataset(item) for item in request.datasets or ()]
    with active(run_id):
        found = _open(session, context, run_id)
        if given:
            runs.add_datasets(session, context.actor, run_id, given)
        models.add_inputs(session, context.actor, found.id, [item.model_id for item in request.models or ()])
    return {}


def _dataset(item: r.DatasetInput) -> tuple[Dataset, dict[str, str]]:
    if item.dataset is None:
        raise missing("datasets[0].dataset")
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
        found = _open(session, context, run_id)
        models.add_outputs(session, context.actor, found.id, [(item.model_id, item.step) for item in request.models])
    return {}


# What the routes share


def run_id_of(request: r.EitherRunRequest) -> str:
    """The id of the run that a request is about."""
    run_id = request.run_id or request.run_uuid
    if not run_id:
        raise missing("run_id")
    return run_id


def find(session: Session, context: Context, run_id: str, action: Action = Action.READ) -> RunRecord:
    """The run with this id."""
    try:
        return runs.record(session, context.actor, run_id, action)
    except RunNotFound:
        raise DoesNotExist(f"Run with id={run_id} not found", field="run_id") from None


def _open(session: Session, context: Context, run_id: str) -> RunRecord:
    """The run, if it takes what is logged. Raises `RunDeleted`."""
    found = find(session, context, run_id, Action.LOG)
    if found.deleted:
        raise RunDeleted("This run is in the bin; restore it first.")
    return found


@contextmanager
def active(run_id: str) -> Iterator[None]:
    """Tells that a run is not there, or deleted, in MLflow's words."""
    try:
        yield
    except RunDeleted:
        raise InvalidParameter(
            f"The run {run_id} must be in the 'active' state. Current state is deleted.", field="run_id"
        ) from None
    except RunNotFound:
        raise DoesNotExist(f"Run with id={run_id} not found", field="run_id") from None


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


def _check_time(at: int | None, name: str) -> None:
    if at is not None and not 0 <= at <= LAST_MS:
        raise InvalidParameter(
            f"Invalid value {shown(at)} for parameter '{name}' supplied: it is milliseconds since 1970.", field=name
        )


def info(run: RunRecord) -> dict[str, Any]:
    """What a run is."""
    return filled(
        run_uuid=run.id,
        experiment_id=str(run.experiment_id),
        run_name=run.name,
        user_id=run.user,
        status=STATUS[run.status],
        start_time=run.started_at,
        end_time=run.ended_at or None,
        artifact_uri=artifact_uri(run.experiment_id, run.artifact_location, run.id),
        lifecycle_stage=lifecycle(deleted=run.deleted),
        run_id=run.id,
    )


def wire(run: RunRecord) -> dict[str, Any]:
    """A run as clients read it, with no more of its inputs than its datasets."""
    tags = {**run.tags, NAME: run.name}
    if run.note:
        tags[NOTE] = run.note
    if run.parent_id is not None:
        tags.setdefault(PARENT, run.parent_id)
    if run.source:
        tags.setdefault(SOURCE, run.source)
    tags.setdefault(USER, run.user)
    metrics = [{"key": m.key, "value": number(m.value), "timestamp": m.time, "step": m.step} for m in run.metrics]
    inputs = [
        {
            "tags": pairs(found.tags),
            "dataset": filled(
                name=found.dataset.name,
                digest=found.dataset.digest,
                source_type=found.dataset.source_type,
                source=found.dataset.source,
                schema=found.dataset.schema,
                profile=found.dataset.profile,
            ),
        }
        for found in run.datasets
    ]
    return {
        "info": info(run),
        "data": filled(metrics=metrics, params=pairs(run.params), tags=pairs(tags)),
        "inputs": filled(dataset_inputs=inputs),
    }


def with_io(session: Session, found: Sequence[RunRecord], *, inputs: bool = True) -> list[dict[str, Any]]:
    """Runs with the logged models that they read and made; searches leave out those they read."""
    io = models.io_of_runs(session, [run.id for run in found])
    wires = []
    for run in found:
        shown_run, known = wire(run), io.get(run.id)
        if known is not None and inputs and known.inputs:
            shown_run["inputs"]["model_inputs"] = [{"model_id": model_id} for model_id in known.inputs]
        outputs = known.outputs if known is not None else []
        shown_run["outputs"] = filled(model_outputs=[{"model_id": model_id, "step": step} for model_id, step in outputs])
        wires.append(shown_run)
    return wires
