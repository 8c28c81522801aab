from __future__ import annotations

import uuid
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.importing.sources import make, read
from tests.live import LiveServer


class Store(NamedTuple):
    """A store that MLflow made, and all that its own client reads there."""

    source: str
    run: str
    told: dict[str, dict[str, object]]


def made_store(kind: str, version: str, folder: Path) -> Store:
    """A store of this kind, made and read by this version of MLflow."""
    uri = (folder / "mlruns").as_uri() if kind == "folder" else f"sqlite:///{folder / 'mlflow.db'}"
    location = None if kind == "folder" else (folder / "mlartifacts").as_uri()
    run = make(uri, folder, version=version, location=location)
    return Store(str(folder / "mlruns") if kind == "folder" else uri, run, read(uri, version=version, cwd=folder))


@pytest.fixture(scope="session")
def folder_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """An `mlruns` folder of MLflow 3."""
    return made_store("folder", "3", tmp_path_factory.mktemp("folder"))


@pytest.fixture(scope="session")
def database_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """An SQLite file of MLflow 3."""
    return made_store("database", "3", tmp_path_factory.mktemp("database"))


@pytest.fixture
def workspace(server: LiveServer) -> str:
    """A new workspace."""
    name = f"imports-{uuid.uuid4().hex[:12]}"
    server.ok("POST", "/workspaces", {"name": name})
    return name
