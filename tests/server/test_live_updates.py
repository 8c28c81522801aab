"""Live updates by WebSocket, server-sent events and polling: complete, filtered, coalesced, and no activity."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.orm import Session
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from jupyter_mlws.db.database import Database
from jupyter_mlws.db.engine import sqlite_url
from jupyter_mlws.db.outbox import Change, record_change
from jupyter_mlws.server.hub import QUEUE_LIMIT, Hub, Subscriber
from jupyter_mlws.server.schema import ensure_schema
from tests.live import LiveServer
from tests.servers import hints, lean, say, socket_of, until

MANY = 2_500


def record_many(session: Session) -> None:
    for number in range(MANY):
        record_change(session, "default", "run", f"{number:032x}")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server with more changes behind it than are read at once."""
    server = lean(tmp_path_factory.mktemp("live"))
    server.data_dir.mkdir(mode=0o700)
    database = Database(sqlite_url(server.data_dir / "mlws.db"))
    ensure_schema(database.writer_engine)
    database.start()
    database.write_sync(record_many)
    database.close()
    server.start()
    yield server
    server.stop()


def new_run(server: LiveServer, workspace: str = "default") -> str:
    run_id: str = server.ok("POST", f"/workspaces/{workspace}/runs", {})["id"]
    return run_id


def events(server: LiveServer, query: dict[str, Any], enough: int, token: str | None = None) -> list[dict[str, Any]]:
    """The first events of the stream."""
    found = []
    headers = {"Authorization": f"Bearer {token or server.token}"}
    with httpx.stream("GET", f"{server.url}/mlws/api/v1/changes/stream", params=query, headers=headers, timeout=20) as answer:
        assert answer.status_code == 200
        for line in answer.iter_lines():
            if line.startswith("data: "):
                found.append(json.loads(line[6:]))
                if len(found) >= enough:
                    break
    return found


async def test_who_comes_late_gets_everything_once(live: LiveServer):
    last = new_run(live)
    async with socket_of(live, since=0) as stream:
        seen = await hints(stream, 20, lambda hint: hint["id"] == last)
    counted = Counter(hint["id"] for hint in seen if hint["kind"] == "run")
    assert all(counted[f"{n:032x}"] == 1 for n in range(MANY))
    assert [hint["seq"] for hint in seen] == sorted(hint["seq"] for hint in seen)
    told = events(live, {"since": 0}, MANY)
    assert len({hint["id"] for hint in told}) == MANY
    polled: list[str] = []
    after = 0
    while page := live.ok("GET", "/changes", params={"after": after, "limit": 1000})["changes"]:
        polled += [hint["id"] for hint in page if hint["kind"] == "run"]
        after = page[-1]["seq"]
    assert {f"{n:032x}" for n in range(MANY)} < set(polled)
    assert live.ok("GET", "/changes", params={"after": after})["changes"] == []


async def test_all_tabs_are_told(live: LiveServer):
    async with socket_of(live) as one, socket_of(live) as other:
        run_id = new_run(live)
        for stream in (one, other):
            assert (await hints(stream, 10, lambda hint: hint["id"] == run_id))[-1]["workspace"] == "default"


async def test_strangers_are_refused(live: LiveServer):
    for token in ("wrong", "mlws_" + "x" * 43):
        with pytest.raises(HTTPClientError) as refused:
            async with socket_of(live, token=token):
                pass
        assert refused.value.code in (401, 403)


async def test_another_site_cannot_listen_by_the_cookie_of_a_browser(live: LiveServer):
    """A token in a header is something no other site has; the cookie comes along by itself."""
    async with httpx.AsyncClient() as client:
        await client.get(f"{live.url}/api/status", params={"token": live.token})
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    address = f"{live.url}/mlws/api/v1/changes/ws".replace("http", "ws", 1)
    connection = await websocket_connect(HTTPRequest(address, headers={"Cookie": cookie, "Origin": live.url}))
    connection.close()
    for origin in ("https://evil.example", f"{live.url}.evil.example", "null"):
        with pytest.raises(HTTPClientError) as refused:
            await websocket_connect(HTTPRequest(address, headers={"Cookie": cookie, "Origin": origin}))
        assert refused.value.code == 403


