"""Deleting runs, experiments and workspaces for good: what goes, what stays, what becomes free, and that nobody waits for it."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jupyter_mlws.db.database import Database
from jupyter_mlws.domain.access import service as access
from jupyter_mlws.domain.access.tables import TokenRow
from jupyter_mlws.domain.environments import service as environments
from jupyter_mlws.domain.environments.schemas import EnvironmentCapture
from jupyter_mlws.domain.environments.tables import PackageSetRow
from jupyter_mlws.domain.experiments import service as experiments
from jupyter_mlws.domain.experiments.deletion import delete_experiment
from jupyter_mlws.domain.experiments.errors import ExperimentInUse
from jupyter_mlws.domain.experiments.schemas import ExperimentUpdate, Goal
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.deletion import delete_run
from jupyter_mlws.domain.runs.errors import RunNotDeleted, RunNotFound
from jupyter_mlws.domain.runs.schemas import Lifecycle, RunCreate
from jupyter_mlws.domain.runs.tables import RunRow
from jupyter_mlws.domain.storage.tables import SnapshotRow
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.domain.workspaces.deletion import delete_workspace
from jupyter_mlws.domain.workspaces.schemas import WorkspaceCreate
from jupyter_mlws.kit.actors import ActorKind
from jupyter_mlws.kit.paths import Folders
from tests.domain.runs.rows import ADA, SIZE, ended, give_file, give_snapshots, multiply, scored, share_snapshot

T = TypeVar("T")
MANY = 600
LONGEST_S = 0.25
"""A write of a deletion takes some 10 ms. All in one, with a statement a snapshot, it takes seconds."""


@dataclass
class Services:
    """What deleting needs of the server."""

    folders: Folders


@pytest.fixture
def services(tmp_path: Path) -> Services:
    folders = Folders(tmp_path / "data")
    folders.make()
    return Services(folders)


class Timed:
    """A database whose reads and writes are timed: the processor's time, for the disk may be slow."""

    def __init__(self, db: Database) -> None:
        self.reads: list[float] = []
        self.writes: list[float] = []
        self._db = db

    async def read(self, fn: Callable[[Session], T]) -> T:
        return await self._db.read(_timed(fn, self.reads))

    async def write(self, fn: Callable[[Session], T]) -> T:
        return await self._db.write(_timed(fn, self.writes))


def _timed(fn: Callable[[Session], T], times: list[float]) -> Callable[[Session], T]:
    def timed(session: Session) -> T:
        began = time.thread_time()
        try:
            return fn(session)
        finally:
            times.append(time.thread_time() - began)

    return timed


def number(db: Database, table: Any) -> int:
    return db.read_sync(lambda s: s.execute(select(func.count()).select_from(table)).scalar_one())


def family(db: Database) -> tuple[str, str, str]:
    """A run, one below it, and one below that; all in the bin."""
    parent = db.write_sync(lambda s: ended(s, name="parent"))
    child = db.write_sync(lambda s: ended(s, name="child", parent_id=parent.id))
    grandchild = db.write_sync(lambda s: ended(s, name="grandchild", parent_id=child.id))
    db.write_sync(lambda s: runs.move_to_bin(s, ADA, parent.id))
    return parent.id, child.id, grandchild.id


async def test_purging_a_run_spares_what_was_restored(db: Database, services: Services):
    parent, child, grandchild = family(db)
    db.write_sync(lambda s: runs.restore_run(s, ADA, child))
    plan = await delete_run(services, db, ADA, parent, purge=True, dry_run=True)
    done = await delete_run(services, db, ADA, parent, purge=True, dry_run=False)
    assert (plan.runs, done.runs, done.dry_run) == (1, 1, False)
    for run_id in (child, grandchild):
        assert db.read_sync(lambda s, run_id=run_id: runs.get_run(s, ADA, run_id)).lifecycle is Lifecycle.ACTIVE  # type: ignore[misc]
    assert db.read_sync(lambda s: runs.get_run(s, ADA, child)).parent_id is None
    assert db.read_sync(lambda s: runs.get_run(s, ADA, grandchild)).parent_id == child
    with pytest.raises(RunNotFound):
        db.read_sync(lambda s: runs.get_run(s, ADA, parent))


async def test_purging_a_run_takes_what_went_to_the_bin_with_it(db: Database, services: Services):
    parent, _, _ = family(db)
    assert (await delete_run(services, db, ADA, parent, purge=True, dry_run=False)).runs == 3
    assert number(db, RunRow) == 0


async def test_only_the_bin_is_purged(db: Database, services: Services):
    run = db.write_sync(ended)
    with pytest.raises(RunNotDeleted):
        await delete_run(services, db, ADA, run.id, purge=True, dry_run=False)
    assert number(db, RunRow) == 1


async def test_purging_leaves_no_token_and_no_list_of_packages(db: Database, services: Services):
    gone, kept = db.write_sync(ended), db.write_sync(ended)
    for run in (gone, kept):
        db.write_sync(lambda s, run=run: access.issue_token(s, kind=ActorKind.JOB, user="ada", run_id=run.id))  # type: ignore[misc]
        packages = {"own": run.id}
        db.write_sync(lambda s, i=run.id, p=packages: environments.store_capture(s, i, EnvironmentCapture(packages=p)))  # type: ignore[misc]
    db.write_sync(lambda s: runs.move_to_bin(s, ADA, gone.id))
    await delete_run(services, db, ADA, gone.id, purge=True, dry_run=False)
    assert db.read_sync(lambda s: s.execute(select(TokenRow.run_id)).scalars().all()) == [kept.id]
    assert number(db, PackageSetRow) == 1


