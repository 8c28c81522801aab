"""MLflow's routes of registered models and their aliases."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from jupyter_mlws.domain.models import service as models
from jupyter_mlws.domain.models.errors import AliasNotFound, ModelExists
from jupyter_mlws.domain.models.states import Stage
from jupyter_mlws.mlflow_api.convert import filled, mapping, pairs, whole_number
from jupyter_mlws.mlflow_api.errors import AlreadyExists, DoesNotExist, InvalidParameter, wrong_type
from jupyter_mlws.mlflow_api.validation import check_key, check_length, check_path_form

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.models.schemas import ModelVersion, RegisteredModel
    from jupyter_mlws.mlflow_api import model_requests as r
    from jupyter_mlws.mlflow_api.http import Context
    from jupyter_mlws.mlflow_api.requests import Pair, Search

MAX_NAME = 256
MAX_ALIAS = 255
MAX_TAG = 100_000
MAX_PAGE, PAGE = 1000, 100
ALIAS = re.compile(r"[\w\-]*\n?")
VERSION_ALIAS = re.compile(r"[vV]\d+\n?")
LATEST = "latest"
STAGES = ", ".join(stage.value for stage in Stage)


def create(session: Session, context: Context, request: r.CreateModel) -> dict[str, Any]:
    """Register a name for models."""
    name = check_name(request.name, "name")
    tags = checked_tags(request.tags)
    description = request.description or None
    with name_clash(session, context, name, tags):
        made = models.create_model(session, context.actor, context.workspace, name, description=description, tags=tags)
    return {"registered_model": wire(made)}


def rename(session: Session, context: Context, request: r.RenameModel) -> dict[str, Any]:
    """Give a registered model another name."""
    new_name = check_name(request.new_name, "new_name")
    try:
        found = models.rename_model(session, context.actor, context.workspace, request.name or "", new_name)
    except ModelExists as error:
        raise AlreadyExists(
            f"Registered Model (name={new_name}) already exists. Error: {error.message}", field="new_name"
        ) from None
    return {"registered_model": wire(found)}


def update(session: Session, context: Context, request: r.DescribeModel) -> dict[str, Any]:
    """Set the description of a registered model, or remove it."""
    description = request.description or None
    found = models.describe_model(session, context.actor, context.workspace, request.name or "", description)
    return {"registered_model": wire(found)}


def delete(session: Session, context: Context, request: r.ModelName) -> dict[str, Any]:
    """Remove a registered model with all its versions."""
    models.delete_model(session, context.actor, context.workspace, request.name or "")
    return {}


def get(session: Session, context: Context, request: r.ModelName) -> dict[str, Any]:
    """A registered model."""
    return {"registered_model": wire(models.find_model(session, context.actor, context.workspace, request.name or ""))}


def search(session: Session, context: Context, request: Search) -> dict[str, Any]:
    """One page of registered models."""
    limit = request.max_results if request.max_results is not None else PAGE
    if limit > MAX_PAGE:
        raise wrong_type("max_results", str(limit))
    if limit < 0:
        raise InvalidParameter(
            f"Invalid value {limit} for parameter 'max_results' supplied. It must be a positive integer", field="max_results"
        )
    if limit == 0:
        return {}
    found, cursor = models.search_models(
        session,
        context.actor,
        context.workspace,
        filter_text=request.filter,
        order_by=request.order_by or (),
        cursor=request.page_token,
        limit=limit,
    )
    return filled(registered_models=[wire(model) for model in found], next_page_token=cursor)


def latest_versions(session: Session, context: Context, request: r.LatestVersions) -> dict[str, Any]:
    """The latest version of each stage of a registered model."""
    actor, workspace = context
    models.find_model(session, actor, workspace, request.name or "")
    stages = {stage_of(word) for word in request.stages} if request.stages else None
    found = models.latest_versions(session, actor, workspace, request.name or "", stages)
    return filled(model_versions=[version_wire(version) for version in found])


def set_tag(session: Session, context: Context, request: r.ModelTag) -> dict[str, Any]:
    """Set a tag of a registered model."""
    key, value = checked_tag(request.key, request.value)
    models.set_model_tag(session, context.actor, context.workspace, request.name or "", key, value)
    return {}


def delete_tag(session: Session, context: Context, request: r.ModelTag) -> dict[str, Any]:
    """Remove a tag of a registered model."""
    check_key(request.key or "", "key", "key")
    models.delete_model_tag(session, context.actor, context.workspace, request.name or "", request.key or "")
    return {}


def set_alias(session: Session, context: Context, request: r.SetAlias) -> dict[str, Any]:
    """Let an alias mean a version."""
    alias = _check_alias(request.alias or "")
    number = whole_number(request.version or "", "version")
    models.set_alias(session, context.actor, context.workspace, request.name or "", alias, number)
    return {}


def delete_alias(session: Session, context: Context, request: r.ModelAlias) -> dict[str, Any]:
    """Remove an alias."""
    _check_alias_form(request.alias or "")
    models.delete_alias(session, context.actor, context.workspace, request.name or "", request.alias or "")
    return {}


def get_alias(session: Session, context: Context, request: r.ModelAlias) -> dict[str, Any]:
    """The version that an alias means; `latest` is the greatest."""
    name, alias = request.name or "", request.alias or ""
    _check_alias_form(alias)
    if alias.lower() == LATEST:
        latest = models.latest_version(session, context.actor, context.workspace, name)
        if latest is None:
            raise DoesNotExist(f"Latest version not found for model {name}.", field="alias")
        return {"model_version": version_wire(latest)}
    with known_alias():
        found = models.find_by_alias(session, context.actor, context.workspace, name, alias)
    return {"model_version": version_wire(found)}


# What the routes share


@contextmanager
def known_alias() -> Iterator[None]:
    """An alias that means nothing is a wrong parameter there, not something that is missing."""
    try:
        yield
    except AliasNotFound as error:
        raise InvalidParameter(error.message, field="alias") from None


def check_name(name: str | None, field: str) -> str:
    """A name that a registered model may have."""
    given = name or ""
    if not given.strip():
        raise InvalidParameter(f"Missing value for required parameter '{field}'.", field=field)
    if "/" in given or ":" in given:
        raise InvalidParameter(f"Invalid model name '{given}'. Names cannot contain '/' or ':'.", field=field)
    check_path_form(given, "name")
    check_length(given, field, MAX_NAME)
    return given


def checked_tags(given: list[Pair] | None) -> dict[str, str]:
    """Tags of a registered model or version; of a key that stands twice the last one counts."""
    return dict(checked_tag(key, value) for key, value in mapping(given).items())


def checked_tag(key: str | None, value: str | None) -> tuple[str, str]:
    """A tag of a registered model or version."""
    name, text = key or "", value or ""
    check_key(name, "key", "key")
    check_length(text, "value", MAX_TAG)
    return name, text


def stage_of(word: str) -> Stage:
    """A stage by its word, in any case."""
    for stage in Stage:
        if stage.value.lower() == word.lower():
            return stage
    raise InvalidParameter(f"Invalid Model Version stage: {word}. Value must be one of {STAGES}.", field="stage")


def _check_alias_form(alias: str) -> None:
    if ALIAS.fullmatch(alias) is None:
        rule = "Names may only contain alphanumerics, underscores (_), and dashes (-)."
        raise InvalidParameter(f"Invalid alias name: '{alias}'. {rule}", field="alias")


def _check_alias(alias: str) -> str:
    _check_alias_form(alias)
    check_length(alias, "Registered model alias name", MAX_ALIAS)
    if alias.lower() == LATEST:
        raise InvalidParameter("'latest' alias name (case insensitive) is reserved.", field="alias")
    if VERSION_ALIAS.fullmatch(alias) is not None:
        raise InvalidParameter(f"Version alias name '{alias}' is reserved.", field="alias")
    return alias


@contextmanager
def name_clash(session: Session, context: Context, name: str, tags: Mapping[str, str]) -> Iterator[None]:
    """Tells that a name is taken, and by what: models and prompts share their names."""
    try:
        yield
    except ModelExists as error:
        taken = models.find_model(session, context.actor, context.workspace, name)
        wanted, there = models.is_prompt(tags), models.is_prompt(taken.tags)
        words = error.message
        if wanted and there:
            words = f"Prompt (name={name}) already exists."
        elif wanted != there:
            kinds = ("prompt", "registered model") if wanted else ("registered model", "prompt")
            words = (
                f"Tried to create a {kinds[0]} with name '{name}', but the name is already taken by a {kinds[1]}. MLflow does not "
                "allow creating a model and a prompt with the same name."
            )
        raise AlreadyExists(words, field="name") from None


def wire(model: RegisteredModel) -> dict[str, Any]:
    """A registered model as clients read it."""
    return filled(
        name=model.name,
        creation_timestamp=model.created_at,
        last_updated_timestamp=model.updated_at,
        description=model.description,
        latest_versions=[version_wire(version) for version in model.latest],
        tags=pairs(model.tags),
        aliases=[{"alias": alias, "version": str(number)} for alias, number in model.aliases.items()],
    )


def version_wire(version: ModelVersion) -> dict[str, Any]:
    """A version as clients read it."""
    return filled(
        name=version.name,
        version=str(version.number),
        creation_timestamp=version.created_at,
        last_updated_timestamp=version.updated_at,
        current_stage=version.stage.value,
        description=version.description,
        source=version.source,
        run_id=version.run_id,
        status="READY",
        tags=pairs(version.tags),
        run_link=version.run_link,
        aliases=version.aliases,
    )
