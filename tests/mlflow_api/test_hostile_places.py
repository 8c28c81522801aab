"""Paths and locations that lead elsewhere, in every field of the protocol that takes one: refused, and nothing is touched."""

from __future__ import annotations

import http.client
import json
import re
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import msgspec
import pytest

from jupyter_mlws.mlflow_api.calls import CALLS
from jupyter_mlws.mlflow_api.proxied import handlers
from tests.live import LiveServer
from tests.mlflow_api.conftest import Wire

SECRET = "canary-51c0a7d2e9"
UP = "../" * 12
PATHS = [
    *("..", "../x", "a/../../x", "a/..", "%2e%2e/x", "a/%2E%2e/%2e%2e/x", "%252e%252e/x", "%25252e%25252e/x", "..%2fx", "..%5cx"),
    *("..\\x", "a\\..\\..\\x", "C:\\x", "C:/Windows/win.ini", "c%3A%5Cx", "a#b", "a%23b", "x#/../../y", "a\0b", "a%00b"),
    *("file:///etc/passwd", "file:/etc/passwd", "FILE:///etc/passwd", "file%3A///etc/passwd"),
    *("http://127.0.0.1:9/x", "https://h/x", "s3://b/x", "ftp://h/x"),
    *(f"{UP}CANARY", quote(UP, safe="") + "CANARY", "file://CANARY"),
]
ABSOLUTE = ["/etc/passwd", "//etc/passwd", "%2fetc/passwd", "CANARY"]


class Asked(NamedTuple):
    """An answer."""

    status: int
    text: str


