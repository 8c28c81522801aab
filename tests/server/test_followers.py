"""A second server on a data folder answers through the first: all verbs, large bodies, streams, errors, and who the caller is."""

from __future__ import annotations

import hashlib
import json
import stat
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from jupyter_client.blocking.client import BlockingKernelClient

from tests.live import LiveServer
from tests.servers import hints, peak_mb, pid_of, rss_mb, say, seeded, socket_of, until

Pair = tuple[LiveServer, LiveServer]
LARGE_MB = 300
GROWTH_MB = 80


def new_run(server: LiveServer, **fields: Any) -> str:
    run_id: str = server.ok("POST", "/workspaces/default/runs", fields)["id"]
    return run_id


def test_only_this_user_reads_the_folder(pair: Pair):
    owner, _ = pair
    assert stat.S_IMODE(owner.data_dir.stat().st_mode) == 0o700
    assert stat.S_IMODE((owner.data_dir / "owner.json").stat().st_mode) == 0o600


def test_all_verbs_pass(pair: Pair):
    owner, second = pair
    made = second.ok("POST", "/workspaces", {"name": "through-the-second"})
    assert owner.ok("GET", "/workspaces/through-the-second")["name"] == made["name"]
    changed = second.ok("PATCH", "/workspaces/through-the-second", {"description": "ä, 好"})
    assert changed["description"] == owner.ok("GET", "/workspaces/through-the-second")["description"] == "ä, 好"
    same = second.request("PATCH", "/workspaces/through-the-second", json={"description": "x"}, headers={"If-Match": "99"})
    assert same.status_code in (409, 412)
    token = second.ok("POST", "/tokens", {"workspace": "through-the-second"})
    assert owner.get("/info", token=token["secret"]).status_code == 200
    removed = second.request("DELETE", f"/tokens/{token['id']}")
    assert (removed.status_code, removed.content) == (204, b"")
    assert owner.get("/info", token=token["secret"]).status_code == 401


def test_a_body_that_is_too_large_stops_at_the_server_that_was_asked(pair: Pair):
    for server in pair:
        answer = server.request("POST", "/workspaces/default/runs", content=b" " * (17 << 20))
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/runs/" + "0" * 32, None),
        ("GET", "/nothing", None),
        ("POST", "/workspaces/default/runs", b"{"),
        ("POST", "/workspaces/default/runs", b'{"surprise": 1}'),
        ("POST", "/workspaces/nowhere/jobs", b'{"spec": {"kind": "command", "command": "true"}}'),
        ("PATCH", "/health", b"{}"),
    ],
)
def test_errors_pass_unchanged(pair: Pair, method: str, path: str, body: bytes | None):
    one, two = (server.request(method, path, content=body) for server in pair)
    assert (one.status_code, one.json()) == (two.status_code, two.json())
    assert 400 <= one.status_code < 500


class Body:
    """Bytes without end in sight, made while they are sent."""

    def __init__(self, megabytes: int) -> None:
        self.piece = seeded("body").randbytes(1 << 20)
        self.count = megabytes
        self.hash = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(self.count):
            self.hash.update(self.piece)
            yield self.piece


def test_large_files_pass_at_bounded_memory(pair: Pair):
    owner, second = pair
    run_id, body = new_run(owner), Body(LARGE_MB)
    before = [rss_mb(pid_of(server)) for server in pair]
    began = time.monotonic()
    stored = second.request(
        "PUT", f"/runs/{run_id}/artifacts/content", params={"path": "large.bin"}, content=iter(body), timeout=120
    )
    assert stored.status_code < 300, stored.text
    sent = time.monotonic() - began
    got = hashlib.sha256()
    url = f"{second.url}/mlws/api/v1/runs/{run_id}/artifacts/content"
    with httpx.stream("GET", url, params={"path": "large.bin"}, headers=auth(second), timeout=120) as answer:
        assert answer.status_code == 200
        assert int(answer.headers["Content-Length"]) == LARGE_MB << 20
        for number, piece in enumerate(answer.iter_bytes(1 << 20)):
            got.update(piece)
            if number == 10:
                time.sleep(1)  # a reader that is slow for a while must not fill anybody's memory
    assert got.hexdigest() == body.hash.hexdigest() == stored.json()["sha256"]
    grown = [peak_mb(pid_of(server)) - mb for server, mb in zip(pair, before, strict=True)]
    say(
        f"{LARGE_MB} MB in {sent:.1f} s, out in {time.monotonic() - began - sent:.1f} s; memory +{grown[0]:.0f}, +{grown[1]:.0f} MB"
    )
    assert max(grown) < GROWTH_MB


