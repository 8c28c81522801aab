"""Registered models: their names, tags and aliases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_mlws.domain.models.errors import ModelExists
from jupyter_mlws.domain.models.service.rows import (
    Opened,
    missing_model,
    open_model,
    open_version,
    open_workspace,
    tell_models,
)
from jupyter_mlws.domain.models.store import registry as store
from jupyter_mlws.domain.models.tables import RegisteredModelRow
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.clock import now_ms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.models.schemas import RegisteredModel
    from jupyter_mlws.kit.actors import Actor


def create_model(
    session: Session, actor: Actor, workspace: str, name: str, *, description: str | None, tags: Mapping[str, str]
) -> RegisteredModel:
    """Register a name. Raises `ModelExists`."""
    ref = open_workspace(session, actor, Action.CREATE, workspace, missing_model(name))
    workspaces.check_open(session, ref.name)
    _check_free(session, ref.id, name)
    at = now_ms()
    row = RegisteredModelRow(workspace_id=ref.id, name=name, description=description, created_at=at, updated_at=at)
    store.add(session, row)
    store.set_tags(session, row.id, tags)
    Opened(row, ref).note(session)
    return tell_models(session, [row])[0]


def find_model(session: Session, actor: Actor, workspace: str, name: str) -> RegisteredModel:
    """A registered model."""
    return tell_models(session, [open_model(session, actor, Action.READ, workspace, name).row])[0]


def is_prompt(tags: Mapping[str, str]) -> bool:
    """Whether tags say that a model is a text for language models."""
    return tags.get(store.PROMPT, "").lower() == "true"


def rename_model(session: Session, actor: Actor, workspace: str, name: str, new_name: str) -> RegisteredModel:
    """Give a registered model another name; its versions, tags and aliases go with it. Raises `ModelExists`."""
    opened = open_model(session, actor, Action.EDIT, workspace, name)
    if new_name != name:
        _check_free(session, opened.workspace.id, new_name)
    opened.row.name, opened.row.updated_at = new_name, now_ms()
    opened.note(session)
    store.touch_versions(session, opened.row.id, opened.row.updated_at)
    return tell_models(session, [opened.row])[0]


def describe_model(session: Session, actor: Actor, workspace: str, name: str, description: str | None) -> RegisteredModel:
    """Set the description of a registered model; None removes it."""
    opened = open_model(session, actor, Action.CREATE, workspace, name)
    opened.row.description, opened.row.updated_at = description, now_ms()
    opened.note(session)
    return tell_models(session, [opened.row])[0]


def delete_model(session: Session, actor: Actor, workspace: str, name: str) -> None:
    """Remove a registered model with all its versions for good."""
    opened = open_model(session, actor, Action.EDIT, workspace, name)
    opened.note(session)
    store.remove(session, opened.row)


def set_model_tag(session: Session, actor: Actor, workspace: str, name: str, key: str, value: str) -> None:
    """Set a tag of a registered model."""
    opened = open_model(session, actor, Action.CREATE, workspace, name)
    store.set_tags(session, opened.row.id, {key: value})
    opened.note(session)


def delete_model_tag(session: Session, actor: Actor, workspace: str, name: str, key: str) -> None:
    """Remove a tag of a registered model, if it is there."""
    opened = open_model(session, actor, Action.CREATE, workspace, name)
    store.delete_tag(session, opened.row.id, key)
    opened.note(session)


def set_alias(session: Session, actor: Actor, workspace: str, name: str, alias: str, number: int) -> None:
    """Let an alias mean a version from now on."""
    version, opened = open_version(session, actor, Action.CREATE, workspace, name, number)
    store.set_alias(session, opened.row.id, alias, version.number)
    opened.note(session)


def delete_alias(session: Session, actor: Actor, workspace: str, name: str, alias: str) -> None:
    """Remove an alias, if it is there."""
    opened = open_model(session, actor, Action.CREATE, workspace, name)
    store.delete_alias(session, opened.row.id, alias)
    opened.note(session)


def _check_free(session: Session, workspace_id: int, name: str) -> None:
    if store.model(session, workspace_id, name) is not None:
        raise ModelExists(f"Registered Model (name={name}) already exists.", field="name")
