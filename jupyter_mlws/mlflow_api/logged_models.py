"""MLflow's routes of logged models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_mlws.domain.models import service as models
from jupyter_mlws.domain.models.errors import ModelParamExists
from jupyter_mlws.domain.models.schemas import DatasetChoice, ModelOrder, NewLoggedModel
from jupyter_mlws.domain.models.states import LoggedModelStatus
from jupyter_mlws.domain.search import service as search_service
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.mlflow_api import experiments
from jupyter_mlws.mlflow_api.artifacts import check_path, folder
from jupyter_mlws.mlflow_api.artifacts import wire as file_wire
from jupyter_mlws.mlflow_api.convert import below, filled, location_of, mapping, number, pairs
from jupyter_mlws.mlflow_api.errors import BadRequest, DoesNotExist, InvalidParameter
from jupyter_mlws.mlflow_api.validation import MAX_KEY, check_length

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.models.schemas import LoggedModel
    from jupyter_mlws.mlflow_api import model_requests as r
    from jupyter_mlws.mlflow_api.http import Context
    from jupyter_mlws.mlflow_api.requests import Pair, Word

S = LoggedModelStatus
STATUS: dict[LoggedModelStatus, str] = {
    S.UNSPECIFIED: "LOGGED_MODEL_STATUS_UNSPECIFIED",
    S.PENDING: "LOGGED_MODEL_PENDING",
    S.READY: "LOGGED_MODEL_READY",
    S.FAILED: "LOGGED_MODEL_UPLOAD_FAILED",
}
"""In the order of their numbers, from 0."""
OURS = {word: status for status, word in STATUS.items()}
NOT_IN_NAMES = ("/", ":", ".", "%", '"', "'")
MAX_NAME = 500
PAGE, MOST = 50, 10_000


def create(session: Session, context: Context, request: r.CreateLoggedModel) -> dict[str, Any]:
    """Make a logged model, whose files are sent afterwards."""
    name = request.name or None
    if name is not None and any(character in name for character in NOT_IN_NAMES):
        raise InvalidParameter(
            f"Invalid model name ({name!r}) provided. Model name must be a non-empty string and cannot contain the following "
            f"characters: {NOT_IN_NAMES}",
            field="name",
        )
    check_length(name or "", "name", MAX_NAME)
    check_length(request.source_run_id or "", "source_run_id", 255)
    new = NewLoggedModel(
        name=name,
        model_type=request.model_type or "",
        source_run_id=request.source_run_id or "",
        params=_distinct(request.params, "params"),
        tags=_distinct(request.tags, "tags"),
    )
    experiment = experiments.to_log_in(session, context, request.experiment_id)
    place = location_of(experiment.id, experiment.artifact_location)
    made = models.create_logged_model(
        session, context.actor, experiment.id, new, lambda model_id: below(place, f"models/{model_id}/artifacts")
    )
    return {"model": wire(made)}


def get(session: Session, context: Context, request: r.GetLoggedModel) -> dict[str, Any]:
    """A logged model; a deleted one only if asked."""
    found = models.find_logged_model(session, context.actor, request.path_id or "", deleted=bool(request.allow_deleted))
    return {"model": wire(found)}


def finalize(session: Session, context: Context, request: r.FinalizeLoggedModel) -> dict[str, Any]:
    """Tell that the files of a logged model are there, or are not."""
    found = models.set_status(session, context.actor, request.model_id or "", status_of(request.status))
    return {"model": wire(found)}


def delete(session: Session, context: Context, request: r.LoggedModelPath) -> dict[str, Any]:
    """Hide a logged model."""
    models.delete_logged_model(session, context.actor, request.path_id or "")
    return {}


def set_tags(session: Session, context: Context, request: r.LoggedModelTags) -> dict[str, Any]:
    """Set tags of a logged model."""
    tags = mapping(request.tags)
    _check_keys(tags)
    models.set_logged_tags(session, context.actor, request.path_id or "", tags)
    return {}


def delete_tag(session: Session, context: Context, request: r.LoggedModelTag) -> dict[str, Any]:
    """Remove a tag of a logged model."""
    model_id, key = request.path_id or "", request.tag_key or ""
    models.find_logged_model(session, context.actor, model_id, Action.LOG, deleted=True)
    if "\0" in key or not models.delete_logged_tag(session, context.actor, model_id, key):
        raise DoesNotExist(f"No tag with key '{key}' found for model with ID '{model_id}'.", field="key")
    return {}


def add_params(session: Session, context: Context, request: r.LoggedModelParams) -> dict[str, Any]:
    """Store more params of a logged model."""
    try:
        models.add_params(session, context.actor, request.path_id or "", _distinct(request.params, "params"))
    except ModelParamExists as error:
        raise BadRequest(error.message, field="params") from None
    return {}


def list_artifacts(session: Session, context: Context, request: r.LoggedModelFolder) -> dict[str, Any]:
    """What lies in a folder of a logged model's files, by paths from its root."""
    found = models.find_logged_model(session, context.actor, request.path_id or "")
    path = check_path(request.artifact_directory_path or "")
    entries = folder(session, found.id.removeprefix("m-"), path)
    return filled(root_uri=found.location, files=[file_wire(entry, entry.path) for entry in entries])


