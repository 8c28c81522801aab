"""Both tracking servers for the benches, ours and MLflow's own, each in a folder of its own; and how to fill their databases quickly."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.live import WITH_LAB, LiveServer, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

VENV = Path(__file__).parents[1] / ".venv-mlflow"
START_S = 90.0
METRICS = ("acc", "loss", "val_loss")
PARAMS = ("lr", "depth", "seed")


class Peer:
    """A tracking server that runs: where it is, how to sign in, and what it uses."""

    def __init__(self, name: str, url: str, headers: dict[str, str], pid: int, database: Path) -> None:
        self.name = name
        self.url = url
        self.headers = {"Content-Type": "application/json", **headers}
        self.pid = pid
        self.database = database

    def client(self) -> Client:
        """A connection that is kept."""
        return Client(self)

    def cpu(self) -> float:
        """CPU seconds that the server and its children have used."""
        return sum(_cpu(pid) for pid in _family(self.pid))

    def memory_mb(self) -> float:
        """Resident memory of the server and its children."""
        return sum(_resident(pid) for pid in _family(self.pid))


def stock_client(peer: Peer, program: str, *arguments: str) -> str:
    """What a program prints in the Python of the stock client; its tracking URI and what signs it in are set."""
    token = peer.headers.get("Authorization", "").removeprefix("Bearer ")
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "GIT_PYTHON_REFRESH": "quiet"}
    env = {**os.environ, "MLFLOW_TRACKING_URI": peer.url, "MLFLOW_TRACKING_TOKEN": token, **quiet}
    done = subprocess.run(
        [str(VENV / "bin" / "python"), "-c", program, *arguments], env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    return done.stdout


class Client:
    """One keep-alive connection, as lean as Python has it: what is measured is the server."""

    def __init__(self, peer: Peer) -> None:
        parts = urlsplit(peer.url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=600)
        self._connection.connect()
        # As stock clients have it: else the body waits 40 ms for the acknowledgement of the head.
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._prefix = parts.path
        self._headers = peer.headers

    def ask(self, method: str, path: str, body: Any = None) -> bytes:
        """The body of the answer, which must be 200."""
        raw = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        self._connection.request(method, f"{self._prefix}/api/2.0/mlflow/{path}", raw, self._headers)
        reply = self._connection.getresponse()
        answer = reply.read()
        if reply.status != 200:
            raise SystemExit(f"{method} {path}: {reply.status} {answer[:500]!r}")
        return answer

    def get(self, path: str) -> Any:
        """A GET, decoded."""
        return json.loads(self.ask("GET", path))

    def post(self, path: str, body: Any) -> Any:
        """A POST, decoded."""
        return json.loads(self.ask("POST", path, body) or b"{}")

    def run(self, experiment_id: str = "0") -> str:
        """A new run's id."""
        body = {"experiment_id": experiment_id, "start_time": int(time.time() * 1000), "user_id": "bench"}
        return str(self.post("runs/create", body)["run"]["info"]["run_id"])


@contextlib.contextmanager
def ours(folder: Path, database: Path | None = None, **options: Any) -> Iterator[Peer]:
    """Our server, with sign-in by a token such as kernels and jobs have."""
    server = LiveServer(folder, **options, extensions=WITH_LAB)
    if database is not None:
        target = server.data_dir / "mlws.db"
        target.parent.mkdir(parents=True, exist_ok=True)
        database.replace(target)
    server.start()
    try:
        if server.process is None:
            raise SystemExit("The server did not start.")
        token = server.ok("POST", "/tokens", {"workspace": "default"})["secret"]
        headers = {"Authorization": f"Bearer {token}"}
        yield Peer("jupyter_mlws", f"{server.url}/mlws", headers, server.process.pid, server.data_dir / "mlws.db")
    finally:
        server.stop()


@contextlib.contextmanager
def theirs(folder: Path, database: Path | None = None, workers: int = 1, url: str = "") -> Iterator[Peer]:
    """MLflow's server, without sign-in, as it comes: on SQLite, or on the database at `url`."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "mlflow.db"
    if database is not None:
        database.replace(target)
    port = free_port()
    command = [
        str(VENV / "bin" / "mlflow"), "server", "--backend-store-uri", url or f"sqlite:///{target}", "--port", str(port),
        "--workers", str(workers), "--artifacts-destination", str(folder / "artifacts"),
    ]  # fmt: skip
    env = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "PATH": f"{VENV / 'bin'}:{os.environ['PATH']}"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True)
    try:
        _wait(port, process, folder / "log")
        peer = Peer("mlflow server", f"http://127.0.0.1:{port}", {}, process.pid, target)
        _wait_until_idle(peer)
        yield peer
    finally:
        with contextlib.suppress(ProcessLookupError):  # it has ended, and said why
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                return
        if process.poll() is not None:
            break
        time.sleep(0.2)
    raise SystemExit(log.read_text()[-3000:])


def _wait_until_idle(peer: Peer) -> None:
    """MLflow's server answers while its helpers still start, which keeps two cores busy for half a minute: both would be slow."""
    end, used = time.monotonic() + START_S, -1.0
    while (now := peer.cpu()) - used > 0.05 and time.monotonic() < end:
        used = now
        time.sleep(2)


