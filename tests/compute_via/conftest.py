"""A login node with a Slurm behind it, and a server without one that reaches both by ssh, for all tests of this folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.live import LiveServer
from tests.slurm import OF_PBS, PLACES, PROGRAMS, Slurm, first_sbatch, overdue_job, running_slurm
from tests.ssh import Sshd, sshd_or_skip, with_target


@pytest.fixture(scope="session")
def cluster() -> Iterator[Slurm]:
    yield from running_slurm()


@pytest.fixture(scope="session")
def login(cluster: Slurm) -> Iterator[Sshd]:
    yield from login_of(cluster)


def login_of(cluster: Slurm) -> Iterator[Sshd]:
    """The host that has `sbatch`; tests put programs into `programs` that come before Slurm's."""
    (cluster.folder / "programs").mkdir()
    environment = {"SLURM_CONF": str(cluster.config), "PATH": f"{cluster.folder / 'programs'}{os.pathsep}{cluster.places}"}
    made = Sshd(sshd_or_skip(), environment).start()
    yield made
    made.remove()


def without_slurm(folder: Path) -> str:
    """A PATH on which all is that is on that of the tests, but for Slurm."""
    folder.mkdir()
    for place in reversed(PLACES.split(os.pathsep)):
        for program in Path(place).iterdir() if Path(place).is_dir() else []:
            link = folder / program.name
            if program.name not in {*PROGRAMS, *OF_PBS, "sinfo", "srun", "sacct", "salloc"}:
                link.unlink(missing_ok=True)
                link.symlink_to(program)
    assert all(shutil.which(name, path=str(folder)) is None for name in (*PROGRAMS, *OF_PBS))
    return str(folder)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, login: Sshd, cluster: Slurm) -> Iterator[LiveServer]:
    yield from server_via(login, cluster, tmp_path_factory.mktemp("server"))


def server_via(login: Sshd, cluster: Slurm, folder: Path) -> Iterator[LiveServer]:
    """A server that reaches it by way of this host, and has nothing of it itself."""
    live = LiveServer(
        folder, options=["--MlwsApp.retry_backoff_s=0.1"], environment={"PATH": without_slurm(folder / "bin")}
    ).start()
    with_target(live, login)
    live.ok("POST", "/compute", {"name": "batch", cluster.kind: {**cluster.main, "via": "far"}})
    yield live
    live.stop()


@pytest.fixture(scope="session", autouse=True)
def overdue(server: LiveServer, cluster: Slurm) -> str:
    """Begun before all other tests."""
    return overdue_job(server, cluster)


@pytest.fixture
def sbatch(cluster: Slurm) -> Iterator[Callable[[str], None]]:
    """In the place of the login node's."""
    yield from first_sbatch(cluster)
