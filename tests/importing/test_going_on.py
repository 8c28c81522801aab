"""Imports that are cut short, asked again, and asked once more."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.importing import handmade
from tests.importing.sources import brought, command
from tests.live import LiveServer

RUNS, POINTS = 16, 2000


def here(server: LiveServer, workspace: str) -> list[dict[str, Any]]:
    """All runs of a workspace."""
    found: list[dict[str, Any]] = server.ok("GET", f"/workspaces/{workspace}/runs?limit=100&view=all")["runs"]
    return found


def changes(server: LiveServer, workspace: str) -> list[int]:
    """The numbers of all changes in a workspace."""
    found: list[int] = []
    after = 0
    while some := server.ok("GET", f"/changes?after={after}&limit=1000")["changes"]:
        found += [one["seq"] for one in some if one["workspace"] == workspace]
        after = some[-1]["seq"]
    return found


def check_whole(server: LiveServer, workspace: str) -> None:
    """Each run has each point and file once."""
    runs = here(server, workspace)
    assert {run["id"] for run in runs} == {handmade.run_id(n) for n in range(1, RUNS + 1)}
    for run in runs:
        number = int(run["id"][-12:], 16)
        assert (run["status"], run["started_at"], run["ended_at"]) == ("Completed", handmade.WHEN, handmade.WHEN + 1000)
        assert "mlws.importing" not in run["tags"]
        assert run["params"] == {"number": str(number)}
        assert {key: m["count"] for key, m in run["metrics"].items()} == {"loss": POINTS, "acc": POINTS}
        assert run["metrics"]["loss"]["last"] == POINTS - 1 + number / 7
        files = server.ok("GET", f"/runs/{run['id']}/artifacts?recursive=true")["entries"]
        assert {one["path"] for one in files if one["type"] == "file"} == {"one.txt", "deep/two.bin"}


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_killed_in_the_middle_again_and_again(server: LiveServer, workspace: str, tmp_path: Path):
    folder = handmade.experiment(tmp_path)
    for number in range(1, RUNS + 1):
        handmade.filled(folder, number, points=POINTS, size=60_000)
    words = ["import", "mlflow", str(tmp_path), "-w", workspace]
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    for goal in (1, 4, 8):
        importer = subprocess.Popen(
            [sys.executable, "-m", "jupyter_mlws.cli", *words],
            env={**server.env, "PYTHONPATH": os.environ.get("PYTHONPATH", "")},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        deadline = time.monotonic() + 100
        while len(here(server, workspace)) < goal and importer.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(chance.random() * 0.1)
        importer.send_signal(signal.SIGKILL)
        said = importer.communicate(timeout=30)[1]
        assert importer.returncode == -signal.SIGKILL, said.decode()
        runs = here(server, workspace)
        assert len(runs) >= goal, "it was too slow to get so far"
        assert len(runs) < RUNS, "it was killed too late to show anything"
        assert all(("mlws.importing" in run["tags"]) == (run["status"] == "NotStarted") for run in runs)
    report = brought(server, tmp_path, workspace)
    assert report["counts"]["runs"]["imported"] + report["counts"]["runs"]["present"] == RUNS
    assert report["counts"]["runs"]["present"] > 0
    check_whole(server, workspace)

    before, versions = changes(server, workspace), {run["id"]: run["version"] for run in here(server, workspace)}
    again = brought(server, tmp_path, workspace)
    assert {name: count["imported"] for name, count in again["counts"].items() if count["imported"]} == {}
    assert again["bytes"] == 0
    assert {run["id"]: run["version"] for run in here(server, workspace)} == versions
    assert changes(server, workspace) == before


def test_a_dry_run_counts_and_writes_nothing(server: LiveServer, workspace: str, tmp_path: Path):
    folder = handmade.experiment(tmp_path)
    at = handmade.filled(folder, 0xD, points=10)
    before = changes(server, workspace)
    report = brought(server, tmp_path, workspace, "--dry-run")
    assert report["dry_run"] is True
    assert report["counts"]["runs"]["imported"] == report["counts"]["experiments"]["imported"] == 1
    assert report["counts"]["metric_points"]["imported"] == 20
    assert report["bytes"] == sum(path.stat().st_size for path in (at / "artifacts").rglob("*") if path.is_file())
    assert (changes(server, workspace), here(server, workspace)) == (before, [])
    assert server.ok("GET", f"/workspaces/{workspace}/experiments")["experiments"] == []


def test_a_run_that_went_on_there_is_completed_here(server: LiveServer, workspace: str, tmp_path: Path):
    folder = handmade.experiment(tmp_path)
    at = handmade.run(folder, 0xA60, status=1)
    (at / "metrics" / "loss").write_text(f"{handmade.WHEN} 1.0 0\n")
    report = brought(server, tmp_path, workspace)
    assert report["counts"]["runs"] == {"imported": 1, "present": 0, "skipped": 0}
    assert [(run["status"], run["ended_at"]) for run in here(server, workspace)] == [("Running", None)]
    assert brought(server, tmp_path, workspace)["counts"]["runs"] == {"imported": 0, "present": 1, "skipped": 0}
    (at / "metrics" / "loss").write_text(f"{handmade.WHEN} 1.0 0\n{handmade.WHEN + 9} 0.5 1\n")
    (at / "params" / "late").write_text("yes")
    meta = (
        (at / "meta.yaml")
        .read_text()
        .replace("status: 1", "status: 4")
        .replace("end_time: null", f"end_time: {handmade.WHEN + 10}")
    )
    (at / "meta.yaml").write_text(meta)
    assert brought(server, tmp_path, workspace)["counts"]["runs"]["imported"] == 1
    (run,) = here(server, workspace)
    assert (run["status"], run["ended_at"], run["params"]) == ("Failed", handmade.WHEN + 10, {"late": "yes"})
    assert (run["metrics"]["loss"]["count"], run["metrics"]["loss"]["last"]) == (2, 0.5)


def test_ids_that_are_taken_are_left_alone(server: LiveServer, workspace: str, tmp_path: Path):
    folder = handmade.experiment(tmp_path)
    for number in (0xA1, 0xA2):
        handmade.filled(folder, number, points=3)
    ours = {"id": handmade.run_id(0xA1), "name": "ours"}
    server.ok("POST", f"/workspaces/{workspace}/runs", ours)
    report = brought(server, tmp_path, workspace)
    assert report["counts"]["runs"] == {"imported": 1, "present": 0, "skipped": 1}
    assert [(skip["kind"], skip["name"]) for skip in report["skipped"]] == [("run", ours["id"])]
    kept = server.ok("GET", f"/runs/{ours['id']}")
    assert (kept["name"], kept["metrics"], kept["status"]) == ("ours", {}, "Running")

    server.ok("POST", "/workspaces", {"name": f"{workspace}-b"})
    elsewhere = brought(server, tmp_path, f"{workspace}-b")
    assert elsewhere["counts"]["runs"] == {"imported": 0, "present": 0, "skipped": 2}


def test_parents_that_come_later(server: LiveServer, workspace: str, tmp_path: Path):
    folder = handmade.experiment(tmp_path)
    child, parent = handmade.run(folder, 0xB1), handmade.run(folder, 0xB2)
    (child / "tags" / "mlflow.parentRunId").write_text(parent.name)
    (parent / "tags" / "mlflow.parentRunId").write_text(child.name)  # a circle: one link is kept
    brought(server, tmp_path, workspace)
    runs = {run["id"]: run["parent_id"] for run in here(server, workspace)}
    assert sorted(map(bool, runs.values())) == [False, True]
    assert brought(server, tmp_path, workspace)["counts"]["runs"]["present"] == 2
    assert {run["id"]: run["parent_id"] for run in here(server, workspace)} == runs


def test_one_experiment_alone(server: LiveServer, workspace: str, tmp_path: Path):
    handmade.run(handmade.experiment(tmp_path, "1", "wanted"), 0xC1)
    handmade.run(handmade.experiment(tmp_path, "2", "other"), 0xC2)
    refused = command(server, "import", "mlflow", str(tmp_path), "-w", workspace, "--experiment", "want")
    assert refused.returncode == 2
    assert "'other', 'wanted'" in refused.stderr
    brought(server, tmp_path, workspace, "--experiment", "wanted")
    assert [run["experiment_name"] for run in here(server, workspace)] == ["wanted"]
    table = command(server, "import", "mlflow", str(tmp_path), "-w", workspace)
    assert table.returncode == 0, table.stderr
    assert [line.split() for line in table.stdout.splitlines() if line.startswith("runs")] == [["runs", "1", "1", "0"]]
    assert json.loads(json.dumps(here(server, workspace)))
