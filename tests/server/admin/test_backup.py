"""`mlws db backup`: of one moment though a server writes, whole or not there, and good to go on from."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from jupyter_mlws.db.database import Database
from jupyter_mlws.domain.storage import accounting
from jupyter_mlws.domain.storage import service as storage
from jupyter_mlws.domain.storage.blobs import BlobStore
from jupyter_mlws.domain.storage.holding import held
from tests.live import LiveServer
from tests.migrations import contents
from tests.postgres import PostgresServer
from tests.server.admin.conftest import STORED, DataFolder
from tests.servers import until

pytestmark = pytest.mark.slow

LIMITED = """
import os, resource, sys

resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
os.execv(sys.executable, [sys.executable, "-m", "jupyter_mlws.cli", "db", *sys.argv[2:]])
"""


def restored(data: DataFolder, copy: Path, request: pytest.FixtureRequest) -> DataFolder:
    """A data folder of its own, as the how-to makes it from a backup."""
    root = data.work / "restored"
    root.mkdir()
    shutil.copytree(copy / "objects", root / "objects")
    if data.sqlite:
        shutil.copyfile(copy / "mlws.db", root / "mlws.db")
        return DataFolder(root, data.work, None)
    postgres: PostgresServer = request.getfixturevalue("postgres")
    url = postgres.new_database()
    command = ["pg_restore", "--no-owner", "--exit-on-error", f"--dbname={plain(url)}", str(copy / "mlws.dump")]
    subprocess.run(command, check=True)
    return DataFolder(root, data.work, url)


def plain(url: Any) -> str:
    """What PostgreSQL's own programs take."""
    return str(url.set(drivername="postgresql").render_as_string(hide_password=False))


def ids_of(data: DataFolder) -> set[str]:
    return set(data.read(lambda session: session.execute(text("SELECT id FROM runs")).scalars().all()))


class Client:
    """Makes runs with a file each, without a pause; keeps the ids that were acknowledged."""

    def __init__(self, server: LiveServer) -> None:
        self._server = server
        self._stop = threading.Event()
        self.acknowledged: list[str] = []
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> Client:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(60)

    def _work(self) -> None:
        while not self._stop.is_set():
            run_id = self._server.ok("POST", "/workspaces/default/runs", {"experiment": "busy"})["id"]
            metrics = [{"key": "loss", "value": n, "step": n, "time": n} for n in range(50)]
            self._server.ok("POST", f"/runs/{run_id}/log", {"batch_id": f"batch-{run_id}", "metrics": metrics})
            self._server.ok("PUT", f"/runs/{run_id}/artifacts/content", params={"path": "id.txt"}, content=run_id.encode())
            self._server.ok("POST", f"/runs/{run_id}/end", {"status": "Completed"})
            self.acknowledged.append(run_id)