class Target:
    """A run, a logged model and a registered model to attack, and a file outside that nobody may reach."""

    def __init__(self, server: LiveServer, wire: Wire) -> None:
        self.server = server
        self.canary = server.folder / "canary.txt"
        self.canary.write_text(SECRET)
        made = wire.post("runs/create", experiment_id="0", start_time=1)["run"]["info"]
        self.run, self.folder = made["run_id"], made["artifact_uri"].removeprefix("mlflow-artifacts:/")
        wire.http.put(f"{wire.root}/api/2.0/mlflow-artifacts/artifacts/{self.folder}/a/kept", content=b"kept")
        info = wire.post("logged-models", experiment_id=made["experiment_id"], name="net")["model"]["info"]
        self.logged_model, self.model_folder = info["model_id"], info["artifact_uri"].removeprefix("mlflow-artifacts:/")
        self.model = f"hostile-{uuid.uuid4().hex[:8]}"
        wire.post("registered-models/create", name=self.model)

    def ask(self, method: str, path: str, body: Any = None) -> Asked:
        """A request whose path goes out as it is: no client library tidies it up."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        headers = {"Authorization": f"Bearer {self.server.token}", "Content-Type": "application/json"}
        raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
        connection.putrequest(method, f"/mlws/api/2.0/{path}", skip_host=False)
        for name, value in {**headers, "Content-Length": str(len(raw or b""))}.items():
            connection.putheader(name, value)
        connection.endheaders(raw)
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        connection.close()
        return Asked(answer.status, text)

    def filled(self, payload: str) -> str:
        """The payload with the place of the file outside."""
        return payload.replace("CANARY", str(self.canary))


Place = Callable[[Target, str], Asked]


def in_address(method: str, route: str, owner: str = "folder", body: Any = None) -> Place:
    """As part of a URL of the store; percent signs of the payload are sent as they are."""

    def ask(target: Target, payload: str) -> Asked:
        path = "".join(c if c.isascii() and c.isprintable() and c not in '#? \\"' else quote(c) for c in payload)
        return target.ask(method, f"mlflow-artifacts/{route}/{getattr(target, owner)}/{path}", body)

    return ask


def in_query(path: str, field: str, before: str = "", **fields: str) -> Place:
    """As a parameter of a GET."""

    def ask(target: Target, payload: str) -> Asked:
        given = {**{key: getattr(target, value) for key, value in fields.items()}}
        given[field] = f"{getattr(target, before)}/{payload}" if before else payload
        place = path.format(logged_model=target.logged_model)
        return target.ask("GET", f"{place}?{urlencode(given)}")

    return ask


def in_body(path: str, field: str, before: str = "", **fields: str) -> Place:
    """As a field of a JSON body, after a text with the names of things."""

    def ask(target: Target, payload: str) -> Asked:
        given: dict[str, Any] = {key: getattr(target, value, value) for key, value in fields.items()}
        return target.ask("POST", path.format(folder=target.folder), {**given, field: before.format(**vars(target)) + payload})

    return ask


UPLOAD = {"path": "x.bin", "num_parts": 1, "upload_id": "0", "parts": []}
PLACES: dict[str, Place] = {
    "store GET": in_address("GET", "artifacts"),
    "store GET of a model": in_address("GET", "artifacts", "model_folder"),
    "store PUT": in_address("PUT", "artifacts", body=b"x"),
    "store PUT of a model": in_address("PUT", "artifacts", "model_folder", b"x"),
    "store DELETE": in_address("DELETE", "artifacts"),
    "store list": in_query("mlflow-artifacts/artifacts", "path", "folder"),
    "store presigned": in_address("GET", "presigned"),
    "parts create": in_address("POST", "mpu/create", body=UPLOAD),
    "parts complete": in_address("POST", "mpu/complete", body=UPLOAD),
    "parts abort": in_address("POST", "mpu/abort", body=UPLOAD),
    "artifacts/list": in_query("mlflow/artifacts/list", "path", run_id="run"),
    "presigned upload": in_body("mlflow/artifacts/presigned-upload-url", "path", run_id="run"),
    "presigned upload of a model": in_body("mlflow/artifacts/presigned-upload-url", "path", model_id="logged_model"),
    "presigned download": in_body("mlflow/artifacts/presigned-download-url", "path", run_id="run"),
    "folder of a logged model": in_query("mlflow/logged-models/{logged_model}/artifacts/directories", "artifact_directory_path"),
}
ALONE: dict[str, Place] = {
    "store list": in_query("mlflow-artifacts/artifacts", "path"),
    "store GET": lambda target, payload: target.ask("GET", f"mlflow-artifacts/artifacts/{quote(payload, safe='/%')}"),
    "store PUT": lambda target, payload: target.ask("PUT", f"mlflow-artifacts/artifacts/{quote(payload, safe='/%')}", b"x"),
    "store DELETE": lambda target, payload: target.ask("DELETE", f"mlflow-artifacts/artifacts/{quote(payload, safe='/%')}"),
    **{
        f"parts {what}": lambda target, payload, what=what: target.ask(  # type: ignore[misc]
            "POST", f"mlflow-artifacts/mpu/{what}/{quote(payload, safe='/%')}", UPLOAD
        )
        for what in ("create", "complete", "abort")
    },
    **{name: PLACES[name] for name in ("artifacts/list", "presigned upload", "presigned download", "folder of a logged model")},
}
"""Where the payload is the whole path, so that it may be absolute."""
SOURCES: dict[str, Place] = {
    "as it is": in_body("mlflow/model-versions/create", "source", name="model", run_id="run"),
    "of a run": in_body("mlflow/model-versions/create", "source", "runs:/{run}/", name="model", run_id="run"),
    "of the store": in_body("mlflow/model-versions/create", "source", "mlflow-artifacts:/{folder}/", name="model", run_id="run"),
    "of a model's files": in_body(
        "mlflow/model-versions/create", "source", "mlflow-artifacts:/{model_folder}/", name="model", model_id="logged_model"
    ),
}
CLIMBS = re.compile(r"\.\.|%(25)*2e|#|%23|\0|%00", re.IGNORECASE)
LOCATIONS = [
    *("../x", "a/../../x", "/a/../../x", "%2e%2e/x", "%252e%252e/x", "file:///a/../../etc", "file:///a/%2e%2e/x", "..\\x"),
    *("s3://b/../x", "s3://b/a/%252e%252e/x", "mlflow-artifacts:/../x", "mlflow-artifacts:/a/%2e%2e/%2e%2e/x"),
    *(
        "s3://b/x#y",
        "s3://b/x#",
        "/a#b",
        "/a%23b",
        "s3://b/x?p=../y",
        "s3://b/x?p=%2e%2e/y",
        "file:///a?b",
        "mlflow-artifacts:/a?b",
    ),
    *("http://127.0.0.1:9/x", "HTTPS://h/x", "ftp://h/x", "hdfs://h/x", "mlflow-artifacts://other:1/x", "runs:/x", "a\0b"),
]


@pytest.fixture(scope="module")
def target(server: LiveServer) -> Target:
    wire = Wire(server)
    made = Target(server, wire)
    wire.close()
    return made


def check_refusal(asked: Asked, what: object) -> None:
    assert 400 <= asked.status < 500, (what, asked)
    assert asked.status != 429
    assert set(json.loads(asked.text)) == {"error_code", "message"}, (what, asked)
    assert SECRET not in asked.text


def listed(wire: Wire, run_id: str, path: str = "") -> Any:
    """What a run's folder has."""
    return wire.ask("GET", "artifacts/list", params={"run_id": run_id, "path": path}).get("files", [])


