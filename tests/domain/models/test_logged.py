"""What is kept of logged models, on every database."""

from __future__ import annotations

import json
import math
from typing import Any, NamedTuple

import pytest

from jupyter_mlws.domain.experiments import service as experiments
from jupyter_mlws.domain.models import service as models
from jupyter_mlws.domain.models.errors import (
    LoggedModelInUse,
    LoggedModelNotFound,
    ModelParamExists,
    OutputExists,
    PointConflict,
    UnknownLoggedModel,
)
from jupyter_mlws.domain.models.schemas import DatasetChoice, ModelOrder
from jupyter_mlws.domain.models.states import LoggedModelStatus
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.errors import NotYourRun
from jupyter_mlws.domain.storage import service as storage
from jupyter_mlws.kit.actors import Action, Actor, ActorKind
from jupyter_mlws.kit.errors import Forbidden
from jupyter_mlws.kit.sinks import StoredBlob
from tests.domain.models.conftest import HOME, World


class Measured(NamedTuple):
    model_id: str | None
    key: str
    value: float
    step: int = 0
    timestamp: int = 1
    dataset_name: str | None = None
    dataset_digest: str | None = None


def names(
    world: World, text: str | None = None, *order: ModelOrder, datasets: tuple[DatasetChoice, ...] = (), limit: int = 100
) -> list[str]:
    """All pages of a search."""
    cursor, seen = None, []
    while True:
        page, cursor = world.read(
            models.search_logged_models,
            HOME,
            experiment_ids=[world.experiment_id],
            filter_text=text,
            datasets=datasets,
            order=order,
            cursor=cursor,
            limit=limit,
        )
        seen += [model.name for model in page]
        if cursor is None:
            return seen


def store_file(world: World, model_id: str, size: int = 10) -> None:
    blob = StoredBlob(sha256="ab" * 32, size=size)

    def keep(session: Any) -> None:
        storage.add_blobs(session, [blob])
        storage.add_artifact(session, model_id.removeprefix("m-"), "MLmodel", blob.sha256, blob.size)

    world.db.write_sync(keep)


def test_a_logged_model_and_its_life(world: World):
    made = world.logged(params={"a": "1"}, tags={"t": "v"}, model_type="agent")
    assert made.id.startswith("m-")
    assert (made.status, made.params, made.tags, made.model_type) == (LoggedModelStatus.PENDING, {"a": "1"}, {"t": "v"}, "agent")
    assert made.location == f"mlflow-artifacts:/1/{made.id}"
    world.write(models.add_params, made.id, {"b": "2"})
    with pytest.raises(ModelParamExists):
        world.write(models.add_params, made.id, {"c": "3", "b": "2"})
    world.write(models.set_logged_tags, made.id, {"t": "w", "u": "x"})
    assert world.write(models.delete_logged_tag, made.id, "u") is True
    assert world.write(models.delete_logged_tag, made.id, "u") is False
    world.write(models.set_status, made.id, LoggedModelStatus.READY)
    found = world.read(models.find_logged_model, made.id)
    assert (found.status, found.params, found.tags) == (LoggedModelStatus.READY, {"a": "1", "b": "2"}, {"t": "w"})
    world.write(models.delete_logged_model, made.id)
    world.write(models.delete_logged_model, made.id)
    with pytest.raises(LoggedModelNotFound):
        world.read(models.find_logged_model, made.id)
    assert world.read(models.find_logged_model, made.id, deleted=True).deleted
    assert names(world) == []
    for strange in ("search", "m-1", "m-" + "0" * 32, made.id.upper()):
        with pytest.raises(LoggedModelNotFound):
            world.read(models.find_logged_model, strange)


def test_models_without_a_name_get_one(world: World):
    assert [world.logged(None).name for _ in range(2)] == ["model-1", "model-2"]


