"""The queue: what starts, in which order, and why the others wait. Each reason is made true, and goes with its cause."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert, select

from jupyter_mlws.domain.compute.schemas import JobResources
from jupyter_mlws.domain.compute.service import Limits
from jupyter_mlws.domain.jobs import queue, store, working
from jupyter_mlws.domain.jobs import service as jobs
from jupyter_mlws.domain.jobs.errors import JobStarted, TooMuchAsked
from jupyter_mlws.domain.jobs.prepare import prepare
from jupyter_mlws.domain.jobs.queue import Plan
from jupyter_mlws.domain.jobs.schemas import JobUpdate
from jupyter_mlws.domain.jobs.store import Ask
from jupyter_mlws.domain.jobs.tables import JobRow
from jupyter_mlws.domain.runs.states import RunStatus
from jupyter_mlws.domain.runs.tables import RunRow
from jupyter_mlws.domain.workspaces import service as workspaces
from tests.databases import fresh_database
from tests.domain.jobs.lab import GIB, Lab
from tests.domain.runs.rows import ADA
from tests.servers import until

LONG = "sleep 120"


@pytest.fixture(params=["sqlite"])
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lab]:
    with fresh_database(request, tmp_path) as db:
        db.write_sync(lambda s: workspaces.ensure_default(s, "ada"))
        made = Lab(db, tmp_path / "data")
        yield made
        for run_id in [one.run_id for one in db.read_sync(lambda s: store.live(s))]:
            made.cancel(run_id)
        made.close()


def waits(lab: Lab, run_id: str) -> tuple[str, str, int | None]:
    """(code, words, place) of why a job waits."""
    waiting = lab.run(run_id).waiting
    assert waiting is not None, lab.run(run_id).status
    return waiting.code.value, waiting.reason, waiting.position


def starts(lab: Lab, run_id: str) -> None:
    """The job leaves the queue, and with it its reason."""
    until(lambda: lab.run(run_id).status not in (RunStatus.QUEUED, RunStatus.PAUSED), 60)
    assert lab.run(run_id).waiting is None


# --- the rule, without a database


def ask(name: str, user: str = "ada", **more: Any) -> Ask:
    given = {"priority": 0, "attempt": 1, "not_before": None, "cpus": None, "memory_bytes": None, "gpus": 0, "gpu_ids": None}
    return Ask(name, user, **{**given, **more})


def verdicts(plan: Plan) -> list[str]:
    return [one.what.value for one in plan.verdicts]


FOUR = Limits(max_jobs=4, cpus=8, memory_bytes=16, gpu_ids=(0, 1, 2, 3))


def test_a_small_job_does_not_overtake_a_large_one():
    plan = Plan([ask("large", cpus=8), ask("small", cpus=1), ask("free")], [ask("runs", cpus=1)], FOUR, 0)
    assert verdicts(plan) == ["cpus", "turn", "turn"]


def test_only_the_user_s_own_jobs_wait_for_the_user_s_limit():
    limits = FOUR._replace(max_jobs_per_user=1)
    plan = Plan([ask("a2"), ask("a3"), ask("b1", "bob"), ask("b2", "bob")], [ask("a1")], limits, 0)
    assert verdicts(plan) == ["user_limit", "user_limit", "start", "user_limit"]


def test_of_one_user_the_order_holds_too():
    limits = FOUR._replace(cpus_per_user=4)
    plan = Plan([ask("large", cpus=4), ask("small", cpus=1), ask("b", "bob", cpus=1)], [ask("runs", cpus=1)], limits, 0)
    assert verdicts(plan) == ["user_limit", "user_limit", "start"]


def test_what_cannot_start_yet_or_ever_holds_up_nobody():
    plan = Plan([ask("later", not_before=5), ask("huge", cpus=9), ask("next")], [], FOUR, 4)
    assert (verdicts(plan), plan.due()) == (["backoff", "too_large", "start"], 5)
    assert verdicts(Plan([ask("later", not_before=5)], [], FOUR, 5)) == ["start"]


def test_gpus_are_given_once():
    live = [ask("runs", gpus=2, gpu_ids="[0, 2]")]
    plan = Plan([ask("one", gpus=1), ask("none"), ask("two", gpus=2)], live, FOUR, 0)
    assert [verdict.gpu_ids for verdict in plan.verdicts] == [(1,), (), ()]
    assert verdicts(plan) == ["start", "start", "gpus"]


def test_jobs_that_ask_for_nothing_count_against_the_slots_only():
    plan = Plan([ask(str(n)) for n in range(5)], [ask("runs", cpus=8, memory_bytes=16, gpus=4, gpu_ids="[0, 1, 2, 3]")], FOUR, 0)
    assert verdicts(plan) == ["start"] * 3 + ["slot"] * 2


# --- each reason


def test_slots(lab: Lab):
    lab.start()
    running = [lab.submit(LONG) for _ in range(2)]
    first, second = lab.submit(), lab.submit()
    until(lambda: [lab.run(one).status for one in running] == [RunStatus.RUNNING] * 2, 60)
    assert waits(lab, first) == ("slot", "All 2 slots of local are taken; this job is next.", 1)
    assert waits(lab, second) == ("slot", "All 2 slots of local are taken; 1 job is ahead of this one.", 2)
    lab.limit(max_jobs=3)
    starts(lab, first)


@pytest.mark.parametrize(
    ("asks", "code", "words", "change"),
    [
        ({"cpus": 6}, "cpus", "This job needs 6 CPUs; 2 of 8 are free on local.", {"cpus": 12}),
        (
            {"memory_bytes": 9 * GIB},
            "memory",
            "This job needs 9 GiB of memory; 7 GiB of 16 GiB are free on local.",
            {"memory_bytes": 18 * GIB},
        ),
        ({"gpus": 3}, "gpus", "This job needs 3 GPUs; 1 of 4 are free on local.", {"gpus": 6}),
    ],
    ids=["cpus", "memory", "gpus"],
)
def test_resources(lab: Lab, asks: dict[str, Any], code: str, words: str, change: dict[str, Any]):
    lab.compute.max_jobs = 9
    lab.start()
    lab.becomes(lab.submit(LONG, **asks), "Running")
    first = lab.submit(LONG, **asks)
    assert waits(lab, first) == (code, words, 1)
    behind = lab.submit("true")
    about = words.removeprefix("This job ")
    assert waits(lab, behind) == ("turn", f"1 job is ahead of this one; the first {about}", 2)
    lab.limit(**change)
    starts(lab, first)
    starts(lab, behind)


def test_the_limit_of_a_user(lab: Lab):
    lab.compute.max_jobs = 9
    lab.start()
    lab.limit(max_jobs_per_user=1)
    running = lab.submit(LONG)
    lab.becomes(running, "Running")
    mine, next_one, other = lab.submit(), lab.submit(), lab.submit(user="bob")
    starts(lab, other)
    has = "1 job of ada run, and one user may have 1 at once"
    assert waits(lab, mine) == ("user_limit", f"The limit for one user of local: {has}.", 1)
    assert waits(lab, next_one)[0] == "user_limit"
    lab.cancel(running)
    starts(lab, mine)


def test_a_user_s_share_of_the_cpus(lab: Lab):
    lab.compute.max_jobs = 9
    lab.start()
    lab.limit(cpus_per_user=4)
    lab.becomes(lab.submit(LONG, cpus=3), "Running")
    mine = lab.submit(cpus=2)
    words = "it asks for 2 CPUs; the jobs of ada have 3 CPUs of the 4 CPUs that one user may have"
    assert waits(lab, mine) == ("user_limit", f"The limit for one user of local: {words}.", 1)
    lab.limit(cpus_per_user=None)
    starts(lab, mine)


def test_a_paused_queue(lab: Lab):
    lab.start()
    running = lab.submit("sleep 3")
    lab.becomes(running, "Running")
    lab.limit(paused=True)
    waiting = lab.submit()
    assert waits(lab, waiting) == ("queue_paused", "The queue of local is paused.", 1)
    assert lab.ended(running).run.status is RunStatus.COMPLETED  # what runs goes on
    assert waits(lab, waiting)[0] == "queue_paused"
    lab.engine.stop()
    lab.start()
    time.sleep(0.5)
    assert waits(lab, waiting)[0] == "queue_paused"  # after a restart, too
    lab.limit(paused=False)
    starts(lab, waiting)


def test_a_job_on_hold(lab: Lab):
    lab.compute.max_jobs = 1
    lab.start()
    running = lab.submit(LONG)
    lab.becomes(running, "Running")
    held, behind = lab.submit(), lab.submit()
    for _ in range(2):
        lab.db.write_sync(lambda s: jobs.pause(s, ADA, held))
    assert lab.run(held).status is RunStatus.PAUSED
    assert waits(lab, held) == ("on_hold", "This job is on hold: it waits until somebody resumes it.", None)
    assert waits(lab, behind)[2] == 1
    with pytest.raises(JobStarted, match="This job is Running"):
        lab.db.write_sync(lambda s: jobs.pause(s, ADA, running))
    lab.cancel(running)
    lab.ended(behind)
    assert lab.run(held).status is RunStatus.PAUSED
    lab.db.write_sync(lambda s: [jobs.resume(s, ADA, held) for _ in range(2)])  # at once: it may begin right after
    lab.engine.wake()
    job = lab.ended(held)
    assert job.run.status is RunStatus.COMPLETED
    with pytest.raises(JobStarted, match="This job is Completed"):
        lab.db.write_sync(lambda s: jobs.resume(s, ADA, held))


def test_a_job_on_hold_is_canceled(lab: Lab):
    held = lab.submit()
    lab.db.write_sync(lambda s: jobs.pause(s, ADA, held))
    for _ in range(2):
        _, tell = lab.db.write_sync(lambda s: jobs.cancel(s, ADA, held))
        assert not tell
    assert lab.statuses(held) == ["NotStarted", "Queued", "Paused", "Canceled"]


def test_more_than_there_is(lab: Lab):
    lab.start()
    for field, value, words in (
        ("cpus", 9, "asks for 9 CPUs, and it has 8 CPUs in all: local could never run it."),
        ("memory_bytes", 17 * GIB, "asks for 17 GiB, and it has 16 GiB in all"),
        ("gpus", 5, "asks for 5 GPUs, and it has 4 GPUs in all"),
    ):
        with pytest.raises(TooMuchAsked, match=words) as refused:
            queue.check_resources(JobResources(**{field: value}), "local")
        assert refused.value.field == f"resources.{field}"
    lab.limit(cpus_per_user=2)
    with pytest.raises(TooMuchAsked, match="asks for 3 CPUs, and one user may have 2 CPUs at once"):
        queue.check_resources(JobResources(cpus=3), "local")
    queue.check_resources(JobResources(cpus=2, memory_bytes=16 * GIB, gpus=4), "local")


def test_a_target_that_has_become_too_small(lab: Lab):
    lab.compute.max_jobs = 1
    lab.start()
    running = lab.submit(LONG)
    lab.becomes(running, "Running")
    large, behind = lab.submit(LONG, cpus=8), lab.submit()
    lab.limit(cpus=4)
    words = "This job asks for 8 CPUs, and it has 4 CPUs in all: local cannot run it until that is changed."
    assert waits(lab, large) == ("too_large", words, 1)
    lab.cancel(running)
    lab.ended(behind)
    assert lab.run(large).status is RunStatus.QUEUED
    lab.limit(cpus=None)
    starts(lab, large)


def test_a_target_that_takes_no_jobs_and_one_that_is_gone(lab: Lab):
    waiting = lab.submit()
    lab.compute.problem = "The target 'local' cannot be used: no disk."
    lab.start()
    assert waits(lab, waiting) == ("target", "The target 'local' cannot be used: no disk.", 1)
    queue.Queues.limits = {}
    assert waits(lab, waiting)[:2] == ("target", "The compute target 'local' is not there; it was removed or renamed.")
    lab.compute.problem = ""
    lab.engine.refresh_limits()
    starts(lab, waiting)


def test_a_full_disk(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    full = [True]

    def preparing(*given: Any) -> bool:
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return prepare(*given)

    monkeypatch.setattr(working, "prepare", preparing)
    lab.start()
    run_id = lab.submit()
    until(lambda: lab.run(run_id).status is RunStatus.PREPARING and lab.run(run_id).waiting, 60)
    assert waits(lab, run_id) == ("server", "It cannot begin now, and is tried again: the disk is full.", None)
    full.clear()
    assert lab.ended(run_id).run.waiting is None


# --- what the jobs get


def test_gpus_are_told_and_free_again(lab: Lab):
    lab.start()
    lab.becomes(lab.submit(LONG, gpus=1), "Running")
    run_id = lab.submit("echo $CUDA_VISIBLE_DEVICES > outputs/gpus; mkdir -p outputs; echo has $CUDA_VISIBLE_DEVICES", gpus=2)
    job = lab.ended(run_id)
    assert job.gpu_ids == [1, 2]
    assert (lab.folders.job(run_id) / "user_logs" / "std_log.txt").read_text().endswith("has 1,2\n")
    later = lab.ended(lab.submit(gpus=3))
    assert later.gpu_ids == [1, 2, 3]


def test_priority_comes_before_submission(lab: Lab):
    lab.compute.max_jobs = 1
    lab.limit(paused=True)
    lab.start()
    low, high, changed = lab.submit(), lab.submit(priority=5), lab.submit()
    lab.db.write_sync(lambda s: jobs.update_job(s, ADA, changed, JobUpdate(priority=9), None))
    assert [waits(lab, one)[2] for one in (changed, high, low)] == [1, 2, 3]
    lab.limit(paused=False)
    ended = [lab.ended(one).run for one in (changed, high, low)]
    assert sorted(ended, key=lambda run: run.started_at or 0) == ended


# --- many


def test_ten_thousand_queued_jobs(lab: Lab):
    lab.limit(paused=True)
    lab.start()
    lab.submit()
    row, run = (
        lab.db.read_sync(lambda s, t=table: dict(s.execute(select(*t.__table__.columns)).mappings().one()))  # type: ignore[misc]
        for table in (JobRow, RunRow)
    )

    def fill(session: Any) -> None:
        links = '[["data/%s","/somewhere"]]' % ("x" * 2000)
        for table, one, key in ((RunRow, run, "id"), (JobRow, row, "run_id")):
            given = {**one, **({"links": links} if table is JobRow else {})}
            session.execute(insert(table), [{**given, key: f"{n:032x}"} for n in range(10_000)])

    lab.db.write_sync(fill)
    statements: list[str] = []
    listen = lambda conn, cursor, statement, *_: statements.append(statement)  # noqa: E731
    engine = lab.db.read_sync(lambda s: s.get_bind())
    event.listen(engine, "before_cursor_execute", listen)
    began = time.process_time()
    found = lab.db.read_sync(lambda s: jobs.list_active(s, "default")).jobs
    took = time.process_time() - began
    event.remove(engine, "before_cursor_execute", listen)
    began = time.process_time()
    last = lab.run(f"{9_999:032x}")
    one = time.process_time() - began
    print(f"1,000 of 10,000 queued: {took:.3f} s of CPU; one run: {one:.3f} s")
    assert len(found) == 1000
    assert [run.waiting.position for run in found if run.waiting] == list(range(1, 1001))
    assert last.waiting is not None
    assert last.waiting.position is not None
    assert not any("jobs.links" in statement for statement in statements)
    assert took < 1.5  # of CPU: how busy the machine is does not count
    assert one < 0.5


def test_a_clock_that_was_set_back_lets_nobody_rest_for_days():
    days = 2 * 86_400_000
    assert verdicts(Plan([ask("later", not_before=days + 5)], [], FOUR, 4)) == ["start"]
    longest = int(store.LONGEST_BACKOFF_S * 1100)
    assert verdicts(Plan([ask("later", not_before=longest + 4)], [], FOUR, 4)) == ["backoff"]
