"""A headless server ends when nobody needs it, whatever became of the requests that it got."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.live import LiveServer
from tests.servers import lean, until

IDLE_S = 4


def break_off(server: LiveServer, method: str, path: str) -> None:
    """A request whose client goes away in the middle of its body."""
    head = [
        f"{method} /mlws/api/v1{path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {server.token}",
        "Content-Length: 1000",
    ]
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as sending:
        sending.sendall(("\r\n".join(head) + "\r\n\r\n").encode() + b'{"name')


def test_requests_that_break_off_keep_no_server_alive(tmp_path: Path):
    options = ["--MlwsApp.headless=True", f"--MlwsApp.idle_timeout_s={IDLE_S}"]
    server = lean(tmp_path / "headless", options=options).start()
    try:
        run_id = server.ok("POST", "/workspaces/default/runs", {})["id"]
        server.ok("POST", f"/runs/{run_id}/end", {"status": "Completed"})
        break_off(server, "POST", "/workspaces/default/runs")
        break_off(server, "PUT", f"/runs/{run_id}/artifacts/content?path=a.bin")
        assert server.process is not None
        until(lambda: server.process is not None and server.process.poll() is not None, 15 * IDLE_S, "it ends when it is idle")
    finally:
        server.stop()