async def test_a_token_sees_its_own_workspace_only(live: LiveServer):
    live.post("/workspaces", {"name": "other"})
    token = live.ok("POST", "/tokens", {"workspace": "other"})["secret"]
    since = live.ok("GET", "/info")["seq"]
    async with socket_of(live, since=since, token=token) as stream:
        hidden, shown = new_run(live), new_run(live, "other")
        seen = await hints(stream, 10, lambda hint: hint["id"] == shown)
        assert seen[-1]["id"] == shown
        assert {hint["workspace"] for hint in seen} == {"other"}
    async with socket_of(live, since=since, token=token) as stream:
        assert {hint["workspace"] for hint in await hints(stream, 10, lambda hint: hint["id"] == shown)} == {"other"}
    assert all(hint["workspace"] == "other" for hint in events(live, {"since": since}, 1, token))
    polled = live.ok("GET", "/changes", params={"after": since}, token=token)["changes"]
    assert shown in {hint["id"] for hint in polled}
    assert hidden not in {hint["id"] for hint in polled}


@pytest.mark.slow
def test_streams_and_polling_are_no_activity_and_a_job_is(live: LiveServer):
    def last_activity() -> datetime:
        answer = httpx.get(f"{live.url}/api/status", headers={"Authorization": f"Bearer {live.token}"})
        return datetime.fromisoformat(answer.json()["last_activity"])

    comments: list[float] = []

    def listen() -> None:
        headers = {"Authorization": f"Bearer {live.token}"}
        began = time.monotonic()
        with httpx.stream("GET", f"{live.url}/mlws/api/v1/changes/stream", headers=headers, timeout=30) as answer:
            for line in answer.iter_lines():
                if line == ": still here":
                    comments.append(time.monotonic() - began)
                    break

    listener = threading.Thread(target=listen)
    before = last_activity()
    listener.start()
    for _ in range(20):
        live.ok("GET", "/changes", params={"after": 0, "no_track_activity": "1"})
        live.ok("GET", "/workspaces")
        time.sleep(0.05)
    listener.join(40)
    assert 14 < comments[0] < 20
    assert last_activity() == before
    local = live.owner()["token"]
    live.ok("POST", "/workspaces/default/runs", {}, token=local)
    assert last_activity() == before, "programs are no persons"
    run_id = live.submit({"kind": "command", "command": "sleep 30"})
    submitted = last_activity()
    assert submitted > before
    until(lambda: last_activity() > submitted, 30, "the running job keeps the server from being culled")
    live.ok("POST", f"/jobs/{run_id}/cancel")
    live.wait(run_id)


@pytest.mark.slow
async def test_a_log_line_is_seen_within_half_a_second(live: LiveServer):
    line = 'python -c "import time\nfor i in range(20):\n print(time.time(), flush=True); time.sleep(0.31)"'
    delays: list[float] = []
    async with socket_of(live) as stream, httpx.AsyncClient(headers={"Authorization": f"Bearer {live.token}"}) as client:
        run_id = await asyncio.to_thread(live.submit, {"kind": "command", "command": line})
        offset, deadline = 0, time.monotonic() + 60
        while len(delays) < 20 and time.monotonic() < deadline:
            await hints(stream, 5, lambda hint: hint["kind"] == "log" and hint["id"] == run_id)
            answer = await client.get(f"{live.url}/mlws/api/v1/jobs/{run_id}/log", params={"offset": offset})
            offset = answer.json()["next_offset"]
            delays += [time.time() - float(printed) for printed in answer.json()["text"].split()]
    delays.sort()
    say(f"log lines seen after {delays[10] * 1000:.0f} ms (median), {delays[18] * 1000:.0f} ms (second worst of 20)")
    assert delays[10] < 0.5


