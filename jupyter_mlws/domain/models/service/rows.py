"""Opening registered models: finding the row, and whether the caller may do what it asks to it; what is told of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from jupyter_mlws.db.outbox import record_change
from jupyter_mlws.domain.access.service import require
from jupyter_mlws.domain.models.errors import ModelNotFound, VersionNotFound
from jupyter_mlws.domain.models.schemas import ModelVersion, RegisteredModel
from jupyter_mlws.domain.models.store import registry as store
from jupyter_mlws.domain.workspaces import service as workspaces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.models.tables import ModelVersionRow, RegisteredModelRow
    from jupyter_mlws.domain.workspaces.service import WorkspaceRef
    from jupyter_mlws.kit.actors import Action, Actor


class Opened(NamedTuple):
    """A registered model that the caller may do something to."""

    row: RegisteredModelRow
    workspace: WorkspaceRef

    def note(self, session: Session) -> None:
        """Tell listeners that the model changed. By its key: names may be longer than such hints are, and change."""
        session.flush()
        record_change(session, self.workspace.name, "model", str(self.row.id))


def missing_model(name: str) -> ModelNotFound:
    """What is answered for a model that is not there, or that the caller may not see."""
    return ModelNotFound(f"Registered Model with name={name} not found", field="name")


def missing_version(name: str, number: int) -> VersionNotFound:
    """What is answered for a version that is not there."""
    return VersionNotFound(f"Model Version (name={name}, version={number}) not found", field="version")


def open_workspace(
    session: Session, actor: Actor, action: Action, workspace: str, missing: ModelNotFound | VersionNotFound
) -> WorkspaceRef:
    """The workspace, if `actor` may do this there."""
    ref = workspaces.find(session, workspace)
    require(actor, action, ref.name, missing, workspace_id=ref.id)
    return ref


def open_model(session: Session, actor: Actor, action: Action, workspace: str, name: str) -> Opened:
    """A registered model by its name."""
    ref = open_workspace(session, actor, action, workspace, missing_model(name))
    row = store.model(session, ref.id, name)
    if row is None:
        raise missing_model(name)
    return Opened(row, ref)


def open_version(
    session: Session, actor: Actor, action: Action, workspace: str, name: str, number: int
) -> tuple[ModelVersionRow, Opened]:
    """A version by its model's name and its number."""
    ref = open_workspace(session, actor, action, workspace, missing_version(name, number))
    model = store.model(session, ref.id, name)
    row = store.version(session, model.id, number) if model is not None and 0 < number < 2**31 else None
    if model is None or row is None:
        raise missing_version(name, number)
    return row, Opened(model, ref)


def tell_models(session: Session, rows: Sequence[RegisteredModelRow]) -> list[RegisteredModel]:
    """Registered models with their latest versions."""
    ids = [row.id for row in rows]
    tags, aliases = store.tags_of(session, ids), store.aliases_of(session, ids)
    latest: dict[str, list[ModelVersion]] = {}
    for version in tell_versions(session, store.latest_of_stages(session, ids), aliased=False):
        latest.setdefault(version.name, []).append(version)
    return [
        RegisteredModel(
            name=row.name,
            created_at=row.created_at,
            updated_at=row.updated_at,
            description=row.description,
            tags=tags.get(row.id, {}),
            aliases=aliases.get(row.id, {}),
            latest=latest.get(row.name, []),
        )
        for row in rows
    ]


def tell_versions(session: Session, rows: Sequence[ModelVersionRow], *, aliased: bool) -> list[ModelVersion]:
    """Versions of models of one workspace, with their aliases if asked."""
    ids = {row.model_id for row in rows}
    names, tags = store.names_of(session, ids), store.version_tags_of(session, rows)
    aliases: dict[tuple[int, int], list[str]] = {}
    for owner, found in (store.aliases_of(session, ids) if aliased else {}).items():
        for alias, number in found.items():
            aliases.setdefault((owner, number), []).append(alias)
    return [
        ModelVersion(
            name=names[row.model_id],
            number=row.number,
            created_at=row.created_at,
            updated_at=row.updated_at,
            description=row.description,
            source=row.source,
            location=row.location,
            run_id=row.run_id,
            run_link=row.run_link,
            logged_model_id=row.logged_model_id,
            stage=row.stage,
            tags=tags.get((row.model_id, row.number), {}),
            aliases=aliases.get((row.model_id, row.number), []),
        )
        for row in rows
    ]


def tell_version(session: Session, row: ModelVersionRow) -> ModelVersion:
    """One version with its aliases."""
    return tell_versions(session, [row], aliased=True)[0]
