"""A database, and engines of jobs on it with real supervisors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jupyter_mlws.db.database import Database
from jupyter_mlws.domain.compute.local import LocalCompute
from jupyter_mlws.domain.jobs.engine import JobEngine
from jupyter_mlws.domain.storage.blobs import BlobStore
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.kit.paths import Folders
from tests.databases import fresh_database
from tests.servers import until


@pytest.fixture(params=["sqlite"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with fresh_database(request, tmp_path) as found:
        found.write_sync(lambda s: workspaces.ensure_default(s, "ada"))
        yield found


@pytest.fixture
def make_engine(db: Database, tmp_path: Path) -> Iterator[Callable[[], JobEngine]]:
    """Starts an engine; it is stopped at the end."""
    folders, made = Folders(tmp_path / "data"), []
    folders.make()
    blobs, compute = BlobStore(folders.objects), LocalCompute("local", 2)

    def make() -> JobEngine:
        made.append(JobEngine(db, blobs, folders, {"local": compute}, "", lambda *_: None))
        made[-1].start()
        return made[-1]

    yield make
    for engine in made:
        engine.stop()
    for folder in folders.jobs.iterdir():
        until(lambda folder=folder: not compute.is_alive(folder), 20, "its supervisor has ended")  # type: ignore[misc]
    blobs.close()
