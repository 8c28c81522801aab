"""What may go wrong between a server and a host: every job has one end, its log is whole, and no process is left."""

from __future__ import annotations

import os
import signal
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.test_command_jobs import alive
from tests.live import LiveServer
from tests.ssh import Sshd, command, eventually, far_jobs, log_of, pid_there

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

COUNTING = """echo $$ > pid.txt; python3 -u - <<'PY'
import mlws, time
for n in range(%d):
    print("line", n)
    mlws.log_metric("n", n, step=n)
    time.sleep(%f)
open("outputs/end.txt", "w").write("end")
PY"""

UNTIL_STOPPED = (
    COUNTING.replace("range(%d)", "itertools.count()")
    .replace("import mlws,", "import itertools, mlws, os,")
    .replace("time.sleep(%f)", "time.sleep(0.05)\n    if os.path.exists('stop'): break")
)
CUTS = 50 if os.environ.get("MLWS_SOAK") else 8


def check_whole(server: LiveServer, run_id: str, lines: int) -> None:
    """All that a counting job printed and logged is there, once."""
    assert log_of(server, run_id) == "".join(f"line {n}\n" for n in range(lines))
    table = server.get(f"/runs/{run_id}/metrics/csv", params={"key": "n"}).text.splitlines()
    assert [int(line.split(",")[1]) for line in table[1:]] == list(range(lines))
    assert server.get(f"/runs/{run_id}/artifacts/content", params={"path": "outputs/end.txt"}).text == "end"
    assert [one["status"] for one in server.ok("GET", f"/jobs/{run_id}")["attempts"]] == ["Completed"]


def grew(server: LiveServer, run_id: str, seen: str) -> bool:
    """Whether there is more in the log."""
    return log_of(server, run_id) != seen


def why(server: LiveServer, run_id: str) -> str:
    waiting: dict[str, Any] = server.ok("GET", f"/runs/{run_id}")["waiting"] or {}
    return str(waiting.get("reason", ""))


@pytest.mark.soak
def test_a_link_that_is_cut_again_and_again_costs_nothing(server: LiveServer, far: Sshd):
    run_id = server.submit(command(UNTIL_STOPPED), target="far")
    server.wait(run_id, "Running", timeout=120)
    pid = pid_there(far, run_id)
    for _ in range(CUTS):
        seen = log_of(server, run_id)
        eventually(far.cut)  # what it grew by may have come before the last cut, and the link is not back yet
        eventually(partial(grew, server, run_id, seen))
    (far.place / "jobs" / run_id / "work" / "stop").touch()
    run = server.wait(run_id, timeout=120)
    assert run["status"] == "Completed", run["error"]
    check_whole(server, run_id, log_of(server, run_id).count("\n"))
    assert not alive(pid)
    eventually(lambda: run_id not in far_jobs(far))


def test_a_host_that_is_away_is_told_and_its_job_goes_on(server: LiveServer, far: Sshd):
    run_id = server.submit(command(COUNTING % (120, 0.1)), target="far")
    server.wait(run_id, "Running")
    far.stop()
    server.wait(run_id, "NotResponding", timeout=120)
    assert f"127.0.0.1 (port {far.port})" in why(server, run_id)
    far.start()
    run = server.wait(run_id, timeout=120)
    assert run["status"] == "Completed", run["error"]
    check_whole(server, run_id, 120)


def test_cancel_reaches_a_host_that_was_away(server: LiveServer, far: Sshd):
    run_id = server.submit(command("echo $$ > pid.txt; sleep 600"), target="far")
    server.wait(run_id, "Running")
    pid = pid_there(far, run_id)
    far.stop()
    server.ok("POST", f"/jobs/{run_id}/cancel")
    time.sleep(2)
    assert alive(pid)
    far.start()
    run = server.wait(run_id, timeout=120)
    assert (run["status"], run["reason"]) == ("Canceled", "canceled")
    assert not alive(pid)


def test_a_server_that_was_killed_finds_its_jobs_again(server: LiveServer, far: Sshd):
    goes_on = server.submit(command(COUNTING % (100, 0.1)), target="far")
    go = far.folder / "go"
    line = f"echo quick; while [ ! -e {go} ]; do sleep 0.05; done; echo done > outputs/end.txt"
    ends = server.submit(command(line), target="far")
    server.wait(goes_on, "Running")
    server.wait(ends, "Running")
    server.kill()
    go.touch()
    eventually((far.place / "jobs" / ends / "exit.json").exists)
    server.start()
    assert server.wait(ends, timeout=120)["status"] == "Completed"
    assert log_of(server, ends) == "quick\n"
    assert server.wait(goes_on, timeout=120)["status"] == "Completed"
    check_whole(server, goes_on, 100)
    eventually(lambda: goes_on not in far_jobs(far))


