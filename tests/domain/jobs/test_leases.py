"""Two servers on one database of PostgreSQL: each job is started once, and one whose server stays away is not lost sight of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from jupyter_mlws.db.database import Database
from jupyter_mlws.domain.compute import service as compute
from jupyter_mlws.domain.compute.schemas import BatchCreate, BatchPlace, ComputeCreate, Load
from jupyter_mlws.domain.compute.service import Compute, Hosts, Made
from jupyter_mlws.domain.jobs import computes, queue
from jupyter_mlws.domain.jobs.leases import Leases, name_of
from jupyter_mlws.domain.runs.states import RunStatus
from jupyter_mlws.domain.secrets.service import KeyPlaces
from jupyter_mlws.domain.workspaces import service as workspaces
from tests.databases import fresh_database
from tests.domain.jobs.lab import Lab, Machine
from tests.domain.runs.rows import ADA
from tests.servers import until

pytestmark = pytest.mark.postgres
JOBS = 50


@pytest.fixture(params=["postgresql"])
def labs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Lab, Lab]]:
    """Two servers' worth of it: a data folder and a connection each."""
    with fresh_database(request, tmp_path) as db:
        db.write_sync(lambda s: workspaces.ensure_default(s, "ada"))
        other = Database(db.writer_engine.url)
        other.start()
        made = Lab(db, tmp_path / "one", max_jobs=4), Lab(other, tmp_path / "two", max_jobs=4)
        yield made
        for lab in made:
            lab.close()
        other.close()
        queue.Queues.owner, queue.Queues.shared = None, frozenset()


def short(lab: Lab) -> Leases:
    """Leases that run out in seconds."""
    return Leases(name_of(lab.folders.root), lease_ms=4000, steady_s=0)


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


def test_a_job_whose_server_stays_away_is_taken_over(labs: tuple[Lab, Lab], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("jupyter_mlws.domain.jobs.engine.ADOPT_EVERY_S", 0.5)
    one, two = labs
    one.start(short(one))
    run_id = one.submit('[ "$MLWS_ATTEMPT" = 2 ] || sleep 8', max_retries=1)
    one.becomes(run_id, "Running")
    two.start(short(two))
    one.engine.stop()
    job = two.ended(run_id, 60)
    assert [(attempt.status.value, attempt.reason) for attempt in job.attempts] == [("Failed", "lost"), ("Completed", None)]
    # Its supervisor has ended meanwhile; its server comes back and must not change what is settled.
    one.start(short(one))
    until(one.all_ended, 30)
    assert two.run(run_id).status is RunStatus.COMPLETED
    assert sum(status in ("Completed", "Failed", "Canceled") for status in two.statuses(run_id)) == 1


class Shared(Hosts):
    """Servers that all have what somebody made: here each starts its jobs on this machine."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab.db, KeyPlaces(lab.folders.secrets_key), lab.folders.jobs, "")

    def _make(self, row: Made) -> Compute:
        return Machine(row.max_jobs, row.name)


def test_what_runs_on_local_counts_for_its_own_server_and_what_runs_on_a_shared_target_for_all(
    labs: tuple[Lab, Lab], tmp_path: Path
):
    one, two = labs
    for folder in ("batch", "local"):
        (tmp_path / folder).mkdir()
    row = ComputeCreate(name="batch", max_jobs=3, slurm=BatchCreate())
    nothing = dict.fromkeys(("partition", "account", "qos", "reservation", "time_limit_s", "server_url"))
    place = BatchPlace(**nothing, python="python3")
    one.db.write_sync(lambda s: compute.create_target(s, ADA, row, place))
    for lab in labs:
        lab.start(Leases(name_of(lab.folders.root)), Shared(lab))
    line = "cd {}; touch $MLWS_RUN_ID; sleep 0.4; ls | wc -l >> ../{}.txt; sleep 0.2; rm $MLWS_RUN_ID"
    ids = [one.submit(line.format(tmp_path / name, name), target=name) for name in ("batch", "local") for _ in range(20)]
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


def test_a_job_is_canceled_through_whatever_server(labs: tuple[Lab, Lab], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("jupyter_mlws.domain.jobs.engine.ADOPT_EVERY_S", 0.5)
    one, two = labs
    one.start(Leases(name_of(one.folders.root)))
    run_id = one.submit("sleep 60", max_retries=1)
    one.becomes(run_id, "Running")
    two.start(Leases(name_of(two.folders.root)))
    two.cancel(run_id)
    assert one.ended(run_id, 15).run.status is RunStatus.CANCELED


def test_what_still_runs_where_a_job_was_taken_over_is_ended(labs: tuple[Lab, Lab], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("jupyter_mlws.domain.jobs.engine.ADOPT_EVERY_S", 0.5)
    one, two = labs
    one.start(Leases(name_of(one.folders.root)))
    run_id = one.submit('[ "$MLWS_ATTEMPT" = 2 ] || sleep 60', max_retries=1)
    one.becomes(run_id, "Running")
    one.db.write_sync(lambda s: s.execute(text("UPDATE jobs SET lease_until = 1, owner = 'two'")))  # as if `one` had been away
    two.start(short(two))
    assert two.ended(run_id, 60).attempt == 2
    until(one.all_ended, 15, "its first attempt has ended")
    assert two.run(run_id).status is RunStatus.COMPLETED


def test_a_job_of_before_there_were_leases_is_minded_where_its_folder_is(labs: tuple[Lab, Lab], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("jupyter_mlws.domain.jobs.engine.ADOPT_EVERY_S", 0.5)
    one, two = labs
    one.start(Leases(name_of(one.folders.root)))
    run_id = one.submit("sleep 3")
    one.becomes(run_id, "Running")
    one.engine.stop()
    one.db.write_sync(lambda s: s.execute(text("UPDATE jobs SET lease_until = NULL, owner = NULL")))
    two.start(Leases(name_of(two.folders.root)))
    one.start(Leases(name_of(one.folders.root)))
    assert one.ended(run_id, 20).run.status is RunStatus.COMPLETED
