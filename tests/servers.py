"""What tests with several servers share: lean servers, waiting, looking at processes, WebSockets and events as text."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from tests.live import LiveServer

T = TypeVar("T")

SOAK = os.environ.get("MLWS_SOAK") == "1"


def lean(
    folder: Path,
    *,
    data_dir: Path | None = None,
    options: list[str] | None = None,
    base_url: str = "/",
    environment: dict[str, str] | None = None,
) -> LiveServer:
    """A server without the Lab, whose folder is made, too; not started."""
    folder.mkdir(parents=True, exist_ok=True)
    return LiveServer(folder, data_dir=data_dir, options=options, base_url=base_url, environment=environment)


def seeded(name: str) -> random.Random:
    """Random numbers whose seed is printed, and taken from MLWS_SEED to repeat a failure."""
    seed = int(os.environ.get("MLWS_SEED") or random.SystemRandom().randrange(2**32))
    say(f"{name}: MLWS_SEED={seed}")
    return random.Random(seed)


def say(text: str) -> None:
    """Print what a run of a test measured, or how it can be repeated."""
    print(text)


def until(look: Callable[[], T | None], timeout: float, what: str = "") -> T:
    """The first true value that `look` gives."""
    deadline = time.monotonic() + timeout
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {timeout} s: {what or look}"
        time.sleep(0.05)


def pid_of(server: LiveServer) -> int:
    """Its process."""
    assert server.process is not None
    return server.process.pid


def owns(server: LiveServer) -> bool:
    """Whether the owner's address is that of this server."""
    try:
        return bool(server.owner()["pid"] == pid_of(server))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def processes_of(data_dir: Path) -> list[tuple[int, str]]:
    """Living processes of jobs below a data folder: by their environment, and supervisors by their command line."""
    found = []
    mark = f"{data_dir}/jobs/".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            line = (entry / "cmdline").read_bytes()
            if state != "Z" and (b"MLWS_JOB_DIR=" + mark in (entry / "environ").read_bytes() or mark in line):
                found.append((int(entry.name), line.replace(b"\0", b" ").decode(errors="replace")))
        except OSError:
            continue
    return found


def peak_mb(pid: int) -> float:
    """The largest resident size that a process ever had."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmHWM")


def rss_mb(pid: int) -> float:
    """The resident size of a process now."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def kill(pid: int) -> None:
    """`kill -9`."""
    os.kill(pid, signal.SIGKILL)


async def closed(connection: WebSocketClientConnection) -> None:
    """Close a websocket, and see it closed: its loop may end right after, and a socket that is left over is complained of."""
    connection.close()
    with contextlib.suppress(asyncio.TimeoutError):
        while await asyncio.wait_for(connection.read_message(), 5) is not None:
            pass


@asynccontextmanager
async def socket_of(
    server: LiveServer, *, since: int | None = None, token: str | None = None, headers: dict[str, str] | None = None
) -> AsyncIterator[WebSocketClientConnection]:
    """The stream of changes as browsers have it."""
    query = "" if since is None else f"?since={since}"
    url = f"{server.url}/mlws/api/v1/changes/ws{query}".replace("http", "ws", 1)
    all_headers = {"Authorization": f"Bearer {token or server.token}", **(headers or {})}
    connection = await websocket_connect(HTTPRequest(url, headers=all_headers))
    try:
        yield connection
    finally:
        await closed(connection)


async def hints(
    connection: WebSocketClientConnection, seconds: float, stop: Callable[[dict[str, Any]], bool]
) -> list[dict[str, Any]]:
    """What a stream tells within some seconds, up to the hint that `stop` likes."""
    found: list[dict[str, Any]] = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            message = await asyncio.wait_for(connection.read_message(), max(deadline - time.monotonic(), 0.01))
        except asyncio.TimeoutError:
            break
        if message is None:
            break
        found.append(json.loads(message))
        if stop(found[-1]):
            break
    return found
