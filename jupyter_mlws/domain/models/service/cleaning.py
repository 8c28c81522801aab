"""Models and what is deleted for good: logged models go with their experiment, registered ones with their workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_mlws.db.outbox import record_change
from jupyter_mlws.domain.experiments import service as experiments
from jupyter_mlws.domain.models.errors import LoggedModelInUse
from jupyter_mlws.domain.models.service.logged import open_logged
from jupyter_mlws.domain.models.store import logged, registry
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.storage import service as storage
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.kit.actors import Action

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy.orm import Session

    from jupyter_mlws.kit.actors import Actor


def purge_logged_model(session: Session, actor: Actor, model_id: str) -> int:
    """Remove a deleted logged model with its files for good; the bytes that this frees. Versions made of it stay."""
    row, workspace = open_logged(session, actor, Action.ADMIN, model_id)
    if row.deleted_at is None:
        raise LoggedModelInUse(f"Delete the logged model '{model_id}' first; then it can be removed for good.", field="model_id")
    record_change(session, workspace, "logged_model", row.id, str(row.experiment_id))
    freed = storage.freed_bytes(session, [files_of(model_id)], [])
    _remove(session, [model_id])
    return freed


def files_of(model_id: str) -> str:
    """What storage calls a logged model: the digits of its id."""
    return model_id.removeprefix("m-")


def _remove(session: Session, ids: Sequence[str]) -> None:
    storage.delete_of_runs(session, [files_of(model_id) for model_id in ids])
    logged.remove(session, ids)


@runs.purging.register
def _purge_with_runs(session: Session, ids: Sequence[str]) -> None:
    """Models outlive the runs that made them, and what these measured of them stays."""
    logged.unlink_runs(session, ids)


@runs.sparing.register
def _spare_runs(session: Session, ids: Collection[str], why: dict[str, str]) -> None:
    """A rule of retention leaves the runs that a version of a registered model comes from."""
    why.update(dict.fromkeys(registry.runs_in_use(session, ids), "registered"))


@experiments.deleting.register
def _delete_with_experiment(session: Session, contents: experiments.Contents) -> None:
    ids = [model_id for experiment_id in contents.experiment_ids for model_id in logged.ids_of_experiment(session, experiment_id)]
    owners = [files_of(model_id) for model_id in ids]
    contents.artifacts += storage.number_of_artifacts(session, owners)
    contents.bytes_freed += storage.freed_bytes(session, owners, [])
    if contents.limit is not None and not contents.busy and not contents.more:
        _remove(session, ids)


@workspaces.deleting.register
def _delete_with_workspace(session: Session, contents: workspaces.Contents) -> None:
    if contents.limit is not None and not contents.busy and not contents.more:
        registry.remove_of_workspace(session, contents.workspace_id)
