"""MLflow's routes of experiments. A deleted experiment is one in our archive; its runs go into the bin with it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from msgspec import UNSET

from jupyter_mlws.domain.experiments import service as experiments
from jupyter_mlws.domain.experiments.errors import ExperimentExists, ExperimentNotFound
from jupyter_mlws.domain.experiments.schemas import ExperimentCreate, ExperimentUpdate
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.search import service as search
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.mlflow_api.convert import filled, lifecycle, location_of, mapping, pairs, view_of
from jupyter_mlws.mlflow_api.errors import AlreadyExists, BadRequest, DoesNotExist, InvalidParameter
from jupyter_mlws.mlflow_api.validation import (
    MAX_EXPERIMENT_NAME,
    MAX_EXPERIMENT_TAG,
    check_distinct,
    check_key,
    check_length,
    fully_decoded,
    page_size,
    plain_text,
)

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.experiments.service import ExperimentRecord
    from jupyter_mlws.mlflow_api import requests as r
    from jupyter_mlws.mlflow_api.http import Context

MAX_PAGE = 50_000
MAX_LOCATION = 2048
DEFAULT_ID = "0"
"""Clients that named no experiment use this id without asking: it stands for the workspace's `Default`."""
FOREIGN = frozenset({"ftp", "sftp", "hdfs", "viewfs", "http", "https", "r2", "b2", "abfss"})


def create(session: Session, context: Context, request: r.CreateExperiment) -> dict[str, Any]:
    """Make an experiment."""
    name = request.name or ""
    check_length(name, "name", MAX_EXPERIMENT_NAME)
    tags = [pair.key or "" for pair in request.tags or ()]
    check_distinct(tags, "Duplicate tag keys have been submitted: {}. Please ensure the request contains only one value per key.")
    for key, value in mapping(request.tags).items():
        _check_tag(key, value)
    location = request.artifact_location or None
    if location is not None:
        check_location(location)
    body = ExperimentCreate(name=plain_text(name), tags=mapping(request.tags) if request.tags else UNSET)
    try:
        made = experiments.create_experiment(session, context.workspace, body, artifact_location=location)
    except ExperimentExists as error:
        raise AlreadyExists(f"Experiment(name={name}) already exists. Error: {error.message}", field="name") from None
    return {"experiment_id": made.id}


def get(session: Session, context: Context, request: r.ExperimentId) -> dict[str, Any]:
    """An experiment, deleted or not."""
    return {"experiment": wire(find(session, context, request.experiment_id))}


def get_by_name(session: Session, context: Context, request: r.ExperimentName) -> dict[str, Any]:
    """The experiment of a name, deleted or not."""
    name = request.experiment_name or ""
    found = experiments.record_by_name(session, context.workspace, plain_text(name))
    if found is None:
        raise DoesNotExist(f"Could not find experiment with name '{name}'", field="experiment_name")
    return {"experiment": wire(found)}


def search_all(session: Session, context: Context, request: r.SearchExperiments) -> dict[str, Any]:
    """One page of experiments."""
    most = request.max_results if request.max_results is not None else 0
    if most > MAX_PAGE:
        raise InvalidParameter(
            f"Invalid value {most} for parameter 'max_results' supplied. It must be at most {MAX_PAGE}", field="max_results"
        )
    found, cursor = search.search_experiments(
        session,
        context.workspace,
        filter_text=request.filter,
        order_by=request.order_by or (),
        view=view_of(request.view_type, "view_type"),
        cursor=request.page_token,
        limit=page_size(most, 0, MAX_PAGE),
    )
    return filled(experiments=[wire(record) for record in found], next_page_token=cursor)


def update(session: Session, context: Context, request: r.UpdateExperiment) -> dict[str, Any]:
    """Rename an experiment."""
    name = request.new_name or ""
    check_length(name, "name", MAX_EXPERIMENT_NAME)
    record = find(session, context, request.experiment_id, Action.EDIT)
    if record.archived:
        raise InvalidParameter("Cannot rename a non-active experiment.", field="experiment_id")
    try:
        experiments.update_experiment(session, context.actor, str(record.id), ExperimentUpdate(name=plain_text(name)), None)
    except ExperimentExists as error:
        raise BadRequest(error.message, field="new_name") from None
    return {}


def delete(session: Session, context: Context, request: r.ExperimentId) -> dict[str, Any]:
    """Archive an experiment, with its runs in the bin."""
    return _archive(session, context, request, archived=True)


def restore(session: Session, context: Context, request: r.ExperimentId) -> dict[str, Any]:
    """Bring back an experiment with all its runs."""
    return _archive(session, context, request, archived=False)


def _archive(session: Session, context: Context, request: r.ExperimentId, *, archived: bool) -> dict[str, Any]:
    record = find(session, context, request.experiment_id, Action.EDIT)
    if record.archived is archived:
        raise DoesNotExist(f"No Experiment with id={request.experiment_id} exists", field="experiment_id")
    runs.set_deleted_of_experiment(session, context.actor, record.id, deleted=archived)
    experiments.set_archived(session, context.actor, str(record.id), archived=archived)
    return {}