def test_points_of_metrics(world: World):
    one, run = world.logged(), world.make_run()
    points = [Measured(one.id, "acc", 0.5), Measured(one.id, "acc", math.nan, step=1), Measured(None, "acc", 9.0, step=2)]
    world.log(run, *points, *points)
    world.log(run, *points)
    found = world.read(models.find_logged_model, one.id)
    assert [(point.key, point.value, point.step, point.run_id) for point in found.points] == [
        ("acc", 0.5, 0, run),
        ("acc", None, 1, run),
    ]
    for other in (Measured(one.id, "acc", 0.6), Measured(one.id, "acc", 1.0, step=1)):
        with pytest.raises(PointConflict):
            world.log(run, other)
    with pytest.raises(PointConflict):
        world.log(run, Measured(one.id, "new", 1.0), Measured(one.id, "new", 2.0))
    assert len(world.read(models.find_logged_model, one.id).points) == 2
    world.log(world.make_run(), Measured(one.id, "acc", 0.6, dataset_name="d", dataset_digest="1"))
    assert len(world.read(models.find_logged_model, one.id).points) == 3
    for unknown in ("m-" + "0" * 32, "nope"):
        with pytest.raises(UnknownLoggedModel):
            world.log(run, Measured(unknown, "acc", 1.0))


def test_another_workspaces_model_takes_no_points(world: World):
    world.make_workspace("other")
    theirs = world.logged(experiment_id=world.make_experiment("other"))
    with pytest.raises(UnknownLoggedModel):
        world.log(world.make_run(), Measured(theirs.id, "acc", 1.0))
    assert names(world) == []
    stranger = Actor(name="eve", kind=ActorKind.KERNEL, workspace=HOME)
    for function in (models.find_logged_model, models.delete_logged_model):
        with pytest.raises(LoggedModelNotFound):
            world.write(function, theirs.id, actor=stranger)
    with pytest.raises(LoggedModelNotFound):
        world.write(models.open_for_files, theirs.id, Action.READ, actor=stranger)


def test_a_job_writes_the_files_of_its_own_models_only(world: World):
    own, other = world.make_run(), world.make_run()
    job = Actor(name="ada", kind=ActorKind.JOB, workspace=HOME, run_id=own)
    for source in (own, "", "0" * 32):
        world.write(models.open_for_files, world.logged(source_run_id=source).id, Action.LOG, actor=job)
    theirs = world.logged(source_run_id=other)
    with pytest.raises(NotYourRun):
        world.write(models.open_for_files, theirs.id, Action.LOG, actor=job)
    world.write(models.open_for_files, theirs.id, Action.READ, actor=job)
    with pytest.raises(Forbidden):
        world.write(models.delete_logged_model, theirs.id, actor=job)


def test_what_runs_read_and_made(world: World):
    one, other = world.make_run(), world.make_run()
    world.write(models.add_inputs, one, ["m-b", "m-a"])
    world.write(models.add_inputs, one, ["m-a", "m-c"])
    world.write(models.add_outputs, one, [("m-a", 3)])
    with pytest.raises(OutputExists):
        world.write(models.add_outputs, one, [("m-x", 0), ("m-a", 4)])
    io = world.db.read_sync(lambda session: models.io_of_runs(session, [one, other]))
    assert set(io) == {one}
    assert (io[one].inputs, io[one].outputs) == (["m-b", "m-a", "m-c"], [("m-a", 3)])


def test_a_version_is_noted_on_its_logged_model(world: World):
    one = world.logged()
    world.model()
    for _ in range(2):
        world.version(logged_model_id=one.id)
    tags = world.read(models.find_logged_model, one.id).tags
    assert json.loads(tags["mlflow.modelVersions"]) == [{"name": "m", "version": 1}, {"name": "m", "version": 2}]


