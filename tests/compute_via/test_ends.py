"""How jobs of a cluster end that is reached by ssh: by themselves, from here, and by Slurm, in its own words."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.jobs.test_command_jobs import alive
from tests.live import LiveServer, write_notebook
from tests.slurm import CPUS, Slurm, command, eventually, full, log_of, waiting_of
from tests.ssh import Sshd, far_jobs, pid_there

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_why_it_waits_is_said_and_it_leaves_the_queue(server: LiveServer, cluster: Slurm, login: Sshd):
    first = server.submit(command("echo $$ > pid.txt; sleep 600"), target="batch", resources={"cpus": CPUS})
    server.wait(first, "Running")
    second = server.submit(command("sleep 600"), target="batch", resources={"cpus": CPUS})
    eventually(lambda: waiting_of(server, second)[0] == "batch_system" and full(cluster) in waiting_of(server, second)[1])
    pid = pid_there(login, first)
    for run_id in (second, first):
        server.ok("POST", f"/jobs/{run_id}/cancel")
        run = server.wait(run_id)
        assert (run["status"], run["reason"], run["error"]) == ("Canceled", "canceled", None)
    assert [state for _, state in cluster.of_run(second)] == ["CANCELLED"]
    assert not alive(pid)
    eventually(lambda: not {first, second} & set(far_jobs(login)), within=60)


def test_an_administrators_scancel_is_named(server: LiveServer, cluster: Slurm, login: Sshd):
    running = server.submit(command("echo hello; sleep 600"), target="batch", resources={"cpus": CPUS})
    server.wait(running, "Running")
    waiting = server.submit(command("sleep 600"), target="batch", resources={"cpus": CPUS})
    eventually(lambda: [state for _, state in cluster.of_run(waiting)] == ["PENDING"])
    for run_id in (waiting, running):
        [(number, _)] = cluster.of_run(run_id)
        cluster.run("scancel", number)
        run = server.wait(run_id)
        assert (run["status"], run["reason"]) == ("Canceled", "canceled")
        assert (
            run["error"]["message"]
            == f"Slurm job {number} was cancelled (CANCELLED), and not from here: somebody called scancel."
        )
    assert log_of(server, running) == "hello\n"
    eventually(lambda: not {running, waiting} & set(far_jobs(login)), within=60)


def test_of_a_supervisor_that_was_killed_the_end_is_told_and_what_it_left_is_here(
    server: LiveServer, cluster: Slurm, login: Sshd
):
    run_id = server.submit(command("mkdir -p outputs; echo half > outputs/a.txt; echo $$ > pid.txt; sleep 600"), target="batch")
    pid = pid_there(login, run_id)
    os.kill(int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]), signal.SIGKILL)
    run = server.wait(run_id)
    [(number, state)] = cluster.of_run(run_id)  # whose script, PSI/J's, ends well whatever it started
    assert (run["status"], run["reason"]) == ("Failed", "batch")
    word = state if cluster.kind == "slurm" else cluster.late
    assert f"not run to its end: {cluster.called} job {number} ended as {word}" in run["error"]["message"]
    assert not alive(pid)
    assert server.get(f"/runs/{run_id}/artifacts/content", params={"path": "outputs/a.txt"}).text == "half\n"
    eventually(lambda: run_id not in far_jobs(login))


def test_exit_code_limit_and_retries_are_as_everywhere(server: LiveServer, cluster: Slurm):
    late = server.submit(command("sleep 60"), target="batch", timeout_s=1)
    failing = server.submit(command("echo $MLWS_ATTEMPT; exit 3"), target="batch", max_retries=1)
    run = server.wait(late)
    assert (run["status"], run["reason"]) == ("Failed", "timeout")
    run = server.wait(failing)
    assert (run["status"], run["error"]["message"]) == ("Failed", "The job's process ended with exit code 3.")
    assert [one["exit_code"] for one in server.ok("GET", f"/jobs/{failing}")["attempts"]] == [3, 3]
    assert len(cluster.of_run(failing)) == 2


def test_what_is_refused_there_fails_with_its_words_and_leaves_nothing(server: LiveServer, cluster: Slurm, login: Sshd):
    run = server.wait(server.submit(command("true"), target="batch", resources={"memory_bytes": 400 << 30}))
    assert (run["status"], run["reason"]) == ("Failed", "spawn_failed")
    assert "Requested node configuration is not available" in run["error"]["message"]
    assert run["id"] not in far_jobs(login)


def test_secrets_reach_the_job_and_stay_nowhere(server: LiveServer, cluster: Slurm, login: Sshd):
    server.ok("PUT", "/workspaces/default/secrets/token", {"value": "a-very-secret-word"})
    run_id = server.submit(command("echo ${#TOKEN} $TOKEN; sleep 3"), target="batch", secrets={"TOKEN": "token"})
    server.wait(run_id, "Running")
    for folder in (server.data_dir / "jobs", server.data_dir / "batch", cluster.folder, login.place):
        for path in folder.rglob("*"):
            assert not path.is_file() or b"a-very-secret-word" not in path.read_bytes(), path
    assert server.wait(run_id)["status"] == "Completed"
    assert log_of(server, run_id).startswith("18 ")
    assert "a-very-secret-word" not in log_of(server, run_id)


def test_a_notebook_runs_there(server: LiveServer, cluster: Slurm):
    write_notebook(
        server.root / "nb" / "a.ipynb", "n = 1", "import os\nprint(n + 1, 'in', os.environ['SLURM_JOB_ID'])", parameters="n = 0"
    )
    server.ok("PATCH", "/compute/far", {"ssh": {"python": sys.executable}})
    run_id = server.submit({"kind": "notebook", "notebook": "nb/a.ipynb"}, target="batch")
    run = server.wait(run_id, timeout=120)
    assert run["status"] == "Completed", (run["error"], server.log()[-3000:])
    [(number, _)] = cluster.of_run(run_id)
    assert f"2 in {number}" in server.get(f"/jobs/{run_id}/notebook").text


def test_its_time_limit_is_named(server: LiveServer, cluster: Slurm, overdue: str):
    [(number, _)] = cluster.of_run(overdue)
    run = server.wait(overdue, timeout=200)  # Slurm looks for such jobs once a minute
    assert (run["status"], run["reason"]) == ("Failed", "timeout")
    assert f"{cluster.called} ended job {number} ({cluster.late})" in run["error"]["message"]
    assert log_of(server, overdue) == "begun\n"
