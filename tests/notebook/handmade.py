"""Runs and jobs of no server, for the tests of how they look."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from jupyter_mlws.sdk import Workspace
from jupyter_mlws.sdk.results import Job, Run, bound


def run_with(text: str, **fields: Any) -> Run:
    """A run in which a person wrote `text` wherever a person can."""
    metric = {"key": text, "last": 0.5, "min": "NaN", "max": "Infinity", "step": 1, "time": 1, "count": 2}
    plain = {
        "id": "a" * 32, "workspace": "default", "experiment_id": "1", "experiment_name": text, "name": text, "kind": "notebook",
        "status": "Failed", "reason": "error", "error": {"message": text, "cell": 1}, "lifecycle": "active", "parent_id": None,
        "user": text, "created_at": 1, "started_at": 1, "ended_at": 2, "duration_ms": 1, "source": text, "target": "local",
        "progress": {"done": 1, "total": 3, "label": text, "current": 1},
        "waiting": {"code": "slot", "reason": text, "position": 1, "until": None},
        "params": {text: text}, "metrics": {text: metric}, "tags": {text: text}, "note": text, "inputs": [], "outputs": [],
        "children": 0, "snapshot_id": None, "version": 1, **fields,
    }  # fmt: skip
    workspace = Workspace(url="http://127.0.0.1:1/<b>")
    return bound(msgspec.convert(plain, Run), workspace)


def job_with(run: Run) -> Job:
    """A job of a run."""
    plain = {"spec": {"kind": "command", "command": "x"}, "priority": 0, "timeout_s": None, "env_names": []}
    body = {
        "run": run.to_dict(),
        **plain,
        "secrets": {},
        "in_place": False,
        "attempt": 1,
        "max_retries": 0,
        "attempts": [],
        "asks": {"cpus": None, "memory_bytes": None, "gpus": 0},
        "gpu_ids": [],
        "usage": None,
        "environment": None,
        "not_captured": [],
        "new_files": [],
        "notebook_artifact": None,
    }
    return bound(msgspec.json.decode(json.dumps(body), type=Job), run._workspace())
