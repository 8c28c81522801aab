"""Servers and supervisors are killed while jobs run: live jobs go on, dead ones are settled, each ends once, and logs are whole."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.crash.test_takeover import one_end
from tests.live import LiveServer, write_notebook
from tests.servers import SOAK, kill, lean, processes_of, say, seeded, until

ROUNDS = 200 if SOAK else 10
LINES = 30
# A line is one write: `print` makes two of it where nothing is buffered, and what the client says may come between.
LOGGING = f"""
import sys, mlws
for i in range({LINES}):
    mlws.log_metric("m", i, step=i)
    sys.stdout.write(f"line {{i}}\\n")
    time.sleep(0.05)
"""


def command(line: str) -> dict[str, Any]:
    return {"kind": "command", "command": line}


def folder_of(server: LiveServer, run_id: str) -> Path:
    return server.data_dir / "jobs" / run_id


def record(server: LiveServer, run_id: str, name: str) -> dict[str, Any] | None:
    """A JSON file of a job's folder, once it is there."""
    try:
        found: dict[str, Any] = json.loads((folder_of(server, run_id) / name).read_text())
    except (OSError, ValueError):
        return None
    return found


def steps_of(server: LiveServer, run_id: str) -> list[int]:
    found = server.ok("GET", f"/runs/{run_id}/metrics/history", params={"key": "m", "limit": 10_000})
    steps: list[int] = found["steps"]
    return steps


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    """A server of the test's own; at the end no process of its jobs may be left."""
    live = lean(tmp_path / "server")
    yield live
    live.stop()
    assert processes_of(live.data_dir) == []


def change(server: LiveServer, statement: str, *values: str) -> None:
    """Put the database of a dead server into a state that a crash at a certain moment leaves."""
    with sqlite3.connect(server.data_dir / "mlws.db") as database:
        assert database.execute(statement, values).rowcount == 1
    database.close()


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.timeout(0 if SOAK else 300)
def test_the_server_is_killed_at_random_moments(server: LiveServer):
    random = seeded("moments")
    (server.root / "code").mkdir(parents=True)
    (server.root / "code" / "job.py").write_text("import time\n" + LOGGING)
    write_notebook(server.root / "n.ipynb", "import time", LOGGING)
    jobs: list[str] = []
    server.start()
    for number in range(ROUNDS):
        if number % 5 == 0:
            jobs.append(server.submit({"kind": "notebook", "notebook": "n.ipynb"}))
        jobs.append(server.submit({**command("python job.py"), "code": "code"}))
        time.sleep(random.uniform(0, 2.5))
        server.kill()
        server.start()
    for run_id in jobs:
        run = server.wait(run_id, timeout=60)
        assert run["status"] == "Completed", run["error"]
        assert one_end(server, run_id)
        assert steps_of(server, run_id) == list(range(LINES))
        if server.ok("GET", f"/jobs/{run_id}")["spec"]["kind"] == "command":
            text = server.ok("GET", f"/jobs/{run_id}/log")["text"]
            assert [line for line in text.splitlines() if line.startswith("line")] == [f"line {i}" for i in range(LINES)]
    say(f"{ROUNDS} kills, {len(jobs)} jobs completed once, with whole logs and {LINES} metric points each")


@pytest.mark.slow
def test_a_job_ends_while_the_server_is_down(server: LiveServer):
    server.start()
    (server.root / "code").mkdir()
    (server.root / "code" / "job.py").write_text("import time; time.sleep(1.5)\n" + LOGGING)
    run_id = server.submit({**command("python job.py"), "code": "code"})
    server.wait(run_id, "Running")
    server.kill()
    ended = until(lambda: record(server, run_id, "exit.json"), 60)
    assert ended["exit_code"] == 0
    spooled = list((folder_of(server, run_id) / "spool").glob("*.wal"))
    assert spooled, "what it logged waits on the disk"
    server.start()
    assert server.wait(run_id)["status"] == "Completed"
    assert steps_of(server, run_id) == list(range(LINES)), "taken in once"
    server.kill()
    server.start()
    assert steps_of(server, run_id) == list(range(LINES)), "and not again"
    assert one_end(server, run_id)


@pytest.mark.slow
def test_the_server_is_killed_in_each_phase(server: LiveServer):
    server.options.append("--MlwsApp.max_jobs=1")
    server.start()
    first = server.submit(command("sleep 4; echo one"))
    server.wait(first, "Running")
    preparing, canceled, queued = (server.submit(command(f"echo {word}")) for word in ("two", "three", "four"))
    server.kill()
    change(server, "UPDATE jobs SET phase = 'live' WHERE run_id = ?", preparing)
    change(server, "UPDATE runs SET status = 'Preparing' WHERE id = ?", preparing)
    change(server, "UPDATE jobs SET phase = 'live', cancel_requested_at = 1 WHERE run_id = ?", canceled)
    change(server, "UPDATE runs SET status = 'CancelRequested' WHERE id = ?", canceled)
    half = folder_of(server, preparing)
    (half / "work").mkdir(parents=True)
    (half / "work" / "half").write_text("what an interrupted preparation left")
    until(lambda: record(server, first, "exit.json"), 30)
    change(server, "UPDATE runs SET status = 'Finalizing' WHERE id = ?", first)
    server.start()
    for run_id, word in ((first, "one"), (preparing, "two"), (queued, "four")):
        assert server.wait(run_id)["status"] == "Completed"
        assert server.ok("GET", f"/jobs/{run_id}/log")["text"] == f"{word}\n"
    assert not (half / "work" / "half").exists()
    run = server.wait(canceled)
    assert (run["status"], run["reason"]) == ("Canceled", "canceled")
    assert all(one_end(server, run_id) for run_id in (first, preparing, canceled, queued))


@pytest.mark.slow
def test_supervisors_are_killed_and_folders_removed(server: LiveServer):
    server.options.append("--MlwsApp.max_jobs=6")
    server.start()
    tree = command("(setsid sleep 300 &) ; sleep 300 & sleep 300")
    killed, removed, killed_while_down = (server.submit(tree) for _ in range(3))
    cancel = server.submit(command("trap '' INT; sleep 300"))
    for run_id in (killed, removed, killed_while_down, cancel):
        server.wait(run_id, "Running")
    pids = {run_id: until(partial(record, server, run_id, "pid.json"), 20)["pid"] for run_id in (killed, killed_while_down)}
    kill(pids[killed])
    shutil.rmtree(folder_of(server, removed))
    for run_id, words in ((killed, "ended without a record"), (removed, "folder is not there")):
        run = server.wait(run_id)
        assert (run["status"], run["reason"]) == ("Failed", "lost")
        assert words in run["error"]["message"]
        statuses = [entry["status"] for entry in server.ok("GET", f"/runs/{run_id}/history")["changes"]]
        assert statuses[-3:] == ["NotResponding", "Finalizing", "Failed"]
    server.kill()
    kill(pids[killed_while_down])
    change(server, "UPDATE jobs SET cancel_requested_at = 1 WHERE run_id = ?", cancel)
    change(server, "UPDATE runs SET status = 'CancelRequested' WHERE id = ?", cancel)
    server.start()
    assert server.wait(killed_while_down)["reason"] == "lost"
    assert server.wait(cancel)["status"] == "Canceled", "the cancel that the killed server had not passed on"
    assert all(one_end(server, run_id) for run_id in (killed, removed, killed_while_down, cancel))
