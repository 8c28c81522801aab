"""Another Jupyter server, and what stands between it and us, for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gateway import OtherServer, Wire


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
