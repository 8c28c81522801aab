"""slurmctld and the server go and come back: no job is lost, and none runs twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.live import LiveServer
from tests.slurm import CPUS, Slurm, command, eventually, first_sbatch, full, log_of, waiting_of

pytestmark = pytest.mark.slow


def test_slurmctld_is_down_while_jobs_are_submitted_wait_and_run(server: LiveServer, cluster: Slurm):
    go = server.root / "go"
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
        eventually(lambda: f"{cluster.called} cannot be reached" in waiting_of(server, waiting)[1])
        go.touch()
        assert server.wait(running)["status"] == "Completed", "it needs no slurmctld to end"
        assert server.ok("GET", f"/runs/{waiting}")["status"] == "Preparing"
    finally:
        cluster.start_controller()
    for run_id, said in ((waiting, "waited\n"), (new, "new\n")):
        assert server.wait(run_id)["status"] == "Completed"
        assert log_of(server, run_id) == said
        assert len(cluster.of_run(run_id)) == 1
    assert server.ok("GET", "/compute/batch")["state"] == "ready"


@pytest.fixture
def sbatch(cluster: Slurm) -> Iterator[Callable[[str], None]]:
    """In the place of the server's."""
    yield from first_sbatch(cluster)


def test_a_server_that_was_killed_takes_up_what_waits_runs_has_ended_and_was_just_submitted(
    server: LiveServer, cluster: Slurm, sbatch: Callable[[str], None]
):
    ends, goes, port = server.root / "ends", server.root / "goes", server.port
    ending = server.submit(command(f"until [ -e {ends} ]; do sleep 0.1; done; echo ended"), target="batch", resources={"cpus": 1})
    going = server.submit(
        command(f"until [ -e {goes} ]; do sleep 0.1; done; exit 5"), target="batch", resources={"cpus": CPUS - 1}
    )
    for run_id in (ending, going):
        server.wait(run_id, "Running")
    waiting = server.submit(command("echo waited"), target="batch", resources={"cpus": CPUS})
    eventually(lambda: full(cluster) in waiting_of(server, waiting)[1])
    sbatch('out=$($real "$@"); kill -9 $PPID; echo "$out"')
    submitted = server.submit(command("echo submitted"), target="batch", resources={"cpus": CPUS})
    assert server.process is not None
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
        assert server.wait(run_id)["status"] == "Completed", server.log()[-3000:]
        assert log_of(server, run_id) == said
    assert [len(cluster.of_run(run_id)) for run_id in (ending, going, waiting, submitted)] == [1] * 4


def test_a_full_queue_is_waited_out(server: LiveServer, cluster: Slurm, sbatch: Callable[[str], None]):
    """The words are those of Slurm where accounting sets a limit, which the one of the tests has not."""
    sbatch("echo 'sbatch: error: QOSMaxSubmitJobPerUserLimit' >&2; exit 1")
    run_id = server.submit(command("echo over"), target="batch")
    eventually(lambda: "takes no more jobs now: QOSMaxSubmitJobPerUserLimit" in waiting_of(server, run_id)[1])
    assert server.wait(run_id)["status"] == "Completed"
    assert len(cluster.of_run(run_id)) == 1


def test_of_two_submissions_one_runs(server: LiveServer, cluster: Slurm, sbatch: Callable[[str], None]):
    mark, late = server.root / "mark", server.root / "late"
    sbatch(f'kill -9 $PPID; until [ -e {late} ]; do sleep 0.1; done; $real "$@"')
    run_id = server.submit(command(f"echo x >> {mark}; sleep 1"), target="batch")
    assert server.process is not None
    server.process.wait(30)
    server.start(port=server.port)
    run = server.wait(run_id)
    assert run["status"] == "Completed", (run["error"], server.log()[-3000:])
    late.touch()
    eventually(lambda: [state for _, state in cluster.of_run(run_id)] == ["COMPLETED"] * 2)
    assert mark.read_text() == "x\n"
