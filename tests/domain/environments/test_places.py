"""Where a job that begins finds its environment: what was taken away since it left the queue is built again, or ends the job in words."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jupyter_mlws.db.database import Database
from jupyter_mlws.domain.environments import recipes
from jupyter_mlws.domain.environments import service as environments
from jupyter_mlws.domain.environments.builds import Builds
from jupyter_mlws.domain.environments.errors import UnusableEnvironment
from jupyter_mlws.domain.environments.schemas import Definition, EnvironmentCreate, PythonDefinition
from jupyter_mlws.domain.environments.states import BuildStatus
from jupyter_mlws.domain.jobs.environments import note_capture, place_of
from jupyter_mlws.kit.errors import Unavailable
from tests.domain.environments.conftest import PERSON, WHOSE, requirements, settled


def job_with(db: Database, builds: Builds, definition: Definition) -> tuple[Any, Any]:
    """An engine, and a job that has this environment."""
    body = EnvironmentCreate(name="tiny", definition=definition)
    db.write_sync(lambda s: environments.create(s, PERSON, "home", body))
    chosen = db.read_sync(lambda s: environments.choose(s, "home", "tiny", {}))
    engine = SimpleNamespace(db=db, environments=environments.Environments(builds, list), target=lambda _name: None)
    return engine, SimpleNamespace(environment_id=chosen.id, environment=chosen.shown, run_id="0" * 32, target="local")


def test_what_was_built_and_taken_away_is_built_again(db: Database, make_builds: Callable[..., Builds]) -> None:
    builds, definition = make_builds(), requirements("")
    engine, job = job_with(db, builds, definition)
    engine.environments.build(definition, WHOSE)
    settled(builds, definition)
    place = place_of(engine, job)
    assert place is not None
    shutil.rmtree(Path(place.interpreter).parents[1])
    note_capture(engine, job)  # of a job that ends: nothing is to be noted, and nothing built
    assert builds.state(recipes.key_of(definition)).status is BuildStatus.NOT_BUILT
    with pytest.raises(Unavailable, match="is being built again"):
        place_of(engine, job)
    settled(builds, definition)
    again = place_of(engine, job)
    assert again is not None
    assert Path(again.interpreter).exists()


def test_an_interpreter_that_was_taken_away_is_told(db: Database, make_builds: Callable[..., Builds], tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.symlink_to(sys.executable)
    engine, job = job_with(db, make_builds(), PythonDefinition(python=str(python)))
    assert place_of(engine, job) == environments.Place(str(python))
    python.unlink()
    with pytest.raises(UnusableEnvironment, match="tiny:1 is not there: There is no interpreter"):
        place_of(engine, job)
