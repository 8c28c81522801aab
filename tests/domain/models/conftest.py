"""A real database for each test, with a workspace, an experiment and a run; and what tests of models make in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest

from jupyter_mlws.db.database import Database
from jupyter_mlws.domain.experiments import service as experiments
from jupyter_mlws.domain.models import service as models
from jupyter_mlws.domain.models.schemas import LoggedModel, ModelVersion, NewLoggedModel, NewVersion
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.schemas import RunCreate
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.domain.workspaces.schemas import WorkspaceCreate
from jupyter_mlws.kit.actors import Actor, ActorKind
from tests.databases import ENGINES, fresh_database

T = TypeVar("T")
PERSON = Actor(name="ada", kind=ActorKind.USER)
HOME = "home"


class World:
    """One workspace with an experiment, and the services of models as a person calls them."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.make_workspace(HOME)
        self.experiment_id = self.make_experiment(HOME)

    def write(self, function: Callable[..., T], *args: Any, **options: Any) -> T:
        """A service function in a transaction, by a person."""
        actor = options.pop("actor", PERSON)
        return self.db.write_sync(lambda session: function(session, actor, *args, **options))

    def read(self, function: Callable[..., T], *args: Any, **options: Any) -> T:
        """The same, for what only reads."""
        actor = options.pop("actor", PERSON)
        return self.db.read_sync(lambda session: function(session, actor, *args, **options))

    def make_workspace(self, name: str) -> None:
        """A workspace."""
        self.write(workspaces.create_workspace, WorkspaceCreate(name=name))

    def make_experiment(self, workspace: str, name: str = "e") -> int:
        """An experiment's id."""
        make = partial(experiments.find_or_create, name=name)
        return self.db.write_sync(lambda session: make(session, workspaces.find(session, workspace)).id)

    def make_run(self, workspace: str = HOME) -> str:
        """An interactive run's id."""
        return self.write(runs.create_run, workspace, RunCreate(experiment="e")).id

    def model(self, name: str = "m", workspace: str = HOME, **tags: str) -> None:
        """A registered model."""
        self.write(models.create_model, workspace, name, description=None, tags=tags)

    def version(self, name: str = "m", workspace: str = HOME, **fields: Any) -> ModelVersion:
        """A version of it."""
        new = NewVersion(**{"source": "s3://b/m", "location": "s3://b/m", **fields})
        return self.write(models.create_version, workspace, name, new)

    def logged(self, name: str | None = "net", experiment_id: int | None = None, **fields: Any) -> LoggedModel:
        """A logged model."""
        given = {"model_type": "", "source_run_id": "", "params": {}, "tags": {}, **fields}
        new = NewLoggedModel(name=name, **given)
        return self.write(
            models.create_logged_model,
            experiment_id or self.experiment_id,
            new,
            lambda model_id: f"mlflow-artifacts:/1/{model_id}",
        )

    def log(self, run_id: str, *metrics: Any) -> None:
        """Points of metrics that a run measured."""
        self.db.write_sync(lambda s: models.log_points(s, PERSON, runs.ref_by_id(s, run_id), metrics))


@pytest.fixture(params=ENGINES)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with fresh_database(request, tmp_path) as db:
        yield World(db)
