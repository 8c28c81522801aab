"""A login node with Torque's command line, and a server without it that reaches it by ssh, for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.compute_via.conftest import login_of, server_via
from tests.live import LiveServer
from tests.slurm import Pbs, Slurm, overdue_job, running_slurm
from tests.ssh import Sshd


@pytest.fixture(scope="session")
def cluster() -> Iterator[Slurm]:
    yield from running_slurm(Pbs)


@pytest.fixture(scope="session")
def login(cluster: Slurm) -> Iterator[Sshd]:
    yield from login_of(cluster)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, login: Sshd, cluster: Slurm) -> Iterator[LiveServer]:
    yield from server_via(login, cluster, tmp_path_factory.mktemp("server"))


@pytest.fixture(scope="session")
def overdue(server: LiveServer, cluster: Slurm) -> str:
    """For a long run alone."""
    return overdue_job(server, cluster)
