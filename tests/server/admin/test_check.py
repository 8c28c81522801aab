"""`mlws db check`: says that what is whole is whole, and finds every damage that is planted."""

from __future__ import annotations

import hashlib
import os
import pty
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.schemas import Process, RunCreate
from jupyter_mlws.kit.ids import new_id
from jupyter_mlws.server.schema import HEAD
from mlws.jobdir import boot_id
from tests.live import LiveServer
from tests.migrations import contents
from tests.server.admin.conftest import STORED, DataFolder

pytestmark = pytest.mark.slow

NETWORK = """
import pathlib
import jupyter_mlws.server.filesystems as filesystems

filesystems.MOUNTS = pathlib.Path({table!r})
"""


def place_of(data: DataFolder, word: str) -> Path:
    sha256 = hashlib.sha256(word.encode()).hexdigest()
    return data.folders.objects / sha256[:2] / sha256[2:]


def test_what_is_whole_is_sound_and_stays_as_it_is(data: DataFolder) -> None:
    before = data.read(contents.read)
    report = data.json("check", "--full")
    assert report["faults"] == []
    assert (report["sound"], report["state"], report["schema"]) == (True, "current", HEAD)
    assert report["kind"] == ("sqlite" if data.sqlite else "postgresql")
    assert {name: report["counts"][name] for name in ("workspaces", "runs", "files")} == {"workspaces": 2, "runs": 8, "files": 5}
    assert report["counts"]["points"] > 1500
    assert report["checked"]["chunks"] == report["counts"]["chunks"] > 0
    assert (report["checked"]["files"], report["checked"]["file_bytes"]) == (5, sum(map(len, STORED)))
    assert report["bytes"] > 50_000
    assert "***" in report["database"] or data.sqlite
    assert data.read(contents.read) == before


def plant_runs(session: Session) -> tuple[str, str]:
    """A run whose script died, and a job of which nothing is left."""
    process = Process(host=os.uname().nodename, pid=2**22 + 5, start_time="1", boot_id=boot_id())
    run_id = new_id()
    runs.create_run(session, contents.ADA, "default", RunCreate(id=run_id, process=process))
    job = session.execute(text("SELECT run_id FROM jobs ORDER BY run_id LIMIT 1")).scalar_one()
    session.execute(text("UPDATE jobs SET phase = 'live' WHERE run_id = :id"), {"id": job})
    session.execute(text("UPDATE runs SET status = 'Running' WHERE id = :id"), {"id": job})
    return run_id, job


def plant_chunks(session: Session) -> list[int]:
    """A chunk with other bytes, and one whose header claims more than its points have."""
    first, second, *_ = session.execute(text("SELECT id FROM metric_chunk ORDER BY id")).scalars()
    data = session.execute(text("SELECT data FROM metric_chunk WHERE id = :id"), {"id": first}).scalar_one()
    broken = bytes(data[:-3]) + b"\0\0\0"
    session.execute(text("UPDATE metric_chunk SET data = :data WHERE id = :id"), {"data": broken, "id": first})
    session.execute(text("UPDATE metric_chunk SET max_value = 7, count = count + 1 WHERE id = :id"), {"id": second})
    return [first, second]


def test_every_damage_that_is_planted_is_found_and_told_with_what_to_do(data: DataFolder) -> None:
    missing, damaged = place_of(data, "plot"), place_of(data, "code")
    missing.unlink()
    damaged.chmod(0o600)
    damaged.write_bytes(b"c0de")
    first, second = data.write(plant_chunks)
    run_id, job = data.write(plant_runs)

    quick = data.json("check", code=1)
    kinds = sorted(fault["what"] for fault in quick["faults"])
    assert kinds == ["damaged_chunk", "damaged_chunk", "dead_run", "dead_run", "missing_file"]
    report = data.json("check", "--full", code=1)
    assert sorted(fault["what"] for fault in report["faults"]) == sorted([*kinds, "damaged_file"])
    assert report["sound"] is False
    told = "\n".join(fault["message"] for fault in report["faults"])
    assert f"Chunk {first} of metric 'loss' of run {contents.TRAINED} is damaged: its points cannot be decoded." in told
    assert f"Chunk {second} of" in told
    assert "its header is not that of its points (number of points, greatest value)" in told
    assert f"Run {run_id} is Running, but the process" in told
    assert f"Job {job} is Running, but no process" in told
    assert "The content of the file 'plot.png' of run" in told
    assert "The content of the file 'train.py' of snapshot" in told
    assert [fault["where"] for fault in report["faults"] if fault["what"].endswith("_file")] == [str(missing), str(damaged)]
    assert all(fault["advice"] for fault in report["faults"])
    said = data.db("check")
    assert said.code == 1
    assert "Result       5 faults, see below" in said.out
    assert f"Copy objects/{missing.parent.name}/{missing.name} from a backup" in said.out


