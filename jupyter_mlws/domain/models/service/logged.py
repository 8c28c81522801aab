"""Logged models: making them, their tags, params and status."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from jupyter_mlws.db.outbox import record_change
from jupyter_mlws.domain.access.service import require
from jupyter_mlws.domain.experiments import service as experiments
from jupyter_mlws.domain.experiments.errors import ExperimentNotFound
from jupyter_mlws.domain.models.errors import LoggedModelNotFound, ModelParamExists
from jupyter_mlws.domain.models.schemas import LoggedModel, ModelPoint
from jupyter_mlws.domain.models.states import LoggedModelStatus
from jupyter_mlws.domain.models.store import logged as store
from jupyter_mlws.domain.models.tables import LoggedModelRow
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.errors import RunNotFound
from jupyter_mlws.kit.actors import Action, ActorKind
from jupyter_mlws.kit.clock import now_ms
from jupyter_mlws.kit.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.models.schemas import NewLoggedModel
    from jupyter_mlws.kit.actors import Actor

ID = re.compile(r"m-[0-9a-f]{32}")
REGISTRATIONS = "mlflow.modelVersions"
"""Tag of a logged model: the versions that were made of it, as MLflow's clients read it."""


def missing(model_id: str) -> LoggedModelNotFound:
    """What is answered for a logged model that is not there, or that the caller may not see."""
    return LoggedModelNotFound(f"Logged model with ID '{model_id[:80]}' not found.", field="model_id")


def open_logged(session: Session, actor: Actor, action: Action, model_id: str) -> tuple[LoggedModelRow, str]:
    """A logged model, deleted or not, and its workspace, if `actor` may do this to it."""
    workspace = _allowed(session, actor, action, model_id).workspace
    row = store.by_id(session, model_id)
    if row is None:
        raise missing(model_id)
    return row, workspace


def _allowed(session: Session, actor: Actor, action: Action, model_id: str) -> store.Owner:
    found = store.owner(session, model_id) if ID.fullmatch(model_id) else None
    if found is None:
        raise missing(model_id)
    require(actor, action, found.workspace, missing(model_id), workspace_id=found.workspace_id)
    return found


def open_for_files(session: Session, actor: Actor, model_id: str, action: Action) -> None:
    """Raise unless `actor` may do this to the files of a logged model. A job may not write those of another run's model."""
    found = _allowed(session, actor, action, model_id)
    if action is not Action.READ and actor.kind is ActorKind.JOB and found.source_run_id:
        try:
            runs.open_run(session, actor, action, found.source_run_id)
        except RunNotFound:
            return


def create_logged_model(
    session: Session,
    actor: Actor,
    experiment_id: int,
    new: NewLoggedModel,
    location_of: Callable[[str], str],
) -> LoggedModel:
    """Make a logged model, pending. `location_of` tells where its files lie, from its id."""
    experiment = experiments.find(session, experiment_id)
    missing_experiment = ExperimentNotFound(f"There is no experiment with id '{experiment_id}'.", field="experiment_id")
    require(actor, Action.LOG, experiment.workspace.name, missing_experiment, workspace_id=experiment.workspace.id)
    experiments.check_open(session, experiment.id)
    at, model_id = now_ms(), f"m-{new_id()}"
    row = LoggedModelRow(
        id=model_id,
        workspace_id=experiment.workspace.id,
        experiment_id=experiment.id,
        name=new.name or f"model-{store.number_of_models(session, experiment.id) + 1}",
        model_type=new.model_type,
        source_run_id=new.source_run_id,
        status=LoggedModelStatus.PENDING,
        location=location_of(model_id),
        created_at=at,
        updated_at=at,
    )
    store.add(session, row)
    store.add_params(session, row.id, new.params)
    store.set_tags(session, row.id, new.tags)
    note(session, row, experiment.workspace.name)
    return tell(session, [row], experiment.workspace.name)[0]


