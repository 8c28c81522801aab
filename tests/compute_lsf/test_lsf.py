"""What is LSF's own: who ended a job, what its test says, and its command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jupyter_mlws.domain.compute.batch import checks
from jupyter_mlws.domain.compute.batch.lsf import Lsf
from jupyter_mlws.domain.compute.batch.site import Here
from jupyter_mlws.domain.compute.schemas import LsfPlace
from tests.compute_ssh.test_commands import mlws
from tests.live import LiveServer
from tests.slurm import Slurm, command

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_a_job_has_nothing_of_the_servers_environment_and_somebodys_bkill_is_named(server: LiveServer, cluster: Slurm):
    assert server.process is not None
    assert b"OF_THE_SERVER=" in Path(f"/proc/{server.process.pid}/environ").read_bytes()
    run_id = server.submit(command("sleep 600"), target="batch")
    server.wait(run_id, "Running")
    supervisor = json.loads((server.data_dir / "jobs" / run_id / "pid.json").read_text())["pid"]
    found = Path(f"/proc/{supervisor}/environ").read_bytes()
    assert b"LSB_JOBID=" in found
    assert b"OF_THE_SERVER=" not in found
    [(number, _)] = cluster.of_run(run_id)
    cluster.run("scancel", number)
    run = server.wait(run_id)
    assert (run["status"], run["reason"]) == ("Canceled", "canceled")
    assert run["error"]["message"] == f"LSF job {number} was cancelled (TERM_OWNER), and not from here: somebody called bkill."


def test_the_test_says_what_is_missing(server: LiveServer, cluster: Slurm):
    found = server.ok("POST", "/compute/batch/test", timeout=60)
    assert found["usable"], found
    assert [step["name"] for step in found["steps"]] == ["PSI/J", "LSF's programs", "LSF", "what jobs ask for", "a job"]
    assert [step["state"] for step in found["steps"]] == ["ok"] * 5
    assert found["steps"][2]["detail"] == "IBM Spectrum LSF Standard 10.1.0.12, Jun 10 2021 answers"
    server.ok("POST", "/compute", {"name": "wrong", "lsf": {"queue": "nowhere"}})
    found = server.ok("POST", "/compute/wrong/test")
    assert [step["state"] for step in found["steps"]] == ["ok", "ok", "ok", "failed", "skipped"]
    assert found["steps"][3]["detail"] == "nowhere: No such queue."
    assert server.request("DELETE", "/compute/wrong").status_code == 204


def test_it_is_made_shown_and_changed_on_the_command_line(server: LiveServer, cluster: Slurm):
    made = mlws(server, "compute", "create", "lsf", "cli", "--queue", "short", "--time-limit", "1m", "--user-group", "team")
    assert made.returncode == 0, made.stderr
    assert "queue short, user group team" in made.stdout
    run_id = server.submit(command("true"), target="cli")
    assert server.wait(run_id)["status"] == "Completed"
    [(number, _)] = cluster.of_run(run_id)
    asked = cluster.run("scontrol", "show", "job", "--oneliner", number)
    assert "Partition=short" in asked
    assert "TimeLimit=00:01:00" in asked
    wrong = mlws(server, "compute", "update", "cli", "--account", "lab42")
    assert wrong.returncode == 2
    assert "a target of the kind lsf, which has no --account" in wrong.stderr
    changed = mlws(server, "compute", "update", "cli", "--queue", "", "--application", "ml", "--project", "p1")
    assert changed.returncode == 0, changed.stderr
    assert server.ok("GET", "/compute/cli")["lsf"] | {"python": ""} == {
        "queue": None,
        "project": "p1",
        "user_group": "team",
        "application": "ml",
        "time_limit_s": 60,
        "python": "",
        "server_url": None,
        "via": None,
    }
    assert mlws(server, "compute", "delete", "cli", "--yes").returncode == 0
    for body in ({"queue": "-x"}, {"project": 'a"\n#BSUB'}, {"account": "a"}):
        answer = server.post("/compute", {"name": "bad", "lsf": body})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_input"), answer.text


def test_missing_programs_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    nothing = dict.fromkeys(("queue", "project", "user_group", "application", "time_limit_s", "server_url"))
    place = LsfPlace(**nothing, python="python3")
    found = checks.steps("batch", place, tmp_path / "batch", Here(tmp_path, "lsf"), Lsf())
    assert [step.state for step in found] == ["ok", "failed", "skipped", "skipped", "skipped"]
    assert "bsub, bjobs, bkill, bqueues, lsid" in found[1].detail
