"""A server that speaks the write routes over real HTTP, checks bodies against the wire types, and can be made to fail."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from jupyter_mlws.domain.environments.schemas import EnvironmentCapture
from jupyter_mlws.domain.runs.schemas import IODeclare, LogBatch, RunCreate, RunEnd, RunUpdate

KERNEL_PATH = Path(__file__).parents[2] / "jupyter_mlws" / "kernel_path"
if str(KERNEL_PATH) not in sys.path:
    sys.path.insert(0, str(KERNEL_PATH))

BODIES = {"log": LogBatch, "io": IODeclare, "end": RunEnd, "environment": EnvironmentCapture, "": RunUpdate}
TOKEN = "mlws_test"


class Refused(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        self.status, self.body = status, {"error": {"code": code, "message": message}}


class Tracker:
    """What the server holds: `runs` by id, and `requests`, a row (method, path, status) for each."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.runs: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, str, int]] = []
        self.fail = 0  # a status to answer everything with; -1 hangs, -2 is a stranger on the port
        self.token = TOKEN

    def only(self) -> dict[str, Any]:
        assert len(self.runs) == 1, list(self.runs)
        return next(iter(self.runs.values()))

    def find(self, run_id: str) -> dict[str, Any]:
        if run_id not in self.runs:
            raise Refused(404, "run_not_found", f"There is no run {run_id!r}.")
        return self.runs[run_id]

    def create(self, workspace: str, body: bytes) -> Any:
        new = msgspec.to_builtins(msgspec.json.decode(body, type=RunCreate))
        run = self.runs.setdefault(
            new["id"],
            {
                "create": new,
                "workspace": workspace,
                "params": {},
                "tags": {},
                "points": [],
                "batches": [],
                "artifacts": {},
                "snapshot": {},
            },
        )
        name = run["create"].get("name") or f"run-{len(self.runs)}"
        return {"id": new["id"], "name": name, "experiment_name": run["create"].get("experiment", "Default")}

    def log(self, run: dict[str, Any], body: dict[str, Any]) -> Any:
        if body["batch_id"] in run["batches"]:
            return {"stored": 0}
        for key, value in body.get("params", {}).items():
            if run["params"].get(key, value) != value:
                raise Refused(409, "param_conflict", f"The param {key!r} has another value already.")
        run["params"].update(body.get("params", {}))
        run["tags"].update(body.get("tags", {}))
        run["points"] += [(p["key"], p["value"], p.get("step", 0), p["time"]) for p in body.get("metrics", [])]
        run["batches"].append(body["batch_id"])
        return {"stored": len(body.get("metrics", []))}

    def read(self, path: str, query: str) -> Any:
        if path == "/health":
            return {"status": "ok"}
        if path == "/info":
            return {"version": "1.2.3"}
        if match := re.fullmatch(r"/workspaces/([^/]+)", path):
            return {"name": match[1]}
        if re.fullmatch(r"/workspaces/([^/]+)/runs", path):
            return {"runs": self.listed(query)}
        if re.fullmatch(r"/workspaces/([^/]+)/experiments", path):
            names = sorted({run["create"].get("experiment", "Default") for run in self.runs.values()})
            return {"experiments": [{"id": name, "name": name} for name in names]}
        if match := re.fullmatch(r"/runs/([0-9a-f]{32})", path):
            return {"id": match[1], "status": self.find(match[1]).get("end", {}).get("status", "Running")}
        raise Refused(404, "not_found", "There is no such route.")

    def handle(self, method: str, target: str, body: bytes) -> Any:
        parts = urlsplit(target)
        path = parts.path.partition("/mlws/api/v1")[2]
        if method == "GET":
            return self.read(path, parts.query)
        if match := re.fullmatch(r"/workspaces/([^/]+)/runs", path):
            return self.create(match[1], body)
        if match := re.fullmatch(r"/runs/([0-9a-f]{32})/(artifacts|snapshot)/content", path):
            self.find(match[1])[match[2]][parse_qs(parts.query)["path"][0]] = body
            return {"path": "", "size": len(body), "sha256": ""}
        match = re.fullmatch(r"/runs/([0-9a-f]{32})/?(log|io|end|environment|)", path)
        if not match:
            raise Refused(404, "not_found", "There is no such route.")
        run, op = self.find(match[1]), match[2]
        decoded = msgspec.to_builtins(msgspec.json.decode(body, type=BODIES[op]))
        if op == "log":
            return self.log(run, decoded)
        if op == "end" and "end" in run:
            raise Refused(409, "status_conflict", "The run has ended.")
        run.setdefault("io", []).append(decoded) if op == "io" else run.__setitem__(op or "update", decoded)
        return {"id": match[1]}

    def listed(self, query: str) -> list[dict[str, Any]]:
        wanted = parse_qs(query).get("experiment_id")
        every = reversed(self.runs.items())
        found = [(key, run) for key, run in every if not wanted or run["create"].get("experiment") == wanted[0]]
        return [
            {
                "id": key,
                "name": run["create"].get("name", key[:6]),
                "status": run.get("end", {}).get("status", "Running"),
                "started_at": run["create"]["started_at"],
                "duration_ms": 1500,
                "metrics": {p[0]: {"last": p[1]} for p in run["points"]},
            }
            for key, run in found
        ]


