"""What the registry of models keeps, on every database."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_mlws.db.outbox import changes_after
from jupyter_mlws.domain.models import service as models
from jupyter_mlws.domain.models.errors import AliasNotFound, ModelExists, ModelNotFound, VersionNotFound
from jupyter_mlws.domain.models.schemas import ModelVersion, RegisteredModel
from jupyter_mlws.domain.models.states import Stage
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.kit.actors import Actor, ActorKind
from jupyter_mlws.kit.errors import Forbidden
from tests.domain.models.conftest import HOME, World

JOB = Actor(name="ada", kind=ActorKind.JOB, workspace=HOME, run_id="0" * 32)
STRANGER = Actor(name="eve", kind=ActorKind.KERNEL, workspace="other")


def found(world: World, name: str = "m") -> RegisteredModel:
    return world.read(models.find_model, HOME, name)


def names(world: World, text: str | None = None, *order_by: str, limit: int = 100) -> list[str]:
    """All pages of a search of models."""
    cursor, seen = None, []
    while True:
        page, cursor = world.read(models.search_models, HOME, filter_text=text, order_by=order_by, cursor=cursor, limit=limit)
        seen += [model.name for model in page]
        if cursor is None:
            return seen


def versions(world: World, text: str | None = None, *order_by: str, limit: int = 100) -> list[tuple[str, int]]:
    """All pages of a search of versions."""
    cursor, seen = None, []
    while True:
        page, cursor = world.read(models.search_versions, HOME, filter_text=text, order_by=order_by, cursor=cursor, limit=limit)
        seen += [(version.name, version.number) for version in page]
        if cursor is None:
            return seen


def test_a_name_is_unique_in_its_workspace_only(world: World):
    world.make_workspace("other")
    world.model()
    world.model(workspace="other")
    with pytest.raises(ModelExists):
        world.model()
    world.model("M")
    assert names(world) == ["M", "m"]


def test_numbers_are_never_given_twice(world: World):
    world.model()
    assert [world.version().number for _ in range(3)] == [1, 2, 3]
    world.write(models.delete_version, HOME, "m", 3)
    world.write(models.delete_version, HOME, "m", 1)
    assert world.version().number == 4
    with pytest.raises(VersionNotFound):
        world.write(models.delete_version, HOME, "m", 3)
    assert versions(world) == [("m", 4), ("m", 2)]
    world.write(models.delete_model, HOME, "m")
    with pytest.raises(ModelNotFound):
        found(world)
    world.model()
    assert world.version().number == 1


def test_a_rename_takes_all_along(world: World):
    world.model(team="blue")
    world.version(tags={"a": "b"})
    world.write(models.set_alias, HOME, "m", "champion", 1)
    world.model("taken")
    with pytest.raises(ModelExists):
        world.write(models.rename_model, HOME, "m", "taken")
    world.write(models.rename_model, HOME, "m", "n")
    model = found(world, "n")
    assert (model.tags, model.aliases) == ({"team": "blue"}, {"champion": 1})
    (latest,) = model.latest
    assert (latest.name, latest.tags) == ("n", {"a": "b"})
    with pytest.raises(ModelNotFound):
        found(world)
    world.write(models.rename_model, HOME, "n", "n")


def test_an_alias_means_one_version(world: World):
    world.model()
    world.version()
    world.version()
    for alias in ("champion", "other"):
        world.write(models.set_alias, HOME, "m", alias, 1)
    world.write(models.set_alias, HOME, "m", "champion", 2)
    assert world.read(models.find_by_alias, HOME, "m", "champion").number == 2
    assert world.read(models.find_version, HOME, "m", 1).aliases == ["other"]
    world.write(models.delete_version, HOME, "m", 2)
    with pytest.raises(AliasNotFound):
        world.read(models.find_by_alias, HOME, "m", "champion")
    assert found(world).aliases == {"other": 1}
    world.write(models.delete_alias, HOME, "m", "other")
    world.write(models.delete_alias, HOME, "m", "other")
    assert found(world).aliases == {}
    with pytest.raises(VersionNotFound):
        world.write(models.set_alias, HOME, "m", "x", 2)
    with pytest.raises(VersionNotFound):
        world.write(models.set_alias, HOME, "m", "x", 2**70)


def test_stages_and_the_latest_of_each(world: World):
    world.model()
    for _ in range(4):
        world.version()

    def move(number: int, stage: Stage, *, archive: bool = False) -> ModelVersion:
        return world.write(models.move_version, HOME, "m", number, stage, archive_others=archive)

    move(1, Stage.PRODUCTION)
    move(2, Stage.PRODUCTION, archive=True)
    move(3, Stage.PRODUCTION)
    by_stage = {version.stage: version.number for version in found(world).latest}
    assert by_stage == {Stage.ARCHIVED: 1, Stage.PRODUCTION: 3, Stage.NONE: 4}
    only = world.read(models.latest_versions, HOME, "m", {Stage.PRODUCTION})
    assert [version.number for version in only] == [3]
    latest = world.read(models.latest_version, HOME, "m")
    assert latest is not None
    assert latest.number == 4


def test_times_move_with_what_people_change(world: World, monkeypatch: pytest.MonkeyPatch):
    clock = iter(range(1000, 9000))
    for module in ("registry", "versions"):
        monkeypatch.setattr(f"jupyter_mlws.domain.models.service.{module}.now_ms", lambda: next(clock))
    world.model()
    made = found(world).updated_at
    world.version()
    after_version = found(world).updated_at
    assert after_version > made
    world.write(models.set_model_tag, HOME, "m", "k", "v")
    world.write(models.set_version_tag, HOME, "m", 1, "k", "v")
    world.write(models.set_alias, HOME, "m", "a", 1)
    assert found(world).updated_at == after_version
    assert found(world).latest[0].updated_at == after_version
    world.write(models.describe_version, HOME, "m", 1, "text")
    assert found(world).latest[0].updated_at > after_version
    assert found(world).updated_at == after_version
    world.write(models.describe_model, HOME, "m", "text")
    described = found(world).updated_at
    assert described > after_version
    world.write(models.delete_version, HOME, "m", 1)
    assert found(world).updated_at > described


def test_searches_of_models(world: World):
    for name, tags in (("Alpha", {"team": "blue"}), ("beta", {"team": "red"}), ("gamma", {}), ("text", {models.PROMPT: "True"})):
        world.model(name, **tags)
    assert names(world) == ["Alpha", "beta", "gamma"]
    assert names(world, None, "name DESC", limit=1) == ["gamma", "beta", "Alpha"]
    assert names(world, "name ILIKE '%A%' and tags.team != 'red'") == ["Alpha"]
    assert names(world, "name LIKE 'a%'") == []
    assert names(world, "name IN ('beta', 'gamma')") == ["beta", "gamma"]
    assert names(world, f"tag.`{models.PROMPT}` != 'true'") == ["Alpha", "beta", "gamma"]
    assert names(world, f"name = 'beta' AND tag.`{models.PROMPT}` = 'false'") == ["beta"]
    assert names(world, f"tags.`{models.PROMPT}` = 'true'") == ["text"]
    assert names(world, f"tags.`{models.PROMPT}` != 'false' AND name = 'beta'") == []
    assert names(world, "name = 'text'") == []


def test_searches_of_versions(world: World):
    world.model("a")
    world.model("b")
    world.version("a", run_id="r1", tags={"k": "v"})
    world.version("a", source="s3://other/x", tags={"k": "w"})
    world.version("b", run_id="r1")
    world.version("b", tags={models.PROMPT: "true"})
    world.write(models.move_version, HOME, "a", 1, Stage.STAGING, archive_others=False)
    assert versions(world, "name='a'", "version_number ASC") == [("a", 1), ("a", 2)]
    assert versions(world, "run_id = 'r1'", "name DESC") == [("b", 1), ("a", 1)]
    assert versions(world, "run_id = ''") == [("a", 2)]
    assert versions(world, "source_path LIKE 's3://o%'") == [("a", 2)]
    assert versions(world, "tags.k = 'v'") == [("a", 1)]
    assert versions(world, "tags.k != 'v'") == [("a", 2)]
    assert versions(world, "version_number >= '2'") == [("a", 2)]
    assert versions(world, f"tags.`{models.PROMPT}` = 'true'") == [("b", 2)]
    assert versions(world, "current_stage = 'Staging' OR current_stage = 'nothing'") == [("a", 1)]
    by_name = versions(world, None, "name", limit=1)
    assert by_name == [("a", 2), ("a", 1), ("b", 1)]


def test_who_may_do_what(world: World):
    world.make_workspace("other")
    world.model()
    world.version()
    hidden: list[tuple[Any, tuple[Any, ...]]] = [
        (models.find_model, ("m",)),
        (models.delete_model, ("m",)),
        (models.find_version, ("m", 1)),
        (models.set_alias, ("m", "a", 1)),
    ]
    for function, args in hidden:
        with pytest.raises((ModelNotFound, VersionNotFound)):
            world.write(function, HOME, *args, actor=STRANGER)
    with pytest.raises(ModelNotFound):
        world.write(models.find_model, "other", "m")
    world.write(models.set_alias, HOME, "m", "champion", 1, actor=JOB)
    world.write(models.set_version_tag, HOME, "m", 1, "k", "v", actor=JOB)
    kept: list[tuple[Any, tuple[Any, ...]]] = [
        (models.delete_model, ("m",)),
        (models.delete_version, ("m", 1)),
        (models.rename_model, ("m", "n")),
    ]
    for function, args in kept:
        with pytest.raises(Forbidden):
            world.write(function, HOME, *args, actor=JOB)


def test_listeners_are_told_of_a_model_with_the_longest_name(world: World):
    before = world.db.seq
    world.model("n" * 256)
    told = world.db.read_sync(lambda session: changes_after(session, before, 10))
    assert [(change.workspace, change.kind) for change in told] == [(HOME, "model")]


def test_a_workspace_takes_its_models_with_it(world: World):
    world.model()
    world.version()
    world.write(models.set_alias, HOME, "m", "a", 1)
    world.db.write_sync(lambda session: workspaces.set_archived(session, HOME, archived=True))
    world.db.write_sync(lambda session: workspaces.delete_some(session, HOME, 100))
    world.make_workspace(HOME)
    assert names(world) == []
    world.model()
    assert world.version().number == 1
