"""What is read for one page: of more rows than a statement can have bound values (65,535 on PostgreSQL, 32,766 on SQLite)."""

from __future__ import annotations

from jupyter_mlws.db.database import Database
from jupyter_mlws.domain.datasets import store as datasets
from jupyter_mlws.domain.experiments import store as experiments
from jupyter_mlws.domain.experiments.schemas import ExperimentCreate
from jupyter_mlws.domain.experiments.service import create_experiment
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs import store
from jupyter_mlws.domain.runs.schemas import LogBatch, RunCreate
from tests.domain.runs.rows import ADA

MANY = 70_000


def test_a_page_of_many_runs_is_read(db: Database):
    def made(session):
        parent = runs.create_run(session, ADA, "default", RunCreate(experiment="many"))
        child = runs.create_run(session, ADA, "default", RunCreate(experiment="many", parent_id=parent.id))
        runs.log_batch(session, ADA, child.id, LogBatch(batch_id="batch-0001", params={"a": "1"}, tags={"t": "x"}))
        return parent.id, child.id

    parent, child = db.write_sync(made)
    ids = [parent, *(f"{n:032x}" for n in range(MANY)), child]

    def read(session):
        return (
            [row.id for row in store.by_ids(session, ids)],
            store.params_of(session, ids),
            store.tags_of(session, ids)[child]["t"],
            store.datasets_of(session, ids),
            store.children_counts(session, ids),
        )

    assert db.read_sync(read) == ([parent, child], {child: {"a": "1"}}, "x", [], {parent: 1})


def test_tags_and_places_of_many_experiments_are_read(db: Database):
    made = db.write_sync(lambda s: create_experiment(s, "default", ExperimentCreate(name="many", tags={"t": "x"})))
    ids = [*range(10**6, 10**6 + MANY), int(made.id)]

    def read(session):
        return experiments.tags_of(session, ids), experiments.artifact_locations(session, ids), datasets.by_ids(session, ids)

    assert db.read_sync(read) == ({int(made.id): {"t": "x"}}, {}, [])
