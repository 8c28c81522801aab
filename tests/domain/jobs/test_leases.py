"""Two servers on one database of PostgreSQL: each job is started once, and one whose server stays away is not lost sight of."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from jupyter_mlws.domain.compute import service as compute
from jupyter_mlws.domain.compute.schemas import ComputeCreate, ComputeUpdate, LimitsChanged, Load, SlurmCreate, SlurmPlace
from jupyter_mlws.domain.compute.service import Compute, Hosts, Made
from jupyter_mlws.domain.jobs import computes
from jupyter_mlws.domain.jobs.leases import Leases, Left, name_of
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.states import RunStatus
from jupyter_mlws.domain.secrets.service import KeyPlaces
from jupyter_mlws.kit.clock import now_ms
from tests.domain.jobs.lab import Lab, Machine, short, two_servers, words_of
from tests.domain.runs.rows import ADA
from tests.servers import until

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(300)]
JOBS = 50
WITHIN = 60.0


@pytest.fixture(params=["postgresql"])
def labs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Lab, Lab]]:
    with two_servers(request, tmp_path) as made:
        yield made


def test_fifty_jobs_are_started_once_each(labs: tuple[Lab, Lab], tmp_path: Path):
    one = labs[0]
    marks = tmp_path / "marks"
    marks.mkdir()
    ids = [one.submit(f"echo $$ >> {marks}/$MLWS_RUN_ID; sleep 0.5") for _ in range(JOBS)]
    for lab in labs:
        lab.start(Leases(name_of(lab.folders.root)))
    until(lambda: all(one.run(run_id).status is RunStatus.COMPLETED for run_id in ids), 120)
    assert {mark.name: len(mark.read_text().splitlines()) for mark in marks.iterdir()} == dict.fromkeys(ids, 1)
    shares = [sum(1 for _ in lab.folders.jobs.iterdir()) for lab in labs]
    assert sum(shares) == JOBS
    assert all(shares), "both servers have started some"
    assert all(one.statuses(run_id).count("Preparing") == 1 for run_id in ids)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers look after each other twice a second."""
    monkeypatch.setattr("jupyter_mlws.domain.jobs.engine.ADOPT_EVERY_S", 0.5)


@pytest.mark.usefixtures("soon")
def test_a_job_whose_server_is_away_is_left_alone_until_that_comes_back(labs: tuple[Lab, Lab], tmp_path: Path):
    one, two = labs
    go, marks = tmp_path / "go", tmp_path / "marks"
    one.start(short(one))
    run_id = one.submit(f"echo begun >> {marks}; until [ -e {go} ]; do sleep 0.1; done", max_retries=1)
    one.becomes(run_id, "Running")
    two.start(short(two))
    one.engine.stop()
    two.becomes(run_id, "NotResponding")
    until(
        lambda: f"The server that has it, {name_of(one.folders.root)}, has not been heard from" in words_of(two, run_id), WITHIN
    )
    assert "Canceling the job gives it up" in words_of(two, run_id)
    two.engine.leases.steady_s = 600.0
    two.engine._absent.look()
    assert words_of(two, run_id), "an outage of the database takes no words away"
    two.engine.leases.steady_s = 0
    assert two.ended(two.submit("true", max_retries=0)).run.status is RunStatus.COMPLETED, "the other goes on"
    one.start(short(one))
    one.becomes(run_id, "Running")
    until(lambda: not words_of(two, run_id), WITHIN)
    go.touch()
    job = two.ended(run_id)
    assert (job.run.status, job.attempt, marks.read_text()) == (RunStatus.COMPLETED, 1, "begun\n")
    assert "Failed" not in two.statuses(run_id)


@pytest.mark.usefixtures("soon")
def test_one_that_ended_while_its_server_was_away_is_settled_when_that_comes_back(labs: tuple[Lab, Lab], tmp_path: Path):
    one, two = labs
    go = tmp_path / "go"
    one.start(short(one))
    run_id = one.submit(f"mkdir outputs; until [ -e {go} ]; do sleep 0.1; done; echo 7 > outputs/n; exit 3")
    one.becomes(run_id, "Running")
    two.start(short(two))
    one.engine.stop()
    two.becomes(run_id, "NotResponding")
    go.touch()
    until(one.all_ended, WITHIN)
    one.start(short(one))
    job = two.ended(run_id)
    assert (job.run.status, job.run.reason, job.attempts[0].exit_code) == (RunStatus.FAILED, "error", 3)


@pytest.mark.usefixtures("soon")
def test_a_job_on_the_machine_of_a_server_that_stays_away_is_lost_and_tried_again(labs: tuple[Lab, Lab]):
    one, two = labs
    one.start(short(one))
    run_id = one.submit("[ $MLWS_ATTEMPT = 2 ] || sleep 600", max_retries=1)
    one.becomes(run_id, "Running")
    gone = Leases(name_of(two.folders.root), lease_ms=4000, steady_s=0, lost_ms=8000)
    two.start(gone)
    one.engine.stop()
    job = two.ended(run_id, 120)
    assert (job.run.status, job.attempt) == (RunStatus.COMPLETED, 2)
    assert (job.attempts[0].status, job.attempts[0].reason) == (RunStatus.FAILED, "lost")
    assert "NotResponding" in two.statuses(run_id), "for a while it was waited for"
    assert not one.all_ended()
    one.start(short(one))
    until(one.all_ended, WITHIN, "what is left of it ends when its server is back")
    assert two.run(run_id) == job.run