def test_what_was_acknowledged_before_it_began_is_in_it_and_a_server_goes_on_from_it(
    running: tuple[DataFolder, LiveServer], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    data, server = running
    copy, filled = tmp_path / "copy", data.read(contents.read)
    with Client(server) as client:
        until(lambda: len(client.acknowledged) > 3, 30)
        before = list(client.acknowledged)
        assert data.json("check")["server"] == f"{server.url}/mlws"
        done = data.json("backup", str(copy))
        until(lambda: len(client.acknowledged) > len(before), 30, "the server writes on")
    assert done["missing"] == []
    assert data.json("check", "--full", "--data-dir", str(copy))["faults"] == []
    secrets = [server.token.encode(), server.owner()["token"].encode()]
    for path in copy.rglob("*"):
        assert path.is_dir() or not any(secret in path.read_bytes() for secret in secrets), path
    assert {path.name for path in copy.iterdir()} == {
        *("backup.json", "files.txt", "objects", "mlws.db" if data.sqlite else "mlws.dump")
    }
    assert copy.stat().st_mode & 0o077 == 0
    server.stop()

    other = restored(data, copy, request)
    assert {*before, contents.TRAINED} <= ids_of(other)
    assert len(ids_of(other)) == done["manifest"]["counts"]["runs"]
    assert other.read(contents.read)["runs of team"] == filled["runs of team"]
    trained = other.read(contents.read)["runs of default"][contents.TRAINED]
    assert trained == filled["runs of default"][contents.TRAINED]
    again = other.server("again").start()
    try:
        run_id = before[-1]
        assert again.ok("GET", f"/runs/{run_id}")["status"] == "Completed"
        assert again.get(f"/runs/{run_id}/artifacts/content", params={"path": "id.txt"}).text == run_id
        assert again.get(f"/runs/{contents.TRAINED}/artifacts/content", params={"path": "plot.png"}).text == "plot"
        points = again.ok("GET", f"/runs/{run_id}/metrics/history?key=loss&limit=100")
        assert points["values"] == list(range(50))
        assert again.ok("POST", "/workspaces/default/runs", {"experiment": "after"})["id"]
    finally:
        again.stop()
    assert other.json("check", "--full")["faults"] == []


def test_one_into_the_same_folder_copies_what_is_new(data: DataFolder, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    first = data.json("backup", str(copy))
    assert (first["files_copied"], first["bytes_copied"]) == (5, sum(map(len, STORED)))
    assert first["manifest"]["files"] == {"number": 5, "bytes": sum(map(len, STORED)), "missing": 0}
    listed = (copy / "files.txt").read_text().split()
    assert listed[::2] == sorted(hashlib.sha256(word.encode()).hexdigest() for word in STORED)
    before = {path: path.stat().st_ino for path in (copy / "objects").rglob("*") if path.is_file()}
    assert all(path.stat().st_nlink == 1 for path in before)

    blob = BlobStore(data.folders.objects).put_bytes(b"later")
    data.write(lambda session: storage.add_artifact(session, contents.TRAINED, "later.txt", *blob))
    (data.folders.root / "compute.json").write_text("{}")
    second = data.db("backup", str(copy))
    assert (second.code, "New       1 file (5 B)" in second.out) == (0, True), second
    after = {path: path.stat().st_ino for path in (copy / "objects").rglob("*") if path.is_file()}
    assert before.items() <= after.items()
    assert len(after) == 6
    assert (copy / "compute.json").read_text() == "{}"
    assert (
        data.json("check", "--full", "--data-dir", str(copy))["counts"]["artifacts"]
        == first["manifest"]["counts"]["artifacts"] + 1
    )

    alone = data.json("backup", str(tmp_path / "alone"), "--no-files")
    assert (alone["manifest"]["files"], alone["files_copied"]) == (None, 0)
    assert not (tmp_path / "alone" / "objects").exists()
    assert data.json("check", "--data-dir", str(tmp_path / "alone"))["sound"] is True


def test_damage_to_a_backup_is_found(data: DataFolder, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    assert data.db("backup", str(copy)).code == 0
    shutil.copytree(copy, tmp_path / "other")
    name = "mlws.db" if data.sqlite else "mlws.dump"
    with (copy / name).open("r+b") as file:
        file.seek(-100, os.SEEK_END)
        file.write(b"\xff" * 50)
    kinds = [fault["what"] for fault in data.json("check", "--data-dir", str(copy), code=1)["faults"]]
    assert "damaged_backup" in kinds
    gone = hashlib.sha256(b"plot").hexdigest()
    (tmp_path / "other" / "objects" / gone[:2] / gone[2:]).unlink()
    faults = data.json("check", "--data-dir", str(tmp_path / "other"), code=1)["faults"]
    assert [fault["what"] for fault in faults] == ["missing_file"]
    (tmp_path / "other" / "backup.json").write_text("{")
    said = data.db("check", "--data-dir", str(tmp_path / "other"))
    assert (said.code, "is damaged, or no manifest" in said.err) == (2, True), said


def test_what_the_store_lacks_is_told(data: DataFolder, tmp_path: Path) -> None:
    gone = hashlib.sha256(b"plot").hexdigest()
    (data.folders.objects / gone[:2] / gone[2:]).unlink()
    said = data.db("backup", str(tmp_path / "copy"))
    assert said.code == 1
    assert "1 file that runs or snapshots name could not be copied" in said.err
    assert json.loads((tmp_path / "copy" / "backup.json").read_text())["files"]["missing"] == 1


def many_files(data: DataFolder, number: int) -> None:
    """Files enough that copying them takes a while."""
    blobs = BlobStore(data.folders.objects)
    stored = [blobs.put_bytes(os.urandom(2000)) for _ in range(number)]

    def note(session: Any) -> None:
        for n, blob in enumerate(stored):
            storage.add_artifact(session, contents.CHILD, f"many/{n}", *blob)

    data.write(note)


def test_one_that_is_killed_is_no_backup_and_the_next_finishes_it(data: DataFolder, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    many_files(data, 600)

    def kill_at(files: int) -> None:
        process = data.start("backup", str(copy))
        until(lambda: len(list((copy / "objects").glob("??/*"))) >= files or process.poll() is not None, 60)
        assert process.poll() is None, process.communicate()
        process.kill()
        process.communicate()

    kill_at(30)
    assert not (copy / "backup.json").exists()
    said = data.db("check", "--data-dir", str(copy))
    assert (said.code, "holds a backup that was not finished" in said.err) == (2, True), said
    done = data.json("backup", str(copy))
    assert done["manifest"]["files"]["number"] == 605
    assert 0 < done["files_copied"] < 605, "what was copied before is kept"
    assert not (copy / ".part").exists()
    assert not list((copy / "objects").glob("??/tmp-*"))
    assert data.json("check", "--full", "--data-dir", str(copy))["faults"] == []

    many_files(data, 600)
    kill_at(605 + 30)
    report = data.json("check", "--full", "--data-dir", str(copy))
    assert (report["faults"], report["counts"]["files"]) == ([], 605), "the earlier one is as it was"
    assert data.json("backup", str(copy))["manifest"]["files"]["number"] == 1205


def test_a_full_disk_is_told_and_leaves_the_earlier_one_as_it_was(data: DataFolder, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    env = {**data.env, "PYTHONPATH": os.environ.get("PYTHONPATH", "")}

    def limited() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", LIMITED, "40000", "backup", str(copy)]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False)

    said = limited()
    assert said.returncode == 1, said
    assert "Traceback" not in said.stderr
    assert f"disk of {copy}" in said.stderr
    assert "full" in said.stderr
    assert [path.name for path in copy.iterdir()] == [".part"]
    assert list((copy / ".part").iterdir()) == []
    assert data.db("backup", str(copy)).code == 0
    manifest = (copy / "backup.json").read_bytes()
    assert limited().returncode == 1
    assert (copy / "backup.json").read_bytes() == manifest
    assert data.json("check", "--full", "--data-dir", str(copy))["faults"] == []


def test_folders_that_a_backup_cannot_go_into(sqlite: DataFolder, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    other = DataFolder(tmp_path / "other", tmp_path, None)
    other.fill()
    assert other.db("backup", str(tmp_path / "theirs")).code == 0
    before = (tmp_path / "theirs" / "backup.json").read_bytes()
    for target, says in (
        (sqlite.folders.root / "copy", "cannot lie in the data folder"),
        (tmp_path, "nor around it"),
        (tmp_path / "full", "is not empty, and holds no backup"),
        (tmp_path / "file", "is no folder"),
        (tmp_path / "theirs", f"holds a backup of {other.folders.root}"),
    ):
        said = sqlite.db("backup", str(target))
        assert (said.code, says in said.err) == (2, True), said
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["letter.txt"]
    assert (tmp_path / "theirs" / "backup.json").read_bytes() == before
    for words in (("upgrade",), ("compact",), ("backup", str(tmp_path / "third"))):
        said = sqlite.db(*words, "--data-dir", str(tmp_path / "theirs"))
        assert (said.code, "is a backup" in said.err) == (2, True), said


@pytest.mark.postgres
@pytest.mark.parametrize("empty", ["postgresql"], indirect=True)
def test_pg_dump_that_is_missing_or_too_old(data: DataFolder, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    missing = data.db("backup", str(tmp_path / "copy"), PATH=str(tools))
    assert (missing.code, "pg_dump, which is not on the PATH" in missing.err) == (1, True), missing
    (tools / "pg_dump").write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.24'\n")
    (tools / "pg_dump").chmod(0o755)
    old = data.db("backup", str(tmp_path / "copy"), PATH=f"{tools}:/usr/bin:/bin")
    assert old.code == 1
    assert "pg_dump is of version 9, older than the server, which is of version" in old.err
    assert not (tmp_path / "copy" / "backup.json").exists()


def test_nothing_is_swept_while_a_copy_is_made(sqlite: DataFolder) -> None:
    blobs = BlobStore(sqlite.folders.objects)
    blobs.put_bytes(b"nobody needs it")
    database = Database(sqlite.url)
    database.start()
    try:
        with held(blobs.root):
            assert accounting.sweep(blobs, database, -1) == (0, 0)
            assert accounting.sweep(blobs, database, -1, dry_run=True).blobs == 1
        assert accounting.sweep(blobs, database, -1).blobs == 1
    finally:
        database.close()
