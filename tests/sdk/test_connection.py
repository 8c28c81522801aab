"""Finding the server, starting one, and what happens where there is none."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlws import connect
from jupyter_mlws.sdk import NotFound, ServerNotFound, Workspace
from jupyter_mlws.sdk.discovery import from_owner_file, is_alive
from jupyter_mlws.sdk.errors import ServerAway, StartFailed, Unauthenticated
from tests.live import LiveServer, free_port


def test_without_a_server_it_says_what_to_do(clean_env: pytest.MonkeyPatch, tmp_path: Path) -> None:
    clean_env.setenv("MLWS_DATA_DIR", str(tmp_path / "empty"))
    with pytest.raises(ServerNotFound, match="start_or_connect"):
        Workspace().show()
    # Left by a server that was killed: its process is gone.
    (tmp_path / "empty").mkdir()
    owner = {"url": "http://127.0.0.1:9/mlws", "token": "mlws_x", "pid": 2**22 + 1, "host": socket.gethostname()}
    (tmp_path / "empty" / "owner.json").write_text(json.dumps(owner))
    with pytest.raises(ServerNotFound):
        connect()
    for damaged in ("", "{", "[]", '{"url": 3}'):
        (tmp_path / "empty" / "owner.json").write_text(damaged)
        assert from_owner_file() is None


@pytest.mark.parametrize("url", ["nonsense", "ftp://x/mlws", "http://", "http://127.0.0.1:99999/", "http://[::1"])
def test_an_address_that_is_none(clean_env: pytest.MonkeyPatch, url: str) -> None:
    clean_env.setenv("MLWS_URL", url)
    with pytest.raises(ServerAway, match="MLWS_URL"):
        Workspace().show()


def test_a_named_server_is_never_replaced(server: LiveServer, clean_env: pytest.MonkeyPatch) -> None:
    clean_env.setenv("MLWS_DATA_DIR", str(server.data_dir))
    clean_env.setenv("MLWS_URL", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(ServerAway, match="cannot be reached"), Workspace() as away:
        away.show()
    clean_env.setenv("MLWS_URL", server.url)
    clean_env.setenv("MLWS_TOKEN", "mlws_wrong")
    with pytest.raises(Unauthenticated, match="MLWS_TOKEN"), Workspace() as stranger:
        stranger.show()
    clean_env.setenv("MLWS_TOKEN", server.token)
    with connect() as found:
        assert found.name == "default"
    with pytest.raises(NotFound):
        connect("absent")
    clean_env.setenv("MLWS_WORKSPACE", "from-env")
    assert Workspace().name == "from-env"


@pytest.fixture
def stranger() -> Iterator[str]:
    """A server that is no workspace."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(404)
            self.end_headers()
            self.wfile.write(b"<html>not here")

        def log_message(self, *_: Any) -> None:
            pass

    httpd = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    httpd.server_close()


def test_something_else_at_the_address(stranger: str, clean_env: pytest.MonkeyPatch) -> None:
    with pytest.raises(ServerAway, match="no ML workspace"), Workspace(url=stranger) as ws:
        ws.show()


@pytest.mark.slow
def test_a_server_is_started_once_serves_and_ends_when_idle(clean_env: pytest.MonkeyPatch, tmp_path: Path) -> None:
    clean_env.setenv("MLWS_DATA_DIR", str(tmp_path / "data"))
    clean_env.setenv("MLWS_IDLE_TIMEOUT_S", "3")
    for name in ("CONFIG", "RUNTIME", "DATA"):
        clean_env.setenv(f"JUPYTER_{name}_DIR", str(tmp_path / name))
    with Workspace.start_or_connect() as ws, Workspace() as second:
        job = ws.jobs.create(command="sleep 6; echo awake")
        server = from_owner_file()
        assert server is not None
        assert server.headless
        second.show()
        assert second.transport.server == server
        assert oct((tmp_path / "data" / "owner.json").stat().st_mode)[-3:] == "600"
        assert server.pid is not None
        time.sleep(5)  # longer than the time after which it ends when idle: a job runs
        assert is_alive(server.pid)
        assert job.wait(timeout=30).status.value == "Completed"
        deadline = time.monotonic() + 30
        while is_alive(server.pid) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not is_alive(server.pid)
        assert from_owner_file() is None
        # The one that is started next has all of it; the client finds it by itself.
        assert "awake" in ws.jobs.full_log(job.id)
        restarted = from_owner_file()
        assert restarted is not None
        assert restarted.pid not in (None, server.pid)
        os.kill(restarted.pid or 0, signal.SIGTERM)


@pytest.mark.slow
def test_a_headless_server_yields_to_a_real_one(new_server: Any, clean_env: pytest.MonkeyPatch, tmp_path: Path) -> None:
    live = new_server()
    for name, value in live.env.items():
        clean_env.setenv(name, value)
    with Workspace.start_or_connect() as ws:
        job = ws.jobs.create(command="for n in 1 2 3 4 5 6 7 8; do echo line $n; sleep 1; done")
        headless = from_owner_file()
        assert headless is not None
        assert headless.headless
        live.start()
        deadline = time.monotonic() + 30
        while (owner := from_owner_file()) is None or owner.headless:
            assert time.monotonic() < deadline, live.log()[-2000:]
            time.sleep(0.1)
        assert owner.url == f"{live.url}/mlws"
        # The job lived through it, and the client that began with the old server goes on with the new one.
        done = ws.jobs.wait(job.id, timeout=60)
        assert done.status.value == "Completed"
        assert [line for line in ws.jobs.full_log(job.id).split("\n") if line] == [f"line {n}" for n in range(1, 9)]
        assert headless.pid is not None
        deadline = time.monotonic() + 20
        while is_alive(headless.pid):
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_a_data_folder_that_cannot_be(clean_env: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    clean_env.setenv("MLWS_DATA_DIR", str(tmp_path / "file" / "data"))
    with pytest.raises(StartFailed, match="MLWS_DATA_DIR"):
        Workspace.start_or_connect().show()