@pytest.mark.usefixtures("soon")
def test_a_job_whose_server_is_away_is_given_up_by_canceling_it(labs: tuple[Lab, Lab]):
    one, two = labs
    one.start(short(one))
    run_id = one.submit("sleep 600", max_retries=1)
    one.becomes(run_id, "Running")
    two.start(short(two))
    one.engine.stop()
    two.becomes(run_id, "NotResponding")
    two.cancel(run_id)
    run = two.ended(run_id).run
    assert (run.status, run.reason) == (RunStatus.CANCELED, "canceled")
    assert run.error is not None
    assert f"The server that has it, {name_of(one.folders.root)}," in run.error.message
    assert not one.all_ended(), "it still runs there, and nobody is there to end it"
    one.start(short(one))
    until(one.all_ended, WITHIN)
    until(lambda: not given_up(one), WITHIN, "it is done with it")
    assert two.run(run_id) == run
    assert two.statuses(run_id)[-3:] == ["NotResponding", "CancelRequested", "Canceled"]


class CutOff(Machine):
    """A host, as far as it can be cut off."""

    remote, words = False, ""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()

    def away(self, job_dir: Path) -> str:
        return self.words

    def is_alive(self, job_dir: Path) -> bool:
        return not self.words and super().is_alive(job_dir)

    def cancel(self, job_dir: Path, reason: str = "canceled") -> None:
        if self.words:
            self.asked.set()
        else:
            super().cancel(job_dir, reason)


def given_up(lab: Lab) -> bool:
    """Whether a server has still to end what others gave up."""
    return bool(lab.db.read_sync(lambda s: s.execute(text("SELECT run_id FROM jobs WHERE lease_until = 0")).all()))


@pytest.mark.usefixtures("soon")
def test_what_was_given_up_on_a_host_that_is_away_is_ended_when_that_is_back(labs: tuple[Lab, Lab]):
    one, two = labs
    one.compute = host = CutOff()
    one.start(short(one))
    run_id = one.submit("sleep 600")
    one.becomes(run_id, "Running")
    two.start(short(two))
    one.engine.stop()
    two.becomes(run_id, "NotResponding")
    two.cancel(run_id)
    two.ended(run_id)
    host.remote, host.words = True, "The host cannot be reached."
    one.start(short(one))
    assert host.asked.wait(WITHIN)
    assert given_up(one), "what runs there is not forgotten"
    host.words = ""
    until(lambda: not given_up(one), WITHIN)
    assert one.all_ended()


def test_what_runs_on_other_machines_is_never_taken_for_lost_whoever_made_the_target(labs: tuple[Lab, Lab]):
    one, _ = labs
    engine = one.start(short(one))
    engine.computes["far"] = host = CutOff()  # as of a package that adds targets
    host.remote = True
    left = Left("a run", 1, "local", "a server", 0, heard_at=0)
    assert engine._absent._gone(left, now_ms())
    assert not engine._absent._gone(left._replace(target="far"), now_ms())


@pytest.mark.usefixtures("soon")
def test_a_server_that_was_only_cut_off_goes_on_and_ends_what_was_given_up(labs: tuple[Lab, Lab]):
    one, two = labs
    one.start(Leases(name_of(one.folders.root)))
    goes, canceled = one.submit("sleep 600"), one.submit("sleep 600", max_retries=1)
    for run_id in (goes, canceled):
        one.becomes(run_id, "Running")
    two.start(short(two))

    def as_others_left_them(session: Session) -> None:
        runs.change_status(session, goes, RunStatus.NOT_RESPONDING, actor="mlws")
        runs.change_status(session, canceled, RunStatus.CANCELED, actor="mlws", reason="canceled")
        session.execute(text("UPDATE jobs SET lease_until = 0 WHERE run_id = :id"), {"id": canceled})

    two.db.write_sync(as_others_left_them)
    two.becomes(goes, "Running", WITHIN)
    until(lambda: not one.compute.is_alive(one.folders.job(canceled)), WITHIN, "its processes are ended")
    assert two.run(canceled).status is RunStatus.CANCELED
    two.cancel(goes)
    assert two.ended(goes).run.status is RunStatus.CANCELED


@pytest.mark.usefixtures("soon")
def test_a_job_whose_folder_is_here_is_minded_here(labs: tuple[Lab, Lab], tmp_path: Path):
    """As after the name of a data folder was lost."""
    one, two = labs
    go = tmp_path / "go"
    one.start(short(one))
    run_id = one.submit(f"until [ -e {go} ]; do sleep 0.1; done")
    one.becomes(run_id, "Running")
    one.engine.stop()
    one.db.write_sync(lambda s: s.execute(text("UPDATE jobs SET lease_until = lease_until - 900000, owner = 'lost'")))
    two.start(short(two))
    one.start(short(one))
    until(lambda: one.engine.active(), WITHIN)
    go.touch()
    job = two.ended(run_id)
    assert (job.run.status, job.attempt) == (RunStatus.COMPLETED, 1)


