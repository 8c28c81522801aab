"""A host that never comes back: its jobs can be given up, each with one end, and its target be deleted."""

from __future__ import annotations

import shutil

import pytest

from tests.compute_ssh.test_commands import mlws
from tests.crash.test_takeover import one_end
from tests.jobs.test_command_jobs import alive
from tests.live import LiveServer
from tests.ssh import Sshd, command, eventually, pid_there, sshd_or_skip

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def test_jobs_of_a_host_that_never_comes_back_are_given_up(server: LiveServer, far: Sshd):
    gone = Sshd(sshd_or_skip())
    shutil.copy(far.folder / "key.pub", gone.folder / "authorized_keys")
    gone.start()
    pids = []
    try:
        server.ok("POST", "/compute", {**gone.target(), "name": "gone"})
        lost, canceled = (server.submit(command("echo $$ > pid.txt; sleep 600"), target="gone") for _ in range(2))
        pids = [pid_there(gone, run_id) for run_id in (lost, canceled)]
        for run_id in (lost, canceled):
            server.wait(run_id, "Running", timeout=120)
        gone.stop()
        server.ok("POST", f"/jobs/{canceled}/cancel")
        refused = mlws(server, "compute", "delete", "gone", "--yes")
        assert refused.returncode != 0
        assert "2 jobs run on gone" in refused.stderr
        assert "force" in refused.stderr
        done = mlws(server, "compute", "delete", "gone", "--force", "--yes")
        assert done.returncode == 0, done.stderr
        run = server.wait(lost, timeout=120)
        assert (run["status"], run["reason"]) == ("Failed", "lost")
        assert "the target was deleted" in run["error"]["message"]
        run = server.wait(canceled, timeout=120)
        assert (run["status"], run["reason"]) == ("Canceled", "canceled")
        assert one_end(server, lost)
        assert one_end(server, canceled)
        assert server.get("/compute/gone").status_code == 404
        assert all(alive(pid) for pid in pids), "what runs there is out of reach"
    finally:
        for folder in (gone.place / "jobs").glob("*"):
            (folder / "cancel").write_text("canceled")
        eventually(lambda: not any(alive(pid) for pid in pids))
        gone.remove()
