"""A target whose package is no longer installed: it takes no jobs, and can be changed and deleted all the same."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.live import LiveServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp("server")
    live = LiveServer(folder).start()
    live.ok("POST", "/compute", {"name": "cluster", "slurm": {"partition": "cpu"}})
    live.stop()
    # For Python it is not there, though it is.
    (folder / "sitecustomize.py").write_text("import sys\n\nsys.modules['psij'] = None\n")
    live.environment = {"PYTHONPATH": os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))}
    yield live.start()
    live.stop()


def test_it_says_why_and_its_place_can_be_changed(server: LiveServer) -> None:
    target = server.ok("GET", "/compute/cluster")
    assert target["state"] == "unavailable"
    assert "psij-python" in target["detail"]
    changed = server.ok("PATCH", "/compute/cluster", {"description": "away", "slurm": {"partition": "gpu"}})
    assert (changed["description"], changed["slurm"]["partition"]) == ("away", "gpu")


def test_limits_are_refused_and_nothing_that_came_with_them_is_kept(server: LiveServer) -> None:
    before = server.ok("GET", "/compute/cluster")
    answer = server.request("PATCH", "/compute/cluster", json={"max_jobs": 7, "slurm": {"partition": "other"}})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["field"] == "target"
    assert "psij-python" in answer.json()["error"]["message"]
    after = server.ok("GET", "/compute/cluster")
    assert after["max_jobs"] == before["max_jobs"]
    assert after["slurm"] == before["slurm"]


def test_it_can_be_deleted(server: LiveServer) -> None:
    server.ok("DELETE", "/compute/cluster")
    assert server.get("/compute/cluster").status_code == 404
