"""JSON of our objects, with the keys that Azure's CLI prints first and our own after them."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_mlws.domain.experiments.schemas import Experiment
    from jupyter_mlws.domain.workspaces.schemas import Workspace
    from jupyter_mlws.sdk.results import Job, Run


def iso(ms: int | None) -> str | None:
    """A time as ISO 8601, UTC."""
    return None if ms is None else datetime.fromtimestamp(ms / 1000, timezone.utc).isoformat(timespec="milliseconds")


def run_json(run: Run) -> dict[str, Any]:
    """A run or job."""
    return {
        "name": run.id,
        "display_name": run.name,
        "experiment_name": run.experiment_name,
        "status": run.status.value,
        "creation_context": {"created_at": iso(run.created_at), "created_by": run.user},
        "type": run.kind.value,
        "description": run.note,
        "compute": run.target,
        "properties": {"mlws.source": run.source, "mlws.snapshot": run.snapshot_id},
        "tags": run.tags,
        "inputs": {one.name: {"type": one.type, "path": one.uri} for one in run.inputs},
        "outputs": {one.name: {"type": one.type, "path": one.uri} for one in run.outputs},
        "services": {"Studio": {"endpoint": run.url, "type": "Studio"}},
        "workspace": run.workspace,
        "parameters": run.params,
        "metrics": {key: summary.last for key, summary in run.metrics.items()},
        "started_at": iso(run.started_at),
        "ended_at": iso(run.ended_at),
        "duration_ms": run.duration_ms,
        "reason": run.reason,
        "error": None if run.error is None else {"message": run.error.message, "cell": run.error.cell, "kind": run.error.kind},
        "progress": None if run.progress is None else {"done": run.progress.done, "total": run.progress.total},
        "waiting": None if run.waiting is None else {"reason": run.waiting.reason, "position": run.waiting.position},
        "parent_job_name": run.parent_id,
        "children": run.children,
        "lifecycle": run.lifecycle.value,
        "version": run.version,
    }


def job_json(job: Job) -> dict[str, Any]:
    """A job: its run, and what it was asked to do."""
    return {
        **run_json(job.run),
        "spec": job.to_dict()["spec"],
        "priority": job.priority,
        "timeout_s": job.timeout_s,
        "attempt": job.attempt,
        "not_captured": job.not_captured,
        "new_files": job.new_files,
    }


def experiment_json(experiment: Experiment) -> dict[str, Any]:
    """An experiment."""
    best, goal = experiment.best, experiment.goal
    return {
        "name": experiment.name,
        "description": experiment.description,
        "tags": experiment.tags,
        "creation_context": {"created_at": iso(experiment.created_at)},
        "id": experiment.id,
        "workspace": experiment.workspace,
        "archived": experiment.archived,
        "runs": experiment.runs,
        "by_status": experiment.by_status,
        "goal": None if goal is None else {"metric": goal.metric, "direction": goal.direction},
        "best": None if best is None else {"name": best.run_id, "display_name": best.run_name, "value": best.value},
        "last_run_at": iso(experiment.last_run_at),
        "version": experiment.version,
    }


def workspace_json(workspace: Workspace) -> dict[str, Any]:
    """A workspace."""
    return {
        "name": workspace.name,
        "display_name": workspace.display_name,
        "description": workspace.description,
        "creation_context": {"created_at": iso(workspace.created_at), "created_by": workspace.created_by},
        "archived": workspace.archived,
        "experiments": workspace.experiments,
        "runs": workspace.runs,
        "version": workspace.version,
    }
