"""Bodies that are not what a route takes: refused in words, quickly, and within bounded memory."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import threading
import time
from typing import Any

import psutil
import pytest

from tests.live import LiveServer
from tests.security.api import PREFIX, Api
from tests.security.errors import check_no_failure, check_refusal
from tests.security.shapes import BODIES, Verb, changed, example, full, leaves, resolved
from tests.security.world import World, example_path

DEEP = 200_000
NO_JSON = {
    "empty": b"",
    "text": b"hello",
    "half": b'{"name": "x',
    "trailing": b'{"name": "x"} {}',
    "two": b"{}{}",
    "single quotes": b"{'name': 'x'}",
    "comment": b'{/* */ "name": "x"}',
    "NaN": b'{"name": NaN, "value": NaN}',
    "Infinity": b'{"name": -Infinity}',
    "out of range": b'{"name": 1e999}',
    "many digits": b'{"name": ' + b"9" * 5000 + b"}",
    "deep lists": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"name":' * DEEP,
    "array": b"[]",
    "null": b"null",
    "number": b"1",
    "string": b'"name"',
    "array of one": b'[{"name": "x"}]',
    "not UTF-8": b'{"name": "\xff\xfe"}',
    "surrogate bytes": b'{"name": "\xed\xa0\x80"}',
    "half a pair": b'{"name": "\\ud800"}',
    "halves turned round": b'{"name": "\\udc00\\ud800"}',
    "NUL byte": b'{"name": "a\x00b"}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "a mark first": b'\xef\xbb\xbf{"name": "x"}',
    "form": b"name=x&tags=y",
    "pickle": b"\x80\x04\x95\x10\x00\x00\x00",
}
WRONG: list[Any] = [None, True, "x", "", {}, [[]], {"a": {}}, -1, 1.5, 2**63, -(2**63) - 1, 10**30]
WRONG += ["\0", "\udc00", "a\nb", "../../x", "🦊" * 3000]
SMUGGLED = [
    "created_by",
    "created_at",
    "version",
    "workspace_id",
    "user",
    "kind_",
    "lifecycle",
    "run_id",
    "__class__",
    "__proto__",
    "constructor",
]
TYPES = [
    "text/plain",
    "application/json; charset=utf-16",
    "application/json; charset=nonsense",
    "multipart/form-data",
    "\xff",
    "",
]
TYPES += ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/x-pickle", "text/xml"]


def one_of_each(verb: Verb, world: World) -> Any:
    """A body with every field, that the route would take."""
    assert verb.body is not None
    body = full(verb.body)
    if verb.path.endswith("/jobs"):
        body = {**body, "target": "local", "experiment": "closed", "parent_id": world.a.run}
        body.pop("manifest")
    if verb.path.endswith("/jobs/file"):
        body = {**body, "parent_id": world.a.run}
        body.pop("manifest")
    fitting = {"experiment_id": world.a.experiment, "parent_id": world.a.run, "workspace": world.a.name}
    body = {name: fitting.get(name, value) for name, value in body.items()}
    if verb.path.startswith("/workspaces") and verb.path.count("/") < 3:
        body.pop("name")
        return {**body, "name": "made-here"} if verb.method == "POST" else body
    return body


@pytest.fixture(scope="module")
def closed(person: Api, world: World) -> None:
    """An archived experiment: jobs that are submitted to it are checked, but never run."""
    made = person.ok("POST", f"/workspaces/{world.a.name}/experiments", {"name": "closed"})
    person.ok("POST", f"/experiments/{made['id']}/archive")


@pytest.mark.parametrize("verb", BODIES, ids=lambda verb: verb.name)
def test_what_is_no_json_object_is_refused(target: LiveServer, person: Api, world: World, verb: Verb):
    path = example_path(verb.path, world.a)
    for name, content in NO_JSON.items():
        answer = person.ask(verb.method, path, content=content)
        assert answer.status == 400, (name, answer.text[:300])
        check_refusal(answer, sent=content.decode("latin-1"), roots=(target.folder,))


@pytest.mark.parametrize("verb", BODIES, ids=lambda verb: verb.name)
def test_every_field_takes_its_own_type_only(target: LiveServer, person: Api, world: World, closed: None, verb: Verb):
    path, body = example_path(verb.path, world.a), one_of_each(verb, world)
    if not verb.path.startswith("/workspaces/{workspace}/jobs"):
        check_no_failure(person.ask(verb.method, path, body))
    for place in leaves(body):
        if place[:2] == ("spec", "command"):
            continue
        for value in WRONG:
            if place in (("experiment",), ("target",)) and verb.path.endswith("/jobs") and isinstance(value, str):
                continue  # would be a good name, and the job would run
            answer = person.ask(verb.method, path, changed(body, place, value))
            check_no_failure(answer, sent=repr(value), roots=(target.folder,))


@pytest.mark.parametrize("verb", BODIES, ids=lambda verb: verb.name)
def test_fields_that_are_not_the_callers_to_set_are_refused(person: Api, world: World, verb: Verb):
    assert verb.body is not None
    path, known = example_path(verb.path, world.a), set(resolved(verb.body)["properties"])
    for name in [*SMUGGLED, *({"status", "id", "reason", "workspace"} - known)]:
        error = check_refusal(person.ask(verb.method, path, {**example(verb.body), name: "1"}))
        assert name in (error.get("field") or error["message"]), error


def test_integers_stop_where_the_database_does(person: Api, world: World):
    run = f"/runs/{world.a.run}"
    for step in (2**63, -(2**63) - 1, 10**30):
        point = {"key": "steps", "value": 1, "step": step, "time": 1}
        assert check_refusal(person.ask("POST", f"{run}/log", {"batch_id": "step-batch", "metrics": [point]}))["field"].endswith(
            "].step"
        )
    for name in ("cpu_count", "memory_bytes"):
        assert check_refusal(person.ask("PUT", f"{run}/environment", {name: 2**63}))["field"] == name
    for parameters in ({"a": 2**64}, {"a": [-(2**63) - 1]}, {"a": {"b": 10**40}}):
        spec = {"kind": "notebook", "notebook": "no.ipynb", "parameters": parameters}
        error = check_refusal(person.ask("POST", f"/workspaces/{world.a.name}/jobs", {"spec": spec}))
        assert error["field"] == "spec.parameters"


@pytest.mark.parametrize("kind", TYPES)
def test_a_content_type_makes_no_difference_but_words(person: Api, world: World, kind: str):
    path = f"/workspaces/{world.a.name}/experiments"
    check_no_failure(person.ask("POST", path, {"name": f"by type {kind!r}"}, headers={"Content-Type": kind}))
    check_refusal(person.ask("POST", path, content=b"--x\r\nname=x", headers={"Content-Type": kind}))


def test_a_packed_body_is_refused_unread(person: Api, world: World):
    bomb = gzip.compress(b'{"name":"' + b"a" * 10_000_000 + b'"}')
    for coding in ("gzip", "GZIP", "deflate", "br", "zstd", "identity, gzip"):
        for method, path in [
            ("POST", f"/workspaces/{world.a.name}/experiments"),
            ("PUT", f"/runs/{world.a.run}/artifacts/content?path=z"),
        ]:
            error = check_refusal(person.ask(method, path, content=bomb, headers={"Content-Encoding": coding}))
            assert error["field"] == "Content-Encoding"


def test_of_a_name_given_twice_the_last_counts(person: Api, world: World):
    made = person.ok("POST", f"/workspaces/{world.a.name}/experiments", content=b'{"name": "first name", "name": "last name"}')
    assert made["name"] == "last name"


def test_a_huge_body_is_refused_quickly_and_never_held(target: LiveServer, person: Api, world: World):
    assert target.process is not None
    server = psutil.Process(target.process.pid)
    before, began = server.memory_info().rss, time.monotonic()
    for size in (17, 32, 64):
        answer = person.ask("POST", f"/workspaces/{world.a.name}/experiments", content=b'{"name":"' + b"a" * (size << 20) + b'"}')
        assert answer.status == 413
        assert check_refusal(answer)["code"] == "too_large"
    assert time.monotonic() - began < 20
    assert server.memory_info().rss - before < 50 << 20


@pytest.mark.parametrize("token", [None, "mlws_" + "x" * 43, "no-token-of-jupyter"], ids=["none", "made up", "not of Jupyter"])
def test_a_stranger_with_a_huge_body_is_a_stranger_first(target: LiveServer, token: str | None):
    """The size is announced and nothing is sent, so that the answer is not lost with a connection that closes while it is written to."""
    size = {"Content-Length": str(17 << 20), "Expect": "100-continue"}
    if token is not None:
        size["Authorization"] = f"Bearer {token}"
    for path in (f"{PREFIX}/workspaces/default/experiments", "/mlws/api/2.0/mlflow/runs/log-batch"):
        sending = http.client.HTTPConnection("127.0.0.1", target.port, timeout=30)
        sending.request("POST", path, headers=size)
        answer = sending.getresponse()
        body = json.loads(answer.read())
        sending.close()
        assert answer.status in (401, 403), body
        assert "UNAUTHENTICATED" in str(body).upper() or answer.status == 403, body


def test_a_revoked_token_with_a_huge_body_is_told_so(target: LiveServer, person: Api, world: World):
    made = person.ok("POST", "/tokens", {"workspace": world.a.name})
    mine, content = Api(target, made["secret"]), b'{"name":"' + b"a" * (17 << 20) + b'"}'
    path = f"/workspaces/{world.a.name}/experiments"
    assert check_refusal(mine.ask("POST", path, content=content))["code"] == "too_large"
    assert person.ask("DELETE", f"/tokens/{made['id']}").status == 204
    assert check_refusal(mine.ask("POST", path, content=content))["code"] == "unauthenticated"
    mine.close()


def raw_socket(target: LiveServer, *lines: str) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", target.port), timeout=20)
    head = [
        f"POST {PREFIX}/workspaces/default/experiments HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {target.token}",
        *lines,
    ]
    made.sendall(("\r\n".join(head) + "\r\n\r\n").encode())
    return made


def test_a_body_in_chunks_stops_at_the_same_size(target: LiveServer):
    assert target.process is not None
    server = psutil.Process(target.process.pid)
    before = server.memory_info().rss
    with raw_socket(target, "Transfer-Encoding: chunked") as sending:
        for _ in range(64):
            sending.sendall(b"100000\r\n" + b"a" * (1 << 20) + b"\r\n")
        sending.sendall(b"0\r\n\r\n")
        assert sending.makefile("rb").readline().split()[1] == b"413"
    assert server.memory_info().rss - before < 50 << 20


def test_bodies_that_never_come_hold_nobody_up(target: LiveServer, person: Api):
    waiting = [raw_socket(target, "Content-Length: 1000") for _ in range(100)]
    try:
        for one in waiting:
            one.sendall(b'{"name')
        began = time.monotonic()
        assert person.ask("GET", "/health").status == 200
        assert time.monotonic() - began < 2
    finally:
        for one in waiting:
            one.close()


def test_many_labels_at_once_do_not_hold_the_writer(person: Api, world: World):
    many = {f"k{n}": "v" for n in range(1001)}
    for method, path, body in [
        ("PATCH", f"/runs/{world.a.run}", {"tags": many}),
        ("POST", f"/runs/{world.a.run}/log", {"batch_id": "many-labels", "params": many}),
        ("POST", f"/workspaces/{world.a.name}/runs", {"tags": many}),
        ("PATCH", f"/experiments/{world.a.experiment}", {"tags": many}),
    ]:
        assert check_refusal(person.ask(method, path, body))["field"] in ("tags", "params")
    many.pop("k0")
    began = time.monotonic()
    run = person.ok("POST", f"/workspaces/{world.a.name}/runs", {"tags": many, "params": many})
    assert time.monotonic() - began < 3
    assert len(run["tags"]) == len(run["params"]) == 1000
    many["k1"] = "kept"
    left = person.ok(
        "PATCH", f"/runs/{run['id']}", {"tags": {name: None if value == "v" else value for name, value in many.items()}}
    )
    assert left["tags"] == {"k1": "kept"}


def test_an_error_of_any_size_is_kept_at_a_size_that_lists_can_carry(person: Api, world: World):
    run = person.ok("POST", f"/workspaces/{world.a.name}/runs", {})["id"]
    error = {"message": "m" * 10_000, "kind": "k" * 10_000, "cell_name": "c" * 10_000, "traceback": "t" * 1_000_000, "cell": 3}
    person.ok("POST", f"/runs/{run}/end", {"status": "Failed", "error": error})
    assert len(json.dumps(person.ok("GET", f"/runs/{run}"))) < 80_000


@pytest.mark.parametrize("given", ["x", "-1", "1.5", "*", 'W/"1"', "9" * 30, "\xb2", "1, 2"])
def test_a_version_that_is_none_is_refused(person: Api, world: World, given: str):
    for path in (f"/runs/{world.a.run}", f"/experiments/{world.a.experiment}", f"/workspaces/{world.a.name}"):
        answer = person.ask("PATCH", path, {}, headers={"If-Match": given.encode("latin-1").decode("latin-1")})
        assert check_refusal(answer)["field"] == "If-Match"


def test_the_server_answers_others_while_one_sends_nonsense(target: LiveServer, person: Api, world: World):
    stop = threading.Event()
    slowest = 0.0

    def send() -> None:
        mine = Api(target, target.token)
        while not stop.is_set():
            mine.ask("POST", f"/workspaces/{world.a.name}/runs", content=NO_JSON["deep lists"])
        mine.close()

    senders = [threading.Thread(target=send) for _ in range(4)]
    for sender in senders:
        sender.start()
    for _ in range(20):
        began = time.monotonic()
        assert person.ask("GET", "/health").status == 200
        slowest = max(slowest, time.monotonic() - began)
    stop.set()
    for sender in senders:
        sender.join()
    assert slowest < 2
