"""Commands whose files the client sends itself: where they run, and what says otherwise."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.live import LiveServer

LINE = "cat src/words.txt; echo made > outputs/made.txt"


@pytest.fixture
def manifest(server: LiveServer) -> dict[str, Any]:
    """One file in a folder, which was sent."""
    content = b"from the client\n"
    sha256 = hashlib.sha256(content).hexdigest()
    server.ok("PUT", f"/workspaces/default/blobs/{sha256}", content=content)
    return {"files": [{"path": "src/words.txt", "sha256": sha256, "size": len(content)}]}


def runs_of(server: LiveServer) -> set[str]:
    """Ids of the newest runs."""
    return {run["id"] for run in server.ok("GET", "/workspaces/default/runs")["runs"]}


@pytest.mark.parametrize("code", [{}, {"code": "."}, {"code": "./"}], ids=str)
def test_a_command_runs_at_the_top_of_what_was_sent(server: LiveServer, manifest: dict[str, Any], code: dict[str, str]):
    run_id = server.submit({"kind": "command", "command": LINE, **code}, manifest=manifest)
    run = server.wait(run_id)
    assert run["status"] == "Completed", run["error"]
    assert server.ok("GET", f"/jobs/{run_id}/log")["text"] == "from the client\n"
    assert server.get(f"/runs/{run_id}/artifacts/content", params={"path": "outputs/made.txt"}).text == "made\n"


@pytest.mark.parametrize("code", ["src", "elsewhere", "src/"])
def test_another_folder_is_refused_and_not_overlooked(server: LiveServer, manifest: dict[str, Any], code: str):
    (server.root / "elsewhere").mkdir(exist_ok=True)
    before = runs_of(server)
    body = {"spec": {"kind": "command", "command": LINE, "code": code}, "manifest": manifest}
    refused = server.post("/workspaces/default/jobs", body)
    error = refused.json()["error"]
    assert (refused.status_code, error["code"], error["field"]) == (400, "bad_input", "spec.code")
    assert repr(code) in error["message"]
    assert "leave `code` out" in error["message"]
    assert runs_of(server) == before


@pytest.mark.parametrize("spec", [{"kind": "command", "command": LINE}, {"kind": "notebook", "notebook": "src/n.ipynb"}])
def test_what_was_sent_has_no_place_of_its_own_to_run_in(server: LiveServer, manifest: dict[str, Any], spec: dict[str, str]):
    refused = server.post("/workspaces/default/jobs", {"spec": spec, "manifest": manifest, "in_place": True})
    error = refused.json()["error"]
    assert (refused.status_code, error["code"], error["field"]) == (400, "bad_input", "in_place")
