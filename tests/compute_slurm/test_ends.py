"""What ends a job besides itself, as Slurm says it, and what is missing for a target."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from jupyter_mlws.domain.compute.batch import checks, psi
from jupyter_mlws.domain.compute.batch.site import Here
from jupyter_mlws.domain.compute.batch.slurm import Slurm as SlurmSystem
from jupyter_mlws.domain.compute.errors import ExtraMissing
from jupyter_mlws.domain.compute.schemas import SlurmPlace
from tests.live import LiveServer
from tests.slurm import CPUS, Slurm, command, eventually

pytestmark = pytest.mark.slow


def test_an_administrators_scancel_is_named(server: LiveServer, cluster: Slurm):
    running = server.submit(command("sleep 600"), target="batch", resources={"cpus": CPUS})
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


@pytest.mark.timeout(300)
def test_its_time_limit_is_named(server: LiveServer, cluster: Slurm, overdue: str):
    [(number, _)] = cluster.of_run(overdue)
    run = server.wait(overdue, timeout=200)  # Slurm looks for such jobs once a minute
    assert (run["status"], run["reason"]) == ("Failed", "timeout")
    assert f"{cluster.called} ended job {number} ({cluster.late})" in run["error"]["message"]
    assert f"the time limit that {cluster.called} had for it" in run["error"]["message"]


def test_a_node_that_fails_is_named_and_the_job_runs_once(server: LiveServer, cluster: Slurm):
    mark = server.root / "began"
    run_id = server.submit(command(f"echo x >> {mark}; sleep 600"), target="batch")
    server.wait(run_id, "Running")
    [(number, _)] = cluster.of_run(run_id)
    cluster.run("scontrol", "update", f"NodeName={cluster.host}", "State=DOWN", "Reason=test")
    try:
        run = server.wait(run_id)
    finally:
        cluster.run("scontrol", "update", f"NodeName={cluster.host}", "State=RESUME")
    assert run["status"] == "Failed"
    assert f"Slurm ended job {number} (NODE_FAIL)" in run["error"]["message"]
    assert mark.read_text() == "x\n"
    eventually(lambda: "idle" in cluster.run("sinfo", "--noheader", "--format=%t"))


def test_the_test_says_what_is_missing(server: LiveServer, cluster: Slurm):
    found = server.ok("POST", "/compute/batch/test", timeout=60)
    assert found["usable"], found
    assert [step["state"] for step in found["steps"]] == ["ok"] * 5
    server.ok("POST", "/compute", {"name": "wrong", "slurm": {"partition": "nowhere"}})
    found = server.ok("POST", "/compute/wrong/test")
    assert not found["usable"]
    assert [step["state"] for step in found["steps"]] == ["ok", "ok", "ok", "failed", "skipped"]
    assert "invalid partition" in found["steps"][3]["detail"]
    server.ok("PATCH", "/compute/wrong", {"slurm": {"partition": "main", "python": "/nowhere/python"}})
    found = server.ok("POST", "/compute/wrong/test", timeout=60)
    assert [step["state"] for step in found["steps"]] == ["ok", "ok", "ok", "ok", "failed"]
    assert "/nowhere/python" in found["steps"][4]["detail"]
    assert server.request("DELETE", "/compute/wrong").status_code == 204
    assert not [
        name for name in cluster.jobs() if name.startswith("mlws-test") and cluster.jobs()[name][1] in ("PENDING", "RUNNING")
    ]


def test_a_target_that_is_given_up_leaves_nothing_there(server: LiveServer, cluster: Slurm):
    server.ok("POST", "/compute", {"name": "passing", cluster.kind: cluster.main})
    server.ok("PUT", "/workspaces/default/secrets/held", {"value": "a-held-secret-word"})
    run_id = server.submit(command("true"), target="passing", timeout_s=86_400, secrets={"HELD": "held"})
    eventually(lambda: [state for _, state in cluster.of_run(run_id)] == ["PENDING"])
    path = server.data_dir / "jobs" / run_id / "secrets.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert server.request("DELETE", "/compute/passing").json()["error"]["code"] == "compute_in_use"
    assert server.request("DELETE", "/compute/passing?force=true").status_code == 204
    assert [state for _, state in cluster.of_run(run_id)] == ["CANCELLED"]
    assert not path.exists()
    assert server.wait(run_id)["reason"] == "lost"


def test_a_target_is_of_one_kind(server: LiveServer, cluster: Slurm):
    for body in (
        {"name": "none"},
        {"name": "bad", "slurm": {"partition": "-x"}},
        {"name": "bad", "slurm": {"account": 'a"\n#SBATCH'}},
    ):
        answer = server.post("/compute", body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_input"), answer.text
    answer = server.request("PATCH", "/compute/batch", json={"ssh": {"port": 22}})
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "ssh")


def test_missing_programs_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    place = SlurmPlace(
        partition=None, account=None, qos=None, reservation=None, time_limit_s=None, python="python3", server_url=None
    )
    found = checks.steps("batch", place, tmp_path / "batch", Here(tmp_path, "slurm"), SlurmSystem())
    assert [step.state for step in found] == ["ok", "failed", "skipped", "skipped", "skipped"]
    assert "sbatch, squeue, scontrol, scancel" in found[1].detail


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "psij", None)
    with pytest.raises(ExtraMissing, match=r"jupyter_mlws\[slurm\]"):
        psi.library()
