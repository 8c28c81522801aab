"""What a workspace stands on, where something of it is in trouble."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy.orm import Session

from jupyter_mlws.db.database import Database
from jupyter_mlws.domain.secrets.service import KeyPlaces
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.domain.workspaces.resources import resources_of
from jupyter_mlws.domain.workspaces.schemas import Resource
from jupyter_mlws.kit.paths import Folders
from tests.databases import fresh_database

LOOK = """
import os, sys
from pathlib import Path
from jupyter_mlws.domain.secrets.service import KeyPlaces
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.domain.workspaces.resources import _folder
if os.geteuid() == 0:
    os.setuid(65534)  # root may write anywhere
found = _folder("jobs_folder", Path(sys.argv[1]))
print(found.health, found.bytes, found.detail)
"""


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    made = Folders(tmp_path / "data")
    made.make()
    return made


@pytest.fixture(params=["sqlite"])
def db(request: pytest.FixtureRequest, folders: Folders) -> Iterator[Database]:
    with fresh_database(request, folders.root) as found:
        found.write_sync(lambda s: workspaces.ensure_default(s, "ann"))
        yield found


async def looked(db: Database, folders: Folders) -> dict[str, Resource]:
    services = SimpleNamespace(folders=folders, secrets=KeyPlaces(folders.secrets_key))
    found = await resources_of(db, services, await db.read(_default))
    return {one.kind: one for one in found.resources}


def _default(session: Session) -> workspaces.WorkspaceRef:
    return workspaces.find(session, "default")


@pytest.mark.parametrize(("kind", "name"), [("artifact_store", "objects"), ("jobs_folder", "jobs")])
@pytest.mark.parametrize("instead", ["nothing", "a file", "a broken link"])
async def test_a_folder_that_is_missing(db: Database, folders: Folders, kind: str, name: str, instead: str):
    place = folders.root / name
    assert (await looked(db, folders))[kind].health == "ok"
    shutil.rmtree(place)
    if instead == "a file":
        place.write_text("no folder")
    elif instead == "a broken link":
        place.symlink_to(folders.root / "nowhere")
    found = await looked(db, folders)
    lost = found.pop(kind)
    assert (lost.health, lost.detail, lost.bytes) == ("degraded", "The folder is missing.", None)
    assert lost.location == str(place)
    assert {kind: one.health for kind, one in found.items() if one.health != "ok"} == {"secret_store": "absent"}


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        (0o555, "degraded 700 The folder cannot be written to."),
        (0o333, "degraded None The folder cannot be read: Permission denied."),
    ],
)
def test_a_folder_that_cannot_be_used(mode: int, said: str):
    with tempfile.TemporaryDirectory(dir="/tmp") as given:
        folder = Path(given)
        (folder / "kept.bin").write_bytes(b"x" * 700)
        folder.chmod(mode)
        done = subprocess.run([sys.executable, "-c", LOOK, given], capture_output=True, text=True, check=True)
        folder.chmod(0o755)
    assert done.stdout == f"{said}\n"


async def test_a_database_in_trouble(db: Database, folders: Folders, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(db, "health", lambda: "The disk is full.")
    found = (await looked(db, folders))["database"]
    assert (found.health, found.detail) == ("degraded", "The disk is full.")


async def test_a_file_of_the_database_that_vanishes_meanwhile(db: Database, folders: Folders, monkeypatch: pytest.MonkeyPatch):
    extra = folders.root / "mlws.db-extra"
    without = (await looked(db, folders))["database"].bytes
    extra.write_bytes(b"x" * 100)
    assert (await looked(db, folders))["database"].bytes == (without or 0) + 100
    is_file = Path.is_file

    def then_gone(path: Path) -> bool:
        answer = is_file(path)
        if path == extra:
            path.unlink()
        return answer

    monkeypatch.setattr(Path, "is_file", then_gone)
    found = (await looked(db, folders))["database"]
    assert (found.bytes, found.health, extra.exists()) == (without, "ok", False)
