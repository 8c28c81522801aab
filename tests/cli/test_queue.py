"""Retries, pauses and limits as one meets them: through a real server, `mlws` and the client."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlws.sdk import Workspace
from tests.live import LiveServer

FLAKY = 'echo "try $MLWS_ATTEMPT"; [ "$MLWS_ATTEMPT" = 2 ] || exit 3'


@pytest.fixture
def server(tmp_path: Path) -> Any:
    live = LiveServer(tmp_path / "queue", options=["--MlwsApp.max_jobs=1", "--MlwsApp.retry_backoff_s=0.2"]).start()
    yield live
    live.stop()


def test_retries_pauses_and_limits(server: LiveServer, mlws: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    env = {"MLWS_DATA_DIR": str(server.data_dir)}
    made = mlws("job", "create", "--command", FLAKY, "--max-retries", "2", "--stream", **env)
    assert made.code == 0
    assert [line for line in made.out.splitlines() if line.startswith(("try", "-----"))] == [
        "try 1",
        "----- attempt 2 -----",
        "try 2",
    ]
    flaky = json.loads(mlws("job", "list", "-o", "json", **env).out)[0]["name"]
    shown = json.loads(mlws("job", "show", flaky, "-o", "json", **env).out)
    assert [(one["attempt"], one["status"], one["exit_code"]) for one in shown["attempts"]] == [
        (1, "Failed", 3),
        (2, "Completed", 0),
    ]
    assert "1. ✕ Failed" in (said := mlws("job", "show", flaky, **env).out) or "1. " in said
    assert mlws("job", "log", flaky, "--attempt", "1", **env).out == "try 1\n"
    assert mlws("job", "log", flaky, **env).out == "try 2\n"
    found = server.ok("GET", f"/jobs/{flaky}/log/search?q=try&attempt=1")
    assert found["offsets"] == [0]
    assert server.ok("GET", f"/jobs/{flaky}/log?attempt=1")["done"]

    assert "paused: no job starts" in mlws("compute", "pause", "local", **env).out
    job = json.loads(mlws("job", "create", "--command", "true", "-o", "json", **env).out)["name"]
    assert "The queue of local is paused." in mlws("job", "show", job, **env).out
    assert mlws("job", "pause", job, **env).code == 0
    assert server.ok("GET", f"/runs/{job}")["status"] == "Paused"
    assert mlws("compute", "resume", "local", **env).code == 0
    assert mlws("job", "resume", job, **env).code == 0
    server.wait(job, "Completed")
    assert mlws("job", "pause", job, **env).code != 0

    told = json.loads(mlws("compute", "show", "--span", "24h", "-o", "json", **env).out)
    assert told["usage"]["span"] == "24h"
    assert told["usage"]["total"]["jobs"] == told["usage"]["users"][0]["jobs"] == len(told["last_jobs"])
    assert (told["last_jobs"][0]["run_id"], told["last_jobs"][0]["status"]) == (job, "Completed")
    shown = mlws("compute", "show", "--span", "all", **env).out
    assert "In all" in shown
    assert f"({job[:8]})" in shown
    assert mlws("compute", "show", "--span", "1y", **env).code == 2

    changed = mlws("compute", "update", "--memory", "4GiB", "--cpus", "2", "--max-jobs-per-user", "1", "-o", "json", **env)
    target = json.loads(changed.out)
    assert (target["total"]["memory_bytes"], target["total"]["cpus"], target["per_user"]["max_jobs"]) == (4 << 30, 2, 1)
    refused = mlws("job", "create", "--command", "true", "--memory", "5GiB", **env)
    assert (refused.code, "4 GiB in all" in refused.err) == (2, True)
    assert mlws("job", "create", "--command", "true", "--memory", "lots", **env).code == 2
    back = json.loads(mlws("compute", "update", "--memory", "default", "-o", "json", **env).out)
    assert (back["total"]["memory_bytes"], back["total"]["cpus"]) == (back["memory_bytes"], 2)

    file = Path(server.root) / "job.yml"
    file.write_text("command: 'true'\nretry_settings:\n  max_retries: 1\nresources:\n  cpus: 3\n  memory: 1 GiB\n")
    wrong = mlws("job", "create", "-f", str(file), **env)
    assert (wrong.code, "job.yml, line 5, resources.cpus: The job asks for 3 CPUs" in wrong.err) == (2, True)

    monkeypatch.setenv("MLWS_DATA_DIR", str(server.data_dir))
    with Workspace() as ws:
        again = ws.jobs.rerun(flaky, cpus=1, memory="1GiB")
        assert (again.max_retries, again.asks.cpus, again.asks.memory_bytes) == (2, 1, 1 << 30)
        ws.jobs.stream(again.id, to=(out := io.StringIO()))
        assert out.getvalue().count("try ") == 2
        assert again.log(attempt=1) == "try 1\n"


def test_when_the_one_that_nothing_overtakes_is_put_on_hold_the_one_behind_it_starts(tmp_path: Path) -> None:
    live = LiveServer(tmp_path / "held", options=["--MlwsApp.max_jobs=3"]).start()
    go = tmp_path / "go"
    try:
        cpus = live.ok("GET", "/compute/local")["total"]["cpus"]
        line = f"until [ -e {go} ]; do sleep 0.1; done"
        long = live.submit({"kind": "command", "command": line}, resources={"cpus": cpus})
        live.wait(long, "Running")
        head = live.submit({"kind": "command", "command": "true"}, resources={"cpus": cpus})
        behind = live.submit({"kind": "command", "command": "true"})
        assert live.ok("GET", f"/runs/{behind}")["waiting"]["code"] == "turn"
        live.ok("POST", f"/jobs/{head}/pause")
        assert live.wait(behind)["status"] == "Completed"
        assert live.ok("GET", f"/runs/{long}")["status"] == "Running"
        live.ok("POST", f"/jobs/{head}/cancel")
    finally:
        go.touch()
        live.stop()
