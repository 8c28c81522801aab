"""A host, and a server that has it as the target `far`, for all tests of this folder: each leaves both as they were."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.live import LiveServer
from tests.ssh import Sshd, sshd_or_skip, with_target


@pytest.fixture(scope="session")
def far() -> Iterator[Sshd]:
    made = Sshd(sshd_or_skip()).start()
    yield made
    made.remove()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, far: Sshd) -> Iterator[LiveServer]:
    live = with_target(LiveServer(tmp_path_factory.mktemp("server"), options=["--MlwsApp.retry_backoff_s=0.1"]).start(), far)
    yield live
    live.stop()
