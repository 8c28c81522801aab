"""Two servers on one data folder, for the tests that do not end them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.live import LiveServer
from tests.servers import lean, owns


@pytest.fixture(scope="package")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveServer, LiveServer]]:
    """The owner, and a second server whose base URL is another."""
    folder = tmp_path_factory.mktemp("pair")
    owner = lean(folder / "owner").start()
    second = lean(folder / "second", data_dir=owner.data_dir, base_url="/hub/mlws/").start()
    assert owns(owner)
    assert not owns(second)
    yield owner, second
    second.stop()
    owner.stop()