def check_untouched(target: Target, wire: Wire) -> None:
    assert target.canary.read_text() == SECRET
    assert listed(wire, target.run) == [{"path": "a", "is_dir": True}]
    assert listed(wire, target.run, "a") == [{"path": "a/kept", "is_dir": False, "file_size": 4}]
    assert "files" not in wire.get(f"logged-models/{target.logged_model}/artifacts/directories")
    assert wire.get("model-versions/search", filter=f"name = '{target.model}'") == {}


@pytest.mark.parametrize("name", PLACES)
def test_paths_that_lead_elsewhere(target: Target, wire: Wire, name: str):
    for payload in PATHS:
        check_refusal(PLACES[name](target, target.filled(payload)), payload)
    check_untouched(target, wire)


@pytest.mark.parametrize("name", ALONE)
def test_paths_that_begin_at_the_root(target: Target, wire: Wire, name: str):
    for payload in ABSOLUTE:
        check_refusal(ALONE[name](target, target.filled(payload)), payload)
    check_untouched(target, wire)


@pytest.mark.parametrize("name", ["create", "complete", "abort"])
def test_names_of_files_in_parts(target: Target, wire: Wire, name: str):
    """Only the last name of the client's own path counts, so most are harmless; one that is no name is refused."""
    for payload in ("..", "a/..", "x/", "a%2f..%2fb", "..%5cx", "a#b", "a\0b", "%2e%2e"):
        asked = target.ask("POST", f"mlflow-artifacts/mpu/{name}/{target.folder}", {**UPLOAD, "path": payload})
        check_refusal(asked, payload)
    check_untouched(target, wire)


@pytest.mark.parametrize("name", SOURCES)
def test_sources_that_lead_elsewhere(target: Target, wire: Wire, name: str):
    if name == "as it is":
        payloads = [*[payload for payload in PATHS if payload != "s3://b/x"], *ABSOLUTE, "s3://b/x#y", "s3://b/x?p=%2e%2e/y"]
    else:  # below a run or a model: a name there may be as strange as it likes
        payloads = [*[payload for payload in PATHS if CLIMBS.search(payload)], "m?x=1", "m#x", "m?x=../../y", "m%23x"]
    for payload in payloads:
        check_refusal(SOURCES[name](target, target.filled(payload)), payload)
    check_untouched(target, wire)


@pytest.mark.parametrize("location", LOCATIONS)
def test_locations_that_lead_elsewhere(target: Target, location: str):
    body = {"name": uuid.uuid4().hex, "artifact_location": location}
    check_refusal(target.ask("POST", "mlflow/experiments/create", body), location)


def test_a_location_that_clients_reach_by_themselves_is_never_opened_here(target: Target, wire: Wire):
    """MLflow's clients may share a folder of their own; this server neither reads nor writes there."""
    outside = target.canary.parent
    for location in (outside.as_uri(), str(outside)):
        experiment = wire.post("experiments/create", name=uuid.uuid4().hex, artifact_location=location)["experiment_id"]
        run = wire.post("runs/create", experiment_id=experiment, start_time=1)["run"]["info"]
        assert run["artifact_uri"].startswith(location)
        place = outside / run["run_id"] / "artifacts"
        place.mkdir(parents=True)
        (place / "canary.txt").write_text(SECRET)
        for path in ("", "canary.txt"):
            assert listed(wire, run["run_id"], path) == []
        store = f"mlflow-artifacts/artifacts/{experiment}/{run['run_id']}/artifacts"
        check_refusal(target.ask("GET", f"{store}/canary.txt"), location)
        assert target.ask("PUT", f"{store}/mine", b"mine").status == 200
        assert [path.name for path in place.iterdir()] == ["canary.txt"]


def test_every_field_that_takes_a_place_is_attacked():
    """A new route or field with a path in its name must come into the tables above."""
    fields = {
        (call.path, field.name)
        for call in CALLS
        for field in msgspec.structs.fields(call.request)
        if field.name != "path_id" and re.search(r"path|source|location|uri|dir|root|file", field.name)
    }
    assert fields == {
        ("artifacts/list", "path"),
        ("artifacts/presigned-upload-url", "path"),
        ("artifacts/presigned-download-url", "path"),
        ("experiments/create", "artifact_location"),
        ("model-versions/create", "source"),
        ("logged-models/{path_id}/artifacts/directories", "artifact_directory_path"),
        ("logged-models", "source_run_id"),  # an id: `test_access`
    }
    routes = {re.sub(r".*mlflow-artifacts/", "", pattern) for pattern, _ in handlers()}
    assert {re.sub(r"/?\(.*", "", route) for route in routes} == {
        *("artifacts", "mpu/create", "mpu/complete", "mpu/abort", "presigned"),
        "mpu/parts",  # takes an id and a number
    }
