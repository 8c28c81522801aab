"""HTTP by the standard library, against the real server and against servers that misbehave."""

from __future__ import annotations

import hashlib
import http.server
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlws.sdk import Workspace
from jupyter_mlws.sdk.connection import Answer, Connections, NoAnswer
from jupyter_mlws.sdk.errors import BadInput, NotFound, ServerAway, Unauthenticated
from tests.live import LiveServer
from tests.sdk.test_runs import make_runs


@contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server whose connections are handed to `answer`."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/mlws"
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def client(url: str, timeout: float = 5) -> Connections:
    return Connections(url, direct=True, timeout=timeout)


def test_a_connection_is_used_again(ws: Workspace) -> None:
    ws.show()
    connections = ws.transport._connections()
    first = connections._idle[0]
    sock = first.sock
    ws.show()
    with pytest.raises(NotFound):
        ws.runs.show("0" * 32)
    assert connections._idle == [first]
    assert first.sock is sock


def test_threads_do_not_disturb_each_other(ws: Workspace) -> None:
    ids = make_runs(ws, "threads", [1.0, 2.0, 3.0])
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda n: ws.runs.show(ids[n % 3]).id, range(60)))
    assert found == [ids[n % 3] for n in range(60)]
    # A download that is not read to its end holds its own connection.
    ws.transport.ask("PUT", f"/runs/{ids[0]}/environment", dict, body={"language": "python"})
    pieces = ws.transport.download("/openapi.json", {})
    next(pieces)
    assert ws.runs.show(ids[1]).id == ids[1]
    assert b"".join(pieces) == b""


def test_a_connection_that_the_server_closed_is_not_used() -> None:
    asked = []

    def once(connection: socket.socket) -> None:
        asked.append(connection.recv(65536))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with answering(once) as url:
        connections = client(url)
        for _ in range(3):  # the server closes without a word after each answer
            assert connections.ask("POST", "/x", {}, b"body", 5).content == b"ok"
            time.sleep(0.05)
        connections.close()
    assert len(asked) == 3


BROKEN = {
    "nothing": b"",
    "half a line": b"HTTP/1.1 2",
    "no HTTP": b"SSH-2.0-OpenSSH_9\r\n\r\n",
    "too short": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
    "half a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nshort",
}


@pytest.mark.parametrize("said", BROKEN)
def test_half_an_answer_is_none(said: str) -> None:
    def broken(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(BROKEN[said])

    with answering(broken) as url:
        with pytest.raises(NoAnswer) as failure:
            client(url).ask("GET", "/x", {}, None, 5)
        assert (failure.value.never_sent, failure.value.slow) == (False, False)
        with pytest.raises(NoAnswer):
            list(client(url).stream("/x", {}))
        with pytest.raises(ServerAway, match="cannot be reached"), Workspace(url=url) as ws:
            ws.create("never-twice")


def test_a_server_that_is_slow_is_told_from_one_that_is_away() -> None:
    done = threading.Event()

    def wait(connection: socket.socket) -> None:
        connection.recv(65536)
        done.wait(10)

    with answering(wait) as url:
        start = time.monotonic()
        with pytest.raises(NoAnswer) as failure:
            client(url).ask("GET", "/x", {}, None, 0.2)
        assert failure.value.slow
        assert time.monotonic() - start < 3
        done.set()
    with pytest.raises(NoAnswer) as failure:
        client(url).ask("GET", "/x", {}, None, 5)
    assert failure.value.never_sent


def test_a_refusal_in_the_middle_of_a_body_is_read() -> None:
    def refuse(connection: socket.socket) -> None:
        connection.recv(1024)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig")
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(1)
        try:
            while connection.recv(1 << 20):
                pass
        except OSError:
            pass

    with answering(refuse) as url:
        body = (b"x" * (1 << 20) for _ in range(64))
        answer = client(url).ask("PUT", "/x", {"Content-Length": str(64 << 20)}, body, 5)
    assert (answer.status, answer.content) == (413, b"big")


def test_a_file_that_changes_while_it_is_sent(ws: Workspace, tmp_path: Path) -> None:
    digest = hashlib.sha256(b"abc").hexdigest()
    for pieces, size in (([b"abc", b"more"], 3), ([b"ab"], 3)):
        with pytest.raises(BadInput, match="changed while"):
            ws.transport.upload(f"{ws.path}/blobs/{digest}", iter(pieces), size)
    ws.transport.upload(f"{ws.path}/blobs/{digest}", iter([b"a", b"bc"]), 3)


def test_large_files_go_piece_by_piece(ws: Workspace) -> None:
    content, run_id = os.urandom(3 << 20), make_runs(ws, "large", [1.0])[0]
    ws.transport.upload(
        f"/runs/{run_id}/artifacts/content?path=big.bin",
        (content[n : n + 999] for n in range(0, len(content), 999)),
        len(content),
    )
    pieces = list(ws.transport.download(f"/runs/{run_id}/artifacts/content", {"path": "big.bin"}))
    assert b"".join(pieces) == content
    assert max(map(len, pieces)) <= 1 << 20
    with pytest.raises(NotFound, match="absent"):
        list(ws.transport.download(f"/runs/{run_id}/artifacts/content", {"path": "absent.bin"}))


class Proxy(http.server.BaseHTTPRequestHandler):
    """Notes what it is asked, and answers itself."""

    seen: list[tuple[str, str | None]] = []  # noqa: RUF012 - one list for the class

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers.get("Proxy-Authorization")))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"workspaces": []}')

    def do_CONNECT(self) -> None:
        self.seen.append((self.path, None))
        self.send_error(502)

    def log_message(self, *_: Any) -> None:
        pass


