"""The notebook runner, by running notebooks."""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from mlws import jobdir
from tests.runner.conftest import code, markdown, notebook

pytestmark = pytest.mark.slow


def text_of(outputs):
    return [o.get("text") or o.get("data", {}).get("text/plain") or o.get("ename") for o in map(joined, outputs)]


def joined(output):
    """Output as the file keeps it, its lists of lines joined."""
    parts: dict[str, Any] = {k: "".join(v) if isinstance(v, list) and k == "text" else v for k, v in output.items()}
    if "data" in parts:
        parts["data"] = {k: "".join(v) if isinstance(v, list) else v for k, v in parts["data"].items()}
    return parts


def replayed(deltas):
    """Outputs of each cell, by the deltas alone, as the page does it."""
    base = next(d for d in deltas if d.op == "base")
    cells: list[list[dict[str, Any]]] = [[] for _ in base.notebook["cells"]]
    shown: dict[str, list[dict[str, Any]]] = {}
    for delta in deltas:
        if delta.op == "output":
            last = cells[delta.cell][-1] if cells[delta.cell] else None
            if delta.output["output_type"] == "stream" and last and last.get("name") == delta.output["name"]:
                kept = last["text"].split("\n")[: -delta.back or None]
                last["text"] = "\n".join([*kept, ""] if delta.back and kept else kept) + delta.output["text"]
            else:
                cells[delta.cell].append(dict(delta.output))
                if delta.display_id:
                    shown.setdefault(delta.display_id, []).append(cells[delta.cell][-1])
        elif delta.op == "clear":
            cells[delta.cell].clear()
        elif delta.op == "update":
            for output in shown.get(delta.display_id, []):
                output["data"] = delta.output["data"]
    return cells


def test_runs_with_parameters(run_notebook):
    job = run_notebook(
        markdown("# Train"),
        code("epochs = 1\nname: str = 'a'  # who\nlayers = [1 == 1,\n  2]", "parameters"),
        "print(epochs, name, layers)",
        "import os; os.getcwd()",
        "import sys; print('to stderr', file=sys.stderr)",
        parameters={"epochs": 7, "layers": [3], "name": 'Zoë\'s "x"'},
    )
    assert (job.exit_code, job.error) == (0, {})
    assert job.log == f"7 Zoë's \"x\" [3]\n'{job.path}/work'\nto stderr\n"
    assert text_of(job.cells[3]["outputs"]) == ['7 Zoë\'s "x" [3]\n']
    assert job.cells[2]["metadata"]["tags"] == ["injected-parameters"]
    assert [d.op for d in job.deltas if d.op in ("base", "start", "end", "done")] == ["base", *["start", "end"] * 5, "done"]
    assert all(d.ok for d in job.deltas if d.op == "end")
    assert job.json("progress.json") == {"done": 5, "total": 5, "label": "", "current": None}


def test_kernel_knows_the_run(run_notebook):
    job = run_notebook("import os; print(os.environ['MLWS_RUN_ID']); import mlws")
    assert job.error == {}
    assert job.log == "b" * 32 + "\n"


def test_failing_cell_is_named(run_notebook):
    job = run_notebook("1", markdown("intro\n## Fit the model ##\nbla"), "x = 1\nraise ValueError('bad value')", "print('never')")
    assert job.exit_code == 1
    assert job.error["message"] == "ValueError: bad value (cell 3 of 4, “Fit the model”)"
    assert (job.error["kind"], job.error["cell"], job.error["cell_name"]) == ("ValueError", 2, "Fit the model")
    assert "raise" in job.error["traceback"]
    assert job.log.count("Traceback") == 1
    assert "never" not in job.log
    assert [(d.cell, d.ok) for d in job.deltas if d.op == "end"] == [(0, True), (2, False)]
    assert job.cells[2]["outputs"][0]["ename"] == "ValueError"


def test_expected_errors_and_exits(run_notebook):
    job = run_notebook(code("1/0", "raises-exception"), "print('goes on')", "import sys; sys.exit(0)", "print('never')")
    assert (job.exit_code, job.error) == (0, {})
    assert "goes on" in job.log
    assert "never" not in job.log