def handler_of(tracker: Tracker) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if tracker.fail == -1:
                time.sleep(30)
            status, reply, kind = 200, b"", "application/json"
            if tracker.fail == -2:
                status, reply, kind = 404, b"<h1>Not here</h1>", "text/html"
            elif tracker.fail:
                status, reply = tracker.fail, b'{"error":{"code":"made","message":"made to fail"}}'
            elif self.headers.get("Authorization") != f"Bearer {tracker.token}":
                status, reply = 401, b'{"error":{"code":"unauthenticated","message":"Who are you?"}}'
            else:
                status, reply = self.decided(body)
            with tracker.lock:
                tracker.requests.append((self.command, self.path, status))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def decided(self, body: bytes) -> tuple[int, bytes]:
            with tracker.lock:
                try:
                    return 200, json.dumps(tracker.handle(self.command, self.path, body)).encode()
                except Refused as refused:
                    return refused.status, json.dumps(refused.body).encode()
                except (msgspec.MsgspecError, ValueError) as error:
                    return 400, json.dumps({"error": {"code": "bad_input", "message": str(error)}}).encode()

        do_GET = do_POST = do_PUT = do_PATCH = answer  # noqa: N815  # http.server's names

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


class Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, tracker: Tracker, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), handler_of(tracker))
        self.tracker = tracker
        self.sockets: list[Any] = []
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/base/mlws"

    def process_request(self, request: Any, client_address: Any) -> None:
        self.sockets.append(request)
        super().process_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass

    def stop(self) -> None:
        """As a killed server: the port closes, and so do the kept connections."""
        self.shutdown()
        self.server_close()
        for request in self.sockets:
            try:
                request.shutdown(2)
            except OSError:
                continue


@pytest.fixture
def tracker() -> Tracker:
    return Tracker()


@pytest.fixture
def server(tracker):
    made = Server(tracker)
    yield made
    made.stop()


@pytest.fixture
def start_server(tracker):
    """Starts another server over the same data, as after a restart."""
    made = []

    def start(port: int = 0) -> Server:
        made.append(Server(tracker, port))
        return made[-1]

    yield start
    for each in made:
        each.stop()


@pytest.fixture
def places(tmp_path, monkeypatch):
    """A clean environment: no server named, data below tmp_path."""
    for name in list(os.environ):
        if name.startswith(("MLWS_", "JPY_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("MLWS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("MLWS_SPOOL_DIR", str(tmp_path / "spool"))
    (tmp_path / "data").mkdir()
    return tmp_path


@pytest.fixture
def mlws(places, monkeypatch):
    """The client in this process, with nothing left of the tests before; no server."""
    import mlws
    from mlws import sender, snapshot, tracking
    from mlws.errors import ServerAway

    def forget():
        snapshot._wait_at_exit()
        snapshot._threads.clear()
        old = sender._sender
        if old is not None:
            with old._changed:
                old._stopping = True
                old.away = old.away or ServerAway("the test is over")
                old._changed.notify_all()
            old._wake.set()
            old._full.set()
            for thread in old._threads:
                thread.join(3)
            old.outbox.abandon()
        sender._sender = None
        tracking._stacks = tracking._Stacks()

    forget()
    monkeypatch.setattr(sender, "FIRST_RETRY_S", 0.05)
    yield mlws
    forget()


@pytest.fixture
def online(mlws, server, monkeypatch):
    """The client with the server's address in its environment, as in our kernels."""
    monkeypatch.setenv("MLWS_URL", server.url)
    monkeypatch.setenv("MLWS_TOKEN", TOKEN)
    return mlws


@pytest.fixture
def owner_file(places):
    def write(url: str, token: str = TOKEN, **more: object) -> None:
        path = places / "data" / "owner.json"
        path.with_suffix(".new").write_text(json.dumps({"url": url, "token": token, "pid": 1, **more}))
        path.with_suffix(".new").rename(path)

    return write


@pytest.fixture
def python(places):
    """Runs Python code with only the kernel path on PYTHONPATH."""

    def run(code: str, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code, *args],
            env={**os.environ, "PYTHONPATH": str(KERNEL_PATH), **env},
            cwd=places,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


@pytest.fixture
def until():
    """Waits for something to become true."""

    def wait(true, seconds: float = 10.0) -> None:
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, "it did not become true"
            time.sleep(0.01)

    return wait
