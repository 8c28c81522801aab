"""A login node with programs that speak as those of LSF, and a server without it that reaches it by ssh, for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.compute_via.conftest import login_of, server_via
from tests.live import LiveServer
from tests.slurm import Lsf, Slurm, running_slurm
from tests.ssh import Sshd


@pytest.fixture(scope="session")
def cluster() -> Iterator[Slurm]:
    yield from running_slurm(Lsf)


@pytest.fixture(scope="session")
def login(cluster: Slurm) -> Iterator[Sshd]:
    yield from login_of(cluster)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, login: Sshd, cluster: Slurm) -> Iterator[LiveServer]:
    yield from server_via(login, cluster, tmp_path_factory.mktemp("server"))
