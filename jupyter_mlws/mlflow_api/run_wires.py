"""Runs as MLflow's clients read them. Names, notes and parents are ours, and MLflow's tags for them a view of these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_mlws.domain.models import service as models
from jupyter_mlws.mlflow_api.convert import STATUS, artifact_uri, filled, lifecycle, number, pairs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.runs.service import RunHead, RunRecord

NAME, NOTE, PARENT = "mlflow.runName", "mlflow.note.content", "mlflow.parentRunId"
SOURCE, USER = "mlflow.source.name", "mlflow.user"


def info(run: RunHead) -> dict[str, Any]:
    """What a run is."""
    return filled(
        run_uuid=run.id,
        experiment_id=str(run.experiment_id),
        run_name=run.name,
        user_id=run.user,
        status=STATUS[run.status],
        start_time=run.started_at,
        end_time=run.ended_at or None,
        artifact_uri=artifact_uri(run.experiment_id, run.artifact_location, run.id),
        lifecycle_stage=lifecycle(deleted=run.deleted),
        run_id=run.id,
    )


def wire(run: RunRecord) -> dict[str, Any]:
    """A run as clients read it, with no more of its inputs than its datasets."""
    tags = {**run.tags, NAME: run.name}
    if run.note:
        tags[NOTE] = run.note
    if run.parent_id is not None:
        tags.setdefault(PARENT, run.parent_id)
    if run.source:
        tags.setdefault(SOURCE, run.source)
    tags.setdefault(USER, run.user)
    metrics = [{"key": m.key, "value": number(m.value), "timestamp": m.time, "step": m.step} for m in run.metrics]
    inputs = [
        {
            "tags": pairs(found.tags),
            "dataset": filled(
                name=found.dataset.name,
                digest=found.dataset.digest,
                source_type=found.dataset.source_type,
                source=found.dataset.source,
                schema=found.dataset.schema,
                profile=found.dataset.profile,
            ),
        }
        for found in run.datasets
    ]
    return {
        "info": info(run),
        "data": filled(metrics=metrics, params=pairs(run.params), tags=pairs(tags)),
        "inputs": filled(dataset_inputs=inputs),
    }


def with_io(session: Session, found: Sequence[RunRecord], *, inputs: bool = True) -> list[dict[str, Any]]:
    """Runs with the logged models that they read and made; searches leave out those they read."""
    io = models.io_of_runs(session, [run.id for run in found])
    wires = []
    for run in found:
        shown_run, known = wire(run), io.get(run.id)
        if known is not None and inputs and known.inputs:
            shown_run["inputs"]["model_inputs"] = [{"model_id": model_id} for model_id in known.inputs]
        outputs = known.outputs if known is not None else []
        shown_run["outputs"] = filled(model_outputs=[{"model_id": model_id, "step": step} for model_id, step in outputs])
        wires.append(shown_run)
    return wires
