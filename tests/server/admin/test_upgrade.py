"""`mlws db upgrade`: all or nothing, after a copy, and never under a server."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from jupyter_mlws.db.engine import make_writer, sqlite_url
from jupyter_mlws.migrations.upgrade import upgrade
from jupyter_mlws.server.schema import HEAD
from tests.live import LiveServer
from tests.migrations import contents, frozen
from tests.migrations.future import NEXT, build_future
from tests.server.admin.conftest import DataFolder
from tests.servers import until

pytestmark = pytest.mark.slow

OLDEST = frozen.VERSIONS[0]


@pytest.fixture
def old(empty: DataFolder, tmp_path: Path) -> DataFolder:
    """A data folder of the oldest version."""
    empty.folders.make()
    if empty.sqlite:
        frozen.thaw(OLDEST, empty.folders.database)
        return empty
    engine = make_writer(empty.url)
    upgrade(engine, OLDEST)
    frozen.copy_rows(frozen.thaw(OLDEST, tmp_path / "thawed.db"), engine)
    engine.dispose()
    return empty


def version_of(data: DataFolder) -> str:
    return data.read(lambda session: session.execute(text("SELECT version_num FROM alembic_version")).scalar_one())


def lost(data: DataFolder, version: str) -> list[str]:
    """What of the frozen data is no longer there."""
    return contents.missing(frozen.expected_of(version), data.read(contents.read))


def check_copy(data: DataFolder, version: str) -> None:
    """The copy beside the data holds the version that was."""
    if data.sqlite:
        copy = data.folders.root / f"mlws.db.bak-{version}"
        engine = make_writer(sqlite_url(copy))
        with Session(engine) as session:
            assert session.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == version
        engine.dispose()
    else:
        copy = data.folders.root / f"mlws.dump.bak-{version}"
        listed = subprocess.run(["pg_restore", "--list", copy], capture_output=True, text=True, check=True).stdout
        assert "TABLE DATA public runs" in listed
    assert copy.stat().st_mode & 0o777 == 0o600


def test_an_old_one_is_upgraded_after_a_copy_and_then_left_alone(old: DataFolder) -> None:
    assert old.json("check", code=1)["state"] == "older"  # its files are not in the store
    done = old.json("upgrade")
    assert (done["schema_before"], done["schema"], done["upgraded"]) == (OLDEST, HEAD, True)
    assert Path(done["backup"]).parent == old.folders.root
    check_copy(old, OLDEST)
    assert (version_of(old), lost(old, OLDEST)) == (HEAD, [])
    again = old.db("upgrade")
    assert (again.code, f"{HEAD}, current: nothing to do" in again.out) == (0, True)
    assert old.json("upgrade")["backup"] is None


def test_without_a_copy_where_none_is_wanted(old: DataFolder) -> None:
    done = old.json("upgrade", "--no-backup", PATH="/nowhere")
    assert (done["upgraded"], done["backup"]) == (True, None)
    assert [path.name for path in old.folders.root.iterdir() if ".bak" in path.name] == []
    assert lost(old, OLDEST) == []


@pytest.mark.postgres
@pytest.mark.parametrize("empty", ["postgresql"], indirect=True)
def test_no_dump_no_upgrade(old: DataFolder) -> None:
    said = old.db("upgrade", PATH="/nowhere")
    assert said.code == 1
    assert "pg_dump, which is not on the PATH" in said.err
    assert "--no-backup upgrades without a dump" in said.err
    assert version_of(old) == OLDEST


def test_one_that_is_killed_midway_is_finished_by_the_next(data: DataFolder, tmp_path: Path) -> None:
    later = build_future(tmp_path / "future")
    midway, before = tmp_path / "midway", data.read(contents.read)
    process = data.start("upgrade", **later, MIDWAY=str(midway))
    until(lambda: midway.exists() or process.poll() is not None, 60)
    assert process.poll() is None, process.communicate()
    process.kill()
    process.communicate()
    assert data.json("check")["state"] == "current", "as it was"
    assert data.read(contents.read) == before
    done = data.json("upgrade", code=0, **later)
    assert (done["schema_before"], done["schema"]) == (HEAD, NEXT)
    check_copy(data, HEAD)
    assert contents.missing(before, data.read(contents.read)) == []

    newer = data.db("upgrade")
    assert newer.code == 2
    assert f"has schema '{NEXT}', which this version does not know" in newer.err
    for words in (("backup", "copy"), ("compact",)):
        refused = data.db(*words)
        assert (refused.code, "Upgrade jupyter_mlws" in refused.err) == (2, True), refused
    assert data.json("check", code=1)["state"] == "newer"


def test_under_a_server_it_is_refused_with_the_address(running: tuple[DataFolder, LiveServer], tmp_path: Path) -> None:
    data, server = running
    later = build_future(tmp_path / "future", then="pass")
    refused = data.db("upgrade", **later)
    assert refused.code == 2
    assert (
        f"A server owns the data folder {data.folders.root}: {server.url}/mlws (process {server.owner()['pid']} on" in refused.err
    )
    assert "Stop that JupyterLab" in refused.err
    assert "A server upgrades the database by itself when it starts" in refused.err
    assert version_of(data) == HEAD
    assert server.get("/health").status_code == 200
    current = data.db("upgrade")
    assert (current.code, "nothing to do" in current.out) == (0, True)
    server.stop()
    assert data.json("upgrade", code=0, **later)["schema"] == NEXT
    assert not data.folders.owner.exists()
