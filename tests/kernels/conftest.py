"""A server without the Lab for all tests of real kernels, and a workspace besides the default one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.live import LiveServer
from tests.servers import lean

VISION = "vision"


@pytest.fixture(scope="package")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server that starts kernels."""
    server = lean(tmp_path_factory.mktemp("kernels")).start()
    server.ok("POST", "/workspaces", {"name": VISION})
    yield server
    server.stop()