def find_logged_model(
    session: Session, actor: Actor, model_id: str, action: Action = Action.READ, *, deleted: bool = False
) -> LoggedModel:
    """A logged model; a deleted one only if asked."""
    row, workspace = open_logged(session, actor, action, model_id)
    if row.deleted_at is not None and not deleted:
        raise missing(model_id)
    return tell(session, [row], workspace)[0]


def set_status(session: Session, actor: Actor, model_id: str, status: LoggedModelStatus) -> LoggedModel:
    """Tell whether the files of a logged model are there."""
    row, workspace = open_logged(session, actor, Action.LOG, model_id)
    row.status, row.updated_at = status, now_ms()
    note(session, row, workspace)
    return tell(session, [row], workspace)[0]


def delete_logged_model(session: Session, actor: Actor, model_id: str) -> None:
    """Hide a logged model; its row and its files stay. Harmless where it is hidden already."""
    row, workspace = open_logged(session, actor, Action.EDIT, model_id)
    row.deleted_at = row.updated_at = now_ms()
    note(session, row, workspace)


def set_logged_tags(session: Session, actor: Actor, model_id: str, tags: Mapping[str, str]) -> None:
    """Set tags of a logged model."""
    row, workspace = open_logged(session, actor, Action.LOG, model_id)
    store.set_tags(session, row.id, tags)
    note(session, row, workspace)


def delete_logged_tag(session: Session, actor: Actor, model_id: str, key: str) -> bool:
    """Remove a tag of a logged model; whether it was there."""
    row, workspace = open_logged(session, actor, Action.LOG, model_id)
    note(session, row, workspace)
    return store.delete_tag(session, row.id, key)


def add_params(session: Session, actor: Actor, model_id: str, params: Mapping[str, str]) -> None:
    """Store params of a logged model. Raises `ModelParamExists` for one that is there, whatever its value."""
    row, workspace = open_logged(session, actor, Action.LOG, model_id)
    there = store.params_of(session, [row.id]).get(row.id, {})
    for key in params:
        if key in there:
            raise ModelParamExists(f"The logged model {model_id} has a param '{key}' already.", field="params")
    store.add_params(session, row.id, params)
    note(session, row, workspace)


def note_registration(session: Session, actor: Actor, model_id: str, name: str, number: int) -> None:
    """Add a version to those that a logged model's tag names."""
    row, workspace = open_logged(session, actor, Action.READ, model_id)
    try:
        told = json.loads(store.tags_of(session, [row.id]).get(row.id, {}).get(REGISTRATIONS, "[]"))
    except (ValueError, RecursionError):
        told = []
    versions = [*(told if isinstance(told, list) else []), {"name": name, "version": number}]
    store.set_tags(session, row.id, {REGISTRATIONS: json.dumps(versions)})
    note(session, row, workspace)


def note(session: Session, row: LoggedModelRow, workspace: str) -> None:
    """Tell listeners that a logged model changed."""
    session.flush()
    record_change(session, workspace, "logged_model", row.id, str(row.experiment_id))


def tell(session: Session, rows: Sequence[LoggedModelRow], workspace: str) -> list[LoggedModel]:
    """Logged models of one workspace with all that was logged of them."""
    ids = [row.id for row in rows]
    params, tags, points = store.params_of(session, ids), store.tags_of(session, ids), store.points_of(session, ids)
    return [
        LoggedModel(
            id=row.id,
            workspace=workspace,
            experiment_id=row.experiment_id,
            name=row.name,
            model_type=row.model_type,
            source_run_id=row.source_run_id,
            status=row.status,
            location=row.location,
            created_at=row.created_at,
            updated_at=row.updated_at,
            deleted=row.deleted_at is not None,
            params=params.get(row.id, {}),
            tags=tags.get(row.id, {}),
            points=[
                ModelPoint(p.key, p.value, p.time, p.step, p.run_id, p.dataset_name, p.dataset_digest)
                for p in points.get(row.id, ())
            ],
        )
        for row in rows
    ]
