"""Targets that go by way of a host: what is asked of them, what a test finds, what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlws.remote.batch import Batch
from mlws.remote.blobs import Blobs
from mlws.remote.jobs import Jobs
from tests.compute_ssh.test_commands import mlws
from tests.compute_via.conftest import without_slurm
from tests.live import LiveServer
from tests.slurm import Slurm, command, eventually, waiting_of
from tests.ssh import Sshd, sshd_or_skip

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
OF_SLURM = ["PSI/J", "Slurm's programs", "Slurm", "what jobs ask for", "a job"]


def steps_of(server: LiveServer, name: str) -> tuple[bool, list[dict[str, Any]], list[dict[str, Any]]]:
    """(usable, the steps to the host, those of Slurm)."""
    found = server.ok("POST", f"/compute/{name}/test", timeout=120)
    steps = found["steps"]
    assert [step["name"] for step in steps[-5:]] == OF_SLURM
    return found["usable"], steps[:-5], steps[-5:]


def test_the_test_goes_to_the_host_and_then_to_slurm_there(server: LiveServer, cluster: Slurm, login: Sshd):
    usable, host, slurm = steps_of(server, "batch")
    assert usable, host
    assert [step["name"] for step in host[:4]] == ["reach the host", "its key", "log in", "Python and a folder"]
    assert [step["state"] for step in slurm] == ["ok"] * 5
    assert f"port {login.port}" in slurm[1]["detail"]
    assert "sees the folder of" in slurm[4]["detail"]
    assert server.ok("GET", "/compute/batch")["facts"]["system"] == "Linux"
    server.ok("POST", "/compute", {"name": "wrong", "slurm": {"partition": "nowhere", "via": "far"}})
    usable, _, slurm = steps_of(server, "wrong")
    assert not usable
    assert [step["state"] for step in slurm] == ["ok", "ok", "ok", "failed", "skipped"]
    assert "invalid partition" in slurm[3]["detail"]
    server.ok("PATCH", "/compute/wrong", {"slurm": {"partition": "main", "python": "/nowhere/python"}})
    _, _, slurm = steps_of(server, "wrong")
    assert slurm[4]["state"] == "failed"
    assert "/nowhere/python" in slurm[4]["detail"]
    assert server.request("DELETE", "/compute/wrong").status_code == 204
    assert not [name for name, (_, state) in cluster.jobs().items() if "mlws-test" in name and state in ("PENDING", "RUNNING")]


@pytest.fixture
def without(login: Sshd, tmp_path: Path) -> Iterator[Sshd]:
    """A host that has no Slurm."""
    made = Sshd(sshd_or_skip(), {"PATH": without_slurm(tmp_path / "bin")}).start()
    yield made
    made.remove()


def test_a_host_without_slurm_and_one_that_is_down_are_told(server: LiveServer, without: Sshd):
    secret = {"key": {"workspace": "default", "name": "other-key"}}
    server.ok("PUT", "/workspaces/default/secrets/other-key", {"value": without.key})
    server.ok("POST", "/compute", {**without.target(**secret), "name": "plain"})
    server.ok("POST", "/compute", {"name": "lost", "slurm": {"via": "plain"}})
    usable, _, slurm = steps_of(server, "lost")
    assert not usable
    assert [step["state"] for step in slurm] == ["ok", "failed", "skipped", "skipped", "skipped"]
    assert "sbatch, squeue, scontrol, scancel" in slurm[1]["detail"]
    run_id = server.submit(command("true"), target="lost")
    eventually(lambda: "There is no program squeue on the PATH of" in waiting_of(server, run_id)[1])
    server.ok("POST", f"/jobs/{run_id}/cancel")
    without.stop()
    usable, host, slurm = steps_of(server, "lost")
    assert not usable
    assert host[0]["state"] == "failed"
    assert [step["state"] for step in slurm] == ["skipped"] * 5
    assert server.request("DELETE", "/compute/lost?force=true").status_code == 204
    assert server.request("DELETE", "/compute/plain?force=true").status_code == 204


def test_what_is_no_host_is_refused_and_one_that_is_needed_stays(server: LiveServer, login: Sshd):
    for via in ("nobody", "batch", "local"):
        answer = server.post("/compute", {"name": "bad", "slurm": {"via": via}})
        assert (answer.status_code, answer.json()["error"]["field"]) == (400, "slurm.via"), answer.text
        assert "far" in answer.json()["error"]["message"]
        answer = server.request("PATCH", "/compute/batch", json={"slurm": {"via": via}})
        assert (answer.status_code, answer.json()["error"]["field"]) == (400, "slurm.via"), answer.text
    for query in ("", "?force=true"):
        answer = server.request("DELETE", f"/compute/far{query}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "compute_needed")
        assert "batch" in answer.json()["error"]["message"]
    assert server.ok("GET", "/compute/batch")["slurm"]["python"] == "python3", "that of the host"


def test_the_way_stays_while_jobs_live(server: LiveServer, cluster: Slurm, login: Sshd):
    run_id = server.submit(command("sleep 600"), target="batch")
    server.wait(run_id, "Running", timeout=120)
    answer = server.request("PATCH", "/compute/batch", json={"slurm": {"via": None}})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "compute_in_use")
    answer = server.request("PATCH", "/compute/far", json={"ssh": {"folder": "/somewhere/else"}})
    assert (answer.status_code, answer.json()["error"]["field"]) == (409, "ssh.folder"), answer.text
    server.ok("PATCH", "/compute/far", {"description": "the login node"})  # its connections are made anew
    assert server.ok("GET", f"/runs/{run_id}")["status"] == "Running"
    server.ok("POST", f"/jobs/{run_id}/cancel")
    assert server.wait(run_id, timeout=120)["status"] == "Canceled"


def test_a_target_that_is_given_up_leaves_nothing_in_slurm(server: LiveServer, cluster: Slurm, login: Sshd):
    server.ok("POST", "/compute", {"name": "passing", "slurm": {"partition": "main", "via": "far"}})
    run_id = server.submit(command("true"), target="passing", timeout_s=86_400)
    server.wait(run_id, "Preparing", timeout=120)
    waiting = login.place / "jobs" / run_id / "sent.json"
    eventually(lambda: [state for _, state in cluster.of_run(run_id)] == ["PENDING"], within=60)
    assert waiting.exists()
    assert server.request("DELETE", "/compute/passing").json()["error"]["code"] == "compute_in_use"
    assert server.request("DELETE", "/compute/passing?force=true").status_code == 204
    eventually(lambda: [state for _, state in cluster.of_run(run_id)] == ["CANCELLED"])
    assert '"ticket": ""' in waiting.read_text()
    assert server.wait(run_id)["reason"] == "lost"


def test_the_command_line_makes_shows_and_changes_it(server: LiveServer, login: Sshd):
    made = mlws(server, "compute", "create", "slurm", "cli", "--via", "far", "--partition", "main")
    assert made.returncode == 0, made.stderr
    assert "Via" in made.stdout
    assert "far" in made.stdout
    steps = mlws(server, "compute", "test", "cli")
    assert steps.returncode == 0, steps.stdout + steps.stderr
    assert "a job: ran on" in steps.stdout
    assert "Linux on" in mlws(server, "compute", "show", "cli").stdout
    wrong = mlws(server, "compute", "update", "cli", "--via", "nobody")
    assert wrong.returncode != 0
    assert "nobody" in wrong.stderr
    other = mlws(server, "compute", "update", "far", "--via", "far")
    assert other.returncode == 2
    changed = mlws(server, "compute", "update", "cli", "--via", "")
    assert changed.returncode == 0, changed.stderr
    assert "Via" not in changed.stdout
    assert mlws(server, "compute", "delete", "cli", "--yes").returncode == 0


@pytest.mark.parametrize(
    "argv",
    [
        ["bash", "-c", "true"],
        ["sbatch", "/etc/passwd"],
        ["sbatch", "--wrap=rm"],
        ["sbatch", "--partition=a\n--wrap=rm"],
        ["sbatch", "--partition=a;b"],
        ["squeue", "--user=1"],
        ["scontrol", "update", "JobId=1"],
        ["scontrol", "shutdown"],
        ["scancel", "--user=root"],
        ["/usr/bin/sbatch", "--version"],
        ["qsub", "/etc/passwd"],
        ["qstat", "-W", "x"],
        ["qdel", "all"],
        ["qdel", "1.a;b"],
    ],
)
def test_nothing_else_is_run(tmp_path: Path, argv: list[str]):
    batch = Batch(Jobs(str(tmp_path), str(tmp_path), Blobs(str(tmp_path))))
    with pytest.raises(ValueError, match="here"):
        batch.run(argv, 1)
