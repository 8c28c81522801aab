"""Versions of registered models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_mlws.domain.models.errors import AliasNotFound
from jupyter_mlws.domain.models.service.logged import note_registration
from jupyter_mlws.domain.models.service.rows import (
    missing_model,
    open_model,
    open_version,
    tell_version,
    tell_versions,
)
from jupyter_mlws.domain.models.states import Stage
from jupyter_mlws.domain.models.store import registry as store
from jupyter_mlws.domain.models.tables import ModelVersionRow
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.clock import now_ms

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.models.schemas import ModelVersion, NewVersion
    from jupyter_mlws.kit.actors import Actor


def create_version(session: Session, actor: Actor, workspace: str, name: str, new: NewVersion) -> ModelVersion:
    """Add a version. The logged model that it is made of is told about it in a tag."""
    opened = open_model(session, actor, Action.CREATE, workspace, name)
    workspaces.check_open(session, opened.workspace.name)
    owner = store.model_id(session, opened.workspace.id, name)
    if owner is None:
        raise missing_model(name)
    at = now_ms()
    row = ModelVersionRow(
        model_id=owner,
        number=store.next_number(session, owner),
        workspace_id=opened.workspace.id,
        description=new.description,
        source=new.source,
        location=new.location,
        run_id=new.run_id,
        run_link=new.run_link,
        logged_model_id=new.logged_model_id,
        stage=Stage.NONE,
        created_at=at,
        updated_at=at,
    )
    store.add(session, row)
    store.set_version_tags(session, owner, row.number, new.tags)
    if new.logged_model_id is not None:
        note_registration(session, actor, new.logged_model_id, name, row.number)
    opened.row.updated_at = at
    opened.note(session)
    return tell_version(session, row)


def find_version(session: Session, actor: Actor, workspace: str, name: str, number: int) -> ModelVersion:
    """A version."""
    return tell_version(session, open_version(session, actor, Action.READ, workspace, name, number)[0])


def latest_version(session: Session, actor: Actor, workspace: str, name: str) -> ModelVersion | None:
    """The version with the greatest number, if there is any."""
    opened = open_model(session, actor, Action.READ, workspace, name)
    row = store.newest(session, opened.row.id)
    return None if row is None else tell_version(session, row)


def latest_versions(
    session: Session, actor: Actor, workspace: str, name: str, stages: Collection[Stage] | None
) -> list[ModelVersion]:
    """The version with the greatest number of each of the stages, or of all."""
    opened = open_model(session, actor, Action.READ, workspace, name)
    return tell_versions(session, store.latest_of_stages(session, [opened.row.id], stages), aliased=True)


def find_by_alias(session: Session, actor: Actor, workspace: str, name: str, alias: str) -> ModelVersion:
    """The version that an alias means. Raises `AliasNotFound`."""
    opened = open_model(session, actor, Action.READ, workspace, name)
    number = store.number_of_alias(session, opened.row.id, alias)
    row = None if number is None else store.version(session, opened.row.id, number)
    if row is None:
        raise AliasNotFound(f"Registered model alias {alias} not found.", field="alias")
    return tell_version(session, row)


def describe_version(
    session: Session, actor: Actor, workspace: str, name: str, number: int, description: str | None
) -> ModelVersion:
    """Set the description of a version; None removes it."""
    row, opened = open_version(session, actor, Action.CREATE, workspace, name, number)
    row.description, row.updated_at = description, now_ms()
    opened.note(session)
    return tell_version(session, row)


def move_version(
    session: Session, actor: Actor, workspace: str, name: str, number: int, stage: Stage, *, archive_others: bool
) -> ModelVersion:
    """Move a version into a stage; others of this stage go into the archive if asked."""
    row, opened = open_version(session, actor, Action.CREATE, workspace, name, number)
    at = now_ms()
    row.stage, row.updated_at, opened.row.updated_at = stage, at, at
    opened.note(session)
    if archive_others:
        store.archive_others(session, row.model_id, row.number, stage, Stage.ARCHIVED, at)
    return tell_version(session, row)


def delete_version(session: Session, actor: Actor, workspace: str, name: str, number: int) -> None:
    """Delete a version; its aliases go, its number is never given again."""
    row, opened = open_version(session, actor, Action.EDIT, workspace, name, number)
    at = now_ms()
    store.empty_version(session, row, at)
    opened.row.updated_at = at
    opened.note(session)


def set_version_tag(session: Session, actor: Actor, workspace: str, name: str, number: int, key: str, value: str) -> None:
    """Set a tag of a version."""
    row, opened = open_version(session, actor, Action.CREATE, workspace, name, number)
    store.set_version_tags(session, row.model_id, row.number, {key: value})
    opened.note(session)


def delete_version_tag(session: Session, actor: Actor, workspace: str, name: str, number: int, key: str) -> None:
    """Remove a tag of a version, if it is there."""
    row, opened = open_version(session, actor, Action.CREATE, workspace, name, number)
    store.delete_version_tag(session, row.model_id, row.number, key)
    opened.note(session)
