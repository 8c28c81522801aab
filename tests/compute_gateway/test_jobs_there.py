"""Notebook jobs whose kernels are on another Jupyter server."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gateway import OtherServer, Wire
from tests.live import LiveServer, write_notebook
from tests.servers import processes_of, until
from tests.ssh import log_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture
def wired(server: LiveServer, wire: Wire) -> Iterator[str]:
    """A target whose way to the other server can be cut."""
    name = "wired"
    place = {"url": wire.url, "token": {"workspace": "default", "name": "OTHER"}, "patience_s": 3}
    server.ok("POST", "/compute", {"name": name, "gateway": place})
    yield name
    server.ok("DELETE", f"/compute/{name}?force=true")


def submit(server: LiveServer, *cells: str, target: str = "there", parameters: str | None = None, **fields: Any) -> str:
    """A notebook of these cells as a job."""
    path = write_notebook(server.root / f"n{len(list(server.root.iterdir()))}" / "book.ipynb", *cells, parameters=parameters)
    spec = {"kind": "notebook", "notebook": str(path.relative_to(server.root)), **fields.pop("spec", {})}
    return server.submit(spec, target=target, **fields)


def book(server: LiveServer) -> str:
    """A notebook."""
    return str(write_notebook(server.root / "small" / "book.ipynb", "1").relative_to(server.root))


def metrics_of(server: LiveServer, run_id: str) -> dict[str, float]:
    return {name: one["last"] for name, one in server.ok("GET", f"/runs/{run_id}")["metrics"].items()}


def paths_of(server: LiveServer, run_id: str) -> set[str]:
    return {one["path"] for one in server.ok("GET", f"/runs/{run_id}/artifacts?recursive=true")["entries"]}


def test_its_cells_run_there_and_what_it_makes_comes_back(server: LiveServer, other: OtherServer) -> None:
    run_id = submit(
        server,
        "import os, mlws\nprint('pid', os.getpid(), 'of', os.getppid(), 'in', os.getcwd())",
        "mlws.log_metric('loss', x / 2)\nmlws.log_text('hello', 'note.txt')",
        "open('outputs/model.bin', 'wb').write(bytes(range(256)) * 40_000)",
        "os.makedirs('outputs/a/b')\nopen('outputs/a/b/empty', 'w').close()",
        "print(os.environ['MLWS_RUN_ID'], os.environ['OWN'], sorted(k for k in os.environ if k.startswith('MLWS_')))",
        parameters="x = 1",
        spec={"parameters": {"x": 7}},
        env={"OWN": "mine"},
    )
    run = server.wait(run_id)
    assert (run["status"], run["error"]) == ("Completed", None), log_of(server, run_id)
    words = log_of(server, run_id).split()
    assert int(words[words.index("of") + 1]) == other.pid
    assert run_id in words
    assert "mine" in words
    assert metrics_of(server, run_id) == {"loss": 3.5}
    files = {one["path"]: one["size"] for one in server.ok("GET", f"/runs/{run_id}/artifacts?recursive=true")["entries"]}
    assert files["outputs/model.bin"] == 256 * 40_000
    assert files["outputs/a/b/empty"] == 0
    assert "note.txt" in files
    assert other.kernels() == []
    there = words[words.index("in") + 1]
    assert "mlws-job-" in there
    until(lambda: not Path(there).exists(), 20, "the job's folder there is gone")
    assert other.token not in log_of(server, run_id)


def test_what_a_cell_logs_is_there_before_the_job_ends(server: LiveServer, tmp_path: Path) -> None:
    go = tmp_path / "go"
    run_id = submit(
        server,
        "import mlws, os, time\nmlws.log_metric('loss', 0.5)\nmlws.log_text('now', 'early.txt')",
        f"while not os.path.exists({str(go)!r}): time.sleep(0.05)",
    )
    until(lambda: metrics_of(server, run_id) == {"loss": 0.5}, 60, "the metric is there")
    assert server.ok("GET", f"/runs/{run_id}")["status"] == "Running"
    go.touch()
    assert server.wait(run_id)["status"] == "Completed"


def test_a_cell_that_fails_fails_the_job_with_its_name(server: LiveServer, other: OtherServer) -> None:
    run_id = submit(server, "open('outputs/before.txt', 'w').write('x')", "1 / 0", "open('outputs/after.txt', 'w').write('x')")
    run = server.wait(run_id)
    assert run["status"] == "Failed"
    assert "ZeroDivisionError" in run["error"]["message"]
    assert "cell 2 of 3" in run["error"]["message"]
    assert paths_of(server, run_id) >= {"outputs/before.txt"}
    assert other.kernels() == []


def test_questions_to_a_person_are_refused_as_in_other_jobs(server: LiveServer) -> None:
    run = server.wait(submit(server, "input('name? ')"))
    assert run["error"]["kind"] == "StdinNotImplementedError"


@pytest.mark.parametrize("listens", [True, False])
def test_a_cancel_in_mid_cell_ends_the_kernel_there(server: LiveServer, other: OtherServer, listens: bool) -> None:
    stays = "import time\nprint('begun', flush=True)\n"
    stays += "time.sleep(600)" if listens else "while True:\n  try: time.sleep(600)\n  except KeyboardInterrupt: pass"
    run_id = submit(server, stays)
    until(lambda: "begun" in log_of(server, run_id), 60, "the cell runs")
    server.ok("POST", f"/jobs/{run_id}/cancel")
    assert server.wait(run_id)["status"] == "Canceled"
    until(lambda: other.kernels() == [], 30, "the kernel is gone")


def test_secrets_reach_the_kernel_and_are_hidden(server: LiveServer) -> None:
    server.ok("PUT", "/workspaces/default/secrets/canary", {"value": "a-secret-value"})
    run_id = submit(server, "import os\nprint(os.environ['KEY'], len(os.environ['KEY']))", secrets={"KEY": "canary"})
    assert server.wait(run_id)["status"] == "Completed"
    assert "*** 14" in log_of(server, run_id)
    assert "a-secret-value" not in (server.data_dir / "jobs" / run_id / "job.json").read_text()


def test_a_link_that_is_cut_in_mid_cell_comes_back(server: LiveServer, wire: Wire, wired: str, tmp_path: Path) -> None:
    go = tmp_path / "go"
    waits = f"import os, time\nprint('begun', flush=True)\nwhile not os.path.exists({str(go)!r}): time.sleep(0.05)\nprint('over')"
    run_id = submit(server, waits, "print('next')", target=wired)
    until(lambda: "begun" in log_of(server, run_id), 60, "the cell runs")
    wire.cut()
    go.touch()
    wire.mend()
    run = server.wait(run_id)
    assert (run["status"], run["error"]) == ("Completed", None)
    assert {"over", "next"} <= set(log_of(server, run_id).split())


def test_a_link_that_stays_cut_fails_the_job_and_its_kernel_is_ended_later(
    server: LiveServer, other: OtherServer, wire: Wire, wired: str
) -> None:
    run_id = submit(server, "import time\nprint('begun', flush=True)\ntime.sleep(600)", target=wired)
    until(lambda: "begun" in log_of(server, run_id), 60, "the cell runs")
    wire.cut()
    run = server.wait(run_id, timeout=90)
    assert run["status"] == "Failed"
    assert "given up" in run["error"]["message"]
    assert len(other.kernels()) == 1
    wire.mend()
    until(lambda: other.kernels() == [], 60, "the kernel is gone")


def test_a_bridge_that_is_killed_leaves_no_kernel(server: LiveServer, other: OtherServer) -> None:
    run_id = submit(server, "import time\nprint('begun', flush=True)\ntime.sleep(600)")
    until(lambda: "begun" in log_of(server, run_id), 60, "the cell runs")
    [bridge] = [pid for pid, line in processes_of(server.data_dir) if "runner.gateway" in line]
    os.kill(bridge, signal.SIGKILL)
    run = server.wait(run_id)
    assert run["status"] == "Failed"
    until(lambda: other.kernels() == [], 60, "the kernel is gone")


def test_a_bridge_that_is_killed_while_its_kernel_starts_leaves_none(
    server: LiveServer, other: OtherServer, wire: Wire, wired: str
) -> None:
    wire.holds_from = b"POST /api/kernels"
    run_id = submit(server, "1", target=wired)
    until(lambda: len(other.kernels()) == 1, 60, "the kernel starts")
    [bridge] = [pid for pid, line in processes_of(server.data_dir) if "runner.gateway" in line]
    os.kill(bridge, signal.SIGKILL)
    wire.holds = False
    assert server.wait(run_id)["status"] == "Failed"
    until(lambda: other.kernels() == [], 60, "the kernel is gone")


def test_a_kernel_that_dies_there_fails_the_job_in_words(server: LiveServer, other: OtherServer) -> None:
    run = server.wait(submit(server, "import os\nos._exit(3)"))
    assert run["status"] == "Failed"
    assert "The kernel on" in run["error"]["message"]
    assert "died" in run["error"]["message"]
    until(lambda: other.kernels() == [], 30, "the kernel is gone")


def test_a_job_whose_files_cannot_be_fetched_does_not_pass_for_completed(server: LiveServer, other: OtherServer) -> None:
    run = server.wait(submit(server, "import sys\nopen('outputs/x', 'w').write('x')", "del sys.modules['_mlws_far']"))
    assert run["status"] == "Failed"
    assert "could not be fetched" in run["error"]["message"]
    assert other.kernels() == []


def test_a_server_that_is_away_holds_the_job_up_until_it_is_back(server: LiveServer, wire: Wire, wired: str) -> None:
    wire.cut()
    run_id = submit(server, "print('there')", target=wired)
    waiting = until(lambda: (server.ok("GET", f"/runs/{run_id}")["waiting"] or {}).get("reason", ""), 30)
    assert "cannot be reached" in waiting
    wire.mend()
    assert server.wait(run_id)["status"] == "Completed"


def test_a_wrong_token_fails_the_job_in_words(server: LiveServer, other: OtherServer) -> None:
    server.ok("PUT", "/workspaces/default/secrets/WRONG", {"value": "not-the-token"})
    place = {"url": other.url, "token": {"workspace": "default", "name": "WRONG"}}
    server.ok("POST", "/compute", {"name": "locked", "gateway": place})
    try:
        answer = server.post(
            "/workspaces/default/jobs", {"spec": {"kind": "notebook", "notebook": book(server)}, "target": "locked"}
        )
        assert answer.status_code == 409
        assert "does not take the token" in answer.json()["error"]["message"]
        tested = server.ok("POST", "/compute/locked/test", timeout=90)
        assert [step["state"] for step in tested["steps"]] == ["ok", "ok", "failed", "skipped", "skipped", "skipped"]
        assert "--token-secret" in tested["steps"][2]["todo"]
    finally:
        server.ok("DELETE", "/compute/locked")


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"spec": {"kind": "command", "command": "true"}}, "target", "run notebooks"),
        ({"environment": "env@1"}, "environment", "environment"),
        ({"in_place": True}, "in_place", "in_place"),
        ({"keeps": True}, "spec.keep_kernel_on_failure", "cannot be kept"),
        ({"kernel": "no-such"}, "kernel", "not installed on there"),
    ],
)
def test_what_cannot_be_done_there_is_refused_in_words(server: LiveServer, body: dict[str, Any], field: str, words: str) -> None:
    spec: dict[str, Any] = {"kind": "notebook", "notebook": book(server)}
    if body.pop("keeps", False):
        spec["keep_kernel_on_failure"] = True
    if "kernel" in body:
        spec["kernel"] = body.pop("kernel")
    answer = server.post("/workspaces/default/jobs", {"spec": spec, "target": "there", **body})
    assert 400 <= answer.status_code < 500
    assert words in answer.json()["error"]["message"]
    assert answer.json()["error"]["field"] == field


def test_a_test_tells_step_by_step(server: LiveServer, other: OtherServer) -> None:
    tested = server.ok("POST", "/compute/there/test", timeout=90)
    assert [step["state"] for step in tested["steps"]] == ["ok"] * 5 + ["skipped"], tested
    assert tested["usable"]
    assert "python3" in tested["steps"][3]["detail"]
    assert "python 3" in tested["steps"][4]["detail"]
    assert other.kernels() == []


def test_kernels_that_reach_this_server_log_to_it(server: LiveServer, other: OtherServer, tmp_path: Path) -> None:
    place = {"url": other.url, "token": {"workspace": "default", "name": "OTHER"}, "server_url": f"{server.url}/mlws"}
    server.ok("POST", "/compute", {"name": "near", "gateway": place})
    try:
        tested = server.ok("POST", "/compute/near/test", timeout=90)
        assert [step["state"] for step in tested["steps"]] == ["ok"] * 6, tested
        go = tmp_path / "go"
        run_id = submit(
            server,
            "import mlws, os, time\nmlws.log_metric('loss', 0.25)\nprint(os.environ['MLFLOW_TRACKING_URI'])\n"
            f"while not os.path.exists({str(go)!r}): time.sleep(0.05)\nopen('outputs/x', 'w').write('x')",
            target="near",
        )
        until(lambda: metrics_of(server, run_id) == {"loss": 0.25}, 60, "the metric is there in mid-cell")
        go.touch()
        assert server.wait(run_id)["status"] == "Completed"
        assert f"{server.url}/mlws/w/default" in log_of(server, run_id)
        assert "outputs/x" in paths_of(server, run_id)
    finally:
        server.ok("DELETE", "/compute/near")
