"""Programs that speak as LSF's in front of a Slurm, and a server that has them as the target `batch`, for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.live import LiveServer
from tests.slurm import Lsf, Slurm, overdue_job, running_slurm, server_of


@pytest.fixture(scope="session")
def cluster() -> Iterator[Slurm]:
    yield from running_slurm(Lsf)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, cluster: Slurm) -> Iterator[LiveServer]:
    yield from server_of(cluster, tmp_path_factory.mktemp("server"))


@pytest.fixture(scope="session", autouse=True)
def overdue(server: LiveServer, cluster: Slurm) -> str:
    """Begun before all other tests."""
    return overdue_job(server, cluster)
