"""`mlws gc`: each kind of leftover is planted, found, told and removed, and what `du` says before and after is what it told."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from jupyter_mlws.domain.storage.holding import held
from tests.live import LiveServer, write_notebook

pytestmark = pytest.mark.slow
OLD = time.time() - 40 * 24 * 3600


def du(*folders: Path) -> int:
    """Bytes of files and folders, as du has them."""
    done = subprocess.run(["du", "-scb", *map(str, folders)], capture_output=True, check=True, text=True)
    return int(done.stdout.split()[-2])


def age(path: Path) -> None:
    """Let a file, or a folder with all in it, be old."""
    for one in (*path.rglob("*"), path):
        os.utime(one, (OLD, OLD), follow_symlinks=False)


def changed(server: LiveServer, statement: str, *values: int) -> None:
    """Change the database as nobody else may: while no server has it."""
    server.stop()
    with closing(sqlite3.connect(server.data_dir / "mlws.db")) as database:
        database.execute(statement, values)
        database.commit()


def kinds(report: dict[str, object]) -> dict[str, int]:
    found: list[dict[str, object]] = report["kinds"]  # type: ignore[assignment]
    return {str(one["kind"]): int(str(one["number"])) for one in found}


def plant(server: LiveServer) -> str:
    """A leftover of each kind, all of them old, and beside each one that is needed; the id of a job that is kept."""
    data = server.data_dir
    kept = server.submit({"kind": "command", "command": "mkdir outputs; echo kept > outputs/a.txt; echo new > new.txt"})
    ended = server.submit({"kind": "command", "command": "echo x > new.txt; mkdir outputs; echo y > outputs/b.txt"})
    gone = server.submit({"kind": "command", "command": "mkdir outputs; echo of the deleted run > outputs/c.txt"})
    write_notebook(server.root / "a" / "unused.ipynb", "1 + 1")
    unused = server.submit({"kind": "notebook", "notebook": "a/unused.ipynb"})
    for run_id in (kept, ended, gone, unused):
        server.wait(run_id, "Completed")
    saved = data / "saved"
    (data / "jobs" / gone).rename(saved)  # as a sweep that was cut short leaves it
    for run_id in (gone, unused):
        server.ok("DELETE", f"/runs/{run_id}")
        server.ok("DELETE", f"/runs/{run_id}?purge=true")
    saved.rename(data / "jobs" / gone)
    sent = b"sent for a job that was never submitted"
    digest = hashlib.sha256(sent).hexdigest()
    server.request("PUT", f"/workspaces/default/blobs/{digest}", content=sent)
    changed(server, "UPDATE blobs SET created_at = ?", int(OLD * 1000))
    for blob in (data / "objects").glob("??/*"):
        age(blob)
    orphan = data / "objects" / "ab" / ("c" * 62)
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"of no row")
    upload = orphan.with_name("tmp-" + "d" * 32)
    upload.write_bytes(b"cut off in the middle")
    (data / ".secrets.key.1.tmp").write_bytes(b"half a key")
    (data / "jobs" / kept / "progress.json.77.tmp").write_bytes(b"half")
    (data / "spool" / "1-0-ab.rejected").write_text(json.dumps({"why": "refused"}))
    (data / "spool" / "1-0-ab.000001.blob").write_bytes(b"an artifact without its record")
    (data / "spool" / "1-0-ab.000002.blob.part").write_bytes(b"half an artifact")
    halves = [path for folder in (data, data / "jobs" / kept) for path in folder.iterdir() if path.name.endswith(".tmp")]
    for path in (orphan, upload, *halves, *(data / "spool").iterdir()):
        age(path)
    for run_id in (ended, gone):
        age(data / "jobs" / run_id)
    young = orphan.with_name("e" * 62)
    young.write_bytes(b"an upload that has just come")
    server.start()
    return kept


def test_each_kind_is_found_told_and_removed_and_du_agrees(new_server: Callable[..., LiveServer]):
    server = new_server().start()
    kept = plant(server)
    folders = [server.data_dir / name for name in ("objects", "jobs", "spool")]
    expected = {"uploads": 1, "ended_jobs": 1, "gone_jobs": 1, "environments": 0, "temporary": 2, "rejected": 3}
    before = du(*folders) + (server.data_dir / ".secrets.key.1.tmp").stat().st_size
    planned = server.ok("POST", "/gc?dry_run=true")
    assert planned["dry_run"]
    assert {name: number for name, number in kinds(planned).items() if name != "files"} == expected
    assert du(*folders) + (server.data_dir / ".secrets.key.1.tmp").stat().st_size == before, "a dry run removes nothing"
    done = server.ok("POST", "/gc")
    assert done["kinds"] == planned["kinds"]
    assert kinds(done)["files"] >= 4, "of the deleted runs, of a file sent for nothing, and of no row"
    assert before - du(*folders) == done["bytes_freed"]
    assert not list(server.data_dir.glob(".*.tmp"))
    assert set(kinds(server.ok("POST", "/gc")).values()) == {0}
    assert [path.name for path in (server.data_dir / "jobs").iterdir()] == [kept]
    assert (server.data_dir / "objects" / "ab" / ("e" * 62)).exists(), "what is young stays"
    assert server.get(f"/runs/{kept}/artifacts/content?path=outputs/a.txt").text == "kept\n"
    assert server.ok("GET", f"/jobs/{kept}")["new_files"] == ["new.txt"]
    server.ok("POST", f"/jobs/{kept}/keep", {"path": "new.txt"})


def test_of_an_ended_job_whose_folder_went_all_is_there_but_what_it_left_unasked(new_server: Callable[..., LiveServer]):
    server = new_server().start()
    write_notebook(server.root / "n.ipynb", "print('printed')")
    run_id = server.submit({"kind": "notebook", "notebook": "n.ipynb"})
    server.wait(run_id, "Completed")
    other = server.submit({"kind": "command", "command": "echo printed; echo x > new.txt"})
    server.wait(other, "Completed")
    for one in (run_id, other):
        age(server.data_dir / "jobs" / one)
    assert kinds(server.ok("POST", "/gc"))["ended_jobs"] == 2
    assert list((server.data_dir / "jobs").iterdir()) == []
    for one in (run_id, other):
        assert server.ok("GET", f"/jobs/{one}/log")["text"] == "printed\n"
        assert server.ok("GET", f"/jobs/{one}/log?stream=system")["size"] > 0
    assert "printed" in json.dumps(server.ok("GET", f"/jobs/{run_id}/notebook"))
    assert server.ok("GET", f"/jobs/{other}")["new_files"] == []
    assert server.request("POST", f"/jobs/{other}/keep", json={"path": "new.txt"}).status_code == 404
    again = server.ok("POST", f"/jobs/{run_id}/rerun", {})["run"]["id"]
    server.wait(again, "Completed")


def test_while_the_store_is_copied_and_while_a_job_runs_nothing_of_them_goes(new_server: Callable[..., LiveServer]):
    server = new_server().start()
    orphan = server.data_dir / "objects" / "ab" / ("c" * 62)
    orphan.parent.mkdir()
    orphan.write_bytes(b"of no row")
    age(orphan)
    run_id = server.submit({"kind": "command", "command": "sleep 60"})
    server.wait(run_id, "Running")
    age(server.data_dir / "jobs" / run_id)
    with held(server.data_dir / "objects"):
        report = server.ok("POST", "/gc")
        assert report["held"]
        assert report["bytes_freed"] == 0
    assert orphan.exists()
    assert server.ok("POST", "/gc")["bytes_freed"] == len(b"of no row")
    assert (server.data_dir / "jobs" / run_id / "job.json").exists()
    server.ok("POST", f"/jobs/{run_id}/cancel")


def test_the_working_folder_goes_with_the_end_of_a_job_that_left_nothing_else(server: LiveServer):
    code = server.root / "worked"
    code.mkdir(exist_ok=True)
    (code / "data.txt").write_text("x")
    clean = server.submit({"kind": "command", "command": "mkdir -p outputs; cp data.txt outputs/", "code": "worked"})
    server.wait(clean, "Completed")
    left = server.submit({"kind": "command", "command": "cp data.txt copy.txt", "code": "worked"})
    server.wait(left, "Completed")
    deadline = time.monotonic() + 10
    while (server.data_dir / "jobs" / clean / "work").exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert (server.data_dir / "jobs" / clean / "user_logs" / "std_log.txt").exists()
    work = server.data_dir / "jobs" / left / "work"
    assert [path.name for path in work.rglob("copy.txt")] == ["copy.txt"], "it can be kept for seven days"
    assert (code / "data.txt").exists()


def test_the_folder_of_a_job_is_as_young_as_its_last_attempt(server: LiveServer):
    run_id = server.submit({"kind": "command", "command": "echo x > new.txt"})
    server.wait(run_id, "Completed")
    job = server.data_dir / "jobs" / run_id
    age(job)
    (job / "attempts" / "2").mkdir(parents=True)
    for path in (job / "attempts", job):  # a later attempt writes into its own folder alone
        os.utime(path, (OLD, OLD))
    server.ok("POST", "/gc?grace_s=3600")
    assert (job / "attempts" / "2").exists()
    age(job)
    server.ok("POST", "/gc?grace_s=3600")
    assert not job.exists()


def test_what_a_refused_record_names_stays_as_long_as_the_record(server: LiveServer):
    spool = server.data_dir / "spool"
    record, content = spool / "2-0-cd.000000.rejected", spool / "2-0-cd.000001.blob"
    record.write_text("{}")
    content.write_bytes(b"an artifact that was refused")
    two_days = time.time() - 2 * 24 * 3600
    for path in (record, content):
        os.utime(path, (two_days, two_days))
    server.ok("POST", "/gc")
    assert content.exists()
    age(spool)
    server.ok("POST", "/gc")
    assert not content.exists()
    assert not record.exists()


def test_a_grace_that_endangers_uploads_is_refused(server: LiveServer):
    answer = server.post("/gc?grace_s=10")
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "grace_s")
