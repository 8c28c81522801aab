"""MLflow's routes of the versions of registered models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_mlws.domain.models import service as models
from jupyter_mlws.domain.models.schemas import NewVersion
from jupyter_mlws.domain.models.states import ACTIVE_STAGES
from jupyter_mlws.mlflow_api.convert import filled, whole_number
from jupyter_mlws.mlflow_api.errors import InvalidParameter, wrong_type
from jupyter_mlws.mlflow_api.model_sources import resolve
from jupyter_mlws.mlflow_api.registered_models import MAX_TAG, checked_tag, checked_tags, stage_of, version_wire
from jupyter_mlws.mlflow_api.validation import check_key

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jupyter_mlws.mlflow_api import model_requests as r
    from jupyter_mlws.mlflow_api.http import Context
    from jupyter_mlws.mlflow_api.requests import Search

MAX_PAGE = 200_000
PROMPT_TEXT = "mlflow.prompt.text"


def create(session: Session, context: Context, request: r.CreateVersion) -> dict[str, Any]:
    """Add a version to a registered model."""
    tags = checked_tags(request.tags)
    source = resolve(session, context, request, is_prompt=models.is_prompt(tags))
    new = NewVersion(
        source=source.source,
        location=source.location,
        run_id=source.run_id,
        run_link=request.run_link or "",
        description=request.description or "",
        logged_model_id=source.logged_model_id,
        tags=tags,
    )
    made = models.create_version(session, context.actor, context.workspace, request.name or "", new)
    return {"model_version": version_wire(made)}


def get(session: Session, context: Context, request: r.Version) -> dict[str, Any]:
    """A version."""
    found = models.find_version(session, context.actor, context.workspace, request.name or "", number_of(request))
    return {"model_version": version_wire(found)}


def update(session: Session, context: Context, request: r.DescribeVersion) -> dict[str, Any]:
    """Set the description of a version, or remove it."""
    number, text = number_of(request), request.description
    found = models.describe_version(session, context.actor, context.workspace, request.name or "", number, text)
    return {"model_version": version_wire(found)}


def transition(session: Session, context: Context, request: r.MoveVersion) -> dict[str, Any]:
    """Move a version into a stage."""
    stage, number = stage_of(request.stage or ""), number_of(request)
    archive = bool(request.archive_existing_versions)
    if archive and stage not in ACTIVE_STAGES:
        raise InvalidParameter(
            f"Model version transition cannot archive existing model versions because '{stage.value}' is not an Active stage. Valid "
            f"stages are {[active.value for active in ACTIVE_STAGES]}",
            field="archive_existing_versions",
        )
    name = request.name or ""
    found = models.move_version(session, context.actor, context.workspace, name, number, stage, archive_others=archive)
    return {"model_version": version_wire(found)}


def delete(session: Session, context: Context, request: r.Version) -> dict[str, Any]:
    """Delete a version."""
    models.delete_version(session, context.actor, context.workspace, request.name or "", number_of(request))
    return {}


def search(session: Session, context: Context, request: Search) -> dict[str, Any]:
    """One page of versions."""
    limit = request.max_results if request.max_results is not None else MAX_PAGE
    if limit < 1:
        raise InvalidParameter(
            f"Invalid value for max_results. It must be a positive integer, but got {limit}", field="max_results"
        )
    if limit > MAX_PAGE:
        raise wrong_type("max_results", str(limit))
    found, cursor = models.search_versions(
        session,
        context.actor,
        context.workspace,
        filter_text=request.filter,
        order_by=request.order_by or (),
        cursor=request.page_token,
        limit=limit,
    )
    return filled(model_versions=[version_wire(version) for version in found], next_page_token=cursor)


def download_uri(session: Session, context: Context, request: r.EitherVersion) -> dict[str, Any]:
    """Where the files of a version lie."""
    if not request.name:
        raise InvalidParameter("Missing value for required parameter 'name'.", field="name")
    found = models.find_version(session, context.actor, context.workspace, request.name, number_of(request))
    return {"artifact_uri": found.location}


def set_tag(session: Session, context: Context, request: r.VersionTag) -> dict[str, Any]:
    """Set a tag of a version."""
    number = number_of(request)
    if request.key == PROMPT_TEXT and len(request.value or "") > MAX_TAG:
        raise InvalidParameter(f"Prompt text exceeds max length of {MAX_TAG} characters.", field="value")
    key, value = checked_tag(request.key, request.value)
    models.set_version_tag(session, context.actor, context.workspace, request.name or "", number, key, value)
    return {}


def delete_tag(session: Session, context: Context, request: r.VersionTag) -> dict[str, Any]:
    """Remove a tag of a version."""
    number, key = number_of(request), request.key or ""
    check_key(key, "key", "key")
    models.delete_version_tag(session, context.actor, context.workspace, request.name or "", number, key)
    return {}


def number_of(request: r.EitherVersion) -> int:
    """The number of the version that a request is about."""
    return whole_number(request.version or "", "version")