def search(session: Session, context: Context, request: r.SearchLoggedModels) -> dict[str, Any]:
    """One page of logged models of some experiments."""
    limit = request.max_results if request.max_results is not None else PAGE
    if limit < 0:
        raise InvalidParameter(
            f"Invalid value {limit} for parameter 'max_results' supplied. It must be a positive integer", field="max_results"
        )
    datasets = []
    for clause in request.datasets or ():
        if not clause.dataset_name:
            raise InvalidParameter("`dataset_name` in the `datasets` clause must be specified.", field="datasets")
        datasets.append(DatasetChoice(clause.dataset_name, clause.dataset_digest or None))
    found, cursor = models.search_logged_models(
        session,
        context.actor,
        context.workspace,
        experiment_ids=_experiments(session, context, request.experiment_ids or ()),
        filter_text=request.filter,
        datasets=datasets,
        order=[_order(clause) for clause in request.order_by or ()],
        cursor=request.page_token,
        limit=min(limit or 100, MOST),
    )
    return filled(models=[wire(model) for model in found], next_page_token=cursor)


def _experiments(session: Session, context: Context, given: Iterable[str]) -> list[int]:
    """Keys of those of the experiments that are there."""
    ids = []
    for experiment_id in dict.fromkeys(given):
        try:
            ids.append(experiments.find(session, context, experiment_id).id)
        except DoesNotExist:
            continue
    return ids


def _order(clause: r.OrderClause) -> ModelOrder:
    field, descending = clause.field_name or "", clause.ascending is False
    entity, dot, key = field.partition(".")
    if not dot:
        name = search_service.LOGGED_MODELS.attribute_name(field)
        if name is None:
            raise InvalidParameter(f"Invalid order by field name: {field}", field="order_by")
        return ModelOrder(name, None, descending)
    if entity != "metrics":
        raise InvalidParameter(f"Invalid order by field name: {field}. Only metrics are supported.", field="order_by")
    return ModelOrder(None, key.strip("`"), descending, clause.dataset_name or None, clause.dataset_digest or None)


def status_of(given: Word | None) -> LoggedModelStatus:
    """A status by its word or number; MLflow takes what it does not know for no status at all."""
    if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) < 4:
        given = int(given)
    if isinstance(given, int):
        statuses = list(STATUS)
        return statuses[given] if 0 <= given < len(statuses) else S.UNSPECIFIED
    return OURS.get(given or "", S.UNSPECIFIED)


def _distinct(given: Sequence[Pair] | None, what: str) -> dict[str, str]:
    """Params or tags, none of which may stand twice."""
    found = mapping(given)
    if len(found) != len(given or ()):
        raise BadRequest(f"A key stands twice in the {what} of this logged model.", field=what)
    _check_keys(found)
    return found


def _check_keys(keys: Iterable[str]) -> None:
    for key in keys:
        check_length(key, "key", MAX_KEY)


def wire(model: LoggedModel) -> dict[str, Any]:
    """A logged model as clients read it."""
    points = [
        filled(
            key=point.key,
            value=number(point.value),
            timestamp=point.time,
            step=point.step,
            dataset_name=point.dataset_name,
            dataset_digest=point.dataset_digest,
            model_id=model.id,
            run_id=point.run_id,
        )
        for point in model.points
    ]
    info = filled(
        model_id=model.id,
        experiment_id=str(model.experiment_id),
        name=model.name,
        creation_timestamp_ms=model.created_at,
        last_updated_timestamp_ms=model.updated_at,
        artifact_uri=model.location,
        status=STATUS[model.status],
        model_type=model.model_type,
        source_run_id=model.source_run_id,
        tags=pairs(model.tags),
    )
    return {"info": info, "data": filled(params=pairs(model.params), metrics=points)}
