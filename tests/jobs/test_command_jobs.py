"""Command jobs through the front door: logs, cancel, timeout, the queue, what a job may not do."""

from __future__ import annotations

import re
import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.live import LiveServer

DOUBLE_FORK = r"""
python3 - <<'PY'
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.signal(signal.SIGINT, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open("pid.txt", "w").write(str(os.getpid()))
        time.sleep(600)
    os._exit(0)
print("forked", flush=True)
time.sleep(600)
PY
"""


def command(line: str, **fields: object) -> dict[str, object]:
    return {"kind": "command", "command": line, **fields}


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_command_runs_in_its_snapshot(server: LiveServer):
    folder = server.root / "code"
    folder.mkdir()
    (folder / "a.py").write_text("import mlws\nmlws.log_metric('m', 3)\nprint('from a')\n")
    run_id = server.submit(
        command(
            "python a.py && mkdir -p outputs && echo done > outputs/r.txt && mkdir -p logs && echo own > logs/own.log",
            code="code",
        )
    )
    run = server.wait(run_id)
    assert run["status"] == "Completed", run["error"]
    assert run["metrics"]["m"]["last"] == 3
    assert "from a" in server.ok("GET", f"/jobs/{run_id}/log")["text"]
    assert server.get(f"/runs/{run_id}/artifacts/content", params={"path": "outputs/r.txt"}).text == "done\n"
    assert server.get(f"/runs/{run_id}/artifacts/content", params={"path": "logs/own.log"}).text == "own\n"


def test_the_supervisors_own_lines_are_the_system_log(server: LiveServer):
    run_id = server.submit(command("echo out; echo err >&2; exit 7"))
    server.wait(run_id)
    user = server.ok("GET", f"/jobs/{run_id}/log")
    assert user["text"] == server.ok("GET", f"/jobs/{run_id}/log", params={"stream": "user"})["text"] == "out\nerr\n"
    system = server.ok("GET", f"/jobs/{run_id}/log", params={"stream": "system"})
    *_, last = system["text"].splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ended: exited, exit code 7, signal None", last)
    assert (system["done"], {"out", "err"} & set(system["text"].splitlines())) == (True, set())
    refused = server.get(f"/jobs/{run_id}/log", params={"stream": "both"})
    assert (refused.status_code, refused.json()["error"]["field"]) == (400, "stream")


def test_exit_codes_and_signals_are_told(server: LiveServer):
    failed = server.wait(server.submit(command("echo oops >&2; exit 3")))
    assert (failed["status"], failed["reason"]) == ("Failed", "error")
    assert "exit code 3" in failed["error"]["message"]
    killed = server.wait(server.submit(command("kill -9 $$")))
    assert killed["status"] == "Failed"
    assert "SIGKILL" in killed["error"]["message"] or "137" in killed["error"]["message"]


def test_progress_bars_and_colours_in_the_log(server: LiveServer):
    line = r"""python - <<'PY'
import sys
for i in range(200_000):
    sys.stdout.write(f"\rstep {i} of 200000")
print()
print("\x1b[31mred\x1b[0m")
PY"""
    run_id = server.submit(command(line))
    server.wait(run_id)
    log = server.ok("GET", f"/jobs/{run_id}/log")
    assert log["text"] == "step 199999 of 200000\n\x1b[31mred\x1b[0m\n"
    assert log["size"] < 100_000