def auth(server: LiveServer) -> dict[str, str]:
    return {"Authorization": f"Bearer {server.token}"}


def test_an_upload_that_is_refused_tells_why(pair: Pair):
    _, second = pair
    answer = second.request(
        "PUT", f"/runs/{'0' * 32}/artifacts/content", params={"path": "x"}, content=iter(Body(20)), timeout=60
    )
    assert answer.status_code == 404, answer.text
    wrong = second.request(
        "PUT",
        f"/runs/{new_run(second)}/artifacts/content",
        params={"path": "x"},
        content=b"abc",
        headers={"X-Mlws-Sha256": "0" * 64},
    )
    assert wrong.json()["error"]["code"] == "hash_mismatch"


def test_ranges_and_conditions_pass(pair: Pair):
    _, second = pair
    run_id = new_run(second)
    second.request("PUT", f"/runs/{run_id}/artifacts/content", params={"path": "a.txt"}, content=b"0123456789")
    path, query = f"/runs/{run_id}/artifacts/content", {"path": "a.txt"}
    part = second.get(path, params=query, headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.content) == (206, b"234")
    whole = second.get(path, params=query)
    again = second.get(path, params=query, headers={"If-None-Match": whole.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_callers_name_is_believed_from_other_servers_only(pair: Pair):
    owner, second = pair
    forged = {"X-Mlws-Actor": "somebody-else"}
    true_name = owner.ok("GET", "/info")["actor"]["name"]
    for server in pair:
        assert server.ok("GET", "/info", headers=forged)["actor"]["name"] == true_name
    local = owner.owner()["token"]
    assert owner.ok("GET", "/info", headers=forged, token=local)["actor"] == {
        "name": "somebody-else",
        "kind": "local",
        "workspace": None,
    }
    assert second.ok("GET", "/info", headers=forged, token=local)["actor"]["name"] == true_name
    kernel = owner.ok("POST", "/tokens", {"workspace": "default"})["secret"]
    for server in pair:
        actor = server.ok("GET", "/info", headers=forged, token=kernel)["actor"]
        assert (actor["name"], actor["kind"], actor["workspace"]) == (true_name, "kernel", "default")
        assert server.post("/tokens", {"workspace": "default"}, token=kernel).status_code == 403
        assert server.get("/info", token="mlws_" + "x" * 43).status_code == 401


def test_server_sent_events_pass(pair: Pair):
    owner, second = pair
    url = f"{second.url}/mlws/api/v1/changes/stream"
    with httpx.stream("GET", url, headers=auth(second), timeout=20) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert answer.headers["X-Accel-Buffering"] == "no"
        lines = answer.iter_lines()
        assert next(lines) == ": connected"
        run_id = new_run(owner)
        for line in lines:
            if line.startswith("data: ") and json.loads(line[6:])["id"] == run_id:
                break


async def test_the_websocket_is_bridged(pair: Pair):
    owner, second = pair
    async with socket_of(second) as stream:
        run_id = new_run(owner)
        seen = await hints(stream, 10, lambda hint: hint["id"] == run_id)
        assert seen[-1]["id"] == run_id
        earlier = owner.ok("GET", "/info")["seq"]
    missed = new_run(owner)
    kernel = owner.ok("POST", "/tokens", {"workspace": "default"})["secret"]
    for token in (None, kernel):
        async with socket_of(second, since=earlier, token=token) as stream:
            assert (await hints(stream, 10, lambda hint: hint["id"] == missed))[-1]["id"] == missed


def ready(client: BlockingKernelClient, timeout: float) -> bool:
    """Whether a kernel answers. A missed heartbeat on a busy machine is no death."""
    try:
        client.wait_for_ready(timeout)
    except RuntimeError:
        return False
    return True


def run_in_kernel(server: LiveServer, kernel_id: str, code: str, timeout: float = 60) -> str:
    """What code prints in a kernel of this server."""
    file = until(lambda: next(iter((server.folder / "runtime").glob(f"kernel-{kernel_id}.json")), None), 20)
    client = BlockingKernelClient(connection_file=str(file))
    client.load_connection_file()
    client.start_channels()
    try:
        until(lambda: ready(client, timeout), 3 * timeout)
        printed: list[str] = []

        def output(message: dict[str, Any]) -> None:
            if message["msg_type"] == "stream":
                printed.append(message["content"]["text"])

        client.execute_interactive(code, timeout=timeout, output_hook=output)
    finally:
        client.stop_channels()
    return "".join(printed)


def kernels(server: LiveServer, method: str, path: str = "") -> httpx.Response:
    return httpx.request(method, f"{server.url}/api/kernels{path}", headers=auth(server), timeout=60)


@pytest.mark.slow
def test_a_kernel_of_the_second_server_gets_a_token_of_the_owner(pair: Pair):
    owner, second = pair
    kernel_id = kernels(second, "POST").json()["id"]
    code = "import os; print(os.environ['MLWS_URL'], os.environ['MLWS_TOKEN'])"
    url, token = run_in_kernel(second, kernel_id, code).split()
    assert url == f"{second.url}/mlws"
    assert token != owner.owner()["token"]
    actor = owner.ok("GET", "/info", token=token)["actor"]
    assert (actor["kind"], actor["workspace"]) == ("kernel", "default")
    printed = run_in_kernel(second, kernel_id, "import mlws; r = mlws.start_run(); r.log_metric('m', 4); r.end(); print(r.id)")
    run_id = printed.split()[-1]
    until(lambda: owner.get(f"/runs/{run_id}").status_code == 200 and "m" in owner.ok("GET", f"/runs/{run_id}")["metrics"], 20)
    owner.ok("POST", "/workspaces", {"name": "of-a-kernel"})
    elsewhere = run_in_kernel(second, kernel_id, "with mlws.start_run(workspace='of-a-kernel') as r: pass\nprint(r.id)").split()[
        -1
    ]
    assert owner.ok("GET", f"/runs/{elsewhere}")["workspace"] == "of-a-kernel"
    assert kernels(second, "DELETE", f"/{kernel_id}").status_code == 204
    until(lambda: owner.get("/info", token=token).status_code == 401, 10, "the token ends with its kernel")


def test_uploads_in_parts_never_give_away_the_owners_token(pair: Pair):
    owner, second = pair
    run_id = new_run(owner)
    answers = {}
    for name, server in (("owner", owner), ("second", second)):
        url = f"{server.url}/mlws/api/2.0/mlflow-artifacts/mpu/create/0/{run_id}/artifacts"
        sent = {"Authorization": f"token {server.token}"}
        answers[name] = httpx.post(url, headers=sent, json={"path": "big.bin", "num_parts": 2}, timeout=30)
    local = json.loads((owner.data_dir / "owner.json").read_text())["token"]
    assert answers["owner"].status_code == 200
    assert all(part["headers"] == {"Authorization": f"token {owner.token}"} for part in answers["owner"].json()["credentials"])
    assert (answers["second"].status_code, answers["second"].json()["error_code"]) == (501, "NOT_IMPLEMENTED")
    assert len(local) > 20
    assert all(local not in answer.text for answer in answers.values())