class Shared(Hosts):
    """Servers that all have what somebody made: here each starts its jobs on this machine."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab.db, KeyPlaces(lab.folders.secrets_key), lab.folders.jobs, "")

    def _make(self, row: Made, rows: dict[str, Made]) -> Compute:
        return Machine(row.max_jobs, row.name)


def test_what_runs_on_local_counts_for_its_own_server_and_what_runs_on_a_shared_target_for_all(
    labs: tuple[Lab, Lab], tmp_path: Path
):
    one, two = labs
    for folder in ("batch", "local"):
        (tmp_path / folder).mkdir()
    row = ComputeCreate(name="batch", max_jobs=3, slurm=SlurmCreate())
    nothing = dict.fromkeys(("partition", "account", "qos", "reservation", "time_limit_s", "server_url"))
    place = SlurmPlace(**nothing, python="python3")
    one.db.write_sync(lambda s: compute.create_target(s, ADA, row, place))
    for lab in labs:
        lab.start(Leases(name_of(lab.folders.root)), Shared(lab))
    line = "cd {}; touch $MLWS_RUN_ID; {}; ls | wc -l >> ../{}.txt; sleep 0.2; rm $MLWS_RUN_ID"
    crowded = "until [ -e ../{0} ] || [ $(ls | wc -l) -gt {1} ]; do sleep 0.1; done; touch ../{0}"
    three, more = crowded.format("three", 2), crowded.format("more", 4)  # more than one server may start
    held = {"batch": f"{three}; sleep 0.4", "local": more}
    ids = [one.submit(line.format(tmp_path / name, held[name], name), target=name) for name in held for _ in range(20)]
    shown: dict[str, set[int]] = {"batch": set(), "local": set()}

    def look() -> bool:
        for target in two.db.read_sync(lambda s: computes.describe(s, ADA, loads, two.engine)).targets:
            assert target.running == len(target.live) <= target.max_jobs
            shown[target.name].add(target.running)
        return all(one.run(run_id).status is RunStatus.COMPLETED for run_id in ids)

    loads = [(target, Load(None, None, None, None)) for target in two.engine.computes.values()]
    until(look, 120)
    most = {name: max(map(int, (tmp_path / f"{name}.txt").read_text().split())) for name in shown}
    assert most["batch"] == 3
    assert 4 < most["local"] <= 8
    assert all(len(list(lab.folders.jobs.iterdir())) > 0 for lab in labs)


def test_limits_that_two_servers_change_at_once_are_all_kept(labs: tuple[Lab, Lab]):
    row = ComputeCreate(name="batch", slurm=SlurmCreate())
    nothing = dict.fromkeys(("partition", "account", "qos", "reservation", "time_limit_s", "server_url"))
    place = SlurmPlace(**nothing, python="python3")
    labs[0].db.write_sync(lambda s: compute.create_target(s, ADA, row, place))

    def change(lab: Lab, field: str) -> list[int | None]:
        found = []
        for number in range(1, 31):
            [made] = lab.db.read_sync(compute.made_targets)
            found.append(getattr(made.limits, field))
            update = msgspec.convert({field: number}, ComputeUpdate)
            lab.db.write_sync(lambda s: compute.update_limits(s, ADA, "batch", update, LimitsChanged()))  # noqa: B023 - called now
        return found

    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(change, lab, field) for lab, field in zip(labs, ("max_jobs", "gpus"), strict=True)]
        assert [one.result() for one in both] == [[None, *range(1, 30)]] * 2, "what one had changed the other took back"
    [made] = labs[0].db.read_sync(compute.made_targets)
    assert made.limits == LimitsChanged(max_jobs=30, gpus=30)


@pytest.mark.usefixtures("soon")
def test_a_job_is_canceled_through_whatever_server(labs: tuple[Lab, Lab]):
    one, two = labs
    one.start(Leases(name_of(one.folders.root)))
    run_id = one.submit("sleep 60", max_retries=1)
    one.becomes(run_id, "Running")
    two.start(Leases(name_of(two.folders.root)))
    two.cancel(run_id)
    assert one.ended(run_id).run.status is RunStatus.CANCELED


@pytest.mark.usefixtures("soon")
def test_a_job_of_before_there_were_leases_is_minded_where_its_folder_is(labs: tuple[Lab, Lab], tmp_path: Path):
    one, two = labs
    one.start(Leases(name_of(one.folders.root)))
    go = tmp_path / "go"
    run_id = one.submit(f"until [ -e {go} ]; do sleep 0.1; done")
    one.becomes(run_id, "Running")
    one.engine.stop()
    one.db.write_sync(lambda s: s.execute(text("UPDATE jobs SET lease_until = NULL, owner = NULL")))
    two.start(short(two))
    one.start(Leases(name_of(one.folders.root)))
    go.touch()
    assert one.ended(run_id).run.status is RunStatus.COMPLETED
