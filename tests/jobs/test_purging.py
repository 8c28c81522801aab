"""What is left of a job that was removed for good: nothing. And what its token is worth once it has ended: nothing."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from jupyter_mlws.db.database import Database
from jupyter_mlws.db.engine import sqlite_url
from jupyter_mlws.domain.jobs.tasks import sweep
from jupyter_mlws.kit.paths import Folders
from jupyter_mlws.kit.removal import bytes_below
from tests.live import LiveServer
from tests.servers import until

DAY = 24 * 3600
COMMAND = {"kind": "command", "command": "head -c 300000 /dev/zero > left.bin; echo done"}


def ended(server: LiveServer) -> tuple[str, Path]:
    """A job that has ended, and its folder."""
    run_id = server.submit(COMMAND)
    assert server.wait(run_id)["status"] == "Completed"
    return run_id, server.data_dir / "jobs" / run_id


def test_purging_removes_the_folder_and_counts_it(server: LiveServer):
    run_id, folder = ended(server)
    size = bytes_below(folder)
    assert size > 300_000
    plan = server.ok("DELETE", f"/runs/{run_id}?dry_run=true")
    assert plan["bytes_freed"] >= size
    server.ok("DELETE", f"/runs/{run_id}")
    assert folder.is_dir()
    assert server.ok("DELETE", f"/runs/{run_id}?purge=true")["bytes_freed"] == plan["bytes_freed"]
    assert not folder.exists()


def test_deleting_an_experiment_removes_the_folders_of_its_jobs(server: LiveServer):
    run_id = server.submit(COMMAND, experiment="with-jobs")
    run = server.wait(run_id)
    folder = server.data_dir / "jobs" / run_id
    experiment = f"/experiments/{run['experiment_id']}"
    server.ok("POST", f"{experiment}/archive")
    assert server.ok("DELETE", f"{experiment}?dry_run=true")["bytes_freed"] >= bytes_below(folder) > 300_000
    server.ok("DELETE", experiment)
    assert not folder.exists()


def test_the_sweep_removes_folders_without_a_job(server: LiveServer):
    _, kept = ended(server)
    jobs = server.data_dir / "jobs"
    old, young, foreign = jobs / ("a" * 32), jobs / ("b" * 32), jobs / "notes of mine"
    for folder in (old, young, foreign):
        folder.mkdir()
        (folder / "job.json").write_text("{}")
    for folder in (kept, old, foreign):
        os.utime(folder, (time.time() - 2 * DAY,) * 2)
    database = Database(sqlite_url(server.data_dir / "mlws.db"))
    try:
        assert sweep(Folders(server.data_dir), database) == 1
    finally:
        database.reader_engine.dispose()
        database.writer_engine.dispose()
    assert not old.exists()
    assert [folder.is_dir() for folder in (kept, young, foreign)] == [True] * 3


def test_a_token_ends_with_its_job(server: LiveServer):
    run_id, folder = ended(server)
    token = json.loads((folder / "job.json").read_text())["env"]["MLWS_TOKEN"]
    until(lambda: server.get("/info", token=token).status_code == 401, 10, "the token of an ended job is refused")
    canceled = server.submit({"kind": "command", "command": "sleep 600"})
    server.wait(canceled, "Running")
    token = json.loads((server.data_dir / "jobs" / canceled / "job.json").read_text())["env"]["MLWS_TOKEN"]
    assert server.get("/info", token=token).status_code == 200
    server.ok("POST", f"/jobs/{canceled}/cancel")
    server.wait(canceled)
    until(lambda: server.get("/info", token=token).status_code == 401, 10, "the token of a canceled job is refused")
    assert run_id
