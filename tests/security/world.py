"""Things to attack: two workspaces with runs, files, a job that runs, and a token of each kind."""

from __future__ import annotations

import itertools
import json
import os
import sqlite3
import time
import uuid
from pathlib import Path
from typing import Any

from tests.live import LiveServer
from tests.security.api import Api

MISSING_RUN = "0" * 32
WAIT_S = 30.0
USER_LIMITS = {f"{name}_per_user": None for name in ("max_jobs", "cpus", "memory_bytes", "gpus")}
IMAGE = {"output_type": "display_data", "metadata": {}, "data": {"image/png": "iVBORw0KGgo="}}
CELL: dict[str, Any] = {"cell_type": "code", "source": "", "metadata": {}, "execution_count": None, "outputs": [IMAGE]}
NOTEBOOK = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [CELL]}


class Space:
    """One workspace and what is in it."""

    def __init__(self, server: LiveServer, name: str) -> None:
        person = Api(server, server.token)
        self.name = name
        self.model = f"m-{uuid.uuid4().hex}"
        """The id that a logged model may be imported under."""
        person.ok("POST", "/workspaces", {"name": name})
        self.experiment = str(person.ok("POST", f"/workspaces/{name}/experiments", {"name": "studied"})["id"])
        body = {"experiment": "studied", "name": "first", "params": {"lr": "0.1"}, "tags": {"k": "v"}}
        self.run = str(person.ok("POST", f"/workspaces/{name}/runs", body)["id"])
        metrics = [{"key": "loss", "value": 1.0 / n, "step": n, "time": n} for n in range(1, 30)]
        person.ok("POST", f"/runs/{self.run}/log", {"batch_id": "first-batch", "metrics": metrics})
        for area in ("artifacts", "snapshot"):
            sent = {"query": {"path": "folder/file.txt"}, "content": b"stored\n"}
            person.ok("PUT", f"/runs/{self.run}/{area}/content", **sent)
            drawn = {"query": {"path": "folder/drawn.ipynb"}, "content": json.dumps(NOTEBOOK).encode()}
            person.ok("PUT", f"/runs/{self.run}/{area}/content", **drawn)
        environment = {"name": "local", "definition": {"kind": "kernel", "kernel": "python3"}}
        person.ok("POST", f"/workspaces/{name}/environments", environment)
        self.kernel = person.ok("POST", "/tokens", {"workspace": name})
        self.job = str(
            person.ok("POST", f"/workspaces/{name}/jobs", {"spec": {"kind": "command", "command": "sleep 7200"}})["run"]["id"]
        )
        self.job_token = token_of_job(server, self.job)
        person.close()


def clear_queue(person: Api) -> None:
    """Attacks may have left the queue paused, its limits changed, and jobs in it that nobody can overtake."""
    person.ok(
        "PATCH",
        "/compute/local",
        {"paused": False, "max_jobs": None, "min_instances": None, "cpus": None, "memory_bytes": None, "gpus": None}
        | USER_LIMITS,
    )
    for job in person.ok("GET", "/compute")["targets"][0]["queue"]:
        person.ask("POST", f"/jobs/{job['run_id']}/cancel")


class World:
    """Two workspaces, and the tokens that open nothing any more."""

    def __init__(self, server: LiveServer, prefix: str) -> None:
        self.server = server
        self.person = Api(server, server.token)
        clear_queue(self.person)
        self.a, self.b = Space(server, f"{prefix}-a"), Space(server, f"{prefix}-b")
        made = [self.person.ok("POST", "/tokens", {"workspace": self.a.name}) for _ in range(2)]
        self.person.ok("DELETE", f"/tokens/{made[0]['id']}")
        self.revoked = str(made[0]["secret"])
        expire(server, made[1]["id"])
        self.expired = str(made[1]["secret"])

    def close(self) -> None:
        """End the jobs."""
        for space in (self.a, self.b):
            self.person.ask("POST", f"/jobs/{space.job}/cancel")
        for space in (self.a, self.b):
            self.server.wait(space.job)
        self.person.close()


def token_of_job(server: LiveServer, run_id: str) -> str:
    """The token that a job was given, once it runs."""
    path = server.data_dir / "jobs" / run_id / "job.json"
    deadline = time.monotonic() + WAIT_S
    while server.ok("GET", f"/runs/{run_id}")["status"] != "Running":
        assert time.monotonic() < deadline, server.log()[-2000:]
        time.sleep(0.1)
    return str(json.loads(path.read_text())["env"]["MLWS_TOKEN"])


def expire(server: LiveServer, token_id: str) -> None:
    """Let the life of a token end now, as the clock would."""
    with sqlite3.connect(server.data_dir / "mlws.db", timeout=10) as database:
        changed = database.execute("UPDATE tokens SET expires_at = 1 WHERE id = ?", (token_id,)).rowcount
    database.close()
    assert changed == 1


def files_outside(server: LiveServer) -> set[Path]:
    """All files of the server's folders but those below its data folder and Jupyter's own."""
    ours = ("data", "jupyter", "runtime", "config", "ipython")
    top = [path for path in server.folder.iterdir() if path.name not in ours]
    found = set(top)
    for folder, names, files in itertools.chain.from_iterable(map(os.walk, top)):
        found |= {Path(folder, name) for name in (*names, *files)}
    return found


def example_path(route: str, space: Space, **names: Any) -> str:
    """The path of a route with the ids of `space`."""
    values = {
        "workspace": space.name,
        "experiment_id": space.experiment,
        "run_id": space.job if route.startswith("/jobs/") else space.run,
        "token_id": space.kernel["id"],
        "sha256": "0" * 64,
        "name": "local",
        "model_id": space.model,
        "version": "1",
        **names,
    }
    return route.format(**values)
