"""Notebook jobs on another host, whose Python has papermill and a kernel, and nothing of ours."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import papermill
import pytest

from tests.jobs.test_command_jobs import alive
from tests.live import LiveServer, write_notebook
from tests.ssh import Sshd, eventually, far_jobs, log_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PACKAGES = Path(papermill.__file__).parents[1]
NOT_THERE = ("msgspec", "jupyter_mlws", "_jupyter_mlws")
"""What the server needs and a notebook does not."""


def a_python(folder: Path, *, packages: bool) -> str:
    """An interpreter of its own, with or without what notebooks need."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    if packages:
        give_packages(folder)
    return str(folder / "bin" / "python")


def give_packages(venv: Path) -> None:
    """Have it what is installed here, of which papermill and ipykernel are."""
    [site] = venv.glob("lib/python*/site-packages")
    for path in PACKAGES.iterdir():
        if not path.name.startswith(NOT_THERE) and path.suffix != ".pth":
            (site / path.name).symlink_to(path)


@pytest.fixture(scope="module")
def studio(server: LiveServer, far: Sshd) -> Iterator[LiveServer]:
    """The server, with the target `books` whose Python runs notebooks."""
    python = a_python(far.folder / "venv", packages=True)
    server.ok("POST", "/compute", {**far.target(python=python), "name": "books"})
    yield server
    assert server.request("DELETE", "/compute/books").status_code == 204


def submit(server: LiveServer, name: str, **fields: Any) -> str:
    spec = {"kind": "notebook", "notebook": name, **fields.pop("spec", {})}
    return server.submit(spec, target="books", **fields)


