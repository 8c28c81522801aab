"""Jobs that are tried again: over a real database and real supervisors."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from jupyter_mlws.domain.access import service as access
from jupyter_mlws.domain.jobs import attempts, files, store, working
from jupyter_mlws.domain.jobs import service as jobs
from jupyter_mlws.domain.jobs import settle as settle_module
from jupyter_mlws.domain.jobs.engine import JobEngine
from jupyter_mlws.domain.jobs.prepare import prepare
from jupyter_mlws.domain.jobs.settle import Captured, name_files
from jupyter_mlws.domain.jobs.tasks import sweep
from jupyter_mlws.domain.runs.states import TERMINAL, RunStatus
from jupyter_mlws.domain.storage import service as storage
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.kit.clock import now_ms
from mlws import jobdir
from tests.databases import fresh_database
from tests.domain.jobs.lab import Lab
from tests.domain.runs.rows import ADA
from tests.servers import until

FAIL_ONCE = 'echo "this is attempt $MLWS_ATTEMPT"; mkdir -p outputs; echo $MLWS_ATTEMPT > outputs/n.txt; [ $MLWS_ATTEMPT -ge {} ] || exit 3'


@pytest.fixture(params=["sqlite"])
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lab]:
    with fresh_database(request, tmp_path) as db:
        db.write_sync(lambda s: workspaces.ensure_default(s, "ada"))
        made = Lab(db, tmp_path / "data")
        yield made
        made.close()


def log_of(lab: Lab, run_id: str, attempt: int | None = None) -> tuple[str, bool]:
    services = type("Services", (), {"folders": lab.folders, "blobs": lab.blobs})
    path, over = lab.db.read_sync(lambda s: files.log_path(s, services, run_id, "user", attempt))
    return path.read_text(), over


def files_of(lab: Lab, run_id: str) -> list[str]:
    found = lab.db.read_sync(
        lambda s: s.execute(text("SELECT path FROM artifacts WHERE run_id = :id"), {"id": run_id}).scalars().all()
    )
    return sorted(path for path in found if "system" not in path)


def test_a_job_that_failed_is_tried_again_under_the_same_run(lab: Lab):
    lab.start()
    run_id = lab.submit(FAIL_ONCE.format(3), max_retries=5)
    job = lab.ended(run_id)
    assert (job.run.status, job.run.reason, job.run.error, job.attempt) == (RunStatus.COMPLETED, None, None, 3)
    assert [(one.attempt, one.status.value, one.reason, one.exit_code) for one in job.attempts] == [
        (1, "Failed", "error", 3),
        (2, "Failed", "error", 3),
        (3, "Completed", None, 0),
    ]
    assert all(one.started_at and one.ended_at and one.started_at <= one.ended_at for one in job.attempts)
    assert job.attempts[0].error is not None
    assert "exit code 3" in job.attempts[0].error.message
    assert job.run.started_at == job.attempts[0].started_at
    assert job.run.tags["mlws.attempt"] == "3"
    again = ["Queued", "Preparing", "Running", "Finalizing"]
    assert lab.statuses(run_id) == ["NotStarted", *again, *again, *again, "Completed"]  # one end, and never Failed


def test_in_place_an_attempt_takes_only_what_it_made_itself(lab: Lab, tmp_path: Path):
    own = tmp_path / "own"
    (own / "outputs").mkdir(parents=True)
    lab.start()
    line = "touch outputs/of-$MLWS_ATTEMPT; sleep 1; [ $MLWS_ATTEMPT -ge 2 ]"
    run_id = lab.submit(line, max_retries=1, in_place=True, source_dir=own)
    assert lab.ended(run_id).run.status is RunStatus.COMPLETED
    assert [path for path in files_of(lab, run_id) if "outputs" in path] == ["attempts/1/outputs/of-1", "outputs/of-2"]


def test_each_attempt_keeps_its_log_and_its_files(lab: Lab):
    lab.start()
    run_id = lab.submit(FAIL_ONCE.format(2), max_retries=1)
    lab.ended(run_id)
    assert log_of(lab, run_id, 1) == ("this is attempt 1\n", True)
    assert log_of(lab, run_id, 2) == ("this is attempt 2\n", False)
    assert log_of(lab, run_id) == log_of(lab, run_id, 2)
    names = ["outputs/n.txt", "user_logs/std_log.txt"]
    assert files_of(lab, run_id) == [*(f"attempts/1/{name}" for name in names), *names]
    stored = lab.db.read_sync(lambda s: storage.find_artifact(s, run_id, "outputs/n.txt")).sha256
    assert stored is not None
    assert lab.blobs.path(stored).read_text() == "2\n"
    assert not (lab.folders.job(run_id, 1) / "work").exists()  # its room is free again
    shutil.rmtree(lab.folders.job(run_id))
    assert [log_of(lab, run_id, n)[0] for n in (1, 2)] == ["this is attempt 1\n", "this is attempt 2\n"]


def test_the_last_attempt_says_why_the_job_failed(lab: Lab):
    lab.start()
    job = lab.ended(lab.submit("exit $((MLWS_ATTEMPT + 10))", max_retries=1))
    assert (job.run.status, job.run.reason, job.attempt) == (RunStatus.FAILED, "error", 2)
    assert job.run.error is not None
    assert "12" in job.run.error.message
    assert [one.exit_code for one in job.attempts] == [11, 12]


@pytest.mark.parametrize(
    ("line", "options", "status"),
    [("true", {}, "Completed"), ("sleep 60", {"timeout_s": 1}, "Failed"), ("exit 1", {"max_retries": 0}, "Failed")],
    ids=["completed", "timeout", "no retries"],
)
def test_what_is_not_tried_again(lab: Lab, line: str, options: dict[str, int], status: str):
    lab.start()
    job = lab.ended(lab.submit(line, **{"max_retries": 3, **options}))  # type: ignore[arg-type]
    assert (job.run.status.value, job.attempt, len(job.attempts)) == (status, 1, 1)


def test_a_lost_job_is_tried_again_and_what_its_supervisor_leaves_late_counts_for_nothing(lab: Lab, tmp_path: Path):
    lab.start()
    go = tmp_path / "go"
    run_id = lab.submit(f"[ $MLWS_ATTEMPT = 2 ] || sleep 60; until [ -e {go} ]; do sleep 0.1; done", max_retries=1)
    lab.becomes(run_id, "Running")
    first = lab.folders.job(run_id, 1)
    pid = until(lambda: jobdir.read_pid(str(first)), 60)
    os.kill(pid["pid"], signal.SIGKILL)
    until(lambda: lab.job(run_id).attempt == 2 and lab.run(run_id).status is RunStatus.RUNNING, 60)
    late = {"version": 1, "attempt": 1, "exit_code": 0, "signal": None, "reason": "exited", "started_at": 1, "ended_at": 2}
    (first / jobdir.EXIT).write_text(json.dumps(late))
    time.sleep(1)
    assert lab.run(run_id).status is RunStatus.RUNNING
    go.touch()
    job = lab.ended(run_id)
    assert (job.run.status, job.attempts[0].reason, job.attempts[1].exit_code) == (RunStatus.COMPLETED, "lost", 0)


def test_the_token_of_an_earlier_attempt_is_refused(lab: Lab):
    lab.start()
    run_id = lab.submit("exit 1", max_retries=1)
    until(lambda: lab.job(run_id).attempt == 2, 60)
    token = json.loads((lab.folders.job(run_id, 1) / jobdir.JOB).read_text())["env"]["MLWS_TOKEN"]
    assert lab.db.read_sync(lambda s: access.actor_of_token(s, token)) is None
    lab.ended(run_id)


def test_the_pause_doubles_up_to_ten_minutes():
    pauses = [attempts.backoff_ms(n, 10) / 1000 for n in range(1, 22)]
    assert all(base <= pause <= base * 1.1 for base, pause in zip([10, 20, 40, 80, 160, 320, *[600] * 15], pauses, strict=True))


def test_a_job_in_back_off_says_so_and_until_when(lab: Lab):
    lab.backoff_s = 300
    lab.start()
    run_id = lab.submit("exit 1", max_retries=1)
    until(lambda: lab.job(run_id).attempt == 2, 60)
    run = lab.run(run_id)
    assert run.status is RunStatus.QUEUED
    assert run.waiting is not None
    assert (run.waiting.code.value, run.waiting.position) == ("backoff", 1)
    assert run.waiting.reason == "Attempt 1 failed; attempt 2 begins after a pause."
    assert run.waiting.until is not None
    assert 0 < run.waiting.until - now_ms() <= 330_000
    other = lab.submit("true")
    assert lab.ended(other).run.status is RunStatus.COMPLETED  # it is in nobody's way
    assert lab.run(run_id).status is RunStatus.QUEUED
    soon = now_ms() + 2000
    lab.db.write_sync(
        lambda s: s.execute(text("UPDATE jobs SET not_before = :soon WHERE run_id = :id"), {"soon": soon, "id": run_id})
    )
    lab.engine.wake()
    job = lab.ended(run_id)
    assert (job.attempts[1].started_at or 0) >= soon
    assert job.run.waiting is None


def test_a_pause_goes_on_after_a_restart_and_can_be_cut_short(lab: Lab):
    lab.backoff_s = 60
    lab.start()
    run_id = lab.submit(FAIL_ONCE.format(2), max_retries=1)
    until(lambda: lab.job(run_id).attempt == 2, 60)
    before = lab.run(run_id).waiting
    lab.engine.stop()
    lab.start()
    time.sleep(1)
    assert lab.run(run_id).waiting == before
    lab.db.write_sync(lambda s: jobs.resume(s, ADA, run_id))
    lab.engine.wake()
    assert lab.ended(run_id).run.status is RunStatus.COMPLETED


def test_a_pause_that_ended_while_no_server_ran(lab: Lab):
    lab.backoff_s = 1
    lab.start()
    run_id = lab.submit(FAIL_ONCE.format(2), max_retries=1)
    until(lambda: lab.job(run_id).attempt == 2, 60)
    lab.engine.stop()
    time.sleep(1.2)
    lab.start()
    assert lab.ended(run_id).run.status is RunStatus.COMPLETED


def test_a_job_in_back_off_is_canceled_for_good(lab: Lab):
    lab.backoff_s = 1
    lab.start()
    run_id = lab.submit("exit 1", max_retries=5)
    until(lambda: lab.job(run_id).attempt == 2, 60)
    lab.cancel(run_id)
    lab.cancel(run_id)
    time.sleep(1.5)
    job = lab.job(run_id)
    assert (job.run.status, job.run.reason, len(job.attempts)) == (RunStatus.CANCELED, "canceled", 1)
    assert sum(status in {one.value for one in TERMINAL} for status in lab.statuses(run_id)) == 1


def test_a_running_attempt_that_is_canceled_is_not_followed_by_another(lab: Lab):
    lab.start()
    run_id = lab.submit("sleep 60", max_retries=5)
    lab.becomes(run_id, "Running")
    lab.cancel(run_id)
    lab.cancel(run_id)
    job = lab.ended(run_id)
    assert (job.run.status, job.attempt, [one.status.value for one in job.attempts]) == (RunStatus.CANCELED, 1, ["Canceled"])


def test_a_job_that_cannot_be_prepared_is_tried_again(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    failures = [PermissionError(13, "Permission denied")]

    def flaky(*given: object) -> bool:
        if failures:
            raise failures.pop()
        return prepare(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(working, "prepare", flaky)
    lab.start()
    job = lab.ended(lab.submit("true", max_retries=1))
    assert [(one.status.value, one.reason) for one in job.attempts] == [("Failed", "spawn_failed"), ("Completed", None)]


def test_an_attempt_whose_leavings_cannot_be_stored_is_followed_by_another(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    def broken(engine: JobEngine, run_id: str, folder: Path) -> None:
        if folder != lab.folders.job(run_id, 3):
            raise ValueError("it has no form that anything knows")
        settle_module.settle(engine, run_id, folder)

    monkeypatch.setattr(working, "settle", broken)
    monkeypatch.setattr(working, "TRIES", 2)
    lab.start()
    run_id = lab.submit(FAIL_ONCE.format(2), max_retries=2)
    job = lab.ended(run_id)
    assert (job.run.status, job.run.error) == (RunStatus.COMPLETED, None)
    found = [(one.status.value, one.reason, one.exit_code) for one in job.attempts]
    assert found == [("Failed", "lost", 3), ("Failed", "lost", 0), ("Completed", None, 0)]
    words = [one.error.message for one in job.attempts if one.error is not None]
    places = [one.rsplit(": ", 1)[1] for one in words]
    assert places == [f"jobs/{run_id}.", f"jobs/{run_id}/attempts/2."]
    assert [status for status in lab.statuses(run_id) if status in ("Completed", "Failed")] == ["Completed"]


def test_a_job_that_is_canceled_while_what_its_attempt_left_is_stored_is_at_its_end(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    """Nothing is left to do for it, so that its folder goes in time."""

    def cancel_first(*given: object) -> list[Captured]:
        lab.db.write_sync(lambda s: jobs.cancel(s, ADA, run_id))
        return name_files(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(settle_module, "name_files", cancel_first)
    lab.start()
    run_id = lab.submit(FAIL_ONCE.format(9), max_retries=5)
    job = lab.ended(run_id)
    assert (job.run.status, job.attempt) == (RunStatus.CANCELED, 1)
    assert "attempts/1/outputs/n.txt" in files_of(lab, run_id)
    assert lab.db.read_sync(lambda s: store.done_with(s, [run_id])) == {run_id}


def test_the_folder_of_a_job_is_as_old_as_its_last_attempt(lab: Lab):
    lab.start()
    run_id = lab.submit(FAIL_ONCE.format(2), max_retries=1)
    assert lab.ended(run_id).attempt == 2
    until(lab.all_ended, 60)
    long_ago = time.time() - 30 * 24 * 3600
    os.utime(lab.folders.job(run_id), (long_ago, long_ago))
    assert sweep(lab.folders, lab.db) == 0
    os.utime(lab.folders.job(run_id, 2), (long_ago, long_ago))
    os.utime(lab.folders.job(run_id), (long_ago, long_ago))
    assert sweep(lab.folders, lab.db) == 1
