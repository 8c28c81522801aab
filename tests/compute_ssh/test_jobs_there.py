"""Jobs on another host, through the front door: a real sshd, a real server."""

from __future__ import annotations

import pytest

from tests.jobs.test_command_jobs import DOUBLE_FORK, alive
from tests.live import LiveServer
from tests.ssh import Sshd, command, eventually, far_jobs, log_of, pid_there

pytestmark = pytest.mark.slow


def test_a_command_runs_there_and_all_of_it_comes_back(server: LiveServer, far: Sshd):
    code = server.root / "code"
    (code / "lib").mkdir(parents=True)
    (code / "a.py").write_text(
        "import mlws, os\nmlws.log_metric('m', 3)\nmlws.log_param('p', 'x')\nopen('made.txt','w').write('new')\n"
        "open('note.txt','w').write('an artifact')\nmlws.log_artifact('note.txt')\nprint('from', os.getcwd())\n"
    )
    (code / "lib" / "b.txt").write_text("b")
    run_id = server.submit(
        command(
            "python3 a.py && cat lib/b.txt && mkdir -p outputs && echo done > outputs/r.txt && echo own > logs/own.log",
            code="code",
        ),
        target="far",
    )
    run = server.wait(run_id)
    assert run["status"] == "Completed", (run["error"], server.log()[-3000:])
    assert run["metrics"]["m"]["last"] == 3
    assert run["params"]["p"] == "x"
    assert f"from {far.place}/jobs/{run_id}/work" in log_of(server, run_id)
    for path, content in (("outputs/r.txt", "done\n"), ("logs/own.log", "own\n"), ("note.txt", "an artifact")):
        assert server.get(f"/runs/{run_id}/artifacts/content", params={"path": path}).text == content, path
    assert "code/made.txt" in server.ok("GET", f"/jobs/{run_id}")["new_files"]
    eventually(lambda: run_id not in far_jobs(far))


def test_the_log_and_metrics_are_seen_while_it_runs(server: LiveServer):
    line = "python3 -u -c \"import mlws, time; mlws.log_metric('early', 1); print('hello'); time.sleep(30)\""
    run_id = server.submit(command(line), target="far")
    server.wait(run_id, "Running")
    eventually(lambda: "hello" in log_of(server, run_id))
    eventually(lambda: "early" in server.ok("GET", f"/runs/{run_id}")["metrics"])
    server.ok("POST", f"/jobs/{run_id}/cancel")
    assert server.wait(run_id)["status"] == "Canceled"


def test_cancel_kills_what_double_forked_there(server: LiveServer, far: Sshd):
    run_id = server.submit(command(DOUBLE_FORK), target="far")
    pid = pid_there(far, run_id)
    server.ok("POST", f"/jobs/{run_id}/cancel")
    run = server.wait(run_id, timeout=60)
    assert (run["status"], run["reason"]) == ("Canceled", "canceled")
    assert not alive(pid)


def test_limits_of_time_and_memory_count_there(server: LiveServer):
    late = server.submit(command("sleep 60"), timeout_s=1, target="far")
    large = server.submit(
        command('python3 -c "b = bytearray(300 << 20); import time; time.sleep(60)"', memory_limit=100 << 20), target="far"
    )
    run = server.wait(late, timeout=40)
    assert (run["status"], run["reason"]) == ("Failed", "timeout")
    assert server.wait(large, timeout=40)["reason"] == "out_of_memory"


def test_an_attempt_that_failed_is_followed_by_another(server: LiveServer):
    run_id = server.submit(command("echo attempt $MLWS_ATTEMPT; test $MLWS_ATTEMPT = 2"), target="far", max_retries=2)
    assert server.wait(run_id)["status"] == "Completed"
    assert [one["status"] for one in server.ok("GET", f"/jobs/{run_id}")["attempts"]] == ["Failed", "Completed"]
    assert log_of(server, run_id) == "attempt 2\n"
    assert server.ok("GET", f"/jobs/{run_id}/log", params={"attempt": 1})["text"] == "attempt 1\n"


def test_secrets_reach_the_job_and_no_disk(server: LiveServer, far: Sshd):
    server.ok("PUT", "/workspaces/default/secrets/token", {"value": "a-very-secret-word"})
    run_id = server.submit(command("echo ${#TOKEN} $TOKEN; sleep 3"), target="far", secrets={"TOKEN": "token"})
    server.wait(run_id, "Running")
    for folder in (far.place, server.data_dir / "jobs"):
        assert all(b"a-very-secret-word" not in path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert server.wait(run_id)["status"] == "Completed"
    assert log_of(server, run_id).startswith("18 ")
    assert "a-very-secret-word" not in log_of(server, run_id)


def test_a_file_travels_once(server: LiveServer, far: Sshd):
    code = server.root / "large"
    code.mkdir()
    (code / "large.bin").write_bytes(bytes(range(256)) * 4096 * 8)
    assert server.wait(server.submit(command("sha256sum large.bin", code="large"), target="far"))["status"] == "Completed"
    [kept] = [path for path in (far.place / "blobs").rglob("*") if path.is_file() and path.stat().st_size > 1_000_000]
    there = kept.stat().st_ino
    assert server.wait(server.submit(command("echo x >> large.bin", code="large"), target="far"))["status"] == "Completed"
    assert kept.stat().st_ino == there, "it was sent again"
    assert kept.stat().st_size == 256 * 4096 * 8, "a job reached the file that others get"


def test_what_cannot_be_done_there_is_refused_at_once(server: LiveServer):
    (server.root / "own").mkdir()
    body = {"spec": command("true", code="own"), "target": "far", "in_place": True}
    answer = server.post("/workspaces/default/jobs", body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "target_refuses")


def test_a_target_goes_when_nothing_runs_there(server: LiveServer, far: Sshd):
    server.ok("POST", "/compute", {**far.target(), "name": "passing"})
    assert server.post("/compute", {**far.target(), "name": "passing"}).json()["error"]["code"] == "compute_exists"
    run_id = server.submit(command("sleep 600"), target="passing")
    server.wait(run_id, "Running")
    answer = server.request("DELETE", "/compute/passing")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "compute_in_use")
    server.ok("POST", f"/jobs/{run_id}/cancel")
    server.wait(run_id)
    assert server.request("DELETE", "/compute/passing").status_code == 204
    assert server.get("/compute/passing").status_code == 404
    assert server.request("DELETE", "/compute/local").json()["error"]["code"] == "compute_fixed"
