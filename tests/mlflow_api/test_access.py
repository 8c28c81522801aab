"""Who may ask what: every route of the protocol without sign-in, for things of another workspace, and by the token of a job."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest

from jupyter_mlws.mlflow_api.calls import CALLS
from jupyter_mlws.mlflow_api.http import Call
from jupyter_mlws.mlflow_api.routes import mlflow_routes
from tests.live import LiveServer
from tests.mlflow_api.conftest import Wire
from tests.security.world import token_of_job

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def address(pattern: str) -> str:
    """An address that a route's pattern takes."""
    plain = re.sub(r"\(\?:/w/\(\?P<workspace>[^)]*\)\)\?", "", pattern)
    plain = plain.replace("(?:ajax-)?", "").replace("[23]", "2").replace("[.]", ".").replace("\\.", ".")
    plain = re.sub(r"\(\?P<(\w+)>[^)]*\)", lambda found: "1" if found[1] in ("upload_id", "number") else "x", plain)
    return plain.replace(".*", "anything")


ADDRESSES = [address(pattern) for pattern, _ in mlflow_routes()]


@pytest.fixture(scope="module")
def nobody(server: LiveServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{server.url}/mlws", follow_redirects=False) as client:
        yield client


@pytest.mark.parametrize("path", ADDRESSES)
def test_nobody_enters_without_a_token(nobody: httpx.Client, path: str):
    assert re.fullmatch(r"[\w./-]+", path), "the address is plain"
    for method in METHODS:
        headers = {"Authorization": "Basic bWU6d3Jvbmc="} if method == "GET" else {}
        for place in (path, f"/w/default{path}"):
            answer = nobody.request(method, place, headers=headers)
            assert answer.status_code in (401, 403, 405), (method, place, answer.status_code)
    assert nobody.get(path, headers={"Authorization": "Bearer mlws_unknown"}).status_code in (401, 405)


class Other:
    """Things of another workspace."""

    def __init__(self, server: LiveServer) -> None:
        server.ok("POST", "/workspaces", {"name": "theirs"})
        self.wire = Wire(server, "theirs")
        self.experiment = self.wire.experiment("secret experiment")
        self.run = self.wire.run(self.experiment, run_name="secret run", tags=[{"key": "t", "value": "v"}])
        self.wire.post("registered-models/create", name="secret-model")
        self.model = self.wire.post("logged-models", experiment_id=self.experiment, name="secret")["model"]["info"]["model_id"]
        self.wire.post("model-versions/create", name="secret-model", source=f"models:/{self.model}", model_id=self.model)
        self.wire.post("registered-models/alias", name="secret-model", alias="a", version="1")

    def body(self, call: Call) -> dict[str, Any]:
        """A request about them, as far as the call has fields for it."""
        known = {
            "experiment_id": self.experiment, "experiment_ids": [self.experiment], "experiment_name": "secret experiment",
            "run_id": self.run, "run_uuid": self.run, "run_ids": [self.run], "model_id": self.model, "name": "secret-model",
            "version": "1", "alias": "a", "stage": "Production", "status": "LOGGED_MODEL_READY", "key": "t", "value": "1",
            "timestamp": 1, "metric_key": "m", "new_name": "renamed", "model_json": "{}", "path": "x", "source": f"runs:/{self.run}/m",
            "metrics": [{"key": "m", "value": 1, "timestamp": 1}], "models": [], "tags": [{"key": "a", "value": "b"}],
        }  # fmt: skip
        names = [field.name for field in msgspec.structs.fields(call.request)]
        return {name: known[name] for name in names if name in known}


@pytest.fixture(scope="module")
def other(server: LiveServer) -> Iterator[Other]:
    made = Other(server)
    yield made
    made.wire.close()


@pytest.fixture(scope="module")
def stranger(server: LiveServer) -> Iterator[Wire]:
    token = server.ok("POST", "/tokens", {"workspace": "default"})["secret"]
    made = Wire(server, token=token)
    yield made
    made.close()


SEARCHES = ("experiments/search", "runs/search", "registered-models/search", "model-versions/search", "logged-models/search")
EMPTY = ("metrics/get-history", "metrics/get-history-bulk-interval")
MAKES = ("experiments/create", "registered-models/create")


@pytest.mark.parametrize(
    "call", [call for call in CALLS if call.path not in MAKES], ids=lambda call: f"{call.method} {call.path}"
)
def test_things_of_another_workspace_are_not_there(server: LiveServer, other: Other, stranger: Wire, call: Call):
    body = other.body(call)
    path = call.path.replace("{model_id}", other.model).replace("{tag_key}", "t")
    before = server.ok("GET", f"/runs/{other.run}")
    if call.path == "experiments/search":
        body["max_results"] = 100
    options: dict[str, Any] = {"params": body} if call.method == "GET" else {"json": body}
    for root in (stranger.root, f"{server.url}/mlws/w/theirs"):
        answer = stranger.http.request(call.method, f"{root}/api/2.0/mlflow/{path}", **options)
        if answer.status_code == 200:
            assert call.path in (*SEARCHES, *EMPTY)
            assert root == stranger.root
        else:
            assert answer.status_code in (400, 403, 404), answer.text
        assert "secret run" not in answer.text
        assert not answer.json().get("runs")
        assert not answer.json().get("models")
    after = server.ok("GET", f"/runs/{other.run}")
    assert after == {**before, "duration_ms": after["duration_ms"]}, "and nothing of them has changed"


def test_a_job_logs_and_registers_but_deletes_nothing(server: LiveServer):
    run_id = server.submit({"kind": "command", "command": "sleep 100"})
    job = Wire(server, token=token_of_job(server, run_id))
    own = job.post("runs/create", experiment_id="0", start_time=1)["run"]["info"]
    assert own["run_id"] == run_id, "its first run is its own"
    second = job.run("0")
    child = server.ok("GET", f"/runs/{second}")
    assert child["parent_id"] == run_id
    job.post("runs/log-metric", run_id=run_id, key="m", value=1, timestamp=1)
    job.post("registered-models/create", name="made-by-a-job")
    person = Wire(server)
    stranger = person.run("0")
    person.close()
    for path, body in (
        ("runs/log-metric", {"run_id": stranger, "key": "m", "value": 1, "timestamp": 1}),
        ("runs/delete", {"run_id": run_id}),
        ("runs/delete", {"run_id": stranger}),
        ("experiments/delete", {"experiment_id": own["experiment_id"]}),
        ("experiments/update", {"experiment_id": own["experiment_id"], "new_name": "mine"}),
    ):
        assert job.refused("POST", path, body, status=403)[0] == "PERMISSION_DENIED", path
    assert job.refused("DELETE", "registered-models/delete", {"name": "made-by-a-job"}, status=403)[0] == "PERMISSION_DENIED"
    info = job.ask("POST", "runs/update", {"run_id": run_id, "status": "FINISHED", "end_time": 5})["run_info"]
    assert info["status"] == "RUNNING", "what ends a job is the end of its process"
    job.close()
    server.post(f"/jobs/{run_id}/cancel")


def test_the_store_of_another_workspace_is_not_there(server: LiveServer, other: Other, stranger: Wire):
    """Every route of files, by the token's own address and by that of the other workspace."""
    store = "api/2.0/mlflow-artifacts"
    places = [f"{other.experiment}/{other.run}/artifacts", f"{other.experiment}/models/{other.model}/artifacts"]
    for place in places:
        assert other.wire.http.put(f"{other.wire.root}/{store}/artifacts/{place}/f", content=b"secret").status_code == 200
        begun = other.wire.http.post(f"{other.wire.root}/{store}/mpu/create/{place}", json={"path": "p", "num_parts": 1}).json()
        part = f"{store}/mpu/parts/{begun['upload_id']}/1"
        tag = other.wire.http.put(f"{other.wire.root}/{part}", content=b"part").headers["ETag"]
        end = {"path": "p", "upload_id": begun["upload_id"], "parts": [{"part_number": 1, "etag": tag}]}
        for root in (stranger.root, f"{server.url}/mlws/w/theirs"):
            for method, path, body in (
                *((method, f"{store}/artifacts/{place}/f", None) for method in ("GET", "PUT", "DELETE")),
                ("PUT", part, None),
                ("POST", f"{store}/mpu/create/{place}", {"path": "x", "num_parts": 1}),
                ("POST", f"{store}/mpu/complete/{place}", end),
                ("POST", f"{store}/mpu/abort/{place}", end),
            ):
                answer = stranger.http.request(method, f"{root}/{path}", json=body)
                assert answer.status_code in (403, 404), (method, path, answer.text)
                assert set(answer.json()) == {"error_code", "message"}
                assert "secret" not in answer.text
            listed = stranger.http.get(f"{root}/{store}/artifacts", params={"path": place})
            assert listed.status_code == 404 or listed.json() == {}
        assert other.wire.http.post(f"{other.wire.root}/{store}/mpu/complete/{place}", json=end).status_code == 200
        listed = other.wire.http.get(f"{other.wire.root}/{store}/artifacts", params={"path": place}).json()["files"]
        assert [(entry["path"], entry["file_size"]) for entry in listed] == [("f", 6), ("p", 4)]
