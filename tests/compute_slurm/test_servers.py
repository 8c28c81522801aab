"""Two servers on one database of PostgreSQL that submit to one Slurm: a job whose server is away runs once, and waits for it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlws.domain.compute import service as compute
from jupyter_mlws.domain.compute.schemas import ComputeCreate, SlurmCreate, SlurmPlace
from jupyter_mlws.domain.compute.service import Hosts
from jupyter_mlws.domain.jobs.leases import name_of
from jupyter_mlws.domain.runs.states import RunStatus
from jupyter_mlws.domain.secrets.service import KeyPlaces
from tests.domain.jobs.lab import Lab, short, two_servers, words_of
from tests.domain.runs.rows import ADA
from tests.servers import until
from tests.slurm import Slurm

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(params=["postgresql"])
def labs(
    request: pytest.FixtureRequest, tmp_path: Path, cluster: Slurm, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Lab, Lab]]:
    monkeypatch.setattr("jupyter_mlws.domain.jobs.engine.ADOPT_EVERY_S", 0.5)
    for name, value in cluster.env.items():
        monkeypatch.setenv(name, value)
    with two_servers(request, tmp_path) as made:
        nothing = dict.fromkeys(("partition", "account", "qos", "reservation", "time_limit_s", "server_url"))
        place = SlurmPlace(**nothing, python=sys.executable)
        body = ComputeCreate(name="slurm", slurm=SlurmCreate())
        made[0].db.write_sync(lambda s: compute.create_target(s, ADA, body, place))
        yield made


def begin(lab: Lab) -> None:
    """A server that was away comes back."""
    lab.start(short(lab), Hosts(lab.db, KeyPlaces(lab.folders.secrets_key), lab.folders.jobs, name_of(lab.folders.root)))


def test_a_job_in_slurm_whose_server_is_away_runs_once(labs: tuple[Lab, Lab], cluster: Slurm, tmp_path: Path):
    one, two = labs
    go, marks = tmp_path / "go", tmp_path / "marks"
    begin(one)
    run_id = one.submit(f"echo begun >> {marks}; until [ -e {go} ]; do sleep 0.1; done", target="slurm", max_retries=1)
    one.becomes(run_id, "Running")
    begin(two)
    one.engine.stop()
    two.becomes(run_id, "NotResponding")
    until(lambda: name_of(one.folders.root) in words_of(two, run_id), 60)
    go.touch()
    until(lambda: [state for _, state in cluster.of_run(run_id)] == ["COMPLETED"], 60)
    assert two.run(run_id).status is RunStatus.NOT_RESPONDING
    begin(one)
    job = two.ended(run_id)
    assert (job.run.status, job.attempt, marks.read_text()) == (RunStatus.COMPLETED, 1, "begun\n")


def test_a_job_in_slurm_that_is_given_up_is_ended_there_when_its_server_comes_back(labs: tuple[Lab, Lab], cluster: Slurm):
    one, two = labs
    begin(one)
    run_id = one.submit("sleep 600", target="slurm")
    one.becomes(run_id, "Running")
    begin(two)
    one.engine.stop()
    two.becomes(run_id, "NotResponding")
    two.cancel(run_id)
    assert two.ended(run_id).run.status is RunStatus.CANCELED
    assert [state for _, state in cluster.of_run(run_id)] == ["RUNNING"]
    begin(one)
    until(lambda: "RUNNING" not in [state for _, state in cluster.of_run(run_id)], 60)
