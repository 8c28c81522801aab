"""Another Jupyter server, and what stands between it and us, for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gateway import OtherServer, Wire
from tests.live import LiveServer
from tests.servers import lean


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OtherServer]:
    """A Jupyter server without anything of ours."""
    made = OtherServer(tmp_path_factory.mktemp("other"))
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture
def wire(other: OtherServer) -> Iterator[Wire]:
    """A way to it that can be cut."""
    made = Wire(other.port)
    yield made
    made.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, other: OtherServer) -> Iterator[LiveServer]:
    """Our server, which has the other one as the target `there`."""
    live = lean(tmp_path_factory.mktemp("ours")).start()
    live.ok("PUT", "/workspaces/default/secrets/OTHER", {"value": other.token})
    place = {"url": other.url, "token": {"workspace": "default", "name": "OTHER"}}
    live.ok("POST", "/compute", {"name": "there", "gateway": place, "max_jobs": 2})
    yield live
    live.stop()
