"""A Slurm, and a server that has it as the target `batch`, for all tests of this folder: each leaves both as they were."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.live import LiveServer
from tests.slurm import Slurm, slurm_or_skip


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
    live = LiveServer(tmp_path_factory.mktemp("server"), environment=cluster.env).start()
    live.ok("POST", "/compute", {"name": "batch", "slurm": {"partition": "main"}})
    yield live
    live.stop()
