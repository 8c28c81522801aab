"""What comes in the middle of a change: from another server of the same PostgreSQL between two statements, or before the next try."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from jupyter_mlws.db import driver
from jupyter_mlws.domain.compute.service import Limits
from jupyter_mlws.domain.jobs import attempts, queue, store
from jupyter_mlws.domain.jobs import engine as engine_module
from jupyter_mlws.domain.jobs import environments as job_environments
from jupyter_mlws.domain.jobs import service as jobs
from jupyter_mlws.domain.jobs.errors import JobGone, JobStarted
from jupyter_mlws.domain.jobs.leases import Leases, name_of
from jupyter_mlws.domain.jobs.prepare import claim
from jupyter_mlws.domain.jobs.settle import begin
from jupyter_mlws.domain.runs.states import RunStatus
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.kit.clock import now_ms
from tests.databases import fresh_database
from tests.domain.jobs.lab import Lab, Machine, two_servers
from tests.domain.runs.rows import ADA
from tests.servers import until

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(params=["sqlite"])
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lab]:
    with fresh_database(request, tmp_path) as db:
        db.write_sync(lambda s: workspaces.ensure_default(s, "ada"))
        made = Lab(db, tmp_path / "data")
        yield made
        made.close()


@pytest.fixture(params=[pytest.param("postgresql", marks=pytest.mark.postgres)])
def labs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Lab, Lab]]:
    with two_servers(request, tmp_path) as made:
        queue.Queues.limits = {"local": Limits(max_jobs=4)}
        yield made


class Meanwhile:
    """What another server does, in a thread of its own."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._thread: threading.Thread | None = None
        self.result: Any = None

    def begin(self, work: Callable[[Any], Any]) -> None:
        """Once; until it is done, or waits for what this server holds."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._do, args=(work,))
            self._thread.start()
            until(lambda: self._thread is None or not self._thread.is_alive() or self._waits(), 30)

    def end(self) -> Any:
        assert self._thread is not None, "the moment came"
        self._thread.join(30)
        return self.result

    def _do(self, work: Callable[[Any], Any]) -> None:
        try:
            self.result = self._lab.db.write_sync(work)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.result = error

    def _waits(self) -> bool:
        sql = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
        return bool(self._lab.db.read_sync(lambda s: s.execute(sql).scalar_one()))


def taking(lab: Lab) -> Callable[[Any], Any]:
    """What a server does to start what may start."""
    plan = lab.db.read_sync(lambda s: queue.plan_of(s, "local"))
    return lambda s: claim(s, plan.starts(), "local", Leases(name_of(lab.folders.root)))


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str, Callable[[], None]], None]:
    """Has something done each time that a function has been called."""

    def put(module: Any, name: str, then: Callable[[], None]) -> None:
        real = getattr(module, name)

        def called(*given: Any, **named: Any) -> Any:
            answer = real(*given, **named)
            then()
            return answer

        monkeypatch.setattr(module, name, called)

    return put


def test_a_job_that_another_server_takes_while_it_is_canceled_is_not_canceled_past_that(labs: tuple[Lab, Lab], at: Any):
    one, two = labs
    run_id = one.submit()
    other, take = Meanwhile(two), taking(two)
    at(jobs, "job_row", lambda: other.begin(take))
    _, tell = one.db.write_sync(lambda s: jobs.cancel(s, ADA, run_id))
    taken = other.end()
    assert not isinstance(taken, Exception), taken
    status = one.run(run_id).status
    assert (len(taken), tell, status) in [(0, False, RunStatus.CANCELED), (1, True, RunStatus.CANCEL_REQUESTED)]


def test_a_job_that_another_server_takes_while_it_is_resumed_is_not_queued_again(labs: tuple[Lab, Lab], at: Any):
    one, two = labs
    run_id = one.submit()
    other, take = Meanwhile(two), taking(two)
    at(jobs, "job_row", lambda: other.begin(take))
    with contextlib.suppress(JobStarted):
        one.db.write_sync(lambda s: jobs.resume(s, ADA, run_id))
    assert len(other.end()) == 1
    assert one.statuses(run_id) == ["NotStarted", "Queued", "Preparing"]


def test_a_job_that_another_server_takes_before_its_environment_is_given_up_goes_on(labs: tuple[Lab, Lab], at: Any):
    one, two = labs
    run_id = one.submit()
    one.db.write_sync(lambda s: driver.run(s, "UPDATE jobs SET environment_id = 7", []))
    queue.Queues.environments[7] = ""
    other, take = Meanwhile(two), taking(two)
    at(store, "queued_with", lambda: other.begin(take))
    one.db.write_sync(lambda s: job_environments._fail(s, 7, "It cannot be built."))
    assert len(other.end()) == 1
    assert one.run(run_id).status is RunStatus.PREPARING


def test_a_job_that_is_canceled_elsewhere_while_it_goes_back_to_the_queue_is_canceled(labs: tuple[Lab, Lab], at: Any):
    one, two = labs
    other = Meanwhile(two)
    one.backoff_s = 600.0
    go = one.folders.root / "go"
    run_id = one.submit(f"until [ -e {go} ]; do sleep 0.1; done; exit 1", max_retries=1)
    at(attempts, "_note", lambda: other.begin(lambda s: jobs.cancel(s, ADA, run_id)))
    one.start(Leases(name_of(one.folders.root)))
    one.becomes(run_id, "Running")
    go.touch()
    job = one.ended(run_id, 30)
    assert not isinstance(other.end(), Exception), other.result
    assert (job.run.status, job.run.reason) == (RunStatus.CANCELED, "canceled")


def test_what_is_left_of_an_attempt_changes_nothing_of_the_next(lab: Lab):
    lab.limit(paused=True)
    engine = lab.start()
    run_id = lab.submit()
    lab.db.write_sync(lambda s: driver.run(s, "UPDATE jobs SET attempt = 2", []))
    with pytest.raises(JobGone):
        begin(engine, run_id, lab.folders.job(run_id, 1), now_ms())
    assert lab.run(run_id).status is RunStatus.QUEUED


class Slow(Machine):
    """A target that is long in telling how a job ended."""

    knows = False

    def note_end(self, _folder: Path) -> bool:
        return self.knows


def test_a_job_that_cannot_be_settled_yet_runs_no_longer(lab: Lab):
    lab.compute = slow = Slow()
    lab.start()
    run_id = lab.submit()
    lab.becomes(run_id, "Finalizing")
    slow.knows = True
    job = lab.ended(run_id)
    assert job.run.status is RunStatus.COMPLETED
    way = ["NotStarted", "Queued", "Preparing", "Running", "Finalizing", "Completed"]
    assert (lab.statuses(run_id), job.attempts[0].started_at) == (way, job.run.started_at)


@pytest.mark.parametrize("began", ["1" + "0" * 30, '"today"', "-1", "1.5", "null"])
@pytest.mark.parametrize("then", ["", "; sleep 1"], ids=["ends", "runs"])
def test_a_job_that_says_nonsense_of_its_beginning_ends_all_the_same(lab: Lab, began: str, then: str):
    lab.start()
    change = """sed -i 's/"started_at": *[0-9]*/"started_at": {}/' ../pid.json && grep -qF '"started_at": {}' ../pid.json"""
    job = lab.ended(lab.submit(f"until {change.format(began, began)}; do sleep 0.05; done{then}"), 30)
    assert job.run.status is RunStatus.COMPLETED
    assert job.run.started_at is not None


def test_when_the_next_one_left_the_queue_otherwise_the_one_behind_it_starts(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    go = tmp_path / "go"
    lab.start()
    long = lab.submit(f"until [ -e {go} ]; do sleep 0.1; done")
    lab.becomes(long, "Running")
    canceled: list[str] = []

    def too_late(session: Any, *given: Any, **named: Any) -> Any:
        if not canceled:
            canceled.append(named["picks"][0][0].run_id)
            jobs.cancel(session, ADA, canceled[0])  # as by another server, which wakes this one not
        return claim(session, *given, **named)

    monkeypatch.setattr(engine_module, "claim", too_late)
    lab.limit(paused=True)
    first, second = lab.submit(), lab.submit()
    lab.limit(paused=False)
    assert lab.ended(second, 30).run.status is RunStatus.COMPLETED
    assert canceled == [first]
    assert lab.run(first).status is RunStatus.CANCELED
    assert lab.run(long).status is RunStatus.RUNNING
    go.touch()
    lab.ended(long)
