"""Environments of a workspace, on both databases: versions, names, aliases, archive, pages."""

from __future__ import annotations

import pytest

from jupyter_mlws.db.database import Database
from jupyter_mlws.db.outbox import changes_after
from jupyter_mlws.domain.environments import service as environments
from jupyter_mlws.domain.environments.errors import EnvironmentNotFound, NothingCaptured, UnknownEnvironment
from jupyter_mlws.domain.environments.schemas import (
    EnvironmentCapture,
    EnvironmentCreate,
    EnvironmentVersion,
    KernelDefinition,
    RequirementsDefinition,
)
from jupyter_mlws.domain.workspaces.errors import WorkspaceNotFound
from jupyter_mlws.kit.actors import Action, Actor, ActorKind
from jupyter_mlws.kit.errors import Forbidden
from tests.domain.environments.conftest import PERSON

JOB = Actor(name="ada", kind=ActorKind.JOB, workspace="home")


def make(db: Database, name: str, text: str = "numpy\n", workspace: str = "home", actor: Actor = PERSON) -> EnvironmentVersion:
    body = EnvironmentCreate(name=name, definition=RequirementsDefinition(requirements=text))
    return db.write_sync(lambda s: environments.create(s, actor, workspace, body))


def test_versions_count_up_and_the_same_definition_is_the_same_version(db: Database) -> None:
    assert [make(db, "a", text).version for text in ("x\n", "y\n", "x\n", "z\n")] == [1, 2, 1, 3]
    assert make(db, "a", workspace="away").version == 1
    page = db.read_sync(lambda s: environments.list_versions(s, PERSON, "home", "a", cursor=None, limit=2))
    assert [one.version for one in page.versions] == [3, 2]
    rest = db.read_sync(lambda s: environments.list_versions(s, PERSON, "home", "a", cursor=page.next_cursor, limit=2))
    assert ([one.version for one in rest.versions], rest.next_cursor) == ([1], None)
    for workspace in ("home", "away"):  # of one name, and yet each is told of
        changes = db.read_sync(lambda s, w=workspace: changes_after(s, 0, 100, w))  # type: ignore[misc]
        assert [one.kind for one in changes].count("environment") == 1


def test_a_long_name_is_told_of(db: Database) -> None:
    assert make(db, "n" * 100).name == "n" * 100


def test_pages_go_by_name(db: Database) -> None:
    none = db.read_sync(lambda s: environments.list_environments(s, PERSON, "home", archived=False, cursor=None, limit=2))
    assert (none.environments, none.next_cursor) == ([], None)
    for name in ("b", "C", "a"):
        make(db, name)
    first = db.read_sync(lambda s: environments.list_environments(s, PERSON, "home", archived=False, cursor=None, limit=2))
    assert first.next_cursor is not None
    second = db.read_sync(
        lambda s: environments.list_environments(s, PERSON, "home", archived=False, cursor=first.next_cursor, limit=2)
    )
    assert [one.name for one in (*first.environments, *second.environments)] == ["C", "a", "b"]


def test_what_a_job_names_is_one_version_or_refused_with_the_nearest_names(db: Database) -> None:
    for text in ("x\n", "y\n"):
        make(db, "sklearn", text)

    def chosen(reference: str, aliases: dict[str, str] | None = None) -> str:
        return db.read_sync(lambda s: environments.choose(s, "home", reference, aliases or {})).shown

    assert [chosen(one) for one in ("sklearn", "sklearn:1", "azureml:sklearn@latest")] == ["sklearn:2", "sklearn:1", "sklearn:2"]
    assert chosen("azureml:AzureML-sk@latest", {"azureml:AzureML-*": "sklearn:1"}) == "sklearn:1"
    for reference, words in (
        ("azureml:sklern:1", "Did you mean 'sklearn'?"),
        ("sklearn:3", "has no version 3; its newest is 2"),
        ("../../etc", "has no environment"),
        ("sklearn@stable", "has no environment"),
    ):
        with pytest.raises(UnknownEnvironment) as caught:
            chosen(reference)
        assert words in caught.value.message
        assert caught.value.field == "environment"
    with pytest.raises(UnknownEnvironment, match="an alias of 'gone'"):
        chosen("old", {"old": "gone"})


def test_an_archived_one_is_named_by_no_new_job(db: Database) -> None:
    make(db, "a")
    assert db.write_sync(lambda s: environments.set_archived(s, PERSON, "home", "a", archived=True)).archived
    with pytest.raises(UnknownEnvironment, match="is archived"):
        db.read_sync(lambda s: environments.choose(s, "home", "a", {}))
    db.write_sync(lambda s: environments.set_archived(s, PERSON, "home", "a", archived=False))
    assert db.read_sync(lambda s: environments.choose(s, "home", "a", {})).version == 1


def test_who_may_what(db: Database) -> None:
    made = make(db, "a")
    assert db.read_sync(lambda s: environments.get_version(s, JOB, Action.READ, "home", "a", "latest")) == made
    with pytest.raises(Forbidden):
        make(db, "b", actor=JOB)
    with pytest.raises(Forbidden):
        db.write_sync(lambda s: environments.set_archived(s, JOB, "home", "a", archived=True))
    with pytest.raises(WorkspaceNotFound):
        db.read_sync(lambda s: environments.get_version(s, JOB, Action.READ, "away", "a", "1"))
    for version in ("2", "0", "x", "1.0", "-1"):
        with pytest.raises(EnvironmentNotFound):
            db.read_sync(lambda s, v=version: environments.get_version(s, PERSON, Action.READ, "home", "a", v))  # type: ignore[misc]


def test_of_a_run_its_packages_become_requirements() -> None:
    capture = EnvironmentCapture(
        language="python",
        language_version="3.11.7",
        packages={"numpy": "2.0", "Mine": "0.1.dev1", "x\n-i http://evil": "1", "-r": "x", "odd": "1 --pre"},
        local_packages=["Mine"],
    )
    found = environments.from_run(capture, "r1")
    assert found == RequirementsDefinition(
        requirements="# What run r1 ran in\n# from no index: Mine==0.1.dev1\nnumpy==2.0\n", python="3.11"
    )
    assert environments.from_run(EnvironmentCapture(language="R", kernel_name="ir"), "r1") == KernelDefinition(kernel="ir")
    with pytest.raises(NothingCaptured):
        environments.from_run(EnvironmentCapture(language="python"), "r1")