def fill_theirs(database: Path, runs: int) -> None:
    """Runs in MLflow's own tables, made by a server that was started once on this file."""
    rows = list(_made(runs))
    with contextlib.closing(sqlite3.connect(database)) as db, db:
        db.executemany(
            "INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, end_time, "
            "source_version, lifecycle_stage, artifact_uri, experiment_id) VALUES (?, ?, 'UNKNOWN', '', '', 'bench', 'FINISHED', ?, ?, "
            "'', 'active', ?, 0)",
            [(run_id, name, at, at + 1000, f"mlflow-artifacts:/0/{run_id}/artifacts") for run_id, name, at, _, _ in rows],
        )
        db.executemany(
            "INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid) VALUES (?, ?, ?, 1, 0, ?)",
            [(key, value, at, run_id) for run_id, _, at, metrics, _ in rows for key, value in metrics.items()],
        )
        db.executemany(
            "INSERT INTO metrics (key, value, timestamp, step, is_nan, run_uuid) VALUES (?, ?, ?, 1, 0, ?)",
            [(key, value, at, run_id) for run_id, _, at, metrics, _ in rows for key, value in metrics.items()],
        )
        db.executemany(
            "INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)",
            [(key, value, run_id) for run_id, _, _, _, params in rows for key, value in params.items()],
        )
        db.executemany(
            "INSERT INTO tags (key, value, run_uuid) VALUES ('mlflow.runName', ?, ?)",
            [(name, run_id) for run_id, name, *_ in rows],
        )


def fill_ours(database: Path, runs: int) -> None:
    """The same runs in our tables."""
    rows = list(_made(runs))
    with contextlib.closing(sqlite3.connect(database)) as db, db:
        db.execute(
            "INSERT INTO experiments (id, workspace_id, name, description, created_at, used_at, updated_at, version) "
            "VALUES (1, 1, 'Default', '', 1, 1, 1, 1)"
        )
        db.executemany(
            "INSERT INTO runs (id, workspace_id, experiment_id, name, kind, status, lifecycle, user, created_at, started_at, ended_at, "
            "source, note, inputs, outputs, version) VALUES (?, 1, 1, ?, 'interactive', 'Completed', 'active', 'bench', ?, ?, ?, '', '', "
            "'[]', '[]', 1)",
            [(run_id, name, at, at, at + 1000) for run_id, name, at, _, _ in rows],
        )
        points = [(run_id, key, value, at) for run_id, _, at, metrics, _ in rows for key, value in metrics.items()]
        db.executemany(
            "INSERT INTO metric_latest (run_id, experiment_id, key, value, is_nan, min_value, max_value, step, time, count, tail_count, "
            "untidy) VALUES (?1, 1, ?2, ?3, 0, ?3, ?3, 1, ?4, 1, 1, 0)",
            points,
        )
        db.execute("INSERT INTO metric_tail (series_id, step, time, value) SELECT id, step, time, value FROM metric_latest")
        db.executemany(
            "INSERT INTO run_params (run_id, key, value) VALUES (?, ?, ?)",
            [(run_id, key, value) for run_id, _, _, _, params in rows for key, value in params.items()],
        )
        db.execute("ANALYZE")


def _made(runs: int) -> Iterator[tuple[str, str, int, dict[str, float], dict[str, str]]]:
    """(id, name, start, metrics, params) of runs, always the same ones."""
    chance = random.Random(7)  # noqa: S311 - the same runs every time, not secrets
    for n in range(runs):
        metrics = {key: chance.random() for key in METRICS}
        params = {key: str(chance.randrange(10)) for key in PARAMS}
        yield f"{chance.getrandbits(128):032x}", f"run-{n}", 1_700_000_000_000 + n * 1000, metrics, params


def _family(pid: int) -> list[int]:
    found = [pid]
    for children in Path(f"/proc/{pid}/task").glob("*/children"):  # of each thread: the peer's helpers are started by one
        with contextlib.suppress(OSError):
            for child in children.read_text().split():
                found += _family(int(child))
    return found


def _cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0)


if not VENV.exists():
    sys.exit(f"MLflow is not there to compare with: run `make {VENV.name}/.stamp` first.")
