"""One server for all attacks, apart from that of other tests: what they leave behind disturbs nobody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.live import WITH_LAB, LiveServer
from tests.security.api import Api
from tests.security.world import World, clear_queue


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A Jupyter server that is attacked."""
    live = LiveServer(tmp_path_factory.mktemp("target"), options=["--MlwsApp.max_jobs=8"], extensions=WITH_LAB).start()
    yield live
    live.stop()


@pytest.fixture(scope="session")
def world(target: LiveServer) -> Iterator[World]:
    """Workspaces, runs and tokens on it."""
    made = World(target, "space")
    yield made
    made.close()


@pytest.fixture(scope="session")
def person(world: World) -> Api:
    """Somebody who may do everything."""
    return world.person


@pytest.fixture(scope="module", autouse=True)
def queue(target: LiveServer) -> None:
    """What the attacks of another file did to the queue (paused it, changed its limits, filled it) is undone first."""
    with closing(Api(target, target.token)) as api:
        clear_queue(api)
