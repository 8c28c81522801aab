"""In IPython: the magics in a real shell, and the life of a run in a real kernel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

KERNEL_PATH = Path(__file__).parents[2] / "jupyter_mlws" / "kernel_path"
TOKEN = "mlws_test"

SHELL = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

shell = InteractiveShell.instance()
told = []
for cell in json.load(sys.stdin):
    with capture_output() as captured:
        result = shell.run_cell(cell, store_history=True)
    error = result.error_in_exec or result.error_before_exec
    told.append({"ok": result.success, "error": type(error).__name__ if error else None, "out": captured.stdout,
                 "err": captured.stderr, "value": repr(result.result)})
print("\\n@@" + json.dumps(told))
"""


@pytest.fixture
def ipython(places, server, monkeypatch):
    """Runs cells in a real IPython shell with only the kernel path on PYTHONPATH; gives back what each told."""
    (places / "digits.ipynb").write_text('{"cells": []}')

    def run(*cells, **env):
        base = {
            "PYTHONPATH": str(KERNEL_PATH),
            "MLWS_URL": server.url,
            "MLWS_TOKEN": TOKEN,
            "MLWS_NOTEBOOK": str(places / "digits.ipynb"),
            "IPYTHONDIR": str(places / "ipython"),
        }
        done = subprocess.run(
            [sys.executable, "-c", SHELL],
            input=json.dumps(cells),
            env={**os.environ, **base, **env},
            cwd=places,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "@@" in done.stdout, done.stderr
        return json.loads(done.stdout.rpartition("@@")[2])

    return run


def test_a_cell_is_tracked_with_its_sources(ipython, tracker):
    told = ipython(
        "%load_ext mlws",
        "rate = 0.1",
        "%%mlws_run --experiment digits2 --name 'my run' --tag who=me --param lr=0.1\n"
        "import mlws\nmlws.log_metric('acc', rate)\nseen = 7\nrate * 2",
        "seen",
    )
    assert [each["ok"] for each in told] == [True] * 4
    assert told[3]["value"] == "7"
    assert "0.2" in told[2]["out"]
    stored = tracker.only()
    assert (stored["create"]["name"], stored["create"]["experiment"]) == ("my run", "digits2")
    assert (stored["params"], stored["tags"], stored["end"]["status"]) == ({"lr": "0.1"}, {"who": "me"}, "Completed")
    assert stored["points"][0][:2] == ("acc", 0.1)
    assert stored["snapshot"]["digits.ipynb"] == b'{"cells": []}'
    assert "mlws.log_metric('acc', rate)" in stored["snapshot"]["cell.py"].decode()
    executed = stored["snapshot"]["executed.py"].decode()
    assert "# In [2]\nrate = 0.1\n" in executed
    assert "%%mlws_run" in executed


def test_an_exception_fails_the_run_and_is_shown_once(ipython, tracker):
    told = ipython(
        "%load_ext mlws", "%%mlws_run\nx = 1\nraise RuntimeError('diverged')", "x", "%%mlws_run\n1 +", "%%mlws_run\n1/0"
    )
    assert [each["error"] for each in told] == [None, "RuntimeError", None, "SyntaxError", "ZeroDivisionError"]
    assert (told[1]["out"] + told[1]["err"]).count("Traceback (most recent call last)") == 1
    assert (told[3]["out"] + told[3]["err"]).count("invalid syntax") == 1
    ends = [run["end"] for run in tracker.runs.values()]
    assert [(end["status"], end["error"]["kind"]) for end in ends] == [
        ("Failed", "RuntimeError"),
        ("Failed", "SyntaxError"),
        ("Failed", "ZeroDivisionError"),
    ]


def test_the_notebook_names_the_experiment_and_runs_nest(ipython, tracker):
    ipython(
        "%load_ext mlws",
        "import mlws\nouter = mlws.start_run('outer')",
        "%%mlws_run -n inner\nmlws.log_metric('a', 1)",
        "outer.end()",
    )
    runs = {run["create"]["name"]: run for run in tracker.runs.values()}
    assert runs["outer"]["create"]["experiment"] == "digits"
    assert runs["inner"]["create"]["parent_id"] == runs["outer"]["create"]["id"]
    assert runs["outer"]["end"]["status"] == "Completed"


def test_list_open_and_status(ipython, tracker):
    told = ipython(
        "%load_ext mlws",
        "%mlws list",
        "import mlws\nwith mlws.start_run('one', 'e1') as run: run.log_metric('acc', 0.25)",
        "with mlws.start_run('two', 'e2') as two: two.log_metrics({'nan': float('nan'), 'up': float('inf')})",
        "%mlws list",
        "%mlws list e1",
        "%mlws open one",
        "%mlws",
        "%mlws list missing",
        "%mlws open missing",
        "run",
    )
    assert "No runs yet" in told[1]["value"]
    assert "two" in told[4]["value"]
    assert "acc=0.25" in told[5]["value"]
    assert "nan=NaN, up=∞" in told[4]["value"]
    assert "two" not in told[5]["value"]
    run_id = next(run["create"]["id"] for run in tracker.runs.values() if run["create"]["name"] == "one")
    assert told[6]["value"].endswith(f"/base/mlws/open/runs/{run_id}")
    assert "version 1.2.3" in told[7]["value"]
    assert [told[8]["error"], told[9]["error"]] == ["UsageError"] * 2
    assert f"/base/mlws/open/runs/{run_id}" in told[10]["value"]


@pytest.mark.parametrize(
    "cell",
    [
        "%mlws nonsense",
        "%mlws list -n x",
        "%%mlws_run --bad\n1",
        "%%mlws_run --tag novalue\n1",
        "%%mlws_run --name ''\n1",
        "%mlws list 'open",
    ],
)
def test_wrong_arguments_are_a_usage_error(ipython, tracker, cell):
    told = ipython("%load_ext mlws", cell, "%mlws -h", "%%mlws_run -h\n1", "1 + 1")
    assert told[1]["error"] == "UsageError"
    assert told[4]["value"] == "2"
    assert "usage: %mlws" in told[2]["out"]
    assert "usage: %%mlws_run" in told[3]["out"]
    assert tracker.runs == {}


def test_a_cell_that_awaits_runs_where_no_event_loop_does(ipython, tracker):
    told = ipython("%load_ext mlws", "%%mlws_run\nimport asyncio\nawait asyncio.sleep(0, 'slept')")
    assert "slept" in told[1]["out"]
    assert tracker.only()["end"]["status"] == "Completed"


def test_the_magics_say_so_when_the_server_is_away(ipython):
    told = ipython("%load_ext mlws", "%mlws", "%mlws list", "%%mlws_run\nprint('ran')", MLWS_URL="http://127.0.0.1:9/mlws")
    assert "jupyter lab" in told[1]["value"]
    assert told[2]["error"] == "UsageError"
    assert told[3]["ok"]
    assert "ran" in told[3]["out"]


def test_load_ext_is_quick(ipython):
    told = ipython(
        "import time; started = time.perf_counter()",
        "%load_ext mlws",
        "(time.perf_counter() - started) * 1000",
    )
    assert float(told[2]["value"]) < 300


@pytest.mark.slow
def test_a_kernel_that_is_restarted_ends_its_run(places, server, tracker, monkeypatch, until):
    from jupyter_client.manager import KernelManager

    (places / "digits.ipynb").write_text('{"cells": []}')
    monkeypatch.setenv("PYTHONPATH", str(KERNEL_PATH))
    env = {**os.environ, "MLWS_URL": server.url, "MLWS_TOKEN": TOKEN, "MLWS_NOTEBOOK": str(places / "digits.ipynb")}
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(env=env, cwd=str(places))
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=30)
        code = "import mlws\nrun = mlws.start_run('open')\nfor i in range(5000): mlws.log_metric('n', i)\nrun"
        reply = client.execute_interactive(code, timeout=30, output_hook=lambda message: None)
        assert reply["content"]["status"] == "ok"
        started = time.monotonic()
        manager.restart_kernel()
        assert time.monotonic() - started < 5
        until(lambda: "end" in tracker.only())
        client.wait_for_ready(timeout=30)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    stored = tracker.only()
    assert (stored["end"]["status"], len(stored["points"])) == ("Completed", 5000)
    assert stored["create"]["experiment"] == "digits"
    assert "mlws.start_run('open')" in stored["snapshot"]["executed.py"].decode()
