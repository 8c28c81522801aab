"""Models of other stores, brought here with their ids, numbers and times. How an import goes on: `runs/service/importing.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from msgspec import UNSET

from jupyter_mlws.domain.experiments import service as experiments
from jupyter_mlws.domain.experiments.errors import ExperimentNotFound
from jupyter_mlws.domain.models.errors import BadSource, ModelTaken
from jupyter_mlws.domain.models.schemas import ImportedLoggedModel, ImportedModel
from jupyter_mlws.domain.models.service.logged import ID, missing, note
from jupyter_mlws.domain.models.service.rows import Opened, missing_model, open_workspace
from jupyter_mlws.domain.models.states import LoggedModelStatus, Stage
from jupyter_mlws.domain.models.store import logged, registry
from jupyter_mlws.domain.models.tables import LoggedModelRow, ModelVersionRow, RegisteredModelRow
from jupyter_mlws.domain.runs.schemas import ImportQuestion, ImportStates
from jupyter_mlws.domain.runs.states import IMPORTED_FROM, IMPORTING, ImportState
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.clock import now_ms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.models.schemas import (
        ImportedPoint,
        LoggedModelImport,
        LoggedModelImportEnd,
        LoggedModelPoints,
        ModelImport,
        VersionImport,
    )
    from jupyter_mlws.kit.actors import Actor

NOT_COPIED = "not-copied"
"""Scheme of the source of a version whose files lie on a disk that the import did not see."""
PLACEHOLDERS = frozenset({"dummy-source", "prompt-template"})
"""What clients call the source of a prompt, which has no files."""


def logged_states(session: Session, actor: Actor, workspace: str, body: ImportQuestion) -> ImportStates:
    """What is here of logged models. One of another workspace is not here."""
    space = open_workspace(session, actor, Action.READ, workspace, missing_model(""))
    here = logged.known(session, space.id, [model_id for model_id in body.ids if ID.fullmatch(model_id)])
    tags = logged.tags_of(session, here)
    return ImportStates(
        states={
            model_id: _state(tags.get(model_id, {}), body.imported_from) if model_id in here else ImportState.MISSING
            for model_id in body.ids
        }
    )


def _state(tags: Mapping[str, str], imported_from: str) -> ImportState:
    if tags.get(IMPORTED_FROM) != imported_from:
        return ImportState.TAKEN
    return ImportState.BEGUN if IMPORTING in tags else ImportState.COMPLETE


def begin_logged_import(
    session: Session, actor: Actor, workspace: str, model_id: str, body: LoggedModelImport, location: str
) -> ImportedLoggedModel:
    """Make the logged model of another store, unless it is here. `location`: where its files will lie."""
    space = open_workspace(session, actor, Action.EDIT, workspace, missing_model(""))
    if (row := logged.by_id(session, model_id)) is not None:
        tags = logged.tags_of(session, [model_id]).get(model_id, {})
        state = _state(tags, body.imported_from) if row.workspace_id == space.id else ImportState.TAKEN
        if state is ImportState.TAKEN:
            raise ModelTaken(f"The id {model_id} is that of a logged model that does not come from there.", field="model_id")
        return ImportedLoggedModel(id=model_id, state=state)
    workspaces.check_open(session, space.name)
    experiment = experiments.find(session, body.experiment_id)
    if experiment.workspace.id != space.id:
        raise ExperimentNotFound(f"There is no experiment with id {body.experiment_id[:80]!r}.", field="experiment_id")
    row = LoggedModelRow(
        id=model_id,
        workspace_id=space.id,
        experiment_id=experiment.id,
        name=body.name,
        model_type=body.model_type,
        source_run_id=body.source_run_id,
        status=LoggedModelStatus.PENDING,
        location=location,
        created_at=body.created_at,
        updated_at=body.created_at,
    )
    logged.add(session, row)
    logged.add_params(session, row.id, body.params if body.params is not UNSET else {})
    marks = {IMPORTED_FROM: body.imported_from, IMPORTING: "true"}
    logged.set_tags(session, row.id, {**(body.tags if body.tags is not UNSET else {}), **marks})
    note(session, row, space.name)
    return ImportedLoggedModel(id=model_id, state=ImportState.MISSING)


def _importing(
    session: Session, actor: Actor, workspace: str, model_id: str, imported_from: str
) -> tuple[LoggedModelRow, ImportState]:
    """A logged model that comes from there."""
    space = open_workspace(session, actor, Action.EDIT, workspace, missing_model(""))
    row = logged.by_id(session, model_id) if ID.fullmatch(model_id) else None
    if row is None or row.workspace_id != space.id:
        raise missing(model_id)
    state = _state(logged.tags_of(session, [model_id]).get(model_id, {}), imported_from)
    if state is ImportState.TAKEN:
        raise ModelTaken(f"The logged model {model_id} is not being imported from there.", field="model_id")
    return row, state


def import_points(session: Session, actor: Actor, workspace: str, model_id: str, body: LoggedModelPoints) -> ImportedLoggedModel:
    """Keep points of metrics of a logged model; the same again change nothing."""
    _, state = _importing(session, actor, workspace, model_id, body.imported_from)
    if state is ImportState.BEGUN:
        rows = {(p.key, p.time, p.step, p.run_id): _point(model_id, p) for p in body.points}
        logged.add_points(session, list(rows.values()))
    return ImportedLoggedModel(id=model_id, state=state)


def _point(model_id: str, point: ImportedPoint) -> dict[str, Any]:
    value = float(point.value)
    return {
        "model_id": model_id,
        "key": point.key,
        "time": point.time,
        "step": point.step,
        "run_id": point.run_id,
        "value": value if value == value else None,
        "dataset_name": point.dataset_name,
        "dataset_digest": point.dataset_digest,
    }


def finish_logged_import(
    session: Session, actor: Actor, workspace: str, model_id: str, body: LoggedModelImportEnd
) -> ImportedLoggedModel:
    """All of a logged model is here. Harmless for one that is whole already."""
    row, state = _importing(session, actor, workspace, model_id, body.imported_from)
    if state is ImportState.BEGUN:
        row.status, row.updated_at = LoggedModelStatus(body.status), body.updated_at
        row.deleted_at = now_ms() if body.deleted else None
        logged.delete_tag(session, model_id, IMPORTING)
        note(session, row, workspaces.workspace_names(session, [row.workspace_id])[row.workspace_id])
    return ImportedLoggedModel(id=model_id, state=ImportState.COMPLETE)


def import_model(session: Session, actor: Actor, workspace: str, body: ModelImport) -> ImportedModel:
    """A registered model, made if there is none of its name; versions and aliases that it lacks are added.

    Raises `ModelTaken` where the name is that of another model, `BadSource` for a version whose files lie nowhere.
    """
    space = open_workspace(session, actor, Action.EDIT, workspace, missing_model(body.name))
    versions = body.versions if body.versions is not UNSET else []
    for version in versions:
        _check_source(version.source, "source")
        _check_source(version.location, "location")
    row = registry.model(session, space.id, body.name)
    if row is not None and registry.tags_of(session, [row.id]).get(row.id, {}).get(IMPORTED_FROM) != body.imported_from:
        raise ModelTaken(f"There is a registered model {body.name!r} that does not come from there.", field="name")
    there = registry.numbers_of(session, row.id) if row is not None else set()
    lacking = list({v.number: v for v in versions if v.number not in there}.values())
    aliases = _lacking_aliases(session, row, body, there | {v.number for v in lacking})
    made = ImportedModel(name=body.name, created=row is None, versions=len(lacking), aliases=len(aliases))
    if body.dry_run or (row is not None and not lacking and not aliases):
        return made
    workspaces.check_open(session, space.name)
    row = row if row is not None else _new_model(session, space.id, body)
    for version in lacking:
        _add_version(session, row, version)
    for alias, number in aliases.items():
        registry.set_alias(session, row.id, alias, number)
    Opened(row, space).note(session)
    return made


def _lacking_aliases(session: Session, row: RegisteredModelRow | None, body: ModelImport, numbers: set[int]) -> dict[str, int]:
    known = registry.aliases_of(session, [row.id]).get(row.id, {}) if row is not None else {}
    wanted = body.aliases if body.aliases is not UNSET else {}
    return {alias: number for alias, number in wanted.items() if alias not in known and number in numbers}


def _new_model(session: Session, workspace_id: int, body: ModelImport) -> RegisteredModelRow:
    row = RegisteredModelRow(
        workspace_id=workspace_id,
        name=body.name,
        description=body.description if body.description is not UNSET else None,
        created_at=body.created_at,
        updated_at=body.updated_at,
    )
    registry.add(session, row)
    tags = body.tags if body.tags is not UNSET else {}
    registry.set_tags(session, row.id, {**tags, IMPORTED_FROM: body.imported_from})
    return row


def _add_version(session: Session, owner: RegisteredModelRow, version: VersionImport) -> None:
    row = ModelVersionRow(
        model_id=owner.id,
        number=version.number,
        workspace_id=owner.workspace_id,
        description=version.description or None,
        source=version.source,
        location=version.location,
        run_id=version.run_id,
        run_link=version.run_link,
        logged_model_id=version.logged_model_id,
        stage=Stage(version.stage),
        created_at=version.created_at,
        updated_at=version.updated_at,
    )
    registry.add(session, row)
    registry.set_version_tags(session, owner.id, row.number, version.tags if version.tags is not UNSET else {})


def _check_source(source: str, field: str) -> None:
    """No path of a disk: whoever loads the version would read that of another machine, or of this one."""
    try:
        uri = urlsplit(source)
    except ValueError:
        raise BadSource(f"{source[:200]!r} is no address of files.", field=field) from None
    ours = uri.scheme in ("runs", "models", "mlflow-artifacts")
    if source in PLACEHOLDERS or uri.scheme == NOT_COPIED or (ours and not uri.netloc and ".." not in uri.path.split("/")):
        return
    if len(uri.scheme) < 2 or uri.scheme == "file" or ours or not uri.netloc:
        raise BadSource(
            f"The files of a version cannot lie at {source[:200]!r}; name their place in this workspace.", field=field
        )
