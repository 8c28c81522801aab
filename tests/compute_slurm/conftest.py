"""A Slurm, and a server that has it as the target `batch`, for all tests of this folder: each leaves both as they were."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.live import LiveServer
from tests.slurm import PLACES, Slurm, command, slurm_or_skip


@pytest.fixture(scope="session")
def cluster() -> Iterator[Slurm]:
    slurm_or_skip()
    made = Slurm()
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, cluster: Slurm) -> Iterator[LiveServer]:
    (cluster.folder / "programs").mkdir()  # tests put programs there that come before Slurm's
    environment = {**cluster.env, "PATH": f"{cluster.folder / 'programs'}{os.pathsep}{PLACES}"}
    live = LiveServer(
        tmp_path_factory.mktemp("server"), options=["--MlwsApp.retry_backoff_s=0.1"], environment=environment
    ).start()
    live.ok("POST", "/compute", {"name": "batch", "slurm": {"partition": "main"}})
    yield live
    live.stop()


@pytest.fixture(scope="session", autouse=True)
def overdue(server: LiveServer, cluster: Slurm) -> str:
    """A job whose time is over in Slurm's eyes, which looks for that every half minute: begun before all other tests."""
    run_id = server.submit(command("sleep 600"), target="batch", resources={"cpus": 1})
    server.wait(run_id, "Running")
    [(number, _)] = cluster.of_run(run_id)
    cluster.run("scontrol", "update", f"JobId={number}", "TimeLimit=00:00:01")
    return run_id
