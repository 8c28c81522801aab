"""What a workspace has, written for MLflow and read by its client: everything is as it is here."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from pathlib import Path

import pytest

from tests.importing.conftest import Store
from tests.importing.sources import brought, command, compared, read, read_server
from tests.live import LiveServer
from tests.mlflow_clients import environment, python_of


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_there_and_back_again(server: LiveServer, workspace: str, folder_store: Store, new_server, tmp_path: Path):
    own: LiveServer = new_server().start()
    own.ok("POST", "/workspaces", {"name": workspace})
    brought(own, folder_store.source, workspace)
    here, folder = read_server(own, workspace), tmp_path / "out" / "mlruns"
    done = command(own, "export", str(folder), "-w", workspace, "-o", "json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["counts"]["runs"] == len(here["runs"])
    assert (report["renamed"], report["skipped"]) == ([], [])
    there = read(folder.as_uri(), cwd=tmp_path)
    for part in here:
        assert there[part] == here[part], part
        assert compared(there, folder_store.told)[part] == folder_store.told[part], part
    assert list(folder.parent.iterdir()) == [folder]

    again: LiveServer = new_server().start()
    again.ok("POST", "/workspaces", {"name": workspace})
    assert brought(again, folder, workspace)["counts"]["runs"]["imported"] == len(here["runs"])
    migrated = subprocess.run(
        [
            python_of("3"),
            "-m",
            "mlflow",
            "migrate-filestore",
            "--source",
            str(folder),
            "--target",
            f"sqlite:///{tmp_path / 'out.db'}",
        ],
        env=environment("", "", MLFLOW_ALLOW_FILE_STORE="true"),
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert migrated.returncode == 0, migrated.stderr[-3000:]
    with sqlite3.connect(tmp_path / "out.db") as database:
        counted = [database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("runs", "model_versions")]  # noqa: S608 - ours
    database.close()
    assert counted == [len(here["runs"]), len(here["versions"])]


def test_names_that_mlflow_would_not_take(server: LiveServer, workspace: str, tmp_path: Path):
    tags = {"f(x)": "1", "f[x]": "2", "..": "3", "/root": "4", "a": "5", "a/b": "6", "long " * 49: "7", "A": "8"}
    body = {"name": "named", "experiment": "odd", "tags": tags, "params": {"../../up": "p"}}
    run = server.ok("POST", f"/workspaces/{workspace}/runs", body)["id"]
    points = [{"key": "loss?", "value": value, "step": n, "time": n} for n, value in enumerate([1.5, "NaN", "-Infinity"])]
    server.ok("POST", f"/runs/{run}/log", {"batch_id": "odd-metrics", "metrics": points})
    server.request("PUT", f"/runs/{run}/artifacts/content?path=a b/c.txt", content=b"text")
    folder = tmp_path / "out"
    done = command(server, "export", str(folder), "-w", workspace, "-o", "json")
    assert done.returncode == 0, done.stderr
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert all(name.startswith("out/") for name in written)
    at = next(folder.glob(f"*/{run}"))
    values = {path.read_text() for path in (at / "tags").rglob("*") if path.is_file()}
    assert set(tags.values()) <= values
    assert [path.read_text() for path in (at / "params").rglob("*") if path.is_file()] == ["p"]
    assert (at / "metrics" / "loss_").read_text() == "0 1.5 0\n1 nan 1\n2 -inf 2\n"
    assert (at / "artifacts" / "a b" / "c.txt").read_bytes() == b"text"
    renamed = json.loads(done.stdout)["renamed"]
    assert {"f(x)", "f[x]", "..", "../../up", "loss?"} <= {one["key"] for one in renamed}


def test_folders_that_are_refused(server: LiveServer, workspace: str, tmp_path: Path):
    server.ok("POST", f"/workspaces/{workspace}/runs", {"experiment": "one"})
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("kept")
    refused = command(server, "export", str(tmp_path / "full"), "-w", workspace)
    assert refused.returncode == 2
    assert "not an empty folder" in refused.stderr
    unknown = command(server, "export", str(tmp_path / "new"), "-w", workspace, "--experiment", "none such")
    assert unknown.returncode == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["full"]
    (tmp_path / "empty").mkdir()
    assert command(server, "export", str(tmp_path / "empty"), "-w", workspace, "--experiment", "one").returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "full"]
