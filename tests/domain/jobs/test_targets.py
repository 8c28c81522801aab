"""Targets that somebody makes, moves and deletes while an engine has jobs."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from sqlalchemy import update

from jupyter_mlws.domain.compute import service as compute
from jupyter_mlws.domain.compute.batch.target import BatchCompute
from jupyter_mlws.domain.compute.schemas import ComputeCreate, ComputeUpdate, Load, SlurmCreate, SlurmPlace, SlurmUpdate
from jupyter_mlws.domain.compute.service import Compute, Hosts, Made
from jupyter_mlws.domain.compute.tables import ComputeTargetRow
from jupyter_mlws.domain.jobs import computes, queue
from jupyter_mlws.domain.runs.states import RunStatus
from jupyter_mlws.domain.secrets.service import KeyPlaces
from jupyter_mlws.domain.workspaces import service as workspaces
from mlws.process import start_time
from tests.databases import fresh_database
from tests.domain.jobs.lab import Lab, Machine
from tests.domain.runs.rows import ADA
from tests.servers import until

NOTHING = dict.fromkeys(("partition", "account", "qos", "reservation", "time_limit_s", "server_url"))


class SlowToClose(Machine):
    """Its host is away, as far as closing the connection goes."""

    def __init__(self, name: str) -> None:
        super().__init__(2, name)
        self.usual = 2
        self.closing, self.may_close = threading.Event(), threading.Event()

    def close(self) -> None:
        self.closing.set()
        assert self.may_close.wait(180)
        super().close()


class SlowHosts(Hosts):
    """Makes such targets."""

    made: SlowToClose
    may_all_close = False

    def _make(self, row: Made, rows: dict[str, Made]) -> Compute:
        self.made = SlowToClose(row.name)
        if self.may_all_close:
            self.made.may_close.set()
        return self.made


@pytest.fixture(params=["sqlite"])
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lab]:
    with fresh_database(request, tmp_path) as db:
        db.write_sync(lambda s: workspaces.ensure_default(s, "ada"))
        made = Lab(db, tmp_path / "data")
        yield made
        made.close()


def make_far(lab: Lab) -> None:
    """A row of a target, as another server makes it."""
    body, place = ComputeCreate(name="far", slurm=SlurmCreate()), SlurmPlace(**NOTHING, python="python3")
    lab.db.write_sync(lambda s: compute.create_target(s, ADA, body, place))


def test_limits_that_another_server_changed_count_here_and_the_target_stays_as_it_is(lab: Lab):
    hosts = SlowHosts(lab.db, KeyPlaces(lab.folders.secrets_key), lab.folders.jobs, "")
    make_far(lab)
    lab.db.write_sync(lambda s: s.execute(update(ComputeTargetRow).values(limits=None)))  # made before there were such
    compute.keep(lab.folders.compute, "far", ComputeUpdate(max_jobs=7, cpus=3.0))  # as a server of before kept it
    engine = lab.start(hosts=hosts)
    far = hosts.made
    far.may_close.set()
    assert (queue.Queues.limits["far"].max_jobs, queue.Queues.limits["far"].cpus) == (7, 3.0)
    before = engine.changed_limits("far")
    lab.db.write_sync(lambda s: compute.update_limits(s, ADA, "far", ComputeUpdate(max_jobs=3, paused=True), before))
    engine.adopt_soon()
    engine.wake()
    until(lambda: queue.Queues.limits["far"].paused, 30)
    assert (queue.Queues.limits["far"].max_jobs, queue.Queues.limits["far"].cpus) == (3, 3.0)
    lab.db.write_sync(lambda s: compute.update_limits(s, ADA, "far", ComputeUpdate(max_jobs=None, paused=False), before))
    engine.refresh_targets()
    limits = queue.Queues.limits["far"]
    assert (limits.max_jobs, limits.cpus, limits.paused) == (far.usual, 3.0, False), (
        "as it was made, and what was not named stays"
    )
    assert engine.computes["far"] is far, "its connections were not cut for that"
    assert not far.closing.is_set()


def test_what_another_server_has_just_changed_of_a_place_stays_when_more_is_changed_here(lab: Lab):
    hosts = SlowHosts(lab.db, KeyPlaces(lab.folders.secrets_key), lab.folders.jobs, "")
    make_far(lab)
    services = SimpleNamespace(jobs=lab.start(hosts=hosts), folders=lab.folders)
    hosts.made.may_close.set()
    hosts.may_all_close = True
    place = msgspec.structs.replace(SlurmPlace(**NOTHING, python="python3"), partition="gpu")
    lab.db.write_sync(lambda s: compute.update_target(s, ADA, "far", ComputeUpdate(), place))
    computes.change(services, lab.db, ADA, "far", ComputeUpdate(slurm=SlurmUpdate(account="lab42")))
    [made] = lab.db.read_sync(compute.made_targets)
    assert isinstance(made.place, SlurmPlace)
    assert (made.place.partition, made.place.account) == ("gpu", "lab42")


def test_of_two_who_read_limits_at_once_the_later_one_has_what_counts(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    engine = lab.start()
    asking, may_answer = threading.Event(), threading.Event()
    load = lab.compute.load

    def slow_once() -> Load:
        if not asking.is_set():
            asking.set()
            assert may_answer.wait(30)
        return load()

    monkeypatch.setattr(lab.compute, "load", slow_once)
    first = threading.Thread(target=engine.refresh_limits)
    first.start()
    assert asking.wait(30)
    second = threading.Thread(target=partial(lab.limit, paused=True))
    second.start()
    second.join(0.5)  # it waits for the first one, or was there before it
    may_answer.set()
    first.join(30)
    second.join(30)
    assert queue.Queues.limits["local"].paused


def test_a_target_that_is_made_anew_has_no_limits_of_an_earlier_one_of_its_name(lab: Lab):
    """Another server deleted that: the file of this one still has them."""
    compute.keep(lab.folders.compute, "far", ComputeUpdate(max_jobs=7, paused=True))
    hosts = SlowHosts(lab.db, KeyPlaces(lab.folders.secrets_key), lab.folders.jobs, "")
    make_far(lab)
    lab.start(hosts=hosts)
    hosts.made.may_close.set()
    limits = queue.Queues.limits["far"]
    assert (limits.max_jobs, limits.paused) == (hosts.made.usual, False)


def test_nobody_waits_for_the_end_of_a_target_that_was_deleted(lab: Lab):
    hosts = SlowHosts(lab.db, KeyPlaces(lab.folders.secrets_key), lab.folders.jobs, "")
    make_far(lab)
    engine = lab.start(hosts=hosts)
    far = hosts.made
    lab.db.write_sync(lambda s: compute.delete_target(s, "far"))
    deleting = threading.Thread(target=engine.refresh_targets)
    deleting.start()
    try:
        assert far.closing.wait(60)
        assert list(engine.computes) == ["local"]
        again = threading.Thread(target=engine.refresh_targets)
        again.start()
        again.join(60)
        assert not again.is_alive(), "it waits for what another one closes"
        assert lab.ended(lab.submit("true")).run.status is RunStatus.COMPLETED
    finally:
        far.may_close.set()
        deleting.join(30)


def test_a_target_of_the_settings_stays_whatever_becomes_of_one_of_its_name(lab: Lab):
    """Another server on the database made one, knowing nothing of these settings."""
    hosts = SlowHosts(lab.db, KeyPlaces(lab.folders.secrets_key), lab.folders.jobs, "")
    engine = lab.start(hosts=hosts)
    for name in ("local", "far"):
        body, place = ComputeCreate(name=name, slurm=SlurmCreate()), SlurmPlace(**NOTHING, python="python3")
        lab.db.write_sync(partial(compute.create_target, actor=ADA, body=body, place=place))
    engine.refresh_targets()
    hosts.made.may_close.set()
    assert (set(engine.computes), engine.computes["local"]) == ({"local", "far"}, lab.compute)
    assert queue.Queues.shared == {"far"}, "what runs on a machine of one's own counts for that alone"
    for name in ("local", "far"):
        lab.db.write_sync(partial(compute.delete_target, name=name))
        engine.refresh_targets()
    assert engine.computes == {"local": lab.compute}
    assert lab.ended(lab.submit("true")).run.status is RunStatus.COMPLETED


def test_a_batch_system_is_told_that_its_target_was_deleted_before_its_connection_is_closed(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
):
    told: list[str] = []
    telling, closed = threading.Event(), threading.Event()
    hosts = Hosts(lab.db, KeyPlaces(lab.folders.secrets_key), lab.folders.jobs, "")
    make_far(lab)
    engine = lab.start(hosts=hosts)

    def give_up(_: BatchCompute) -> bool:
        assert telling.wait(30)
        told.append("given up")
        return len(told) == 2

    def close(_: BatchCompute) -> None:
        told.append("closed")
        closed.set()

    monkeypatch.setattr("jupyter_mlws.domain.compute.hosts.TELL_EVERY_S", 0.01)
    monkeypatch.setattr(BatchCompute, "give_up", give_up)
    monkeypatch.setattr(BatchCompute, "close", close)
    lab.db.write_sync(lambda s: compute.delete_target(s, "far"))
    engine.refresh_targets()
    assert list(engine.computes) == ["local"], "nobody waits for it"
    telling.set()
    assert closed.wait(30)
    assert told == ["given up", "given up", "closed"]


def test_jobs_begin_while_a_target_that_another_server_deleted_is_closed(lab: Lab):
    hosts = SlowHosts(lab.db, KeyPlaces(lab.folders.secrets_key), lab.folders.jobs, "")
    make_far(lab)
    engine = lab.start(hosts=hosts)
    far = hosts.made
    lab.db.write_sync(lambda s: compute.delete_target(s, "far"))
    engine.adopt_soon()
    engine.wake()
    try:
        assert far.closing.wait(30)
        assert lab.ended(lab.submit("true"), 20).run.status is RunStatus.COMPLETED
    finally:
        far.may_close.set()


def test_what_stands_in_the_settings_stays_whatever_becomes_of_a_row_of_its_name(lab: Lab):
    hosts = SlowHosts(lab.db, KeyPlaces(lab.folders.secrets_key), lab.folders.jobs, "")
    make_far(lab)
    settings: dict[str, Compute] = {"far": lab.compute}
    first = hosts.refresh(settings)
    assert first is not None
    assert (first.targets, first.gone) == (settings, [])
    lab.db.write_sync(lambda s: compute.update_target(s, ADA, "far", ComputeUpdate(description="new"), None))
    assert hosts.refresh(settings) is None
    lab.db.write_sync(lambda s: compute.delete_target(s, "far"))
    assert hosts.refresh(settings) is None


def test_kernels_of_a_target_that_went_while_no_server_ran_go_with_the_next_start(lab: Lab):
    hosts = Hosts(lab.db, KeyPlaces(lab.folders.secrets_key), lab.folders.jobs, "")
    spec = lab.folders.jobs.parent / "kernels" / "mlws-gone.python3" / "kernel.json"
    spec.parent.mkdir(parents=True)
    spec.write_text('{"metadata": {"mlws": {"target": "gone"}}}')
    engine = lab.start(hosts=hosts)
    assert list(engine.computes) == ["local"]
    assert not spec.exists()


def test_notes_of_kernels_of_targets_that_went_go_unless_somebody_minds_them(lab: Lab):
    hosts = Hosts(lab.db, KeyPlaces(lab.folders.secrets_key), lab.folders.jobs, "")
    minded = {"target": "gone", "url": "http://127.0.0.1:1", "pid": os.getpid(), "start_time": start_time(os.getpid())}
    notebooks, jobs = lab.folders.jobs.parent / "far-kernels", lab.folders.jobs
    for path, told in (
        (notebooks / "minded.json", minded),
        (notebooks / "dead.json", {**minded, "start_time": "another"}),
        (jobs / "a-job" / "gateway.json", {**minded, "pid": None}),
        (jobs / "a-job" / "attempts" / "2" / "gateway.json", {**minded, "kernel_id": "k", "start_time": "another"}),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(told))
    lab.start(hosts=hosts)
    assert [path.name for path in notebooks.iterdir()] == ["minded.json"]
    assert list(jobs.glob("**/gateway.json")) == []
