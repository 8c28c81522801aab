"""Sources that are none, old ones, and hostile ones."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from tests.importing import handmade
from tests.importing.sources import brought, command
from tests.live import LiveServer

SECRET = "canary-of-another-folder"


def refused(server: LiveServer, *words: str, **variables: str) -> str:
    """What is said of a source that is none."""
    done = command(server, "import", "mlflow", *words, **variables)
    assert done.returncode == 2, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    return done.stderr


def test_what_is_no_store(server: LiveServer, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.db").write_text("no database")
    (tmp_path / "near" / "mlruns").mkdir(parents=True)
    with sqlite3.connect(tmp_path / "other.db") as database:
        database.execute("CREATE TABLE birds (name TEXT)")
    with sqlite3.connect(tmp_path / "newer.db") as newer:
        newer.executescript(handmade.OLD.replace("run_uuid", "run_key"))
    for open_one in (database, newer):
        open_one.close()
    assert "no MLflow store" in refused(server, str(tmp_path / "empty"))
    assert f"There is one in it: {tmp_path / 'near' / 'mlruns'}" in refused(server, str(tmp_path / "near"))
    assert "There is no folder and no database file" in refused(server, str(tmp_path / "nowhere"))
    assert "neither a folder nor an SQLite database" in refused(server, str(tmp_path / "text.db"))
    assert "it has no table `experiments`" in refused(server, f"sqlite:///{tmp_path / 'other.db'}")
    assert "no column `run_uuid`" in refused(server, str(tmp_path / "newer.db"))
    assert "names no file" in refused(server, "sqlite://")
    assert "name the folder or the database behind it" in refused(server, "http://localhost:5000")
    assert "cannot be read from mysql://" in refused(server, "mysql://user:pw@localhost/mlflow")
    handmade.experiment(tmp_path / "good")
    assert "which --artifacts names" in refused(server, str(tmp_path / "good"), "--artifacts", str(tmp_path / "nowhere"))
    ours = refused(server, str(server.data_dir / "mlws.db"))
    assert "no MLflow database" in ours


def test_postgresql_without_its_driver_names_the_extra(server: LiveServer, tmp_path: Path):
    (tmp_path / "psycopg.py").write_text("raise ImportError('not installed')\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    said = refused(server, "postgresql://user:hidden-word@localhost/mlflow", PYTHONPATH=path)
    assert "jupyter_mlws[postgres]" in said
    said = refused(server, "postgresql://user:hidden-word@127.0.0.1:1/mlflow")
    assert "cannot be read" in said
    assert "hidden-word" not in said


def test_an_old_database_and_where_artifacts_may_lie(server: LiveServer, workspace: str, tmp_path: Path):
    inside, moved, outside = tmp_path / "store", tmp_path / "moved", tmp_path / "outside"
    ids = {number: handmade.run_id(number) for number in range(0xE1, 0xE8)}
    places = {
        0xE1: inside / "mlruns" / "1" / ids[0xE1] / "artifacts",
        0xE2: moved / "1" / ids[0xE2] / "artifacts",
        0xE3: moved / "1" / ids[0xE3] / "artifacts",
        0xE4: outside / "1" / ids[0xE4] / "artifacts",
        0xE6: outside / "1" / ids[0xE6] / "artifacts",
    }
    for number, place in places.items():
        place.mkdir(parents=True)
        (place / "file.txt").write_text(SECRET if outside in place.parents else f"file of {number}")
    (inside / "link").symlink_to(outside)
    uris = {
        0xE1: str(places[0xE1]),
        0xE2: f"mlflow-artifacts:/1/{ids[0xE2]}/artifacts",
        0xE3: f"file:///gone/mlruns/1/{ids[0xE3]}/artifacts",
        0xE4: f"{inside}/mlruns/../../outside/1/{ids[0xE4]}/artifacts",
        0xE5: "file:///etc",
        0xE6: f"{inside}/link/1/{ids[0xE6]}/artifacts",
        0xE7: f"s3://bucket/1/{ids[0xE7]}/artifacts",
    }
    handmade.old_database(inside / "mlflow.db", uris)
    report = brought(server, f"sqlite:///{inside / 'mlflow.db'}", workspace, "--artifacts", str(moved))
    assert report["counts"]["runs"]["imported"] == 7
    assert report["counts"]["files"]["imported"] == 3
    told = {skip["name"][:32]: skip["reason"] for skip in report["skipped"]}
    assert set(told) == {ids[number] for number in (0xE4, 0xE5, 0xE6, 0xE7)}
    assert "another store" in told[ids[0xE7]]
    for number in places:
        files = server.ok("GET", f"/runs/{ids[number]}/artifacts?recursive=true")["entries"]
        assert [one["path"] for one in files] == (["file.txt"] if number < 0xE4 else [])
    run = server.ok("GET", f"/runs/{ids[0xE7]}")
    assert run["tags"]["mlws.artifactLocation"] == uris[0xE7]
    assert run["params"] == {"../../up": "v"}
    assert (run["metrics"]["loss"]["last"], run["metrics"]["loss"]["step"]) == (0.5, 0)
    check_nothing_leaked(server)


def check_nothing_leaked(server: LiveServer) -> None:
    """Nothing of other folders is in the database or among the files."""
    for path in server.data_dir.rglob("*"):
        if path.is_file() and not path.is_symlink():
            assert SECRET.encode() not in path.read_bytes(), path


BOMB = "a: &a [1, 1]\nb: &b [*a, *a]\nname: [*b, *b]\n"
OBJECT = "name: !!python/object/apply:os.system ['touch {}']\n"


def test_a_hostile_folder(server: LiveServer, workspace: str, tmp_path: Path):
    root, outside = tmp_path / "mlruns", tmp_path / "outside"
    folder = handmade.experiment(root)
    outside.mkdir()
    (outside / "secret.txt").write_text(SECRET)
    for number, words in (
        (2, BOMB),
        (3, OBJECT.format(tmp_path / "touched")),
        (4, "name: " + "[" * 5000),
        (5, "just text"),
        (6, "\0"),
    ):
        (root / str(number)).mkdir()
        (root / str(number) / "meta.yaml").write_text(words)
    (root / "7").mkdir()
    (root / "7" / "meta.yaml").symlink_to(outside / "secret.txt")

    at = handmade.filled(folder, 0xF1, points=2)
    (at / "params" / "stolen").symlink_to(outside / "secret.txt")
    (at / "tags" / "folder").symlink_to(outside)
    (at / "metrics" / "linked").symlink_to(outside / "secret.txt")
    (at / "metrics" / "torn").write_text(f"{handmade.WHEN} 0.5 1\nwords\n{handmade.WHEN}\n99999999999999999999 1 1\n-5 1 1\n")
    os.mkfifo(at / "params" / "pipe")
    (at / "artifacts" / "stolen.txt").symlink_to(outside / "secret.txt")
    (at / "artifacts" / "folder").symlink_to(outside)
    (at / "artifacts" / "back\\slash.txt").write_text("not a path that is taken")

    elsewhere = handmade.filled(tmp_path / "other", 0xF2, points=2)
    (elsewhere / "artifacts" / "secret.txt").write_text(SECRET)
    (folder / elsewhere.name).symlink_to(elsewhere)
    handmade.run(folder, 0xF3, uri="file:///etc")
    gone = handmade.run(folder, 0xF4)
    (gone / "artifacts").rmdir()
    (gone / "artifacts").symlink_to(outside)
    (folder / "not-an-id").mkdir()
    (folder / "not-an-id" / "meta.yaml").write_text("run_id: not-an-id\n")
    model = root / "models" / "stolen" / "version-1"
    model.mkdir(parents=True)
    meta = f"name: stolen\ncreation_timestamp: {handmade.WHEN}\nlast_updated_timestamp: {handmade.WHEN}\n"
    (model.parent / "meta.yaml").write_text(meta)
    (model / "meta.yaml").write_text(f"{meta}version: 1\nsource: {outside.as_uri()}\nrun_id: {handmade.run_id(0xF1)}\n")

    report = brought(server, root, workspace)
    assert not (tmp_path / "touched").exists()
    check_nothing_leaked(server)
    kinds = [skip["kind"] for skip in report["skipped"]]
    assert kinds.count("experiment") == 6
    assert (kinds.count("param"), kinds.count("tag"), kinds.count("metric")) == (2, 1, 1)
    assert (kinds.count("metric point"), kinds.count("file"), kinds.count("artifact folder")) == (4, 3, 2)
    assert (kinds.count("run"), kinds.count("model file")) == (1, 1)
    run = server.ok("GET", f"/runs/{handmade.run_id(0xF1)}")
    assert (run["status"], run["params"]) == ("Completed", {"number": str(0xF1)})
    assert {key: metric["count"] for key, metric in run["metrics"].items()} == {"acc": 2, "loss": 2, "torn": 1}
    assert server.get(f"/runs/{handmade.run_id(0xF2)}").status_code == 404
    uri = server.request("GET", f"/workspaces/{workspace}/runs").json()["runs"]
    assert {one["id"] for one in uri} == {handmade.run_id(number) for number in (0xF1, 0xF3, 0xF4)}


@pytest.mark.parametrize(
    "source", ["file:///etc", "/etc/passwd", "not-copied", "C:\\models", "mlflow-artifacts://host/x", "runs:/../x"]
)
def test_versions_may_not_name_paths_of_disks(server: LiveServer, workspace: str, source: str):
    version = {"number": 1, "source": source, "location": "models:/x/1", "created_at": 1, "updated_at": 1}
    body = {"name": "x", "imported_from": "file:///store", "created_at": 1, "updated_at": 1, "versions": [version]}
    for fields in ({}, {"source": "models:/x/1", "location": source}):
        changed = {**body, "versions": [{**version, **fields}]}
        answer = server.request("PUT", f"/workspaces/{workspace}/imports/models", json=changed)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_source")
