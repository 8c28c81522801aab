"""Memory limits of jobs, from the request to the words on the run: real server, supervisor, kernel."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlws.sdk import BadInput, Workspace
from tests.live import LiveServer, write_notebook

MIB = 1 << 20
TAKE = "import time\ndata = bytearray(b'x') * ({mib} << 20)\nprint('took it')\ntime.sleep({stays})"


def test_the_cell_that_took_too_much_is_named_and_what_came_before_it_is_kept(server: LiveServer):
    write_notebook(server.root / "hungry.ipynb", "print('before')", "# Eat\n" + TAKE.format(mib=900, stays=60), "print('never')")
    run_id = server.submit({"kind": "notebook", "notebook": "hungry.ipynb", "memory_limit": 400 * MIB})
    run = server.wait(run_id)
    assert (run["status"], run["reason"]) == ("Failed", "out_of_memory")
    error = run["error"]
    assert error["message"].startswith("The job used ")
    assert "its limit is 400 MiB. Cell 2, “# Eat”, was running." in error["message"]
    assert (error["kind"], error["cell"]) == ("OutOfMemory", 1)
    stored = server.get(f"/runs/{run_id}/artifacts/content", params={"path": "notebook/hungry.ipynb"}).json()
    assert stored["cells"][0]["outputs"][0]["text"] == ["before\n"]
    job = server.ok("GET", f"/jobs/{run_id}")
    assert job["usage"]["memory_limit_bytes"] == 400 * MIB < job["usage"]["peak_memory_bytes"]


def test_just_under_it_nothing_happens(server: LiveServer):
    write_notebook(server.root / "modest.ipynb", TAKE.format(mib=200, stays=1))
    run_id = server.submit({"kind": "notebook", "notebook": "modest.ipynb", "memory_limit": 500 * MIB})
    assert server.wait(run_id)["status"] == "Completed"
    peak = server.ok("GET", f"/jobs/{run_id}")["usage"]["peak_memory_bytes"]
    assert 200 * MIB < peak < 500 * MIB


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "4GiB", 16 * MIB - 1, 2**53 + 1, True])
def test_a_limit_on_the_wire_is_a_whole_number_of_bytes(server: LiveServer, wrong):
    body = {"spec": {"kind": "command", "command": "true", "memory_limit": wrong}}
    answer = server.request("POST", "/workspaces/default/jobs", json=body)
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "spec.memory_limit")


def test_a_re_run_keeps_changes_or_drops_it(server: LiveServer):
    first = server.submit({"kind": "command", "command": "true", "memory_limit": 64 * MIB})
    limits = []
    for change in ({}, {"memory_limit": 128 * MIB}, {"memory_limit": None}):
        made = server.ok("POST", f"/jobs/{first}/rerun", change)
        limits.append(made["spec"].get("memory_limit"))
    assert limits == [64 * MIB, 128 * MIB, None]


def test_the_server_has_a_usual_limit(new_server):
    server = new_server(options=["--MlwsApp.job_memory_limit=200MiB"]).start()
    eats = f"python3 -c {json.dumps(TAKE.format(mib=600, stays=60))}".replace("\\n", "; ")
    usual = server.submit({"kind": "command", "command": eats})
    own = server.submit({"kind": "command", "command": "true", "memory_limit": 100 * MIB})
    run = server.wait(usual)
    assert run["reason"] == "out_of_memory", run
    assert server.ok("GET", f"/jobs/{usual}")["spec"]["memory_limit"] == 200 * MIB
    assert server.ok("GET", f"/jobs/{own}")["spec"]["memory_limit"] == 100 * MIB


@pytest.fixture
def ws(server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("MLWS_DATA_DIR", str(server.data_dir))
    with Workspace() as found:
        yield found


def test_python_takes_text_and_job_files_take_it_too(ws: Workspace, tmp_path: Path):
    made = ws.jobs.create(command="true", memory_limit="1.5GiB")
    assert made.spec.memory_limit == 3 << 29
    assert ws.jobs.rerun(made.id, memory_limit=0).refresh().spec.memory_limit != made.spec.memory_limit
    with pytest.raises(BadInput, match="'much' is no size of memory"):
        ws.jobs.create(command="true", memory_limit="much")
    (tmp_path / "job.yml").write_text("command: echo hi\nlimits:\n  memory: 512MiB\n")
    assert ws.jobs.create(file=tmp_path / "job.yml").spec.memory_limit == 512 * MIB
    assert ws.jobs.create(file=tmp_path / "job.yml", set={"limits.memory": "64MiB"}).spec.memory_limit == 64 * MIB
    (tmp_path / "job.yml").write_text("command: echo hi\nlimits:\n  memory: plenty\n")
    with pytest.raises(BadInput, match=r"job.yml, line 3, limits.memory: a size"):
        ws.jobs.validate(tmp_path / "job.yml")
    (tmp_path / "job.yml").write_text("command: echo hi\nlimits:\n  memory: 3\n")
    with pytest.raises(BadInput, match=r"job.yml, line 3, limits.memory"):
        ws.jobs.validate(tmp_path / "job.yml")