def overwritten(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 3)
        file.write(b"\xa5" * (size // 3))


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 + 100)


def unreferenced(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM experiments WHERE name = 'Other'")
        connection.commit()


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '1bd49d398cd23'")
        connection.commit()


@pytest.mark.parametrize(
    ("damage", "kind", "says"),
    [
        (overwritten, "damaged_database", "The database file is damaged. SQLite says: "),
        (cut, "truncated", "The database file was cut off: it has "),
        (lambda path: path.write_text("not a database, but a text\n" * 500), "not_a_database", "is not an SQLite database"),
        (lambda path: path.write_bytes(b""), "not_a_database", "is empty"),
        (unreferenced, "broken_reference", "rows of runs refer to rows of experiments that are not there"),
        (newer, "newer_schema", "has schema '9999', which this version does not know"),
        (foreign, "foreign_database", "belongs to another program"),
    ],
    ids=["overwritten", "cut", "text", "empty", "reference", "newer", "foreign"],
)
def test_a_file_that_is_damaged_or_another_one(sqlite: DataFolder, damage: Callable[[Path], None], kind: str, says: str) -> None:
    damage(sqlite.folders.database)
    before = sqlite.folders.database.read_bytes()
    report = sqlite.json("check", code=1)
    assert kind in [fault["what"] for fault in report["faults"]]
    assert says in " ".join(fault["message"] for fault in report["faults"])
    assert sqlite.folders.database.read_bytes() == before
    for words in (("upgrade",), ("backup", "copy"), ("compact",)):
        if kind not in ("broken_reference", "damaged_database", "truncated"):
            refused = sqlite.db(*words)
            assert refused.code in (1, 2), (words, refused)
            assert refused.err.startswith("Error: The "), refused.err
    assert sqlite.folders.database.read_bytes() == before


def test_nothing_there_is_bad_input(sqlite: DataFolder, tmp_path: Path) -> None:
    for words, says in (
        (("check", "--data-dir", str(tmp_path / "nowhere")), "There is no data folder"),
        (("check", "--data-dir", str(tmp_path)), "There is no database"),
        (("check", "-o", "csv"), "Invalid value for '-o'"),
    ):
        said = sqlite.db(*words)
        assert (said.code, says in said.err) == (2, True), said
    assert not (tmp_path / "mlws.db").exists()
    said = sqlite.db("check", MLWS_DATABASE_URL="nonsense")
    assert (said.code, "looks like postgresql+psycopg://" in said.err) == (2, True), said
    # Jupyter's configuration names the folder, as it does for a server.
    (tmp_path / "CONFIG").mkdir()
    (tmp_path / "CONFIG" / "jupyter_server_config.py").write_text(f"c.MlwsApp.data_dir = {str(sqlite.folders.root)!r}\n")
    assert sqlite.json("check", MLWS_DATA_DIR=str(tmp_path / "nowhere"))["data_dir"] == str(sqlite.folders.root)


@pytest.mark.postgres
def test_a_database_server_that_is_away_is_told(postgres, tmp_path: Path) -> None:
    url = postgres.url("nowhere")
    data = DataFolder(tmp_path / "data", tmp_path, url)
    data.folders.make()
    report = data.json("check", code=1)
    assert [fault["what"] for fault in report["faults"]] == ["unreadable"]
    assert 'database "nowhere" does not exist' in report["faults"][0]["message"]
    assert str(url.password) not in str(report)
    for words in (("upgrade",), ("backup", "copy"), ("compact",)):
        said = data.db(*words)
        assert (said.code, "Is its server running" in said.err) == (1, True), said


def test_a_network_file_system_is_refused_as_the_server_refuses_it(sqlite: DataFolder, tmp_path: Path) -> None:
    table, patch = tmp_path / "mounts", tmp_path / "patch"
    table.write_text(f"24 1 0:22 / / rw - ext4 /dev/sda rw\n25 24 0:23 / {sqlite.folders.root} rw - nfs4 host:/export rw\n")
    patch.mkdir()
    (patch / "sitecustomize.py").write_text(NETWORK.format(table=str(table)))
    path = os.pathsep.join([str(patch), os.environ.get("PYTHONPATH", "")])
    for words in (("check",), ("upgrade",), ("backup", "copy"), ("compact",)):
        said = sqlite.db(*words, PYTHONPATH=path)
        assert said.code == 2
        assert "lies on a network file system (nfs4)" in said.err
        assert "use a PostgreSQL database" in said.err
    assert not (tmp_path / "copy").exists()
    server: LiveServer = sqlite.server()
    server.environment["PYTHONPATH"] = path
    try:
        server.start(answer=503)
        error = server.get("/workspaces").json()["error"]
        assert (error["code"], "(nfs4)" in error["message"]) == ("network_file_system", True)
    finally:
        server.stop()


def test_progress_is_drawn_on_a_terminal_alone(sqlite: DataFolder) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "jupyter_mlws.cli", "db", "check", "--full"]
    done = subprocess.run(command, env=sqlite.env, stdout=subprocess.PIPE, stderr=theirs, text=True, check=False)
    os.close(theirs)
    drawn = b""
    try:
        while piece := os.read(ours, 4096):
            drawn += piece
    except OSError:
        pass  # the other end is closed
    finally:
        os.close(ours)
    assert done.returncode == 0
    assert re.search(rb"\r\x1b\[KChecking the database \(\d+\.\d s\)", drawn), drawn
    assert drawn.endswith(b"\r\x1b[K")
    assert "\x1b" not in done.stdout