def deltas(server: LiveServer, run_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.ok("GET", f"/jobs/{run_id}/notebook")["deltas"]
    return found


def text_of(found: list[dict[str, Any]]) -> str:
    return "".join(delta["output"].get("text", "") for delta in found if delta["op"] == "output")


def there(far: Sshd, run_id: str, name: str) -> Path:
    """A file that a job writes there, once it is written."""
    work = far.place / "jobs" / run_id / "work"
    eventually(lambda: any(path.read_text() for path in work.rglob(name)))
    [found] = work.rglob(name)
    return found


def content_of(path: Path) -> bytes:
    """Of a file, as long as it is there: other jobs run and end."""
    with contextlib.suppress(OSError):
        return path.read_bytes()
    return b""


def test_a_notebook_runs_there_and_all_of_it_comes_back(studio: LiveServer, far: Sshd):
    folder = studio.root / "whole"
    write_notebook(
        folder / "train.ipynb",
        "import sys, os, helper, mlws\nprint(sys.prefix)\nprint('helped', helper.value * rate)",
        "mlws.log_metric('score', rate)\nos.makedirs('outputs', exist_ok=True)\nopen('outputs/made.txt', 'w').write('made there')",
        "import importlib.util as u\nprint('ours', [u.find_spec(name) for name in ('jupyter_mlws', 'msgspec')])",
        parameters="rate = 0.5",
    )
    (folder / "helper.py").write_text("value = 4\n")
    run_id = submit(studio, "whole/train.ipynb", spec={"parameters": {"rate": 0.25}})
    run = studio.wait(run_id)
    assert run["status"] == "Completed", (run["error"], studio.log()[-3000:])
    assert run["metrics"]["score"]["last"] == 0.25
    assert run["params"]["rate"] == "0.25"
    log = log_of(studio, run_id)
    assert f"{far.folder}/venv\n" in log
    assert "helped 1.0\n" in log
    assert "ours [None, None]\n" in log, "the runner is on nobody's path"
    assert studio.get(f"/runs/{run_id}/artifacts/content", params={"path": "outputs/made.txt"}).text == "made there"
    job = studio.ok("GET", f"/jobs/{run_id}")
    stored = studio.get(f"/runs/{run_id}/artifacts/content", params={"path": job["notebook_artifact"]}).json()
    assert any("injected-parameters" in cell["metadata"]["tags"] for cell in stored["cells"])
    assert (run["progress"]["done"], run["progress"]["total"]) == (5, 5)
    eventually(lambda: run_id not in far_jobs(far))


def test_cells_are_seen_while_they_run_and_a_cancel_interrupts_the_kernel(studio: LiveServer, far: Sshd):
    write_notebook(
        studio.root / "long.ipynb",
        "import os\nopen('pid.txt', 'w').write(str(os.getpid()))\nprint('early')",
        "import time\ntry:\n    time.sleep(600)\nexcept KeyboardInterrupt:\n    print('interrupted')\n    raise",
    )
    run_id = submit(studio, "long.ipynb")
    pid = int(there(far, run_id, "pid.txt").read_text())
    eventually(lambda: "early" in text_of(deltas(studio, run_id)))
    eventually(lambda: any(delta["op"] == "start" and delta["cell"] == 1 for delta in deltas(studio, run_id)))
    eventually(lambda: studio.ok("GET", f"/runs/{run_id}")["progress"]["done"] == 1)
    studio.ok("POST", f"/jobs/{run_id}/cancel")
    run = studio.wait(run_id)
    assert (run["status"], run["reason"]) == ("Canceled", "canceled")
    assert "interrupted" in log_of(studio, run_id)
    assert not alive(pid)


def test_a_failed_cell_is_named(studio: LiveServer):
    write_notebook(studio.root / "bad.ipynb", "x = 1", "# nothing\n1 / (x - 1)")
    run = studio.wait(submit(studio, "bad.ipynb"))
    assert (run["status"], run["reason"]) == ("Failed", "error")
    assert run["error"]["cell"] == 1
    assert run["error"]["kind"] == "ZeroDivisionError"
    assert "cell 2 of 2" in run["error"]["message"]


def test_limits_and_secrets_count_there(studio: LiveServer, far: Sshd):
    studio.ok("PUT", "/workspaces/default/secrets/word", {"value": "a-very-secret-sentence"})
    write_notebook(studio.root / "late.ipynb", "import time; time.sleep(600)")
    write_notebook(studio.root / "large.ipynb", "b = bytearray(400 << 20)\nimport time; time.sleep(600)")
    write_notebook(
        studio.root / "secret.ipynb",
        "import os\nprint(len(os.environ['WORD']), os.environ['WORD'])\n_ = open('shown', 'w').write('1')",
        "import time\nwhile os.path.exists('shown'): time.sleep(0.05)",
    )
    late = submit(studio, "late.ipynb", timeout_s=3)
    large = submit(studio, "large.ipynb", spec={"memory_limit": 300 << 20})
    hidden = submit(studio, "secret.ipynb", secrets={"WORD": "word"})
    shown = there(far, hidden, "shown")
    for folder in (far.place, studio.data_dir / "jobs"):
        assert all(b"a-very-secret-sentence" not in content_of(path) for path in folder.rglob("*"))
    shown.unlink()
    run = studio.wait(late)
    assert (run["status"], run["reason"]) == ("Failed", "timeout")
    assert studio.wait(large)["reason"] == "out_of_memory"
    assert studio.wait(hidden)["status"] == "Completed"
    assert log_of(studio, hidden) == "22 ***\n"
    job = studio.ok("GET", f"/jobs/{hidden}")
    stored = studio.get(f"/runs/{hidden}/artifacts/content", params={"path": job["notebook_artifact"]}).text
    assert "22 ***" in stored
    assert "a-very-secret-sentence" not in stored


def test_kernels_are_those_of_the_host(studio: LiveServer, far: Sshd):
    write_notebook(studio.root / "other.ipynb", "import os; print('kernel says', os.environ['WHICH'])", kernel="there")
    body = {"spec": {"kind": "notebook", "notebook": "other.ipynb"}, "target": "books"}
    answer = studio.post("/workspaces/default/jobs", body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "kernel_missing")
    assert "not installed on books" in answer.json()["error"]["message"]
    assert "python3" in answer.json()["error"]["message"]
    kernel = far.folder / "venv" / "share" / "jupyter" / "kernels" / "there"
    kernel.mkdir(parents=True)
    python = str(far.folder / "venv" / "bin" / "python")
    told = {
        "argv": [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "There",
        "language": "python",
    }
    (kernel / "kernel.json").write_text(json.dumps({**told, "env": {"WHICH": "there"}}))
    run_id = submit(studio, "other.ipynb")
    run = studio.wait(run_id)
    assert run["status"] == "Completed", run["error"]
    assert log_of(studio, run_id) == "kernel says there\n"
    steps = {step["name"]: step for step in studio.ok("POST", "/compute/books/test", timeout=60)["steps"]}
    assert "there (There)" in steps["kernels"]["detail"]
    assert "there" in [one["name"] for one in studio.ok("GET", "/compute/books")["facts"]["notebooks"]["kernels"]]


def test_what_is_missing_is_told_by_the_test_and_to_who_submits(studio: LiveServer, far: Sshd):
    bare = a_python(far.folder / "bare", packages=False)
    studio.ok("POST", "/compute", {**far.target(python=bare), "name": "bare"})
    tested = studio.ok("POST", "/compute/bare/test", timeout=60)
    steps = {step["name"]: step for step in tested["steps"]}
    assert tested["usable"], "commands run there"
    assert steps["papermill"]["state"] == "missing"
    assert f"{bare} -m pip install papermill ipykernel" in steps["papermill"]["todo"]
    target = studio.ok("GET", "/compute/bare")
    assert target["kinds"] == ["command"]
    assert "papermill is not installed" in target["facts"]["notebooks"]["missing"]
    write_notebook(studio.root / "plain.ipynb", "print(1)")
    answer = studio.post("/workspaces/default/jobs", {"spec": {"kind": "notebook", "notebook": "plain.ipynb"}, "target": "bare"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "target_refuses")
    assert "papermill is not installed" in answer.json()["error"]["message"]
    give_packages(far.folder / "bare")  # somebody installs it
    run_id = studio.submit({"kind": "notebook", "notebook": "plain.ipynb"}, target="bare")
    assert studio.wait(run_id)["status"] == "Completed"
    assert studio.ok("GET", "/compute/bare")["kinds"] == ["command", "notebook"]
    assert studio.request("DELETE", "/compute/bare").status_code == 204


def test_what_cannot_be_done_there_is_refused(studio: LiveServer):
    write_notebook(studio.root / "plain.ipynb", "print(1)")
    spec = {"kind": "notebook", "notebook": "plain.ipynb"}
    for body, field in (
        ({"spec": {**spec, "keep_kernel_on_failure": True}}, "spec.keep_kernel_on_failure"),
        ({"spec": spec, "in_place": True}, "in_place"),
    ):
        answer = studio.post("/workspaces/default/jobs", {**body, "target": "books"})
        assert (answer.status_code, answer.json()["error"]["field"]) == (400, field), answer.text


def test_a_cut_link_and_a_killed_server_lose_no_cell_and_double_none(studio: LiveServer, far: Sshd):
    write_notebook(
        studio.root / "cut.ipynb",
        "import os, time\nfor n in range(40):\n    print('line', n, flush=True)\n    time.sleep(0.05)",
        "_ = open('first', 'w').write('1')\nwhile not os.path.exists('go'): time.sleep(0.05)\nprint('second')",
    )
    run_id = submit(studio, "cut.ipynb")
    eventually(lambda: "line 3" in text_of(deltas(studio, run_id)))
    assert far.cut()
    first = there(far, run_id, "first")
    eventually(lambda: "line 39" in text_of(deltas(studio, run_id)))
    studio.kill()
    (first.parent / "go").touch()
    studio.start()
    run = studio.wait(run_id)
    assert run["status"] == "Completed", run["error"]
    found = deltas(studio, run_id)
    assert text_of(found) == "".join(f"line {n}\n" for n in range(40)) + "second\n"
    assert [delta["cell"] for delta in found if delta["op"] == "end"] == [0, 1]


def test_a_job_for_a_host_that_was_away_finds_out_when_it_begins(studio: LiveServer, far: Sshd):
    write_notebook(studio.root / "cobol.ipynb", "print(1)", kernel="cobol")
    far.stop()
    try:
        run_id = submit(studio, "cobol.ipynb")
    finally:
        far.start()
    run = studio.wait(run_id, timeout=90)
    assert (run["status"], run["reason"]) == ("Failed", "spawn_failed")
    assert "The kernel 'cobol' is not installed on" in run["error"]["message"]
    assert "python3" in run["error"]["message"]
    assert run_id not in far_jobs(far), "nothing was sent"