@pytest.mark.parametrize(
    ("cells", "section", "words"),
    [
        ([code("lr = 0.1\nsteps = 3", "parameters")], {"parameters": {"lrr": 1}}, ["'lrr'", "Did you mean 'lr'?", "lr, steps"]),
        (["1"], {"parameters": {"x": 1}}, ["no cell tagged `parameters`"]),
        (["1"], {"kernel": "cobol"}, ["The kernel 'cobol' is not installed", "python3"]),
        (["1"], {"input": "/no/where.ipynb"}, ["cannot be read"]),
    ],
)
def test_refused_before_a_cell_runs(run_notebook, cells, section, words):
    job = run_notebook(*cells, "open('ran', 'w')", **section)
    assert job.exit_code == 1
    assert all(word in job.error["message"] for word in words), job.error
    assert job.error["message"] in job.log
    assert not (job.path / "work" / "ran").exists()
    assert job.deltas[-1].op == "done"


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"a": 1}', json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []})]
)
def test_what_is_no_notebook_or_has_no_kernel(make_job, content):
    job = make_job(content).run()
    assert job.exit_code == 1
    assert "notebook" in job.error["message"]


def test_old_formats(make_job):
    cell = {"cell_type": "code", "language": "python", "input": "print(6 * 7)", "outputs": [], "metadata": {}}
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}, "worksheets": [{"cells": [cell], "metadata": {}}]}
    job = make_job(old, kernel="python3").run()
    assert job.error == {}
    assert job.log == "42\n"


@pytest.mark.parametrize(
    ("last", "words"),
    [
        ("import os; os._exit(3)", "exit code 3"),
        ("import os; os.kill(os.getpid(), 9)", "signal 9; most often the memory ran out"),
    ],
)
def test_kernel_death_is_told(run_notebook, last, words):
    began = time.monotonic()
    job = run_notebook("print('alive')", last, "print('never')")
    assert job.exit_code == 1
    assert job.error["message"].startswith("The kernel died in cell 2 of 3")
    assert words in job.error["message"]
    assert job.error["cell"] == 1
    assert "alive" in job.log
    assert time.monotonic() - began < 60


