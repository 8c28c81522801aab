"""Experiments of other stores, brought here with their times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from jupyter_mlws.db.outbox import record_change
from jupyter_mlws.domain.experiments import store
from jupyter_mlws.domain.experiments.schemas import ExperimentImport, ImportedExperiment
from jupyter_mlws.domain.experiments.service import clean_name
from jupyter_mlws.domain.experiments.tables import ExperimentRow
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.kit.clock import now_ms

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def import_experiment(session: Session, workspace: str, body: ExperimentImport) -> ImportedExperiment:
    """The experiment of this name, made as it was elsewhere if there is none."""
    ref = workspaces.find(session, workspace)
    workspaces.check_open(session, ref.name)
    name = clean_name(body.name, "an experiment")
    if (known := store.by_name(session, ref.id, name)) is not None:
        return ImportedExperiment(id=str(known.id), created=False)
    created = body.created_at if body.created_at is not UNSET else now_ms()
    updated = body.updated_at if body.updated_at is not UNSET else created
    row = ExperimentRow(
        workspace_id=ref.id,
        name=name,
        created_at=created,
        used_at=created,
        updated_at=updated,
        archived_at=updated if body.archived else None,
        description=body.description if body.description is not UNSET else "",
    )
    store.add(session, row)
    if body.tags is not UNSET:
        store.set_tags(session, row.id, body.tags)
    record_change(session, ref.name, "experiment", str(row.id))
    return ImportedExperiment(id=str(row.id), created=True)