async def test_what_experiments_share_is_freed_with_their_workspace(db: Database, services: Services):
    db.write_sync(lambda s: workspaces.create_workspace(s, ADA, WorkspaceCreate(name="team")))
    for name in ("a", "b"):
        run = db.write_sync(lambda s, name=name: ended(s, workspace="team", experiment=name))  # type: ignore[misc]
        db.write_sync(lambda s, run=run: give_file(s, run.id, "shared"))  # type: ignore[misc]
    db.write_sync(lambda s: workspaces.set_archived(s, "team", archived=True))
    plan = await delete_workspace(services, db, "team", dry_run=True)
    assert (plan.experiments, plan.runs, plan.artifacts, plan.bytes_freed) == (2, 2, 2, SIZE)
    done = await delete_workspace(services, db, "team", dry_run=False)
    assert (done.bytes_freed, done.dry_run) == (SIZE, False)
    assert number(db, RunRow) == 0


async def test_deleting_many_runs_holds_nobody_up(db: Database, services: Services):
    first = db.write_sync(lambda s: ended(s, experiment="big"))
    other = db.write_sync(lambda s: ended(s, experiment="other"))
    db.write_sync(lambda s: multiply(s, first.id, MANY - 1))
    db.write_sync(give_snapshots)
    experiment = first.experiment_id
    db.write_sync(lambda s: share_snapshot(s, first.id, other.id))
    db.write_sync(lambda s: experiments.set_archived(s, ADA, experiment, archived=True))
    timed: Any = Timed(db)
    gc.collect()
    gc.disable()  # a collection of all that other tests have left would be counted to the write that it falls into
    try:
        plan = await delete_experiment(services, timed, ADA, experiment, dry_run=True)
        await delete_experiment(services, timed, ADA, experiment, dry_run=False)
    finally:
        gc.enable()
    assert (plan.runs, plan.bytes_freed) == (MANY, (MANY - 1) * SIZE)
    assert number(db, RunRow) == number(db, SnapshotRow) == 1, "what the other experiment has stays"
    print(f"plan {max(timed.reads) * 1000:.0f} ms; {len(timed.writes)} writes, the longest {max(timed.writes) * 1000:.0f} ms")
    assert max(timed.reads) < LONGEST_S
    assert max(timed.writes) < LONGEST_S
    assert len(timed.writes) >= MANY / 20


async def test_an_experiment_that_is_restored_meanwhile_keeps_the_rest(db: Database, services: Services):
    made = [db.write_sync(lambda s: ended(s, experiment="half")) for _ in range(30)]
    experiment = made[0].experiment_id
    db.write_sync(lambda s: experiments.set_archived(s, ADA, experiment, archived=True))
    assert not db.write_sync(lambda s: experiments.delete_some(s, ADA, experiment, 20))
    db.write_sync(lambda s: experiments.set_archived(s, ADA, experiment, archived=False))
    with pytest.raises(ExperimentInUse):
        db.write_sync(lambda s: experiments.delete_some(s, ADA, experiment, 20))
    assert number(db, RunRow) == 10
    db.write_sync(lambda s: experiments.set_archived(s, ADA, experiment, archived=True))
    await delete_experiment(services, db, ADA, experiment, dry_run=False)
    assert number(db, RunRow) == 0


def test_more_runs_than_a_statement_has_places_for(db: Database):
    """PostgreSQL's protocol takes 65,535 values, SQLite as it is usually built 32,766."""
    run = db.write_sync(lambda s: ended(s, experiment="huge"))
    db.write_sync(lambda s: multiply(s, run.id, 70_000))
    plan, ids = db.read_sync(lambda s: experiments.deletion_plan(s, ADA, run.experiment_id, dry_run=True))
    assert plan.runs == len(ids) == 70_001


def test_the_best_run_is_found_beyond_those_in_the_bin(db: Database):
    better = [db.write_sync(lambda s, n=n: scored(s, 0.9 + n / 10_000, "best")) for n in range(130)]  # type: ignore[misc]
    good = db.write_sync(lambda s: scored(s, 0.5, "best"))
    goal = ExperimentUpdate(goal=Goal(metric="acc", direction="maximize"))
    db.write_sync(lambda s: experiments.update_experiment(s, ADA, good.experiment_id, goal, None))
    for run in better:
        db.write_sync(lambda s, run=run: runs.move_to_bin(s, ADA, run.id))  # type: ignore[misc]
    best = db.read_sync(lambda s: experiments.get_experiment(s, ADA, good.experiment_id)).best
    assert best is not None
    assert (best.run_id, best.value) == (good.id, 0.5)
    db.write_sync(lambda s: runs.move_to_bin(s, ADA, good.id))
    assert db.read_sync(lambda s: experiments.get_experiment(s, ADA, good.experiment_id)).best is None


def test_runs_without_a_process_cost_the_watch_of_processes_nothing(db: Database):
    followed = {"pid": 1, "host": "here"}
    run = db.write_sync(lambda s: runs.create_run(s, ADA, "default", RunCreate(process=followed)))  # type: ignore[arg-type]
    db.write_sync(lambda s: runs.create_run(s, ADA, "default", RunCreate()))
    loaded: list[Any] = []

    def look(session: Session) -> list[str]:
        found = [run_id for run_id, _ in runs.interactive_running(session)]
        loaded.extend(session.identity_map.values())
        return found

    assert db.read_sync(look) == [run.id]
    assert loaded == []
