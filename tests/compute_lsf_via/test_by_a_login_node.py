"""LSF whose programs are on a login node: its scripts go to the input of `bsub` there, and its words may be given there."""

from __future__ import annotations

import pytest

from tests.live import LiveServer
from tests.slurm import CPUS, Slurm, command, eventually, full, log_of, waiting_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_it_is_tried_runs_a_job_says_why_one_waits_and_cancels_it(server: LiveServer, cluster: Slurm):
    found = server.ok("POST", "/compute/batch/test", timeout=120)
    assert found["usable"], found
    assert [step["state"] for step in found["steps"][-5:]] == ["ok"] * 5
    first = server.submit(command("echo job $LSB_JOBID; sleep 600"), target="batch", resources={"cpus": CPUS})
    server.wait(first, "Running")
    [(number, _)] = cluster.of_run(first)
    eventually(lambda: log_of(server, first) == f"job {number}\n")
    second = server.submit(command("true"), target="batch", resources={"cpus": CPUS})
    eventually(lambda: full(cluster) in waiting_of(server, second)[1])
    for run_id in (second, first):
        server.ok("POST", f"/jobs/{run_id}/cancel")
        assert server.wait(run_id)["status"] == "Canceled"
    assert [state for _, state in cluster.of_run(second)] == ["CANCELLED"]
