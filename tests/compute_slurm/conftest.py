"""A Slurm, and a server that has it as the target `batch`, for all tests of this folder: each leaves both as they were."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.live import LiveServer
from tests.slurm import PLACES, Slurm, overdue_job, running_slurm


@pytest.fixture(scope="session")
def cluster() -> Iterator[Slurm]:
    yield from running_slurm()


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
    """Begun before all other tests."""
    return overdue_job(server, cluster)
