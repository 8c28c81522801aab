"""The client against the shared server."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from jupyter_mlws.sdk import Workspace
from tests.live import LiveServer


@pytest.fixture
def clean_env(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that names no server and no folder."""
    for name in list(os.environ):
        if name.startswith(("MLWS_", "JUPYTER")):
            monkeypatch.delenv(name)
    return monkeypatch


@pytest.fixture
def ws(server: LiveServer, clean_env: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """The default workspace, found by `owner.json`."""
    clean_env.setenv("MLWS_DATA_DIR", str(server.data_dir))
    with Workspace() as found:
        yield found
