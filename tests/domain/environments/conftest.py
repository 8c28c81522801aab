"""A real database with two workspaces, a package that pip can install without a network, and builds in a folder of a test's own."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jupyter_mlws.db.database import Database
from jupyter_mlws.domain.environments import recipes
from jupyter_mlws.domain.environments.builds import Builds, State, Whose
from jupyter_mlws.domain.environments.schemas import RequirementsDefinition
from jupyter_mlws.domain.environments.states import BuildStatus
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.domain.workspaces.schemas import WorkspaceCreate
from jupyter_mlws.kit.actors import Actor, ActorKind
from tests.databases import ENGINES, fresh_database

PERSON = Actor(name="ada", kind=ActorKind.USER)
WHOSE = Whose("home", "tiny")


@pytest.fixture(params=ENGINES)
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with fresh_database(request, tmp_path) as database:
        for name in ("home", "away"):
            database.write_sync(lambda s, n=name: workspaces.create_workspace(s, PERSON, WorkspaceCreate(name=n)))  # type: ignore[misc]
        yield database


def wheel(folder: Path, name: str = "tinypkg", *, source: str = "X = 41\n") -> Path:
    """A wheel of one module."""
    folder.mkdir(parents=True, exist_ok=True)
    path, info = folder / f"{name}-1.0-py3-none-any.whl", f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", source)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def slow_package(folder: Path, seconds: int = 120) -> Path:
    """A folder whose set-up code takes its time, and starts a process that outlives it."""
    folder.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n[project]\nname = "slow"\nversion = "1"\n'
    )
    (folder / "backend.py").write_text(
        "import subprocess, time\n"
        "def get_requires_for_build_wheel(config_settings=None):\n"
        f"    subprocess.Popen(['sleep', '{seconds}'], start_new_session=True)\n"
        f"    time.sleep({seconds})\n"
    )
    return folder


def requirements(line: str) -> RequirementsDefinition:
    """A definition that needs no network."""
    return RequirementsDefinition(requirements=f"--no-index\n{line}\n", notebooks=False)


def settled(builds: Builds, definition: RequirementsDefinition, timeout: float = 100) -> State:
    """The state once nothing is being built any more."""
    key, deadline = recipes.key_of(definition), time.monotonic() + timeout
    while True:
        state = builds.state(key)
        if state.status is not BuildStatus.BUILDING:
            return state
        assert time.monotonic() < deadline, state
        time.sleep(0.05)


@pytest.fixture
def make_builds(tmp_path: Path) -> Iterator[Callable[..., Builds]]:
    """Makes builds of one folder, as servers do one after the other."""
    made: list[Builds] = []

    def make(**options: int) -> Builds:
        builds = Builds(tmp_path / "environments", lambda _whose, _ended: None, **options)
        builds.start()
        made.append(builds)
        return builds

    yield make
    for builds in made:
        builds.stop()
