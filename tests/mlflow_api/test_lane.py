"""What training logs again and again is answered without a handler, and by the same words as with one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest
from jupyter_server.log import log_request
from jupyter_server.prometheus.metrics import HTTP_REQUEST_DURATION_SECONDS
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, HTTPServerRequest, RequestStartLine
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from jupyter_mlws.db.database import DatabaseFailed
from jupyter_mlws.domain.access import service as access
from jupyter_mlws.kit.actors import ActorKind
from jupyter_mlws.mlflow_api import lane
from jupyter_mlws.mlflow_api.calls import CALLS
from jupyter_mlws.mlflow_api.http import MlflowHandler
from jupyter_mlws.server.router import add_routes
from jupyter_mlws.server.runtime import Runtime, Settings
from tests.live import LiveServer
from tests.mlflow_api.conftest import Wire
from tests.security.world import token_of_job

WITH_A_HANDLER = {"Cookie": "_xsrf=x"}
"""A request that has this is answered by the handler of its path."""
ROOT = "/mlws/api/2.0/mlflow"
RUN_CALL = next(call for call in CALLS if call.path.endswith("runs/log-metric"))


class Here(NamedTuple):
    """A server in this process."""

    runtime: Runtime
    client: httpx.AsyncClient
    made: list[str]
    """The handlers that were made, by their classes' names."""
    run_id: str

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection of its own."""
        at = urlsplit(str(self.client.base_url))
        return await asyncio.open_connection(at.hostname, at.port)

    def raw(self, key: str, version: str = "1.1", *headers: str) -> bytes:
        """A whole request that logs a point of `key`."""
        body = b'{"run_id": "%s", "key": "%s", "value": 1, "timestamp": 1, "step": 1}' % (self.run_id.encode(), key.encode())
        head = [f"POST {ROOT}/runs/log-metric HTTP/{version}", f"Host: {urlsplit(str(self.client.base_url)).netloc}"]
        head += ["Content-Type: application/json", f"Authorization: {self.client.headers['Authorization']}"]
        return "\r\n".join([*head, f"Content-Length: {len(body)}", *headers, "", ""]).encode() + body

    async def log(self, path: str = "log-metric", status: int = 200, **body: Any) -> httpx.Response:
        """The answer to `runs/…` for the run."""
        given = {"run_id": self.run_id, "key": "loss", "value": 0.5, "timestamp": 1, "step": 1, **body}
        answer = await self.client.post(f"{ROOT}/runs/{path}", json=given)
        assert answer.status_code == status, answer.text
        return answer


@pytest.fixture
async def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Here]:
    settings = Settings(
        data_dir=tmp_path, database_url=f"sqlite:///{tmp_path / 'mlws.db'}", root_dir=tmp_path, url="", max_jobs=1, headless=True
    )
    runtime = Runtime(settings, asyncio.get_running_loop())
    await runtime.start()
    app = Application(base_url="/", xsrf_cookies=True, log_function=log_request)
    add_routes(app)
    app.settings["mlws"] = runtime
    made: list[str] = []
    init = RequestHandler.__init__

    def noting(self: RequestHandler, *args: Any, **kwargs: Any) -> None:
        made.append(type(self).__name__)
        init(self, *args, **kwargs)

    monkeypatch.setattr(RequestHandler, "__init__", noting)
    server, (socket, port) = HTTPServer(app), bind_unused_port()
    server.add_socket(socket)
    try:
        token = await runtime.db.write(lambda s: access.issue_token(s, kind=ActorKind.KERNEL, user="ann"))
        headers = {"Authorization": f"Bearer {token.secret}"}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers) as client:
            experiment = (await client.post(f"{ROOT}/experiments/create", json={"name": "e"})).json()["experiment_id"]
            run = (await client.post(f"{ROOT}/runs/create", json={"experiment_id": experiment, "start_time": 1})).json()["run"]
            made.clear()
            yield Here(runtime, client, made, run["info"]["run_id"])
    finally:
        server.stop()
        await server.close_all_connections()
        await runtime.stop()


def counted(status: str) -> float:
    """Requests of `log-metric` that Prometheus was told of."""
    return sum(
        sample.value
        for family in HTTP_REQUEST_DURATION_SECONDS.collect()
        for sample in family.samples
        if sample.name.endswith("_count") and sample.labels["handler"].endswith("<runs/log-metric>")
        and sample.labels["status_code"] == status
    )  # fmt: skip


async def test_what_is_logged_again_and_again_needs_no_handler_and_is_counted(here: Here):
    before = counted("200")
    await here.log()
    await here.log(step=2)
    await here.log("log-parameter", key="p", value="1")
    await here.log("set-tag", key="t", value="1")
    await here.log("log-batch", metrics=[{"key": "loss", "value": 1, "timestamp": 2, "step": 3}], params=[], tags=[])
    assert here.made == []
    assert counted("200") == before + 2
    run = (await here.client.get(f"{ROOT}/runs/get", params={"run_id": here.run_id})).json()["run"]["data"]
    assert run["metrics"][0]["step"] == 3
    assert {"key": "p", "value": "1"} in run["params"]
    assert {"key": "t", "value": "1"} in run["tags"]
    assert here.made == ["Mlflow<runs/get>"]


async def test_a_token_is_looked_up_again_when_it_was_revoked(here: Here):
    await here.log()
    here.runtime.forget_tokens()
    await here.log()
    assert here.made == ["Mlflow<runs/log-metric>"], "the handler asks the database"
    await here.log()
    assert len(here.made) == 1
    digest = access.digest_of(here.client.headers["Authorization"].removeprefix("Bearer "))
    _, actor = here.runtime._tokens[digest]
    here.runtime._tokens[digest] = (time.monotonic() - 1, actor)
    await here.log()
    assert len(here.made) == 2, "and does so again when it is long ago"


async def test_hosts_of_strangers_are_not_remembered_and_many_of_friends_shut_nobody_out(here: Here):
    for port in range(1, 120):
        strange = {"Host": f"127.0.0.1:{port}", "Authorization": "Bearer mlws_nobody"}
        assert (await here.client.post(f"{ROOT}/runs/log-metric", json={}, headers=strange)).status_code == 401
    assert not any(here.runtime.lets_in(f"127.0.0.1:{port}") for port in range(1, 120))
    for port in range(1, 120):
        await here.client.get(f"{ROOT}/runs/get", params={"run_id": here.run_id}, headers={"Host": f"127.0.0.1:{port}"})
    await here.log()
    here.made.clear()
    await here.log()
    assert here.made == [], "the last one that came is known"


async def test_a_body_of_many_pieces_goes_to_the_handler_piece_by_piece(here: Here):
    """To put them together anew with each that comes would take the event loop a second for a large body."""
    came: list[bytes] = []

    class Handler(HTTPMessageDelegate):
        def data_received(self, chunk: bytes) -> None:
            came.append(chunk)

        def finish(self) -> None:
            came.append(b"whole")

    application = Application()
    application.settings["mlws"] = here.runtime
    start = RequestStartLine("GET", "/", "HTTP/1.1")
    request = HTTPServerRequest(start_line=start, headers=HTTPHeaders({"Host": "localhost"}))
    passing = lane.Lane(lane.Place(RUN_CALL, MlflowHandler, application), request, None, Handler())
    pieces = [b"a" * 9, b"b" * 9, b"c"]
    for piece in pieces:
        passing.data_received(piece)
    assert came == []
    passing.finish()
    assert [id(one) for one in came[:3]] == [id(one) for one in pieces]
    assert came[3:] == [b"whole"]


async def test_a_write_that_fails_is_told_once_and_not_tried_again(here: Here, monkeypatch: pytest.MonkeyPatch):
    begun = []

    def failing(*_args: Any, **_options: Any) -> asyncio.Future[Any]:
        begun.append(1)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        future.set_exception(DatabaseFailed("The disk is full."))
        return future

    monkeypatch.setattr(here.runtime.db, "begin_write", failing)
    answer = await here.log(status=503)
    assert answer.json() == {"error_code": "TEMPORARILY_UNAVAILABLE", "message": "The disk is full."}
    assert answer.headers["Retry-After"] == "1"
    assert (here.made, begun) == (["Failed"], [1])
    monkeypatch.undo()
    await here.log()


async def test_a_client_that_went_away_does_no_harm(here: Here):
    await here.log()
    for _ in range(3):
        _, writer = await here.connect()
        writer.write(here.raw("gone"))
        writer.close()
        await writer.wait_closed()
    while True:
        page = await here.client.get(f"{ROOT}/metrics/get-history", params={"run_id": here.run_id, "metric_key": "gone"})
        if page.json().get("metrics"):
            break
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("cut", [1, 30])
async def test_a_body_whose_rest_does_not_come_is_not_waited_for_though_some_came_with_the_head(
    here: Here, monkeypatch: pytest.MonkeyPatch, cut: int
):
    monkeypatch.setattr("jupyter_mlws.kit.http.SLOW_BODY_S", 0.1)
    await here.log()
    for before in (b"", here.raw("whole")):  # a whole request before it on the same connection is answered
        reader, writer = await here.connect()
        writer.write(before + here.raw("part")[:-cut])
        answers = await asyncio.wait_for(reader.read(), 20)
        assert answers.count(b"HTTP/1.1 200 OK") == bool(before)
        writer.close()


async def test_requests_on_one_connection_are_answered_each_and_as_its_client_wants_it(here: Here):
    await here.log()
    reader, writer = await here.connect()
    writer.write(here.raw("one") + here.raw("two") + here.raw("three", "1.1", "Connection: close"))
    answers = await asyncio.wait_for(reader.read(), 20)
    assert answers.count(b"HTTP/1.1 200 OK") == answers.count(b"{}") == 3
    assert answers.count(b"Connection: close") == 1
    writer.close()
    reader, writer = await here.connect()
    writer.write(here.raw("five", "1.0", "Connection: keep-alive") + here.raw("six", "1.0"))
    answers = await asyncio.wait_for(reader.read(), 20)
    assert answers.count(b"HTTP/1.1 200 OK") == 2
    assert answers.count(b"Connection: Keep-Alive") == 1
    writer.close()
    assert here.made == []
    metrics = (await here.client.get(f"{ROOT}/runs/get", params={"run_id": here.run_id})).json()["run"]["data"]["metrics"]
    assert sorted(one["key"] for one in metrics) == sorted(["loss", "one", "two", "three", "five", "six"])


GOOD: list[tuple[str, dict[str, Any]]] = [
    ("log-metric", {"key": "m", "value": 1, "timestamp": 5, "step": 7}),
    ("log-metric", {"key": "m", "value": "NaN", "timestamp": "5", "step": "8"}),
    ("log-metric", {"run_uuid": "$run", "run_id": None, "key": "m", "value": -1e308, "timestamp": 6}),
    ("log-parameter", {"key": "p", "value": "1"}),
    (
        "log-batch",
        {"metrics": [], "params": [{"key": "q", "value": "2"}], "tags": [{"key": "mlflow.note.content", "value": "n"}]},
    ),
    ("set-tag", {"key": "t", "value": "ü"}),
    ("log-metric", {"run_id": "$ended", "key": "m", "value": 1, "timestamp": 1}),
    ("log-parameter", {"key": "long", "value": "x" * 6001}),
]
BAD: list[tuple[str, Any]] = [
    ("log-metric", {}),
    ("log-metric", {"key": "m", "value": "x", "timestamp": 1}),
    ("log-metric", {"key": "../m", "value": 1, "timestamp": 1}),
    ("log-metric", {"run_id": "0" * 32, "key": "m", "value": 1, "timestamp": 1}),
    ("log-metric", {"run_id": "$theirs", "key": "m", "value": 1, "timestamp": 1}),
    ("log-metric", b"{"),
    ("log-metric", b'["a"]'),
    ("log-metric", b'{"key": "a\\u0000b"}'),
    ("log-metric", b""),
    ("log-parameter", {"key": "p", "value": "another"}),
    ("log-batch", {"metrics": [{"key": "m", "value": 1, "timestamp": 1}] * 1001}),
    ("log-batch", {"params": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]}),
    ("set-tag", {"key": "", "value": "x"}),
]


class World(NamedTuple):
    server: LiveServer
    wire: Wire
    """By a token of the workspace `default`."""
    names: dict[str, str]

    def both(self, path: str, body: Any, **headers: str) -> tuple[httpx.Response, httpx.Response]:
        """The answers to the same request without a handler and with one."""
        if isinstance(body, dict):
            body = {"run_id": "$run", **body}
            body = {name: self.names.get(value, value) if isinstance(value, str) else value for name, value in body.items()}
        given = {"content": body} if isinstance(body, bytes) else {"json": body}
        plain = {"Content-Type": "application/json", **headers}
        url = f"{self.server.url}/mlws/api/2.0/mlflow/runs/{path}"
        one = self.wire.http.post(url, headers=plain, **given)
        return one, self.wire.http.post(url, headers={**plain, **WITH_A_HANDLER}, **given)


@pytest.fixture(scope="module")
def world(server: LiveServer) -> Iterator[World]:
    theirs = Wire(server, server.ok("POST", "/workspaces", {"name": "theirs"})["name"])
    token = server.ok("POST", "/tokens", {"workspace": "default"})["secret"]
    wire = Wire(server, token=token)
    experiment = wire.experiment("ours")
    run, ended = wire.run(experiment), wire.run(experiment)
    wire.ask("POST", "runs/update", {"run_id": ended, "status": "FINISHED", "end_time": 5})
    wire.post("runs/log-parameter", run_id=run, key="p", value="1")
    foreign = theirs.run(theirs.experiment("theirs"))
    yield World(server, wire, {"$run": run, "$ended": ended, "$theirs": foreign})
    wire.close()
    theirs.close()


def without_date(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name != "date"}


@pytest.mark.parametrize(("path", "body"), GOOD)
def test_what_goes_well_is_answered_as_by_a_handler(world: World, path: str, body: dict[str, Any]):
    one, other = world.both(path, body)
    assert (one.status_code, one.content, without_date(one)) == (200, other.content, without_date(other))
    assert "date" in one.headers


@pytest.mark.parametrize(("path", "body"), BAD)
def test_what_is_wrong_is_refused_as_by_a_handler(world: World, path: str, body: Any):
    one, other = world.both(path, body)
    assert (one.status_code, one.content, without_date(one)) == (other.status_code, other.content, without_date(other))
    assert 400 <= one.status_code < 500


def test_no_other_host_and_no_other_workspace_gets_in(world: World):
    url, point = world.wire.root + "/api/2.0/mlflow/runs/log-metric", {"key": "m", "value": 1, "timestamp": 1, "step": 99}
    body = {"run_id": world.names["$run"], **point}
    assert world.wire.http.post(url, json=body).status_code == 200
    assert world.wire.http.post(url, json=body, headers={"Host": "evil.example"}).status_code == 403
    elsewhere = url.replace("/mlws/", "/mlws/w/theirs/")
    assert world.wire.http.post(elsewhere, json={**body, "run_id": world.names["$theirs"]}).status_code == 404
    assert world.wire.http.post(url.replace("/mlws/", "/mlws/w/default/"), json=body).status_code == 200


def test_a_job_logs_to_its_own_run_alone_and_its_secrets_stay_hidden(world: World):
    world.server.ok("PUT", "/workspaces/default/secrets/canary", {"value": "canary-4711-bird"})
    run = world.server.submit({"kind": "command", "command": "sleep 600"}, secrets={"CANARY": "canary"})
    wire = Wire(world.server, token=token_of_job(world.server, run))
    try:
        point: dict[str, Any] = {"key": "m", "value": 1, "timestamp": 1}
        for number in range(3):
            wire.post("runs/log-metric", run_id=run, **point)
            wire.post("runs/log-parameter", run_id=run, key=f"p{number}", value="it is canary-4711-bird")
            assert wire.refused("POST", "runs/log-metric", {"run_id": world.names["$run"], **point}, status=403)
        params = wire.get("runs/get", run_id=run)["run"]["data"]["params"]
        assert {param["value"] for param in params if param["key"] in ("p0", "p1", "p2")} == {"it is ***"}
    finally:
        wire.close()
        world.server.ok("POST", f"/jobs/{run}/cancel")


def test_the_calls_of_the_lane_are_those_that_may_be_repeated():
    from jupyter_mlws.mlflow_api.routes import mlflow_routes

    quick = {handler.quick.path for _, handler in mlflow_routes() if handler.quick is not None}
    assert quick == {call.path for call in CALLS if call.repeatable}
    assert lane.BEARER == "Bearer mlws_"
