"""What is PBS's own: who ended a job, what its test says, and its command line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlws.domain.compute.batch import checks
from jupyter_mlws.domain.compute.batch.pbs import Pbs
from jupyter_mlws.domain.compute.batch.site import Here
from jupyter_mlws.domain.compute.schemas import PbsPlace
from tests.compute_ssh.test_commands import mlws
from tests.live import LiveServer
from tests.slurm import CPUS, Slurm, command, eventually, waiting_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_an_administrators_qdel_is_named(server: LiveServer, cluster: Slurm):
    running = server.submit(command("sleep 600"), target="batch", resources={"cpus": CPUS})
    server.wait(running, "Running")
    waiting = server.submit(command("sleep 600"), target="batch", resources={"cpus": CPUS})
    eventually(lambda: [state for _, state in cluster.of_run(waiting)] == ["PENDING"])
    for run_id, doubt in ((waiting, ""), (running, ", or by whoever runs PBS: it does not say why")):
        [(number, _)] = cluster.of_run(run_id)
        cluster.run("qdel", number)
        run = server.wait(run_id)
        assert (run["status"], run["reason"]) == ("Canceled", "canceled")
        assert run["error"]["message"] == f"PBS job {number} was cancelled (C), and not from here: somebody called qdel{doubt}."


@pytest.fixture
def commenting(cluster: Slurm) -> Iterator[None]:
    """A scheduler that writes comments to jobs that wait: PBS's do so, and Slurm's wrapper shows none of what Slurm says."""
    place = cluster.folder / "programs" / "qstat"
    comment = r"s/job_state = Q/&\n\tcomment = Not Running: Insufficient amount of resource: ncpus/"
    place.write_text(f"#!/bin/bash\nset -o pipefail\n{shutil.which('qstat')} \"$@\" | sed '{comment}'\n")
    place.chmod(0o755)
    yield
    place.unlink()


def test_what_the_scheduler_says_of_a_job_that_waits_is_told(server: LiveServer, cluster: Slurm, commenting: None):
    running = server.submit(command("sleep 600"), target="batch", resources={"cpus": CPUS})
    server.wait(running, "Running")
    waiting = server.submit(command("sleep 600"), target="batch", resources={"cpus": CPUS})
    eventually(lambda: waiting_of(server, waiting)[1].startswith("Not Running: Insufficient amount of resource: ncpus (PBS job "))
    for run_id in (waiting, running):
        server.ok("POST", f"/jobs/{run_id}/cancel")
        assert server.wait(run_id)["status"] == "Canceled"


def test_the_environment_of_the_server_is_not_that_of_the_node(server: LiveServer, cluster: Slurm):
    assert server.process is not None
    assert b"OF_THE_SERVER=" in Path(f"/proc/{server.process.pid}/environ").read_bytes()
    run_id = server.submit(command("sleep 600"), target="batch")
    server.wait(run_id, "Running")
    supervisor = json.loads((server.data_dir / "jobs" / run_id / "pid.json").read_text())["pid"]
    found = Path(f"/proc/{supervisor}/environ").read_bytes()
    assert b"MLWS_BATCH=pbs" in found
    assert b"OF_THE_SERVER=" not in found
    server.ok("POST", f"/jobs/{run_id}/cancel")
    assert server.wait(run_id)["status"] == "Canceled"


def test_the_test_says_what_is_missing(server: LiveServer, cluster: Slurm):
    found = server.ok("POST", "/compute/batch/test", timeout=60)
    assert found["usable"], found
    assert [step["name"] for step in found["steps"]] == ["PSI/J", "PBS's programs", "PBS", "what jobs ask for", "a job"]
    assert [step["state"] for step in found["steps"]] == ["ok"] * 5
    assert "resources as Torque has them" in found["steps"][2]["detail"]
    server.ok("POST", "/compute", {"name": "wrong", "pbs": {"queue": "nowhere"}})
    found = server.ok("POST", "/compute/wrong/test")
    assert not found["usable"]
    assert [step["state"] for step in found["steps"]] == ["ok", "ok", "ok", "failed", "skipped"]
    assert "There is no queue 'nowhere'" in found["steps"][3]["detail"]
    server.ok("PATCH", "/compute/wrong", {"pbs": {"queue": "main", "project": "p1"}})
    found = server.ok("POST", "/compute/wrong/test")
    assert "Torque has no projects" in found["steps"][4]["detail"]
    server.ok("PATCH", "/compute/wrong", {"pbs": {"project": None, "python": "/nowhere/python"}})
    found = server.ok("POST", "/compute/wrong/test", timeout=60)
    assert [step["state"] for step in found["steps"]] == ["ok", "ok", "ok", "ok", "failed"]
    assert "/nowhere/python" in found["steps"][4]["detail"]
    assert server.request("DELETE", "/compute/wrong").status_code == 204


def test_it_is_made_shown_and_changed_on_the_command_line(server: LiveServer, cluster: Slurm):
    made = mlws(server, "compute", "create", "pbs", "cli", "--queue", "short", "--time-limit", "1m")
    assert made.returncode == 0, made.stderr
    assert "queue short" in made.stdout
    run_id = server.submit(command("true"), target="cli")
    assert server.wait(run_id)["status"] == "Completed"
    [(number, _)] = cluster.of_run(run_id)
    asked = cluster.run("scontrol", "show", "job", "--oneliner", number)
    assert "Partition=short" in asked
    assert "TimeLimit=00:01:00" in asked
    wrong = mlws(server, "compute", "update", "cli", "--partition", "main")
    assert wrong.returncode == 2
    assert "a target of the kind pbs, which has no --partition" in wrong.stderr
    assert mlws(server, "compute", "update", "cli", "--dialect", "lsf").returncode == 2
    changed = mlws(server, "compute", "update", "cli", "--queue", "", "--dialect", "torque")
    assert changed.returncode == 0, changed.stderr
    assert server.ok("GET", "/compute/cli")["pbs"] | {"python": ""} == {
        "queue": None,
        "account": None,
        "project": None,
        "dialect": "torque",
        "time_limit_s": 60,
        "python": "",
        "server_url": None,
        "via": None,
    }
    assert mlws(server, "compute", "delete", "cli", "--yes").returncode == 0
    for body in ({"pbs": {"queue": "-x"}}, {"pbs": {"account": 'a"\n#PBS'}}, {"pbs": {"dialect": "lsf"}}):
        answer = server.post("/compute", {"name": "bad", **body})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_input"), answer.text


def test_missing_programs_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    nothing = dict.fromkeys(("queue", "account", "project", "time_limit_s", "server_url"))
    place = PbsPlace(**nothing, dialect=None, python="python3")
    found = checks.steps("batch", place, tmp_path / "batch", Here(tmp_path, "pbs"), Pbs(None))
    assert [step.state for step in found] == ["ok", "failed", "skipped", "skipped", "skipped"]
    assert "qsub, qstat, qdel" in found[1].detail