class Flood(threading.Thread):
    """Ten thousand changes a second, from another thread."""

    def __init__(self, hub: Hub, seconds: float) -> None:
        super().__init__(daemon=True)
        self.hub = hub
        self.seconds = seconds
        self.seq = 0

    def run(self) -> None:
        began = time.monotonic()
        while (passed := time.monotonic() - began) < self.seconds:
            while self.seq < 10_000 * passed:
                self.seq += 1
                changes = [Change(self.seq, "w", kind, "one", None, 0) for kind in ("run", "metrics")]
                self.hub.publish([*changes, Change(0, "w", "log", "one", None, 0)])
            time.sleep(0.001)


async def test_a_flood_is_coalesced_and_holds_nobody_up():
    loop = asyncio.get_running_loop()
    hub = Hub(loop)
    stream, elsewhere = hub.subscribe(None), hub.subscribe("other")
    flood = Flood(hub, 3)
    began = time.monotonic()
    flood.start()
    lags = []
    while flood.is_alive():
        at = loop.time()
        await asyncio.sleep(0.01)
        lags.append(loop.time() - at - 0.01)
    lasted = time.monotonic() - began
    await asyncio.sleep(0.7)
    told = [change for change in drained(stream) if change is not None]
    count = Counter(change.kind for change in told)
    say(
        f"{flood.seq} changes in {lasted:.1f} s: {dict(count)}; loop late by {sorted(lags)[len(lags) // 2] * 1000:.1f} ms (median)"
    )
    assert count["run"] <= 2 * lasted + 2
    assert count["metrics"] <= 2 * lasted + 2
    assert count["run"] >= 1.5 * lasted
    assert 3 * lasted <= count["log"] <= 5 * lasted + 2
    assert max(change.seq for change in told) == flood.seq, "the last state is told of"
    assert elsewhere.queue.empty()
    assert sorted(lags)[len(lags) // 2] < 0.05


def drained(subscriber: Subscriber) -> list[Change | None]:
    found = []
    while not subscriber.queue.empty():
        found.append(subscriber.queue.get_nowait())
    return found


async def test_the_place_to_go_on_from_skips_nothing_that_is_held_back():
    hub = Hub(asyncio.get_running_loop())
    stream = hub.subscribe(None)
    hub.publish([Change(1, "w", "run", "a", None, 0)])
    await asyncio.sleep(0.05)
    hub.publish([Change(2, "w", "run", "a", None, 0), Change(3, "w", "run", "b", None, 0)])
    await asyncio.sleep(0.1)
    told = [(change.id, change.seq) for change in drained(stream) if change is not None]
    assert told == [("a", 1), ("b", 1)], "who breaks off now asks since 1, and hears of the second change of a"
    await asyncio.sleep(0.6)
    assert [(change.id, change.seq) for change in drained(stream) if change is not None] == [("a", 3)]


async def test_who_does_not_keep_up_is_told_to_start_over():
    hub = Hub(asyncio.get_running_loop())
    slow = hub.subscribe(None)
    for start in range(0, 3 * QUEUE_LIMIT, 500):
        hub.publish([Change(start + n + 1, "w", "run", f"{start + n}", None, 0) for n in range(500)])
        await asyncio.sleep(0.03)
    assert drained(slow) == [None]
    assert hub.listeners == 0


async def test_a_socket_that_nobody_reads_holds_nothing_back(live: LiveServer):
    async with socket_of(live, since=0), socket_of(live) as other:
        for _ in range(5):
            run_id = new_run(live)
            assert (await hints(other, 10, lambda hint, run_id=run_id: hint["id"] == run_id))[-1]["id"] == run_id  # type: ignore[misc]


def test_a_folder_that_is_old_is_closed(tmp_path: Path):
    from jupyter_mlws.kit.paths import Folders  # noqa: PLC0415 - only needed here

    (tmp_path / "data").mkdir(mode=0o755)
    Folders(tmp_path / "data").make()
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
