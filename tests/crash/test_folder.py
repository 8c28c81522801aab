"""What happens to the data folder itself: half uploads, damaged addresses, a removed lock, a full disk."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.live import LiveServer
from tests.servers import lean, owns, pid_of, until


@pytest.mark.slow
def test_an_upload_that_a_kill_interrupts_leaves_nothing(tmp_path: Path):
    server = lean(tmp_path / "server").start()
    run_id = server.ok("POST", "/workspaces/default/runs", {})["id"]
    sent = threading.Event()

    def slowly() -> Iterator[bytes]:
        for number in range(100):
            yield b"x" * (1 << 20)
            if number == 20:
                sent.set()
            time.sleep(0.02)

    def upload() -> None:
        with pytest.raises(httpx.TransportError):
            server.request("PUT", f"/runs/{run_id}/artifacts/content", params={"path": "half"}, content=slowly())

    thread = threading.Thread(target=upload)
    thread.start()
    sent.wait(30)
    server.kill()
    thread.join(30)
    server.start()
    try:
        assert server.get(f"/runs/{run_id}/artifacts/content", params={"path": "half"}).status_code == 404
        assert server.ok("GET", f"/runs/{run_id}/artifacts")["entries"] == []
        whole = [path for path in (server.data_dir / "objects").rglob("*") if path.is_file() and not path.name.startswith("tmp-")]
        assert whole == [], "a half file never has the name of a whole one"
    finally:
        server.stop()


@pytest.mark.slow
def test_addresses_and_locks_that_somebody_damages(tmp_path: Path):
    folder = tmp_path / "server" / "data"
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    living = {"url": "http://127.0.0.1:9/mlws", "token": "mlws_x", "pid": os.getpid(), "host": "h", "started_at": 1}
    (folder / "owner.json").write_text(json.dumps(living))
    (folder / "owner.lock").write_text("")
    server = lean(tmp_path / "server").start()
    try:
        assert owns(server), "a pid that lives, of another process, holds nobody back: the lock counts"
        second = lean(tmp_path / "second", data_dir=server.data_dir).start()
        try:
            for damage in ("{", "[]", '{"url": 5}', "", "\0" * 100):
                (server.data_dir / "owner.json").write_text(damage)
                answer = second.get("/info")
                assert answer.status_code in (200, 503), answer.text
                until(lambda: owns(server), 10, "the owner mends its address")
            for _ in range(3):
                (server.data_dir / "owner.json").unlink()
                (server.data_dir / "owner.lock").unlink()
                until(lambda: owns(server) and (server.data_dir / "owner.lock").exists(), 10, "it stays the owner")
                one_owner(server, second)
            assert second.get("/info").status_code == 200
        finally:
            second.stop()
    finally:
        server.stop()


def one_owner(*servers: LiveServer) -> None:
    """Only one of these processes has the database open: the one whose address is told."""
    holders = [pid_of(server) for server in servers if any(name.endswith("mlws.db") for name in open_files(server))]
    assert holders == [servers[0].owner()["pid"]]


def open_files(server: LiveServer) -> list[str]:
    found = []
    for path in Path(f"/proc/{pid_of(server)}/fd").iterdir():
        with contextlib.suppress(OSError):
            found.append(str(path.readlink()))
    return found


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MB."""
    place = tmp_path / "small"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place)], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("a small disk can be mounted by root only")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)


@pytest.mark.slow
def test_a_full_disk_is_told_and_harms_nothing(tmp_path: Path, small_disk: Path):
    server = lean(tmp_path / "server", data_dir=small_disk / "data").start()
    try:
        run_id = server.ok("POST", "/workspaces/default/runs", {})["id"]
        done = server.submit(
            {"kind": "command", "command": "mkdir -p outputs; head -c 3000000 /dev/urandom > outputs/big; sleep 3"}
        )
        server.wait(done, "Running")
        refused = server.request(
            "PUT", f"/runs/{run_id}/artifacts/content", params={"path": "x"}, content=os.urandom(1 << 20) * 40, timeout=60
        )
        assert (refused.status_code, refused.json()["error"]["code"]) == (507, "storage_full")
        filler = small_disk / "filler"
        with pytest.raises(OSError, match="No space"):
            fill(filler)
        noted, answers = [], set()
        for _ in range(300):
            answer = server.post("/workspaces/default/runs", {"note": "n" * 2000})
            answers.add(answer.status_code)
            if answer.status_code < 300:
                noted.append(answer.json()["id"])
            else:
                assert "full" in answer.json()["error"]["message"], answer.text
        assert answers <= {200, 201, 503}
        assert 503 in answers
        assert server.get(f"/runs/{run_id}").status_code == 200, "reading goes on"
        filler.unlink()
        until(lambda: server.post("/workspaces/default/runs", {}).status_code < 300, 10, "writing goes on when there is room")
        assert server.wait(done, timeout=90)["status"] == "Completed", "the job's files were waited for"
        for kept in noted:
            assert server.get(f"/runs/{kept}").status_code == 200
    finally:
        server.stop()
    database = sqlite3.connect(small_disk / "data" / "mlws.db")
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
