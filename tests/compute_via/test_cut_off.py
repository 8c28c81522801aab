"""The server, the link and slurmctld go and come back: no job is lost, and none runs twice."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.compute_ssh.test_cut_off import grew
from tests.live import LiveServer
from tests.slurm import CPUS, Slurm, command, eventually, full, log_of, waiting_of
from tests.ssh import Sshd, far_jobs, pid_there

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def test_a_link_that_is_cut_while_it_runs_costs_nothing(server: LiveServer, cluster: Slurm, login: Sshd):
    go = login.folder / "cut-go"
    line = f"n=0; until [ -e {go} ]; do echo line $((n++)); sleep 0.1; done; echo over $n"
    run_id = server.submit(command(line), target="batch")
    server.wait(run_id, "Running", timeout=120)
    for _ in range(4):
        eventually(lambda: log_of(server, run_id))
        eventually(login.cut)
        seen = log_of(server, run_id)
        eventually(partial(grew, server, run_id, seen), within=120)
    login.stop()
    go.touch()
    eventually(lambda: [state for _, state in cluster.of_run(run_id)] == ["COMPLETED"])
    assert server.ok("GET", f"/runs/{run_id}")["status"] in ("Running", "NotResponding")
    login.start()
    run = server.wait(run_id, timeout=120)
    assert run["status"] == "Completed", (run["error"], server.log()[-3000:])
    *lines, last = log_of(server, run_id).splitlines()
    assert lines == [f"line {n}" for n in range(len(lines))]
    assert last == f"over {len(lines)}"
    assert len(cluster.of_run(run_id)) == 1
    eventually(lambda: run_id not in far_jobs(login))


def test_a_host_that_is_away_is_told_and_jobs_wait_for_it(server: LiveServer, cluster: Slurm, login: Sshd):
    login.stop()
    run_id = server.submit(command("echo hello"), target="batch")
    eventually(lambda: f"port {login.port}" in waiting_of(server, run_id)[1])
    login.start()
    assert server.wait(run_id, timeout=120)["status"] == "Completed"
    assert log_of(server, run_id) == "hello\n"
    assert len(cluster.of_run(run_id)) == 1


def test_slurmctld_is_down_while_jobs_are_submitted_wait_and_run(server: LiveServer, cluster: Slurm, login: Sshd):
    go = login.folder / "ctld-go"
    running = server.submit(
        command(f"until [ -e {go} ]; do sleep 0.1; done; echo over"), target="batch", resources={"cpus": CPUS}
    )
    server.wait(running, "Running")
    waiting = server.submit(command("echo waited"), target="batch", resources={"cpus": CPUS})
    eventually(lambda: full(cluster) in waiting_of(server, waiting)[1])
    cluster.stop_controller()
    try:
        eventually(lambda: server.ok("GET", "/compute/batch")["state"] == "away")
        new = server.submit(command("echo new"), target="batch")
        eventually(lambda: f"{cluster.called} cannot be reached" in waiting_of(server, new)[1])
        assert waiting_of(server, new)[0] == "target"
        go.touch()
        assert server.wait(running)["status"] == "Completed", "it needs no slurmctld to end"
        assert server.ok("GET", f"/runs/{waiting}")["status"] == "Preparing"
    finally:
        cluster.start_controller()
    for run_id, said in ((waiting, "waited\n"), (new, "new\n")):
        assert server.wait(run_id, timeout=120)["status"] == "Completed"
        assert log_of(server, run_id) == said
        assert len(cluster.of_run(run_id)) == 1


def test_a_server_that_was_killed_takes_up_what_waits_runs_has_ended_and_was_just_submitted(
    server: LiveServer, cluster: Slurm, login: Sshd, sbatch: Callable[[str], None]
):
    ends, goes, port = login.folder / "ends", login.folder / "goes", server.port
    ending = server.submit(command(f"until [ -e {ends} ]; do sleep 0.1; done; echo ended"), target="batch", resources={"cpus": 1})
    going = server.submit(
        command(f"until [ -e {goes} ]; do sleep 0.1; done; exit 5"), target="batch", resources={"cpus": CPUS - 1}
    )
    for run_id in (ending, going):
        server.wait(run_id, "Running")
    waiting = server.submit(command("echo waited"), target="batch", resources={"cpus": CPUS})
    eventually(lambda: full(cluster) in waiting_of(server, waiting)[1])
    assert server.process is not None
    sbatch(f'out=$($real "$@"); kill -9 {server.process.pid}; echo "$out"')
    submitted = server.submit(command("echo submitted"), target="batch", resources={"cpus": CPUS})
    server.process.wait(30)
    ends.touch()
    eventually(lambda: [state for _, state in cluster.of_run(ending)] == ["COMPLETED"])
    server.start(port=port)
    assert server.wait(ending)["status"] == "Completed"
    assert server.ok("GET", f"/runs/{going}")["status"] == "Running"
    eventually(lambda: full(cluster) in waiting_of(server, waiting)[1])
    goes.touch()
    assert server.wait(going)["error"]["message"] == "The job's process ended with exit code 5."
    for run_id, said in ((waiting, "waited\n"), (submitted, "submitted\n")):
        assert server.wait(run_id, timeout=120)["status"] == "Completed", server.log()[-3000:]
        assert log_of(server, run_id) == said
    assert [len(cluster.of_run(run_id)) for run_id in (ending, going, waiting, submitted)] == [1] * 4


def test_of_two_submissions_one_runs(server: LiveServer, cluster: Slurm, login: Sshd, sbatch: Callable[[str], None]):
    mark, late = login.folder / "mark", login.folder / "late"
    assert server.process is not None
    sbatch(f'kill -9 {server.process.pid}; until [ -e {late} ]; do sleep 0.1; done; $real "$@"')
    run_id = server.submit(command(f"echo x >> {mark}; sleep 1"), target="batch")
    server.process.wait(30)
    server.start(port=server.port)
    run = server.wait(run_id, timeout=120)
    assert run["status"] == "Completed", (run["error"], server.log()[-3000:])
    late.touch()
    eventually(lambda: len([state for _, state in cluster.of_run(run_id) if state == "COMPLETED"]) >= 1)
    assert mark.read_text() == "x\n"


def test_a_link_that_is_cut_at_sbatch_submits_once(
    server: LiveServer, cluster: Slurm, login: Sshd, sbatch: Callable[[str], None]
):
    reached = login.folder / "reached"
    mark = login.folder / "once"
    sbatch(f'out=$($real "$@"); touch {reached}; sleep 1; echo "$out"')
    run_id = server.submit(command(f"echo x >> {mark}; sleep 2"), target="batch")
    eventually(reached.exists)
    assert login.cut()
    run = server.wait(run_id, timeout=120)
    assert run["status"] == "Completed", (run["error"], server.log()[-3000:])
    assert mark.read_text() == "x\n"
    assert len(cluster.of_run(run_id)) == 1


@pytest.fixture
def forgetful(cluster: Slurm) -> Iterator[Callable[[], bool]]:
    """Makes Slurm say on the login node that it has no jobs; whether it was asked since is what it gives back."""
    place, asked = cluster.folder / "programs" / "squeue", cluster.folder / "asked"

    def forget() -> bool:
        place.write_text(f'#!/bin/bash\n[ "$1" = --noheader ] && touch {asked}\n')
        place.chmod(0o755)
        return asked.exists()

    yield forget
    place.unlink(missing_ok=True)


def test_a_job_that_slurm_does_not_know_any_more_lives_as_long_as_it_does(
    server: LiveServer, login: Sshd, forgetful: Callable[[], bool]
):
    run_id = server.submit(command("mkdir -p outputs; echo half > outputs/a.txt; echo $$ > pid.txt; sleep 600"), target="batch")
    pid = pid_there(login, run_id)
    server.wait(run_id, "Running", timeout=120)
    eventually(forgetful)
    eventually(lambda: server.ok("GET", f"/runs/{run_id}")["status"] == "Running")
    os.kill(int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]), signal.SIGKILL)
    run = server.wait(run_id, timeout=120)
    assert (run["status"], run["reason"]) == ("Failed", "lost")
    assert server.get(f"/runs/{run_id}/artifacts/content", params={"path": "outputs/a.txt"}).text == "half\n"
    eventually(lambda: run_id not in far_jobs(login))