def test_proxies_of_the_environment_are_used_for_other_machines(clean_env: pytest.MonkeyPatch) -> None:
    httpd = http.server.HTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    try:
        for name in ("http_proxy", "https_proxy"):
            clean_env.setenv(name, f"http://me:p%40ss@127.0.0.1:{httpd.server_port}")
        clean_env.setenv("no_proxy", "inside.example")
        with Workspace(url="http://far.example/base", token="t") as far:
            assert far.list() == []
        assert Proxy.seen == [("http://far.example/base/mlws/api/v1/workspaces?archived=false", "Basic bWU6cEBzcw==")]
        with pytest.raises(ServerAway, match="cannot be reached"), Workspace(url="https://far.example/", token="t") as far:
            far.list()
        assert Proxy.seen[1][0] == "far.example:443"
        with pytest.raises(ServerAway), Workspace(url="http://inside.example/", token="t") as inside:
            inside.list()
        assert len(Proxy.seen) == 2
        clean_env.setenv("http_proxy", "socks5://me:secret@127.0.0.1:1")
        with pytest.raises(ServerAway, match="socks5") as failure, Workspace(url="http://far.example/", token="t") as far:
            far.list()
        assert "secret" not in str(failure.value)
    finally:
        httpd.shutdown()
        httpd.server_close()


def test_a_token_that_is_not_known_is_told_to_programs(server: LiveServer, clean_env: pytest.MonkeyPatch) -> None:
    for token, words in (("mlws_wrong", "does not know the token in `token`"), ("", "asks for a token, and `token` is empty")):
        with pytest.raises(Unauthenticated) as failure, Workspace(url=server.url, token=token) as stranger:
            stranger.show()
        assert words in str(failure.value)
        assert "jupyter server list" in str(failure.value)
        assert "Sign in" not in str(failure.value)


def test_the_answer_of_a_stream_comes_first(server: LiveServer) -> None:
    connections = client(server.url)
    headers = {"Authorization": f"Bearer {server.token}"}
    first, *rest = connections.stream("/mlws/api/v1/health", headers)
    assert isinstance(first, Answer)
    assert (first.ok, first.content, b"".join(piece for piece in rest if isinstance(piece, bytes))) == (
        True,
        b"",
        b'{"status":"ok"}',
    )
    (refused,) = connections.stream("/mlws/api/v1/nowhere", headers)
    assert isinstance(refused, Answer)
    assert (refused.status, b"not_found" in refused.content) == (404, True)
    connections.close()
