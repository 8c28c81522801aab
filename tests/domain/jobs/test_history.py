"""What has ended on a target: pages of it by key, and what each user had, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select, update

from jupyter_mlws.db.database import Database
from jupyter_mlws.domain.compute.schemas import EndedJobPage, Span
from jupyter_mlws.domain.jobs import history, store
from jupyter_mlws.domain.jobs import service as jobs
from jupyter_mlws.domain.jobs.schemas import CommandSpec, JobCreate
from jupyter_mlws.domain.jobs.tables import JobAttemptRow, JobRow
from jupyter_mlws.domain.jobs.usage import CPU_TIME, MEMORY
from jupyter_mlws.domain.metrics.schemas import MetricPoint
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.schemas import LogBatch
from jupyter_mlws.domain.runs.states import RunStatus
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.domain.workspaces.schemas import WorkspaceCreate
from jupyter_mlws.kit.actors import Actor
from jupyter_mlws.kit.clock import now_ms
from jupyter_mlws.kit.errors import BadInput
from tests.databases import ENGINES, fresh_database
from tests.domain.metrics.test_query_plans import plans
from tests.domain.runs.rows import ADA

HOUR = 3_600_000


@pytest.fixture(params=ENGINES)
def db(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[Database]:
    with fresh_database(request, tmp_path) as found:
        found.write_sync(lambda s: workspaces.ensure_default(s, "ada"))
        found.write_sync(lambda s: workspaces.create_workspace(s, ADA, WorkspaceCreate(name="team")))
        yield found


def queued(db: Database, user: str = "ada", target: str = "local", workspace: str = "default") -> str:
    """A job that waits."""
    spec = CommandSpec(command="true")
    found = jobs.Prepared(spec, "true", "Default", None, None, "", [], [], {})
    body, actor = JobCreate(spec=spec, target=target), Actor(name=user, kind=ADA.kind)
    return db.write_sync(lambda s: jobs.add_job(s, actor, workspace, body, found, key=None, body_hash="")).run.id


def ended(
    db: Database,
    user: str = "ada",
    *,
    at: int,
    ran: int = 1000,
    cpu_s: float | None = None,
    megabytes: float | None = None,
    status: RunStatus = RunStatus.COMPLETED,
    **more: str,
) -> str:
    """A job that began `ran` ms before it ended, with what was measured of it."""
    run_id = queued(db, user, **more)
    points = [
        MetricPoint(key=key, step=0, time=at, value=value)
        for key, value in ((CPU_TIME, cpu_s), (MEMORY, megabytes))
        if value is not None
    ]

    def end(session: Any) -> None:
        session.execute(update(JobRow).where(JobRow.run_id == run_id).values(submitted_at=at - ran - 500))
        runs.change_status(session, run_id, RunStatus.PREPARING, actor="mlws")
        store.begin_attempt(session, run_id, 1, RunStatus.PREPARING)
        session.execute(update(JobAttemptRow).where(JobAttemptRow.run_id == run_id).values(started_at=at - ran, ended_at=at))
        runs.change_status(session, run_id, RunStatus.RUNNING, actor="mlws", at=at - ran)
        if points:
            runs.log_batch(session, ADA, run_id, LogBatch(batch_id="measured-1", metrics=points))
        runs.change_status(session, run_id, RunStatus.FINALIZING, actor="mlws")
        runs.change_status(session, run_id, status, actor="mlws", at=at)

    db.write_sync(end)
    return run_id


def page(db: Database, cursor: str | None = None, limit: int = 2, actor: Actor = ADA, target: str = "local") -> Any:
    return db.read_sync(lambda s: history.ended_jobs(s, actor, target, limit=limit, cursor=cursor))


def usage(db: Database, span: Span = "all", actor: Actor = ADA) -> Any:
    return db.read_sync(lambda s: history.usage(s, actor, "local", span))


class TestHistory:
    def test_a_job_tells_how_long_it_waited_and_ran_and_what_it_used(self, db: Database) -> None:
        at = now_ms()
        run_id = ended(db, at=at, ran=4000, cpu_s=2.5, megabytes=30, status=RunStatus.FAILED)
        (job,) = page(db).jobs
        assert (job.run_id, job.status, job.user, job.kind, job.workspace) == (run_id, "Failed", "ada", "command", "default")
        assert (job.ended_at, job.waited_ms, job.ran_ms) == (at, 500, 4000)
        assert (job.cpu_time_s, job.peak_memory_bytes) == (2.5, 30_000_000)

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, 1e300])
    def test_what_a_job_logs_under_the_names_of_measures_does_not_keep_it_from_its_end(self, db: Database, value: float) -> None:
        run_id = ended(db, at=now_ms(), cpu_s=value, megabytes=value)
        (job,) = page(db).jobs
        assert (job.status, job.cpu_time_s, job.peak_memory_bytes) == ("Completed", None, None)
        assert db.read_sync(lambda s: jobs.get_job(s, ADA, run_id)).usage is None

    def test_what_waits_runs_or_is_on_another_target_is_not_in_it(self, db: Database) -> None:
        queued(db)
        ended(db, at=now_ms(), target="far")
        assert page(db) == EndedJobPage(jobs=[], next_cursor=None)

    def test_one_that_was_canceled_in_the_queue_waited_to_its_end_and_did_not_run(self, db: Database) -> None:
        run_id = queued(db)
        db.write_sync(lambda s: jobs.cancel(s, ADA, run_id))
        (job,) = page(db).jobs
        assert (job.status, job.ran_ms, job.cpu_time_s, job.peak_memory_bytes) == ("Canceled", 0, None, None)
        assert job.waited_ms == job.ended_at - job.submitted_at

    def test_all_attempts_count(self, db: Database) -> None:
        run_id, at = queued(db), now_ms()

        def two_attempts(session: Any) -> None:
            for number, (start, end) in enumerate([(at, at + 300), (at + 900, at + 1100)], start=1):
                store.begin_attempt(session, run_id, number, RunStatus.FAILED)
                end_of = store.AttemptEnd(RunStatus.FAILED, None, None, start, end, None, None)
                store.end_attempt(session, run_id, number, end_of)
            runs.change_status(session, run_id, RunStatus.FAILED, actor="mlws", at=at + 1100)

        db.write_sync(two_attempts)
        assert page(db).jobs[0].ran_ms == 500

    def test_pages_miss_and_double_nothing_while_jobs_end_and_go(self, db: Database) -> None:
        at = now_ms() - HOUR
        # Several end in the same moment: the key is the end and the id.
        ids = [ended(db, at=at + 10 * (n // 3)) for n in range(9)]
        in_order = sorted(ids, key=lambda one: (at + 10 * (ids.index(one) // 3), one), reverse=True)
        first = page(db)
        seen = [job.run_id for job in first.jobs]
        ended(db, at=at + HOUR)  # newer: it belongs before the first page
        gone = in_order[4]
        db.write_sync(lambda s: runs.move_to_bin(s, ADA, gone))
        cursor = first.next_cursor
        while cursor is not None:
            found = page(db, cursor)
            seen += [job.run_id for job in found.jobs]
            cursor = found.next_cursor
        assert seen == in_order  # in the bin or not, the target was used

    @pytest.mark.parametrize("cursor", ["nonsense", "WzFd", "W251bGwsbnVsbF0"])
    def test_a_cursor_of_others_is_refused(self, db: Database, cursor: str) -> None:
        with pytest.raises(BadInput, match="cursor"):
            page(db, cursor)


class TestUsage:
    def test_users_come_with_what_their_jobs_used_and_who_used_most_is_first(self, db: Database) -> None:
        at = now_ms() - 1000
        ended(db, "ada", at=at, ran=1000, cpu_s=1.5, megabytes=10)
        ended(db, "ada", at=at, ran=2000, cpu_s=2.0, megabytes=30)
        ended(db, "ben", at=at, ran=9000)
        ended(db, "ben", at=at, ran=1, target="far")
        found = usage(db)
        told = [(use.user, use.jobs, use.ran_ms, use.cpu_time_s, use.peak_memory_bytes) for use in found.users]
        assert told == [("ben", 1, 9000, None, None), ("ada", 2, 3000, 3.5, 30_000_000)]
        total = found.total
        assert (total.jobs, total.ran_ms, total.cpu_time_s, total.peak_memory_bytes) == (3, 12_000, 3.5, 30_000_000)
        assert (found.more_users, found.since) == (0, None)

    def test_a_span_has_what_ended_in_it(self, db: Database) -> None:
        for hours in (1, 25, 8 * 24, 31 * 24):
            ended(db, at=now_ms() - hours * HOUR)
        spans: tuple[Span, ...] = ("24h", "7d", "30d", "all")
        assert [usage(db, span).total.jobs for span in spans] == [1, 2, 3, 4]

    def test_of_very_many_users_the_first_are_told_and_the_others_counted(
        self, db: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(history, "USERS_SHOWN", 2)
        for n in range(3):
            ended(db, f"user-{n}", at=now_ms(), ran=1000 * (n + 1))
        found = usage(db)
        assert ([use.user for use in found.users], found.more_users, found.total.jobs) == (["user-2", "user-1"], 1, 3)

    def test_nothing_is_nothing(self, db: Database) -> None:
        found = usage(db)
        assert (found.users, found.total.jobs, found.total.ran_ms, found.total.cpu_time_s) == ([], 0, 0, None)


def test_a_token_of_one_workspace_is_told_nothing_of_others(db: Database) -> None:
    here, there = ended(db, at=now_ms()), ended(db, "ben", at=now_ms(), workspace="team")
    space = db.read_sync(lambda s: workspaces.find(s, "team").id)
    narrow = Actor(name="ada", kind=ADA.kind, workspace_id=space)
    assert [job.run_id for job in page(db, actor=narrow).jobs] == [there]
    assert [use.user for use in usage(db, actor=narrow).users] == ["ben"]
    assert {job.run_id for job in page(db).jobs} == {here, there}


def test_a_page_and_the_usage_of_a_span_are_read_from_the_index(db: Database) -> None:
    cursor = (ended(db, at=now_ms()), ended(db, at=now_ms()), page(db, limit=1).next_cursor)[2]
    index = "ix_jobs_target_ended_at_run_id"

    def of_jobs(session: Any) -> None:
        history.ended_jobs(session, ADA, "local", limit=2, cursor=cursor)

    steps = [step for step in plans(db, of_jobs) if "jobs" in step]
    assert any(index in step for step in steps), steps
    assert not [step for step in steps if "SCAN jobs" in step or "Seq Scan" in step]
    sums = [step for step in plans(db, lambda s: history.usage(s, ADA, "local", "all")) if "jobs" in step]
    assert len(sums) == 2, sums  # by user, and of all: the database adds up, whatever the span
    assert not [step for step in sums if "SCAN jobs" in step or "Seq Scan" in step]
    if db.writer_engine.dialect.name == "sqlite":
        steps = plans(db, lambda s: store.use_in_all(s, "local", None, now_ms() - HOUR))
        assert [step for step in steps if f"{index} (target=? AND ended_at>?)" in step], steps
    assert db.read_sync(lambda s: len(s.execute(select(JobRow.run_id)).all())) == 2
