"""Spares through the front door: the settings, `min_instances`, and what is shown of them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlws.kit.clock import now_ms
from jupyter_mlws.sdk import Workspace
from tests.live import LiveServer, write_notebook
from tests.servers import lean, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="spares are Linux's alone"),
]
WITHIN = 90.0
EASY = ["--MlwsApp.spare_max_load=1000", "--MlwsApp.spare_free_memory=0"]


def system_log(server: LiveServer, run_id: str) -> str:
    return (server.data_dir / "jobs" / run_id / "system_logs" / "supervisor.log").read_text()


def run(server: LiveServer, **spec: Any) -> str:
    run_id = server.submit({"kind": "notebook", "notebook": "n.ipynb", **spec})
    assert server.wait(run_id, timeout=WITHIN)["status"] == "Completed"
    return run_id


def test_kernels_are_kept_ready_as_somebody_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = lean(tmp_path / "server", options=[*EASY, "--MlwsApp.spare_kernels=0", "--MlwsApp.max_jobs=2"]).start()
    write_notebook(server.root / "n.ipynb", "import os; print(os.environ['MLWS_RUN_ID'])", parameters="x = 1")
    try:
        cold = run(server)
        assert "a spare" not in system_log(server, cold)
        target = server.ok("GET", "/compute/local")
        assert (target["min_instances"], target["spares"]) == (0, 0)
        assert server.ok("PATCH", "/compute/local", {"min_instances": 1})["min_instances"] == 1
        until(lambda: server.ok("GET", "/compute/local")["spares"] == 1, WITHIN)
        warm = run(server, parameters={"x": 2})
        assert "a spare takes the job" in system_log(server, warm)
        assert server.ok("GET", f"/jobs/{warm}/log")["text"] == f"{warm}\n"
        for name, value in server.env.items():
            if name.startswith(("MLWS_", "JUPYTER")):
                monkeypatch.setenv(name, value)
        with Workspace() as workspace:
            assert workspace.compute.update(min_instances=2).min_instances == 2
            assert workspace.compute.update(max_jobs=1).min_instances == 1  # no more than can run at once
        server.stop()
        server.start()  # it is remembered, and needs no first job
        until(lambda: server.ok("GET", "/compute/local")["spares"] == 1, WITHIN)
        assert "a spare takes the job" in system_log(server, run(server))
        server.ok("PATCH", "/compute/local", {"min_instances": None})
        until(lambda: server.ok("GET", "/compute/local")["spares"] == 0, WITHIN)
    finally:
        server.stop()


def test_a_job_with_secrets_has_them_in_a_spare_and_shows_them_nowhere(tmp_path: Path) -> None:
    server = lean(tmp_path / "server", options=EASY).start()
    canary = "canary-of-a-spare-7f3a"
    show = "import os, mlws\nprint('it is', os.environ['KEY'], len(os.environ['KEY']))\nmlws.log_param('key', os.environ['KEY'])"
    write_notebook(server.root / "n.ipynb", show)
    try:
        server.ok("PUT", "/workspaces/default/secrets/canary", {"value": canary})
        for spared in (False, True):
            run_id = server.submit({"kind": "notebook", "notebook": "n.ipynb"}, secrets={"KEY": "canary"})
            ended = server.wait(run_id, timeout=WITHIN)
            assert ended["status"] == "Completed", ended["error"]
            assert ("a spare takes the job" in system_log(server, run_id)) is spared
            assert server.ok("GET", f"/jobs/{run_id}/log")["text"] == f"it is *** {len(canary)}\n"
            assert ended["params"] == {"key": "***"}
            folder = server.data_dir / "jobs" / run_id
            assert not [path for path in folder.rglob("*") if path.is_file() and canary.encode() in path.read_bytes()]
            until(lambda: server.ok("GET", "/compute/local")["spares"] == 1, WITHIN)
        assert server.ok("GET", "/compute/local")["spares_end_at"] > now_ms()
        shown = subprocess.run(
            [sys.executable, "-m", "jupyter_mlws.cli", "compute", "show", "local"], env=server.env, capture_output=True, text=True
        )
        assert re.search(r"1 kernel for notebook jobs; idle, ends in \d+ min", shown.stdout), shown
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"min_instances": -1}, "min_instances"),
        ({"min_instances": 101}, "min_instances"),
        ({"min_instances": "x"}, "min_instances"),
    ],
)
def test_what_is_no_number_of_kernels_is_refused(server: LiveServer, body: dict[str, Any], field: str) -> None:
    answer = server.request("PATCH", "/compute/local", json=body)
    assert answer.status_code == 400
    assert field in json.dumps(answer.json()["error"])
