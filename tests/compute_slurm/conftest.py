"""A Slurm, and a server that has it as the target `batch`, for all tests of this folder: each leaves both as they were."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.live import LiveServer
from tests.slurm import Slurm, overdue_job, running_slurm, server_of


@pytest.fixture(scope="session")
def cluster() -> Iterator[Slurm]:
    yield from running_slurm()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, cluster: Slurm) -> Iterator[LiveServer]:
    yield from server_of(cluster, tmp_path_factory.mktemp("server"))


@pytest.fixture(scope="session", autouse=True)
def overdue(server: LiveServer, cluster: Slurm) -> str:
    """Begun before all other tests."""
    return overdue_job(server, cluster)