def test_a_server_killed_while_it_starts_jobs_starts_each_once(server: LiveServer, far: Sshd):
    marks = far.folder / "marks"
    marks.mkdir()
    for _ in range(3):
        runs = [server.submit(command(f"echo x >> {marks}/$MLWS_RUN_ID; sleep 1"), target="far") for _ in range(4)]
        time.sleep(0.3)
        server.kill()
        server.start()
        for run_id in runs:
            assert server.wait(run_id, timeout=120)["status"] == "Completed"
            assert (marks / run_id).read_text() == "x\n"


def test_a_supervisor_that_is_killed_there_is_noticed(server: LiveServer, far: Sshd):
    run_id = server.submit(command("echo $$ > pid.txt; echo begun; sleep 600"), target="far")
    pid = pid_there(far, run_id)
    eventually(lambda: log_of(server, run_id) == "begun\n")
    parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(parent, signal.SIGKILL)
    run = server.wait(run_id, timeout=120)
    assert (run["status"], run["reason"]) == ("Failed", "lost")
    assert not alive(pid)
    assert log_of(server, run_id) == "begun\n"
    eventually(lambda: run_id not in far_jobs(far))


def test_a_job_waits_for_a_host_that_is_away(server: LiveServer, far: Sshd):
    far.stop()
    first, second = (server.submit(command("echo hello"), target="far") for _ in range(2))
    eventually(lambda: "cannot be reached" in why(server, first) or "was cut" in why(server, first))
    eventually(lambda: server.ok("GET", "/compute/far")["state"] == "away")
    third = server.submit(command("echo hello"), target="far")
    eventually(lambda: why(server, third))
    far.start()
    for run_id in (first, second, third):
        assert server.wait(run_id, timeout=120)["status"] == "Completed"
    assert server.ok("GET", "/compute/far")["state"] == "ready"


def test_a_wrong_key_is_an_error_with_a_name(server: LiveServer, far: Sshd):
    server.ok("PUT", "/workspaces/default/secrets/ssh-key", {"value": far.new_key("other")})
    far.cut()  # a link that is there needs no key
    run = server.wait(server.submit(command("echo hello"), target="far"), timeout=120)
    assert (run["status"], run["reason"]) == ("Failed", "spawn_failed")
    assert "does not let this server in" in run["error"]["message"]
    server.ok("PUT", "/workspaces/default/secrets/ssh-key", {"value": "no key at all"})
    run = server.wait(server.submit(command("echo hello"), target="far"), timeout=120)
    assert "holds no private key" in run["error"]["message"]
    server.ok("PUT", "/workspaces/default/secrets/ssh-key", {"value": far.key})
    assert server.wait(server.submit(command("echo hello"), target="far"), timeout=120)["status"] == "Completed"


def test_a_changed_host_key_is_refused_and_both_are_told(server: LiveServer, far: Sshd):
    before, kept = far.fingerprint, far.host_key()
    run_id = server.submit(command(COUNTING % (150, 0.1)), target="far")
    server.wait(run_id, "Running")
    far.stop()
    far.new_key("host_key")
    far.start()
    run = server.wait(server.submit(command("echo hello"), target="far"), timeout=120)
    assert (run["status"], run["reason"]) == ("Failed", "spawn_failed")
    assert before in run["error"]["message"]
    assert far.fingerprint in run["error"]["message"]
    assert server.wait(run_id, "NotResponding", timeout=120)["status"] == "NotResponding"
    detail = server.ok("GET", "/compute/far")["detail"]
    assert before in detail
    assert far.fingerprint in detail
    far.set_host_key(kept)
    assert server.wait(run_id, timeout=120)["status"] == "Completed"


def test_a_host_set_up_anew_is_taken_once_somebody_says_so(server: LiveServer, far: Sshd):
    kept = far.host_key()
    far.stop()
    far.new_key("host_key")
    far.start()
    answer = server.request("PATCH", "/compute/far", json={"ssh": {"host_key": "SHA256:" + "A" * 43}})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "target_refuses")
    server.ok("PATCH", "/compute/far", {"ssh": {"host_key": far.fingerprint}})
    assert server.wait(server.submit(command("echo hello"), target="far"), timeout=120)["status"] == "Completed"
    far.set_host_key(kept)
    server.ok("PATCH", "/compute/far", {"ssh": {"host_key": far.fingerprint}})
