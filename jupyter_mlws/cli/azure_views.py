"""JSON of our objects, with the keys that Azure's CLI prints first and our own after them.

An `id` is the object's address below `/mlws/api/v1`. Keys of Azure's for which there is nothing here are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_mlws.domain.compute.schemas import ComputeTarget
    from jupyter_mlws.domain.environments.schemas import EnvironmentCapture, EnvironmentVersion
    from jupyter_mlws.domain.experiments.schemas import Experiment
    from jupyter_mlws.domain.workspaces.schemas import Workspace
    from jupyter_mlws.sdk.results import Job, Run

SYSTEMS = {"linux": "linux", "darwin": "macos", "macos": "macos", "windows": "windows"}


def iso(ms: int | None) -> str | None:
    """A time as ISO 8601, UTC."""
    if ms is None:
        return None
    from datetime import datetime, timezone  # noqa: PLC0415 - tables do without

    return datetime.fromtimestamp(ms / 1000, timezone.utc).isoformat(timespec="milliseconds")


def plain(struct: Any) -> dict[str, Any]:
    """A wire type as plain JSON types."""
    from msgspec import to_builtins  # noqa: PLC0415 - with the client it is there

    found: dict[str, Any] = to_builtins(struct)
    return found


def created(at: int, by: str) -> dict[str, Any]:
    """Who made something, and when."""
    return {"created_at": iso(at), "created_by": by, "created_by_type": "User"}


def run_json(run: Run) -> dict[str, Any]:
    """A run, or in a list a job."""
    kind = run.kind.value
    return {
        "name": run.id,
        "display_name": run.name,
        "experiment_name": run.experiment_name,
        "status": run.status.value,
        "type": kind,
        "id": f"/runs/{run.id}" if kind == "interactive" else f"/jobs/{run.id}",
        "description": run.note,
        "code": run.snapshot_id,
        "command": run.source if kind == "command" else None,
        "compute": run.target,
        "creation_context": created(run.created_at, run.user),
        "tags": run.tags,
        "properties": {"mlws.source": run.source, "mlws.snapshot": run.snapshot_id},
        "inputs": {one.name: {"type": one.type, "path": one.uri} for one in run.inputs},
        "outputs": {one.name: {"type": one.type, "path": one.uri} for one in run.outputs},
        "parameters": run.params,
        "services": {} if run.url is None else {"Studio": {"endpoint": run.url, "type": "Studio"}},
        "workspace": run.workspace,
        "metrics": {key: summary.last for key, summary in run.metrics.items()},
        "started_at": iso(run.started_at),
        "ended_at": iso(run.ended_at),
        "duration_ms": run.duration_ms,
        "reason": run.reason,
        "error": None if run.error is None else {"message": run.error.message, "cell": run.error.cell, "kind": run.error.kind},
        "progress": None if run.progress is None else {"done": run.progress.done, "total": run.progress.total},
        "waiting": None if run.waiting is None else plain(run.waiting),
        "parent_job_name": run.parent_id,
        "children": run.children,
        "lifecycle": run.lifecycle.value,
        "version": run.version,
    }


def job_json(job: Job) -> dict[str, Any]:
    """A job: its run, and what it was asked to do. Values of environment variables may be secret: only their names are told."""
    spec = plain(job.spec)
    run = run_json(job.run)
    position = list(run).index("compute") + 1
    own = {
        "command": spec.get("command"),
        "environment": f"azureml:{job.environment}" if job.environment else spec.get("kernel"),
        "environment_variables": dict.fromkeys(job.env_names),
        "secrets": job.secrets,
        "limits": {"timeout": job.timeout_s, "memory": spec.get("memory_limit")},
        "resources": {"instance_count": 1, **{key: value for key, value in plain(job.asks).items() if value is not None}},
        "retry_settings": {"max_retries": job.max_retries},
    }
    head, tail = list(run.items())[:position], list(run.items())[position:]
    return {
        **dict(head),
        **own,
        **dict(tail),
        "spec": spec,
        "priority": job.priority,
        "timeout_s": job.timeout_s,
        "attempt": job.attempt,
        "attempts": [{**plain(one), "started_at": iso(one.started_at), "ended_at": iso(one.ended_at)} for one in job.attempts],
        "gpu_ids": job.gpu_ids,
        "usage": plain(job.usage),
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
        "id": f"/experiments/{experiment.id}",
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
        "id": f"/workspaces/{workspace.name}",
        "creation_context": created(workspace.created_at, workspace.created_by),
        "archived": workspace.archived,
        "experiments": workspace.experiments,
        "runs": workspace.runs,
        "version": workspace.version,
    }


def compute_json(target: ComputeTarget) -> dict[str, Any]:
    """A compute target."""
    return {
        "name": target.name,
        "type": target.kind,
        "id": f"/compute/{target.name}",
        "description": target.description,
        "provisioning_state": "Succeeded" if target.state == "ready" else "Failed",
        **{key: value for key, value in plain(target).items() if key not in ("name", "kind", "description")},
    }


def environment_version_json(found: EnvironmentVersion) -> dict[str, Any]:
    """A version of an environment."""
    definition = plain(found.definition)
    return {
        "name": found.name,
        "version": str(found.version),
        "id": f"azureml:{found.name}:{found.version}",
        "description": found.description,
        "tags": found.tags,
        "conda_file": definition.get("conda_file"),
        "creation_context": created(found.created_at, found.created_by),
        "archived": found.archived,
        "definition": definition,
        "build": plain(found.build),
    }


def environment_json(run_id: str, found: EnvironmentCapture) -> dict[str, Any]:
    """What a run ran in. `conda_file` is what conda would make the same from, of Python alone."""
    system = (found.platform or "").partition("-")[0].lower()
    return {
        "name": found.kernel_name or found.language,
        "id": f"/runs/{run_id}/environment",
        "os_type": SYSTEMS.get(system),
        "conda_file": _conda_file(found),
        **plain(found),
    }


def _conda_file(found: EnvironmentCapture) -> dict[str, Any] | None:
    if (found.language or "").lower() != "python" or not found.language_version:
        return None
    packages = [f"{name}=={version}" for name, version in sorted(found.packages.items())]
    return {"dependencies": [f"python={found.language_version}", "pip", {"pip": packages}]}