def set_tag(session: Session, context: Context, request: r.ExperimentTag) -> dict[str, Any]:
    """Set a tag of an experiment."""
    key, value = request.key or "", request.value or ""
    _check_tag(key, value)
    record = find_active(session, context, request.experiment_id, Action.EDIT)
    experiments.update_experiment(session, context.actor, str(record.id), ExperimentUpdate(tags={key: value}), None)
    return {}


def delete_tag(session: Session, context: Context, request: r.ExperimentTag) -> dict[str, Any]:
    """Remove a tag of an experiment."""
    record = find_active(session, context, request.experiment_id, Action.EDIT)
    if request.key not in record.tags:
        raise DoesNotExist(f"No tag with name: {request.key} in experiment with id {request.experiment_id}", field="key")
    experiments.update_experiment(session, context.actor, str(record.id), ExperimentUpdate(tags={request.key: None}), None)
    return {}


def find(session: Session, context: Context, experiment_id: str | None, action: Action = Action.READ) -> ExperimentRecord:
    """The experiment with this id in the workspace of the call."""
    given = experiment_id or DEFAULT_ID
    text = given.strip()
    if re.fullmatch(r"[+-]?\d+", text, re.ASCII) is None:
        raise InvalidParameter(
            f"Invalid experiment ID '{given[:80]}'. Experiment ID must be a valid integer.", field="experiment_id"
        )
    missing = DoesNotExist(f"No Experiment with id={given} exists", field="experiment_id")
    if text == DEFAULT_ID:
        found = experiments.record_by_name(session, context.workspace, experiments.DEFAULT)
        if found is None:
            raise missing
        text = str(found.id)
    try:
        record = experiments.record(session, context.actor, text, action)
    except ExperimentNotFound:
        raise missing from None
    if record.workspace != context.workspace:
        raise missing
    return record


def find_active(session: Session, context: Context, experiment_id: str | None, action: Action = Action.READ) -> ExperimentRecord:
    """The experiment, if it is not deleted."""
    record = find(session, context, experiment_id, action)
    if record.archived:
        raise InvalidParameter(
            f"The experiment {record.id} must be in the 'active' state. Current state is deleted.", field="experiment_id"
        )
    return record


def to_log_in(session: Session, context: Context, experiment_id: str | None) -> ExperimentRecord:
    """The experiment that something new is made in; `Default` is made when it is first needed."""
    if (experiment_id or DEFAULT_ID).strip() == DEFAULT_ID:
        space = workspaces.find(session, context.workspace)
        if experiments.record_by_name(session, space.name, experiments.DEFAULT) is None:
            experiments.find_or_create(session, space, experiments.DEFAULT)
    return find_active(session, context, experiment_id)


def wire(record: ExperimentRecord) -> dict[str, Any]:
    """An experiment as clients read it."""
    return filled(
        experiment_id=str(record.id),
        name=record.name,
        artifact_location=location_of(record.id, record.artifact_location),
        lifecycle_stage=lifecycle(deleted=record.archived),
        last_update_time=record.updated_at,
        creation_time=record.created_at,
        tags=pairs(record.tags),
    )


def _check_tag(key: str, value: str) -> None:
    check_key(key, "key", "key")
    check_length(value, "value", MAX_EXPERIMENT_TAG)


def check_location(location: str, field: str = "artifact_location") -> None:
    """A place for artifacts that clients can reach by themselves, or our own."""
    if len(location) > MAX_LOCATION:
        raise InvalidParameter(
            f"Invalid artifact path length. The length of the artifact path cannot be greater than {MAX_LOCATION}."
        )
    try:
        uri = urlsplit(location)
    except ValueError:
        raise InvalidParameter(f"'{field}' is not a valid URI: {location[:200]!r}", field=field) from None
    if uri.scheme == "runs":
        raise InvalidParameter(f"Artifact location cannot be a runs:/ URI. Given: '{location}'", field=field)
    path = fully_decoded(uri.path)
    if "#" in location or "#" in path or ";" in path:
        raise InvalidParameter(f"'{field}' URL can't include fragments or params.", field=field)
    if ".." in fully_decoded(uri.query) or (uri.query and uri.scheme in ("", "file", "mlflow-artifacts")):
        raise InvalidParameter("Invalid query string", field=field)
    if ".." in path.replace("\\", "/").split("/"):
        raise InvalidParameter(f"'{field}' leads out of itself: its path has '..'.", field=field)
    if uri.scheme in FOREIGN or (uri.scheme == "mlflow-artifacts" and uri.netloc):
        raise InvalidParameter(
            f"'{field}' cannot use the '{uri.scheme}' scheme: the '{uri.scheme}' scheme addresses a host other than this server's own "
            "artifact store. Leave it out to store artifacts in this workspace.",
            field=field,
        )
