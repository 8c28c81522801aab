"""The engine of jobs over a real database and real supervisors: what it waits out, and what it takes for lost."""

from __future__ import annotations

import errno
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlws.db.database import Database, DatabaseFailed
from jupyter_mlws.domain.compute.errors import HostUnreachable
from jupyter_mlws.domain.compute.schemas import Load
from jupyter_mlws.domain.environments import service as environments
from jupyter_mlws.domain.environments.schemas import GitState
from jupyter_mlws.domain.jobs import service as jobs
from jupyter_mlws.domain.jobs import working
from jupyter_mlws.domain.jobs.engine import JobEngine
from jupyter_mlws.domain.jobs.prepare import prepare
from jupyter_mlws.domain.jobs.schemas import CommandSpec, JobCreate
from jupyter_mlws.domain.jobs.settle import settle
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.schemas import Run
from jupyter_mlws.domain.runs.states import TERMINAL, RunStatus
from jupyter_mlws.domain.storage.errors import StorageFull
from jupyter_mlws.kit.errors import Busy
from jupyter_mlws.kit.paths import Folders
from mlws import jobdir
from tests.domain.runs.rows import ADA
from tests.servers import until


def submitted(db: Database, line: str, git: GitState | None = None, target: str = "local", **more: Any) -> str:
    spec = CommandSpec(command=line, **more)
    found = jobs.Prepared(spec, line, "Default", None, None, "", [], [], {}, git)
    body = JobCreate(spec=spec, target=target)
    return db.write_sync(lambda s: jobs.add_job(s, ADA, "default", body, found, key=None, body_hash="")).run.id


def run_of(db: Database, run_id: str) -> Run:
    return db.read_sync(lambda s: runs.get_run(s, ADA, run_id))


def ended(db: Database, run_id: str, seconds: float = 60) -> Run:
    return until(lambda: run if (run := run_of(db, run_id)).status in TERMINAL else None, seconds)


PASSING = {
    "busy": Busy("The server has more to write than it can queue."),
    "database": DatabaseFailed("The workspace's database could not take this."),
    "storage": StorageFull("The disk is full."),
    "full": OSError(errno.ENOSPC, "No space left on device"),
    "quota": OSError(errno.EDQUOT, "Disk quota exceeded"),
}


@pytest.mark.parametrize("failure", PASSING.values(), ids=PASSING)
def test_what_passes_is_waited_out_before_a_job_begins(
    db: Database, make_engine: Callable[[], JobEngine], monkeypatch: pytest.MonkeyPatch, failure: Exception
):
    failures = [failure]

    def flaky(*given: Any) -> bool:
        if failures:
            raise failures.pop()
        return prepare(*given)

    monkeypatch.setattr(working, "prepare", flaky)
    run_id = submitted(db, "true")
    make_engine()
    run = ended(db, run_id)
    assert (run.status, run.error, failures) == (RunStatus.COMPLETED, None, [])


def test_what_does_not_pass_fails_the_job(db: Database, make_engine: Callable[[], JobEngine], monkeypatch: pytest.MonkeyPatch):
    def broken(*_: Any) -> bool:
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(working, "prepare", broken)
    run_id = submitted(db, "true")
    make_engine()
    run = ended(db, run_id)
    assert (run.status, run.reason) == (RunStatus.FAILED, "spawn_failed")


def test_a_job_is_canceled_while_it_waits_for_room(
    db: Database, make_engine: Callable[[], JobEngine], monkeypatch: pytest.MonkeyPatch
):
    tries = []

    def full(*given: Any) -> bool:
        tries.append(time.monotonic())
        if run_of(db, given[1].ref.id).status is RunStatus.PREPARING:
            raise OSError(errno.ENOSPC, "No space left on device")
        return prepare(*given)

    monkeypatch.setattr(working, "prepare", full)
    run_id = submitted(db, "true")
    engine = make_engine()
    until(lambda: len(tries) >= 3, 60)
    assert run_of(db, run_id).status is RunStatus.PREPARING
    _, tell = db.write_sync(lambda s: jobs.cancel(s, ADA, run_id))
    assert tell
    engine.tell_canceled(run_id)
    assert ended(db, run_id, 60).status is RunStatus.CANCELED