def test_searches(world: World):
    run = world.make_run()
    a = world.logged("a", params={"lr": "1"}, tags={"team": "blue"})
    b = world.logged("b", params={"lr": "2"})
    c = world.logged("c", model_type="agent", source_run_id=run)
    world.logged("d")
    world.write(models.set_status, c.id, LoggedModelStatus.READY)
    data = {"dataset_name": "d", "dataset_digest": "1"}
    world.log(run, Measured(a.id, "acc", 0.9, 0, 1), Measured(a.id, "acc", 0.1, 1, 2), Measured(b.id, "acc", 0.5, 0, 1, **data))
    world.log(run, Measured(c.id, "acc", math.nan))
    assert names(world, None, ModelOrder("name", None, False)) == ["a", "b", "c", "d"]
    assert names(world, None, ModelOrder("name", None, True), limit=1) == ["d", "c", "b", "a"]
    acc = ModelOrder(None, "acc", descending=False)
    assert names(world, "name != 'd'", acc, limit=1) == ["a", "b", "c"]
    last = [ModelOrder(None, "acc", descending=True), ModelOrder("name", None, descending=False)]
    assert names(world, None, *last, limit=2) == ["b", "a", "c", "d"]
    assert names(world, None, ModelOrder(None, "acc", False, "d", "1"), ModelOrder("name", None, False)) == ["b", "a", "c", "d"]
    assert names(world, "metrics.acc > 0.8") == ["a"]
    assert names(world, "metrics.acc != 0.5", acc) == ["a", "c"]
    assert names(world, "params.lr = 1") == ["a"]
    assert names(world, "name=b") == ["b"]
    assert names(world, "params.lr IN ('1', '2') and tags.team LIKE 'bl%'") == ["a"]
    assert names(world, "status = 2") == ["c"]
    assert names(world, f"source_run_id = '{run}' AND model_type = 'agent' AND model_id = '{c.id}'") == ["c"]
    assert names(world, f"creation_timestamp_ms >= {a.created_at} AND name = 'a'") == ["a"]
    assert names(world, datasets=(DatasetChoice("d", "1"),)) == ["b"]
    assert names(world, datasets=(DatasetChoice("d", None),)) == ["b"]
    assert names(world, datasets=(DatasetChoice("d", "2"),)) == []
    assert names(world, "metrics.acc > 0.1", datasets=(DatasetChoice("d", "1"),)) == ["b"]
    assert names(world, "metrics.acc > 0.8", datasets=(DatasetChoice("d", "1"),)) == []


def test_pages_are_stable_while_models_come_and_go(world: World):
    for n in range(6):
        world.logged(f"n{n}")
    order = (ModelOrder("name", None, descending=False),)
    options: Any = {"experiment_ids": [world.experiment_id], "filter_text": None, "datasets": (), "order": order, "limit": 2}
    first, cursor = world.read(models.search_logged_models, HOME, cursor=None, **options)
    world.write(models.delete_logged_model, first[0].id)
    world.logged("n11")
    world.logged("n00")
    second, _ = world.read(models.search_logged_models, HOME, cursor=cursor, **options)
    assert [model.name for model in first + second] == ["n0", "n1", "n11", "n2"]


def test_a_model_outlives_its_run(world: World):
    run = world.make_run()
    one = world.logged(source_run_id=run)
    world.model()
    world.version(run_id=run)
    world.log(run, Measured(one.id, "acc", 1.0))
    world.write(models.add_outputs, run, [(one.id, 0)])

    def purge(session: Any, actor: Actor) -> None:
        runs.change_status(session, run, runs.record(session, actor, run).status.__class__.COMPLETED, actor=actor.name)
        runs.move_to_bin(session, actor, run)
        runs.purge_some(session, actor, run, [run])

    world.write(purge)
    assert world.read(models.find_version, HOME, "m", 1).run_id == run
    found = world.read(models.find_logged_model, one.id)
    assert (found.source_run_id, [point.run_id for point in found.points]) == (run, [run])
    assert world.db.read_sync(lambda session: models.io_of_runs(session, [run])) == {}


def test_an_experiment_takes_its_models_and_their_files_with_it(world: World):
    one = world.logged(params={"a": "1"})
    store_file(world, one.id)
    experiment = str(world.experiment_id)
    plan, _ = world.read(experiments.deletion_plan, experiment, dry_run=True)
    assert (plan.artifacts, plan.bytes_freed) == (1, 10)
    world.write(experiments.set_archived, experiment, archived=True)
    assert world.write(experiments.delete_some, experiment, 100)
    with pytest.raises(LoggedModelNotFound):
        world.read(models.find_logged_model, one.id, deleted=True)
    digits = one.id.removeprefix("m-")
    assert world.db.read_sync(lambda session: storage.number_of_artifacts(session, [digits])) == 0


def test_a_deleted_model_can_be_removed_for_good(world: World):
    one, run = world.logged(), world.make_run()
    store_file(world, one.id)
    world.write(models.add_inputs, run, [one.id])
    with pytest.raises(LoggedModelInUse):
        world.write(models.purge_logged_model, one.id)
    world.write(models.delete_logged_model, one.id)
    assert world.write(models.purge_logged_model, one.id) == 10
    with pytest.raises(LoggedModelNotFound):
        world.read(models.find_logged_model, one.id, deleted=True)
    assert world.db.read_sync(lambda session: models.io_of_runs(session, [run])) == {}
