"""Workspaces, experiments and runs as containers: making, renaming, archiving, and deleting with the bytes that become free."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.live import LiveServer


def folder_bytes(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def new_run(server: LiveServer, workspace: str = "default", **body: Any) -> str:
    """A new interactive run; its id."""
    run_id: str = server.ok("POST", f"/workspaces/{workspace}/runs", body)["id"]
    return run_id


def store(server: LiveServer, run_id: str, path: str, content: bytes) -> None:
    """Give a run a file."""
    server.ok("PUT", f"/runs/{run_id}/artifacts/content", params={"path": path}, content=content)


def test_default_exists_and_stays(server: LiveServer):
    names = [workspace["name"] for workspace in server.ok("GET", "/workspaces")["workspaces"]]
    assert "default" in names
    for method, path, body in (
        ("PATCH", "/workspaces/default", {"name": "other"}),
        ("POST", "/workspaces/default/archive", None),
        ("DELETE", "/workspaces/default", None),
    ):
        answer = server.request(method, path, **({"json": body} if body else {}))
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "default_workspace")


def test_the_life_of_a_workspace(server: LiveServer):
    made = server.ok("POST", "/workspaces", {"name": "team-a", "description": "ours"})
    assert (made["name"], made["display_name"], made["runs"]) == ("team-a", "team-a", 0)
    assert server.post("/workspaces", {"name": "team-a"}).status_code == 409
    renamed = server.ok("PATCH", "/workspaces/team-a", {"name": "team-b"}, headers={"If-Match": str(made["version"])})
    assert renamed["version"] > made["version"]
    assert server.get("/workspaces/team-a").status_code == 404
    stale = server.request("PATCH", "/workspaces/team-b", json={"description": "x"}, headers={"If-Match": str(made["version"])})
    assert (stale.status_code, stale.json()["error"]["code"]) == (409, "stale_version")

    run_id = new_run(server, "team-b", experiment="e")
    store(server, run_id, "a.bin", os.urandom(5000))
    assert server.request("DELETE", "/workspaces/team-b").json()["error"]["code"] == "not_archived"
    server.ok("POST", "/workspaces/team-b/archive")
    assert "team-b" not in [workspace["name"] for workspace in server.ok("GET", "/workspaces")["workspaces"]]
    plan = server.ok("DELETE", "/workspaces/team-b?dry_run=true")
    assert plan["blocked_by"] == "Runs of workspace 'team-b' still run (1); cancel them first."
    assert (plan["runs"], plan["experiments"], plan["artifacts"], plan["bytes_freed"], plan["dry_run"]) == (1, 1, 1, 5000, True)
    assert server.ok("GET", f"/runs/{run_id}")["workspace"] == "team-b"
    busy = server.request("DELETE", "/workspaces/team-b")
    assert busy.status_code == 409
    server.ok("POST", f"/runs/{run_id}/end", {"status": "Completed"})
    done = server.ok("DELETE", "/workspaces/team-b")
    assert (done["bytes_freed"], done["dry_run"]) == (5000, False)
    assert server.get(f"/runs/{run_id}").status_code == 404


def test_a_dry_run_tells_what_the_delete_refuses(server: LiveServer):
    server.ok("POST", "/workspaces", {"name": "guarded"})
    run_id = new_run(server, "guarded", experiment="kept")
    experiment = f"/experiments/{server.ok('GET', f'/runs/{run_id}')['experiment_id']}"
    store(server, run_id, "a.bin", os.urandom(700))

    def refused(path: str) -> str | None:
        plan = server.ok("DELETE", path, params={"dry_run": "true"})
        assert plan["dry_run"] is True
        if path != "/workspaces/default":
            assert (plan["runs"], plan["artifacts"], plan["bytes_freed"]) == (1, 1, 700)
        if plan["blocked_by"] is not None:
            answer = server.request("DELETE", path)
            assert (answer.status_code, answer.json()["error"]["message"]) == (409, plan["blocked_by"])
        words: str | None = plan["blocked_by"]
        return words

    assert refused("/workspaces/default") == "The default workspace cannot be deleted."
    for path, said in (
        (experiment, "Archive the experiment 'kept' first; then it can be deleted for good."),
        ("/workspaces/guarded", "Archive the workspace 'guarded' first; then it can be deleted for good."),
    ):
        assert refused(path) == said
        server.ok("POST", f"{path}/archive")
        assert "still run (1); cancel them first" in (refused(path) or "")
    server.ok("POST", f"/runs/{run_id}/end", {"status": "Completed"})
    assert refused(experiment) is refused("/workspaces/guarded") is None
    assert server.ok("DELETE", "/workspaces/guarded")["blocked_by"] is None


def test_resources_tell_where_everything_lies(server: LiveServer):
    resources = {found["kind"]: found for found in server.ok("GET", "/workspaces/default/resources")["resources"]}
    assert set(resources) == {"database", "artifact_store", "jobs_folder", "secret_store"}
    for kind, path in (("database", "mlws.db"), ("artifact_store", "objects"), ("jobs_folder", "jobs")):
        assert resources[kind]["location"] == str(server.data_dir / path)
        assert resources[kind]["health"] == "ok"
    assert resources["artifact_store"]["bytes"] == folder_bytes(server.data_dir / "objects")


@pytest.mark.parametrize("name", ["", "a/b", "ä", "-a", "a" * 64, "a b", "..", "a\n"])
def test_names_that_no_workspace_may_have(server: LiveServer, name: str):
    answer = server.post("/workspaces", {"name": name})
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == "name"


def test_the_life_of_an_experiment(server: LiveServer):
    made = server.ok(
        "POST", "/workspaces/default/experiments", {"name": "tune / größe 🎯", "goal": {"metric": "acc", "direction": "maximize"}}
    )
    path = f"/experiments/{made['id']}"
    ids = [new_run(server, experiment="tune / größe 🎯") for _ in range(3)]
    for value, run_id in zip((0.5, "NaN", 0.9), ids, strict=True):
        batch = {"batch_id": f"b-{run_id}", "metrics": [{"key": "acc", "value": value, "time": 1}]}
        server.ok("POST", f"/runs/{run_id}/log", batch)
    found = server.ok("GET", path)
    assert (found["runs"], found["by_status"]) == (3, {"Running": 3})
    assert found["best"] == {"run_id": ids[2], "run_name": found["best"]["run_name"], "value": 0.9}
    server.ok("POST", f"/runs/{ids[2]}/end", {"status": "Completed"})
    server.ok("DELETE", f"/runs/{ids[2]}")
    assert server.ok("GET", path)["best"]["run_id"] == ids[0]
    assert server.post("/workspaces/default/experiments", {"name": "tune / größe 🎯"}).status_code == 409
    server.ok("POST", f"{path}/archive")
    refused = server.post("/workspaces/default/runs", {"experiment": "tune / größe 🎯"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "experiment_archived")
    for run_id in ids[:2]:
        server.ok("POST", f"/runs/{run_id}/end", {"status": "Canceled"})
    plan = server.ok("DELETE", f"{path}?dry_run=true")
    assert plan["runs"] == 3
    server.ok("DELETE", path)
    assert server.get(path).status_code == 404


def test_bytes_that_are_shared_stay(server: LiveServer):
    shared, own = os.urandom(3000), os.urandom(2000)
    first, second = new_run(server, experiment="shared"), new_run(server, experiment="shared")
    for run_id in (first, second):
        store(server, run_id, "shared.bin", shared)
        server.ok("POST", f"/runs/{run_id}/end", {"status": "Completed"})
    store(server, first, "own.bin", own)
    assert server.ok("DELETE", f"/runs/{first}?dry_run=true")["bytes_freed"] == 2000
    assert server.request("DELETE", f"/runs/{first}?purge=true").json()["error"]["code"] == "run_not_deleted"
    server.ok("DELETE", f"/runs/{first}")
    assert first not in [run["id"] for run in server.ok("GET", "/workspaces/default/runs?limit=1000")["runs"]]
    restored = server.ok("POST", f"/runs/{first}/restore")
    assert restored["lifecycle"] == "active"
    server.ok("DELETE", f"/runs/{first}")
    assert server.ok("DELETE", f"/runs/{first}?purge=true")["bytes_freed"] == 2000
    assert server.get(f"/runs/{first}").status_code == 404
    assert server.get(f"/runs/{second}/artifacts/content", params={"path": "shared.bin"}).content == shared


def test_a_run_ends_once(server: LiveServer):
    run_id = new_run(server)
    server.ok("POST", f"/runs/{run_id}/end", {"status": "Failed", "error": {"message": "no", "kind": "ValueError"}})
    again = server.ok("POST", f"/runs/{run_id}/end", {"status": "Failed"})
    assert again["error"]["message"] == "no"
    other = server.post(f"/runs/{run_id}/end", {"status": "Completed"})
    assert (other.status_code, other.json()["error"]["code"]) == (409, "status_conflict")


def test_params_are_written_once_and_a_batch_is_all_or_nothing(server: LiveServer):
    run_id = new_run(server, params={"lr": "0.1"})
    batch = {"batch_id": "conflict-1", "params": {"lr": "0.2", "new": "1"}, "tags": {"a": "b"}}
    answer = server.post(f"/runs/{run_id}/log", batch)
    assert (answer.status_code, answer.json()["error"]["field"]) == (409, "lr")
    run = server.ok("GET", f"/runs/{run_id}")
    assert (run["params"], run["tags"]) == ({"lr": "0.1"}, {})
    more = {"batch_id": "batch-again-1", "metrics": [{"key": "m", "value": 1, "time": 1}]}
    assert server.ok("POST", f"/runs/{run_id}/log", more) == {"stored": 1}
    assert server.ok("POST", f"/runs/{run_id}/log", more) == {"stored": 0}