def test_cancel_kills_what_double_forked_and_ignores_signals(new_server):
    server = new_server().start()
    run_id = server.submit(command(DOUBLE_FORK))
    server.wait(run_id, "Running")
    pid_file = server.data_dir / "jobs" / run_id / "work" / "pid.txt"
    deadline = time.monotonic() + 20
    while not (pid_file.exists() and pid_file.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    pid = int(pid_file.read_text())
    assert alive(pid)
    assert server.ok("POST", f"/jobs/{run_id}/cancel")["run"]["status"] == "CancelRequested"
    run = server.wait(run_id, timeout=60)
    assert (run["status"], run["reason"]) == ("Canceled", "canceled")
    assert not alive(pid)
    again = server.ok("POST", f"/jobs/{run_id}/cancel")
    assert again["run"]["status"] == "Canceled"


def test_a_timeout_ends_the_job(server: LiveServer):
    run = server.wait(server.submit(command("sleep 60"), timeout_s=1), timeout=40)
    assert (run["status"], run["reason"]) == ("Failed", "timeout")
    assert "1 s" in run["error"]["message"]


def test_the_queue_says_why_and_keeps_its_order(new_server):
    server = new_server(options=["--MlwsApp.max_jobs=1"]).start()
    first = server.submit(command("sleep 30"))
    server.wait(first, "Running")
    low = server.submit(command("echo low"), priority=-1)
    high = server.submit(command("echo high"), priority=1)
    waiting = {run_id: server.ok("GET", f"/runs/{run_id}")["waiting"] for run_id in (low, high)}
    assert waiting[high]["position"] == 1
    assert waiting[low]["position"] == 2
    assert "local" in waiting[high]["reason"]
    target = server.ok("GET", "/compute/local")
    assert (target["running"], target["queued"], target["max_jobs"]) == (1, 2, 1)
    assert [job["run_id"] for job in target["queue"]] == [high, low]
    assert server.ok("POST", f"/jobs/{low}/cancel")["run"]["status"] == "Canceled"
    server.ok("POST", f"/jobs/{first}/cancel")
    done = server.wait(high)
    assert done["status"] == "Completed"
    assert done["waiting"] is None


def test_equal_priorities_start_in_the_order_of_submission(new_server):
    server = new_server(options=["--MlwsApp.max_jobs=1"]).start()
    blocker = server.submit(command("sleep 60"))
    server.wait(blocker, "Running")
    order: list[str] = []
    while len(order) < 4 or order in (sorted(order), sorted(order, reverse=True)):
        order.append(server.submit(command("true")))
    assert [server.ok("GET", f"/runs/{run_id}")["waiting"]["position"] for run_id in order] == [*range(1, len(order) + 1)]
    assert [job["run_id"] for job in server.ok("GET", "/compute/local")["queue"]] == order
    server.ok("POST", f"/jobs/{blocker}/cancel")
    runs = [server.wait(run_id) for run_id in order]
    assert {run["status"] for run in runs} == {"Completed"}
    for run, after in pairwise(runs):
        assert run["ended_at"] <= after["started_at"], (run["id"], after["id"])


def test_an_idempotency_key_submits_once(server: LiveServer):
    body = {"spec": command("echo once")}
    headers = {"Idempotency-Key": "the-key"}
    one = server.ok("POST", "/workspaces/default/jobs", body, headers=headers)
    two = server.ok("POST", "/workspaces/default/jobs", body, headers=headers)
    assert one["run"]["id"] == two["run"]["id"]
    other = server.post("/workspaces/default/jobs", {"spec": command("echo twice")}, headers=headers)
    assert (other.status_code, other.json()["error"]["code"]) == (409, "idempotency_conflict")
    server.wait(one["run"]["id"])

    again = [server.ok("POST", f"/jobs/{one['run']['id']}/rerun", {}, headers={"Idempotency-Key": "again"}) for _ in range(2)]
    assert again[0]["run"]["id"] == again[1]["run"]["id"] != one["run"]["id"]
    changed = server.post(f"/jobs/{one['run']['id']}/rerun", {"priority": 3}, headers={"Idempotency-Key": "again"})
    assert (changed.status_code, changed.json()["error"]["code"]) == (409, "idempotency_conflict")
    server.wait(again[0]["run"]["id"])


def test_the_list_of_jobs_tells_of_those_that_came_and_ended(server: LiveServer):
    before = server.ok("GET", "/workspaces/default/jobs")
    go = server.root / "go-and-fail"
    run_id = server.submit(command(f"until [ -e {go} ]; do sleep 0.1; done; exit 3"))
    listed = server.ok("GET", "/workspaces/default/jobs")
    assert run_id in [job["id"] for job in listed["jobs"]]
    assert run_id not in listed["ended"]
    go.touch()
    server.wait(run_id)
    after = server.ok("GET", "/workspaces/default/jobs")
    assert run_id in set(after["ended"]) - set(before["ended"])
    assert run_id not in [job["id"] for job in after["jobs"]]


def test_what_a_job_may_not_do(server: LiveServer):
    victim = server.submit(command("true"))
    server.wait(victim)
    line = (
        "python - <<'PY'\n"
        "import json, os, urllib.request, urllib.error\n"
        "def ask(method, path, body=None):\n"
        "    data = json.dumps(body).encode() if body is not None else None\n"
        "    headers = {'Authorization': 'Bearer ' + os.environ['MLWS_TOKEN'], 'Content-Type': 'application/json'}\n"
        "    request = urllib.request.Request(os.environ['MLWS_URL'] + '/api/v1' + path, data, headers, method=method)\n"
        "    try:\n"
        "        return urllib.request.urlopen(request).status\n"
        "    except urllib.error.HTTPError as error:\n"
        "        return error.code\n"
        f"victim = {victim!r}\n"
        "own = os.environ['MLWS_RUN_ID']\n"
        "batch = {'batch_id': 'batch-0001', 'tags': {'a': 'b'}}\n"
        "print('codes', ask('POST', f'/runs/{victim}/log', batch), ask('POST', f'/runs/{own}/log', batch), "
        "ask('DELETE', f'/runs/{victim}'), ask('POST', f'/jobs/{victim}/rerun', {}), ask('POST', '/workspaces', {'name': 'x'}), "
        "ask('GET', f'/runs/{victim}'), ask('POST', f'/runs/{own}/end', {'status': 'Completed'}))\n"
        "PY"
    )
    run_id = server.submit(command(line))
    server.wait(run_id)
    assert "codes 403 200 403 403 403 200 409" in server.ok("GET", f"/jobs/{run_id}/log")["text"]


@pytest.mark.parametrize("spec", [{"kind": "other"}, {"kind": "command"}, {"kind": "command", "command": "x", "extra": 1}, {}])
def test_a_spec_that_is_none_is_refused(server: LiveServer, spec: dict[str, object]):
    answer = server.post("/workspaces/default/jobs", {"spec": spec})
    assert answer.status_code == 400
    assert answer.json()["error"]["field"]


def test_what_no_program_can_be_given_is_refused_at_submit(server: LiveServer):
    long = server.post("/workspaces/default/jobs", {"spec": command("echo " + "é" * 70_000)})
    assert (long.status_code, long.json()["error"]["field"]) == (413, "spec.command")
    wide = server.post("/workspaces/default/jobs", {"spec": command("true"), "env": {"WIDE": "x" * 131_072}})
    assert (wide.status_code, wide.json()["error"]["field"]) == (413, "env.WIDE")
    fits = server.submit(command("echo ${#WIDE}"), env={"WIDE": "x" * 131_066})
    assert server.wait(fits)["status"] == "Completed"
    assert "131066" in server.ok("GET", f"/jobs/{fits}/log")["text"]


def test_run_again_with_another_line(server: LiveServer):
    first = server.submit(command("echo one"))
    server.wait(first)
    job = server.ok("POST", f"/jobs/{first}/rerun", {"command": "echo two"})
    assert job["spec"]["command"] == job["run"]["source"] == "echo two"
    server.wait(job["run"]["id"])
    assert server.ok("GET", f"/jobs/{job['run']['id']}/log")["text"] == "two\n"
    for field, value in (("parameters", {"rate": 1}), ("kernel", "python3"), ("command", "")):
        assert server.post(f"/jobs/{first}/rerun", {field: value}).json()["error"]["field"] == field