def test_kernel_that_does_not_start(make_job, tmp_path, monkeypatch):
    spec = tmp_path / "kernels" / "broken"
    spec.mkdir(parents=True)
    argv = [sys.executable, "-c", "raise SystemExit('no ipykernel in here')", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Broken", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    job = make_job(notebook("1"), kernel="broken").run()
    assert "died while it started" in job.error["message"]
    assert "no ipykernel in here" in job.log


def cancel_when(job, condition, within=60.0):
    supervisor = job.start()
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
    began = time.monotonic()
    jobdir.request_cancel(str(job.path))
    supervisor.wait(60)
    return time.monotonic() - began


def test_cancel_interrupts_the_cell(make_job):
    cell = "import time\nprint('in', flush=True)\ntry:\n    time.sleep(100)\nfinally:\n    open('cleaned', 'w')"
    job = make_job(notebook(markdown("# Wait"), cell, "print('never')"))
    log = job.path / "user_logs" / "std_log.txt"
    cancel_when(job, lambda: log.exists() and "in\n" in log.read_text())
    assert (job.json("exit.json")["reason"], job.exit_code) == ("canceled", 130)
    assert job.error["message"] == "The job was canceled in cell 2 of 3, “Wait”."
    assert (job.path / "work" / "cleaned").exists()
    assert job.cells[1]["outputs"][-1]["ename"] == "KeyboardInterrupt"
    assert jobdir.leftovers(str(job.path)) == []


def test_cancel_of_a_cell_that_does_not_listen(make_job):
    cell = "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nprint('in', flush=True)\nwhile True: time.sleep(1)"
    job = make_job(notebook(cell))
    log = job.path / "user_logs" / "std_log.txt"
    took = cancel_when(job, lambda: log.exists() and "in\n" in log.read_text())
    assert took < 10
    assert job.json("exit.json")["reason"] == "canceled"
    assert job.error["kind"] == "Canceled"


def test_cancel_while_the_kernel_starts(make_job):
    job = make_job(notebook("print('never')"))
    cancel_when(job, lambda: (job.path / "pid.json").exists())
    assert (job.json("exit.json")["reason"], job.exit_code) == ("canceled", 130)
    assert job.log in ("", "The job was canceled while its kernel started.\n")
    assert jobdir.leftovers(str(job.path)) == []


def test_outputs_that_change(run_notebook):
    job = run_notebook(
        "from IPython.display import display, clear_output, HTML\nh = display('first', display_id='d')\nprint('a'); print('b')",
        "import time; time.sleep(0.3); h.update('second')",
        "print('gone'); clear_output(); print('kept')",
        "print('old'); clear_output(wait=True); print('new')",
        "display('twice', display_id='d');",
        "import sys; print('o'); sys.stdout.flush(); print('e', file=sys.stderr); sys.stderr.flush(); print('o')",
    )
    expected = [["'twice'", "a\nb\n"], [], ["kept\n"], ["new\n"], ["'twice'"]]
    assert [text_of(cell["outputs"]) for cell in job.cells][:5] == expected
    assert [text_of(outputs) for outputs in replayed(job.deltas)][:5] == expected
    assert sorted("".join(text_of(job.cells[5]["outputs"])).split()) == ["e", "o", "o"]


def test_what_subprocesses_print_stands_once(run_notebook):
    job = run_notebook("import os, subprocess\nos.system('echo one')\n!echo two\nsubprocess.run(['echo', 'three']);")
    assert sorted(job.log.split()) == ["one", "three", "two"]


def test_progress_bar_is_one_line(run_notebook):
    job = run_notebook(
        "import sys\nfor i in range(50_000):\n    sys.stderr.write(f'\\r{i} of many')\nsys.stderr.write('\\nend\\n');"
    )
    assert text_of(job.cells[0]["outputs"]) == ["49999 of many\nend\n"]
    assert job.log == "49999 of many\nend\n"
    assert (job.path / "notebook.jsonl").stat().st_size < 100_000


def test_nested_bars_are_two_lines(run_notebook):
    job = run_notebook(
        "import sys, time\nfor i in range(20_000):\n"
        "    sys.stderr.write(f'\\router {i // 100}'); sys.stderr.write('\\n'); sys.stderr.write(f'\\rinner {i}')\n"
        "    sys.stderr.write('\\x1b[A')\n"
        "    if i % 2_000 == 0: sys.stderr.flush(); time.sleep(0.3)\n"
        "sys.stderr.write('\\n\\n');",
        "1",
    )
    assert text_of(job.cells[0]["outputs"]) == ["outer 199\ninner 19999\n"]
    assert replayed(job.deltas)[0] == [{"output_type": "stream", "name": "stderr", "text": "outer 199\ninner 19999\n"}]
    assert job.log == "outer 199\ninner 19999\n1\n"
    assert (job.path / "notebook.jsonl").stat().st_size < 100_000


def test_many_small_prints_and_a_big_output(run_notebook):
    job = run_notebook("for i in range(30_000): print(i)", "from IPython.display import HTML\nHTML('x' * 12_000_000)")
    assert job.error == {}
    assert job.log.startswith("".join(f"{i}\n" for i in range(30_000)))
    assert "".join(text_of(job.cells[0]["outputs"])) == "".join(f"{i}\n" for i in range(30_000))
    lines = (job.path / "notebook.jsonl").read_bytes().splitlines()
    assert len(lines) < 1000
    assert sum(len(line) > 10_000_000 for line in lines) == 1


def test_large_notebook(make_job):
    big = code("1")
    big["outputs"] = [{"output_type": "display_data", "metadata": {}, "data": {"text/html": "y" * 50_000_000}}]
    job = make_job(notebook(big, code("x = '" + "z" * 5_000_000 + "'; len(x)"))).run()
    assert job.error == {}
    assert job.log == "1\n5000000\n"


def test_files_beside_the_notebook_are_the_kernels(make_job):
    job = make_job(notebook("import json; print(json.MINE)"))
    (job.path / "work" / "json.py").write_text("MINE = 'shadow'\ndef dumps(*a, **k): raise RuntimeError\n")
    (job.path / "work" / "papermill.py").write_text("raise RuntimeError")
    job.run()
    assert "notebook runner failed" not in job.error.get("message", "")


def test_nothing_stays_in_tmp(run_notebook):
    job = run_notebook("import os, ipykernel; print(os.path.dirname(ipykernel.get_connection_file()))")
    folder = Path(job.log.strip())
    assert folder.match("/tmp/mlws-*")
    assert not folder.exists()


def test_output_notebook_grows_while_it_runs(make_job, monkeypatch):
    job = make_job(notebook("print('early')", "import time; time.sleep(6)"))
    supervisor = job.start()
    path = job.path / "notebook.jsonl"
    end = time.monotonic() + 60
    while not (path.exists() and b"early" in path.read_bytes()):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert job.json("progress.json")["total"] == 2
    supervisor.send_signal(signal.SIGTERM)
    supervisor.wait(60)
