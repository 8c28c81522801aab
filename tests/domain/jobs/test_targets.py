"""Targets that somebody makes, moves and deletes while an engine has jobs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlws.domain.compute import service as compute
from jupyter_mlws.domain.compute.schemas import BatchCreate, BatchPlace, ComputeCreate
from jupyter_mlws.domain.compute.service import Compute, Hosts, Made
from jupyter_mlws.domain.runs.states import RunStatus
from jupyter_mlws.domain.secrets.service import KeyPlaces
from jupyter_mlws.domain.workspaces import service as workspaces
from tests.databases import fresh_database
from tests.domain.jobs.lab import Lab, Machine
from tests.domain.runs.rows import ADA


class SlowToClose(Machine):
    """Its host is away, as far as closing the connection goes."""

    def __init__(self, name: str) -> None:
        super().__init__(2, name)
        self.closing, self.may_close = threading.Event(), threading.Event()

    def close(self) -> None:
        self.closing.set()
        assert self.may_close.wait(30)
        super().close()


class SlowHosts(Hosts):
    """Makes such targets."""

    made: SlowToClose

    def _make(self, row: Made, rows: dict[str, Made]) -> Compute:
        self.made = SlowToClose(row.name)
        return self.made


@pytest.fixture(params=["sqlite"])
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lab]:
    with fresh_database(request, tmp_path) as db:
        db.write_sync(lambda s: workspaces.ensure_default(s, "ada"))
        made = Lab(db, tmp_path / "data")
        yield made
        made.close()


def test_nobody_waits_for_the_end_of_a_target_that_was_deleted(lab: Lab):
    hosts = SlowHosts(lab.db, KeyPlaces(lab.folders.secrets_key), lab.folders.jobs, "")
    nothing = dict.fromkeys(("partition", "account", "qos", "reservation", "time_limit_s", "server_url"))
    body, place = ComputeCreate(name="far", slurm=BatchCreate()), BatchPlace(**nothing, python="python3")
    lab.db.write_sync(lambda s: compute.create_target(s, ADA, body, place))
    engine = lab.start(hosts=hosts)
    far = hosts.made
    lab.db.write_sync(lambda s: compute.delete_target(s, "far"))
    deleting = threading.Thread(target=engine.refresh_targets)
    deleting.start()
    try:
        assert far.closing.wait(10)
        assert list(engine.computes) == ["local"]
        again = threading.Thread(target=engine.refresh_targets)
        again.start()
        again.join(10)
        assert not again.is_alive(), "it waits for what another one closes"
        assert lab.ended(lab.submit("true"), 20).run.status is RunStatus.COMPLETED
    finally:
        far.may_close.set()
        deleting.join(30)


def test_kernels_of_a_target_that_went_while_no_server_ran_go_with_the_next_start(lab: Lab):
    hosts = Hosts(lab.db, KeyPlaces(lab.folders.secrets_key), lab.folders.jobs, "")
    spec = lab.folders.jobs.parent / "kernels" / "mlws-gone-python3" / "kernel.json"
    spec.parent.mkdir(parents=True)
    spec.write_text('{"metadata": {"mlws": {"target": "gone"}}}')
    engine = lab.start(hosts=hosts)
    assert list(engine.computes) == ["local"]
    assert not spec.exists()
