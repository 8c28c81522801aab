"""What a job costs the database: a count, which no slow machine changes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import event

from jupyter_mlws.db.database import Database
from jupyter_mlws.domain.environments import service as environments
from jupyter_mlws.domain.jobs import followed
from jupyter_mlws.domain.jobs import service as jobs
from jupyter_mlws.domain.jobs.engine import JobEngine
from jupyter_mlws.domain.jobs.schemas import CommandSpec, JobCreate
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.states import RunStatus
from tests.databases import ENGINES
from tests.domain.jobs.test_engine import ended
from tests.domain.runs.rows import ADA

WAY = ["NotStarted", "Queued", "Preparing", "Running", "Finalizing", "Completed"]


@pytest.mark.parametrize("db", ENGINES, indirect=True)
def test_a_job_that_leaves_next_to_nothing_is_three_transactions(
    db: Database, make_engine: Callable[[], JobEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is queued, it leaves the queue, it ends; and all that it went through is told all the same."""
    monkeypatch.setattr(followed, "FIRST_LOOK_S", 3600.0)  # it is looked at once it has ended, however long that takes here
    engine = make_engine()
    spec = CommandSpec(command="echo hello")
    capture = environments.capture_environment(None, None)
    prepared = jobs.Prepared(spec, "echo hello", "Default", None, None, "", [], [], {}, capture=capture)
    commits: list[object] = []
    event.listen(db.writer_engine, "commit", commits.append)
    run_id = db.write_sync(
        lambda s: jobs.add_job(s, ADA, "default", JobCreate(spec=spec), prepared, key=None, body_hash="")
    ).run.id
    engine.wake()
    run = ended(db, run_id)
    assert len(commits) == 3

    job = db.read_sync(lambda s: jobs.get_job(s, ADA, run_id))
    changes = db.read_sync(lambda s: runs.history(s, ADA, run_id)).changes
    assert [change.status.value for change in changes] == WAY
    assert [change.at for change in changes if change.status is RunStatus.RUNNING] == [run.started_at]
    (attempt,) = job.attempts
    assert (attempt.status, attempt.started_at, attempt.ended_at, attempt.exit_code) == (
        RunStatus.COMPLETED,
        run.started_at,
        run.ended_at,
        0,
    )
    assert job.usage is not None
    assert job.usage.cpu_time_s is not None
    assert db.read_sync(lambda s: environments.of_run(s, run_id)).packages == capture.packages