def test_a_job_that_cannot_be_settled_is_given_up(
    db: Database, make_engine: Callable[[], JobEngine], monkeypatch: pytest.MonkeyPatch
):
    poison = submitted(db, "true")

    def broken(engine: JobEngine, run_id: str, folder: Path) -> None:
        if run_id == poison:
            raise ValueError("it has no form that anything knows")
        settle(engine, run_id, folder)

    monkeypatch.setattr(working, "settle", broken)
    make_engine()
    assert ended(db, submitted(db, "echo beside")).status is RunStatus.COMPLETED, "others are not held up"
    began, used = time.monotonic(), time.process_time()
    run = ended(db, poison, 90)
    assert (run.status, run.reason) == (RunStatus.FAILED, "lost")
    assert run.error is not None
    assert "could not be stored" in run.error.message
    busy = (time.process_time() - used) / max(time.monotonic() - began, 1)
    assert busy < 0.5, f"the engine spins: {busy:.0%} CPU"


class Away:
    """A target on another machine that cannot be reached."""

    name, kind, description, max_jobs, problem, remote = "far", "far", "", 1, "", True

    def address_for_jobs(self) -> str:
        raise HostUnreachable("far is away.")

    def tidy(self) -> None:
        pass

    def load(self) -> Load:
        return Load(None, None, None, None)


def test_a_job_that_waits_for_a_host_whose_target_is_deleted_does_not_run_here(
    db: Database, make_engine: Callable[[], JobEngine], tmp_path: Path
):
    engine = make_engine()
    here, away = engine.computes, Away()
    engine.usual["far"] = 1
    engine.computes = {**here, "far": away}  # type: ignore[dict-item]
    engine.refresh_limits()
    run_id = submitted(db, f"touch {tmp_path}/ran", target="far")
    engine.wake()
    until(lambda: (why := run_of(db, run_id).waiting) is not None and "far is away" in why.reason, 60)
    engine.computes = here
    run = ended(db, run_id)
    assert run.status is RunStatus.FAILED
    assert run.error is not None
    assert "no compute target 'far'" in run.error.message
    assert not (tmp_path / "ran").exists()


class Elsewhere:
    """A job whose folder says that another machine runs it."""

    def __init__(self, db: Database, folders: Folders) -> None:
        self.run_id = submitted(db, "sleep 600")
        self.folder = folders.job(self.run_id)
        self.folder.mkdir(parents=True)
        pid = {"pid": 1, "host": "another-machine", "start_time": "1", "boot_id": "x", "started_at": 1_800_000_000_000}
        (self.folder / jobdir.PID).write_text(json.dumps(pid))
        self.beat()
        db.write_sync(lambda s: runs.change_status(s, self.run_id, RunStatus.PREPARING, actor="mlws"))

    def beat(self, ago_s: float = 0) -> None:
        (self.folder / jobdir.HEARTBEAT).write_text(str(int((time.time() - ago_s) * 1000)))


def test_a_job_of_another_machine_lives_while_its_heart_beats(
    db: Database, make_engine: Callable[[], JobEngine], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr(working, "LOST_AFTER_S", 0.3)
    monkeypatch.setattr(working, "FOREIGN_LOST_AFTER_S", 4.0)
    job = Elsewhere(db, Folders(tmp_path / "data"))
    make_engine()
    until(lambda: run_of(db, job.run_id).status is RunStatus.RUNNING, 60)
    time.sleep(1)
    assert run_of(db, job.run_id).status is RunStatus.RUNNING
    job.beat(ago_s=120)
    until(lambda: run_of(db, job.run_id).status is RunStatus.NOT_RESPONDING, 60)
    job.beat()
    until(lambda: run_of(db, job.run_id).status is RunStatus.RUNNING, 60)
    job.beat(ago_s=120)
    until(lambda: run_of(db, job.run_id).status is RunStatus.NOT_RESPONDING, 60)
    run = ended(db, job.run_id, 60)
    assert (run.status, run.reason) == (RunStatus.FAILED, "lost")


def test_what_a_job_ran_in_is_noted_at_its_end_if_nobody_had_the_time(db: Database, make_engine: Callable[[], JobEngine]):
    run_id = submitted(db, "true", GitState(commit="c0ffee"))
    before = db.read_sync(lambda s: environments.of_run(s, run_id))
    assert (before.platform, before.git) == (None, GitState(commit="c0ffee"))
    make_engine()
    ended(db, run_id)
    found = until(lambda: env if (env := db.read_sync(lambda s: environments.of_run(s, run_id))).platform else None, 60)
    assert "pytest" in found.packages
    assert found.git == GitState(commit="c0ffee")
