"""MLflow's routes of logged models, by bare requests to a real server."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from tests.live import LiveServer
from tests.mlflow_api.conftest import Wire

IPV, RDNE, BR = "INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST", "BAD_REQUEST"


@pytest.fixture
def experiment(wire: Wire) -> str:
    return wire.experiment(uuid.uuid4().hex)


def make(wire: Wire, experiment: str, name: str = "net", **fields: Any) -> str:
    """A new logged model's id."""
    made = wire.post("logged-models", experiment_id=experiment, name=name, **fields)
    return str(made["model"]["info"]["model_id"])


def search(wire: Wire, experiment: str, text: str | None = None, **fields: Any) -> list[str]:
    """Names that a search finds."""
    order = fields.pop("order_by", [{"field_name": "name"}])
    body = {"experiment_ids": [experiment], "order_by": order, **fields, **({"filter": text} if text is not None else {})}
    return [model["info"]["name"] for model in wire.post("logged-models/search", **body).get("models", [])]


def test_a_logged_model_and_its_life(wire: Wire, experiment: str):
    made = wire.post(
        "logged-models",
        experiment_id=experiment,
        name="net",
        model_type="agent",
        source_run_id="r",
        params=[{"key": "a", "value": "1"}],
        tags=[{"key": "t", "value": "v"}],
    )["model"]
    model_id = made["info"].pop("model_id")
    assert made["info"].pop("creation_timestamp_ms") == made["info"].pop("last_updated_timestamp_ms")
    assert made == {
        "info": {
            "experiment_id": experiment,
            "name": "net",
            "status": "LOGGED_MODEL_PENDING",
            "model_type": "agent",
            "source_run_id": "r",
            "tags": [{"key": "t", "value": "v"}],
            "artifact_uri": f"mlflow-artifacts:/{experiment}/models/{model_id}/artifacts",
        },
        "data": {"params": [{"key": "a", "value": "1"}]},
    }
    one = f"logged-models/{model_id}"
    for status, word in (
        ("LOGGED_MODEL_READY", "LOGGED_MODEL_READY"),
        (3, "LOGGED_MODEL_UPLOAD_FAILED"),
        ("1", "LOGGED_MODEL_PENDING"),
        ("READY", "LOGGED_MODEL_STATUS_UNSPECIFIED"),
        (9, "LOGGED_MODEL_STATUS_UNSPECIFIED"),
    ):
        assert wire.ask("PATCH", one, {"model_id": model_id, "status": status})["model"]["info"]["status"] == word
    assert wire.ask("PATCH", f"{one}/tags", {"tags": [{"key": "a b", "value": "1"}, {"key": "a b", "value": "2"}]}) == {}
    assert wire.ask("DELETE", f"{one}/tags/t") == {}
    gone = (RDNE, f"No tag with key 't' found for model with ID '{model_id}'.")
    assert wire.refused("DELETE", f"{one}/tags/t", status=404) == gone
    assert wire.refused("DELETE", f"{one}/tags/%00", status=404)[0] == RDNE
    assert wire.post(f"{one}/params", model_id=model_id, params=[{"key": "b", "value": "2"}]) == {}
    assert wire.refused("POST", f"{one}/params", {"model_id": model_id, "params": [{"key": "b", "value": "2"}]})[0] == BR
    assert wire.refused("POST", f"{one}/params", {"params": []})[0] == IPV
    found = wire.get(one)["model"]
    assert found["info"]["tags"] == [{"key": "a b", "value": "2"}]
    assert found["data"]["params"] == [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]
    for _ in range(2):
        assert wire.ask("DELETE", one, {"model_id": model_id}) == {}
    missing = (RDNE, f"Logged model with ID '{model_id}' not found.")
    assert wire.refused("GET", one, status=404) == missing
    assert wire.get(one, allow_deleted="true")["model"]["info"]["model_id"] == model_id
    wire.ask("PATCH", f"{one}/tags", {"tags": [{"key": "late", "value": "1"}]})
    assert search(wire, experiment) == []
    assert wire.refused("DELETE", "logged-models/m-nope", status=404) == (RDNE, "Logged model with ID 'm-nope' not found.")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"name": "a/b"}, IPV),
        ({"name": "it's"}, IPV),
        ({"name": "x" * 501}, IPV),
        ({"params": [{"key": "a"}, {"key": "a"}]}, BR),
        ({"tags": [{"key": "a"}, {"key": "a"}]}, BR),
        ({"params": [{"key": "k" * 251}]}, IPV),
    ],
)
def test_what_is_refused(wire: Wire, experiment: str, fields: dict[str, Any], code: str):
    found, message = wire.refused("POST", "logged-models", {"experiment_id": experiment, **fields})
    assert found == code
    if fields.get("name") == "a/b":
        assert message.startswith("Invalid model name ('a/b') provided. Model name must be a non-empty string and cannot contain")
        assert message.endswith("""('/', ':', '.', '%', '"', "'")""")


def test_experiments_that_take_no_models(wire: Wire, experiment: str):
    model_id = make(wire, experiment)
    assert wire.refused("POST", "logged-models", {"experiment_id": "999999"}, status=404)[0] == RDNE
    assert wire.refused("POST", "logged-models", {})[0] == IPV
    wire.post("experiments/delete", experiment_id=experiment)
    _, message = wire.refused("POST", "logged-models", {"experiment_id": experiment, "name": "x"})
    assert message == f"The experiment {experiment} must be in the 'active' state. Current state is deleted."
    assert wire.get(f"logged-models/{model_id}")["model"]["info"]["name"] == "net"
    assert search(wire, experiment) == ["net"]


def test_points_of_metrics(wire: Wire, experiment: str):
    run, model_id = wire.run(experiment), make(wire, experiment)
    point: dict[str, Any] = {"run_id": run, "key": "acc", "value": 0.5, "timestamp": 1, "step": 0, "model_id": model_id}
    for _ in range(2):
        wire.post("runs/log-metric", **point)
    batch = [
        {"key": "acc", "value": "NaN", "timestamp": 2, "step": 1, "model_id": model_id},
        {"key": "loss", "value": 3, "timestamp": 1, "model_id": model_id, "dataset_name": "d", "dataset_digest": "x"},
        {"key": "own", "value": 1, "timestamp": 1},
    ]
    wire.post("runs/log-batch", run_id=run, metrics=batch)
    mine = {"model_id": model_id, "run_id": run}
    assert wire.get(f"logged-models/{model_id}")["model"]["data"]["metrics"] == [
        {"key": "acc", "value": 0.5, "timestamp": 1, "step": 0, **mine},
        {"key": "acc", "value": "NaN", "timestamp": 2, "step": 1, **mine},
        {"key": "loss", "value": 3.0, "timestamp": 1, "step": 0, "dataset_name": "d", "dataset_digest": "x", **mine},
    ]
    assert wire.refused("POST", "runs/log-metric", {**point, "value": 0.6})[0] == BR
    assert wire.refused("POST", "runs/log-metric", {**point, "key": "k", "model_id": "m-nope"})[0] == BR
    logged = {metric["key"] for metric in wire.get("runs/get", run_id=run)["run"]["data"]["metrics"]}
    assert logged == {"acc", "loss", "own"}


def test_what_runs_read_and_made(wire: Wire, experiment: str):
    run, model_id = wire.run(experiment), make(wire, experiment)
    for _ in range(2):
        wire.post("runs/log-inputs", run_id=run, models=[{"model_id": model_id}, {"model_id": "m-unknown"}])
    wire.post("runs/outputs", run_id=run, models=[{"model_id": model_id, "step": 3}])
    assert wire.refused("POST", "runs/outputs", {"run_id": run, "models": [{"model_id": model_id}]})[0] == BR
    found = wire.get("runs/get", run_id=run)["run"]
    assert found["inputs"] == {"model_inputs": [{"model_id": model_id}, {"model_id": "m-unknown"}]}
    assert found["outputs"] == {"model_outputs": [{"model_id": model_id, "step": 3}]}
    (searched,) = wire.post("runs/search", experiment_ids=[experiment])["runs"]
    assert "model_inputs" not in searched["inputs"]
    assert searched["outputs"] == found["outputs"]


def test_files_of_a_model(wire: Wire, experiment: str):
    model_id = make(wire, experiment)
    store = f"{wire.root}/api/2.0/mlflow-artifacts/artifacts/{experiment}/models/{model_id}/artifacts"
    assert "files" not in wire.get(f"logged-models/{model_id}/artifacts/directories")
    for path, content in (("MLmodel", b"flavors: {}"), ("data/model.pkl", b"12345")):
        assert wire.http.put(f"{store}/{path}", content=content).status_code == 200
    assert wire.http.get(f"{store}/data/model.pkl").content == b"12345"
    top = wire.get(f"logged-models/{model_id}/artifacts/directories")
    assert top == {
        "root_uri": f"mlflow-artifacts:/{experiment}/models/{model_id}/artifacts",
        "files": [{"path": "MLmodel", "is_dir": False, "file_size": 11}, {"path": "data", "is_dir": True}],
    }
    below = wire.get(f"logged-models/{model_id}/artifacts/directories", artifact_directory_path="data")
    assert below["files"] == [{"path": "data/model.pkl", "is_dir": False, "file_size": 5}]
    out = wire.refused("GET", f"logged-models/{model_id}/artifacts/directories", params={"artifact_directory_path": "../x"})
    assert out == (IPV, "Invalid path")
    elsewhere = store.replace(model_id, "m-" + "0" * 32)
    assert wire.http.put(f"{elsewhere}/x", content=b"x").status_code == 404


def test_searches(wire: Wire, experiment: str):
    run = wire.run(experiment)
    a = make(wire, experiment, "a", params=[{"key": "lr", "value": "1"}], tags=[{"key": "team", "value": "Blue"}])
    b = make(wire, experiment, "b", params=[{"key": "lr", "value": "2"}])
    make(wire, experiment, "c", source_run_id=run)
    data = {"dataset_name": "d", "dataset_digest": "x"}
    points = [
        {"key": "acc", "value": 0.9, "timestamp": 1, "step": 0, "model_id": a},
        {"key": "acc", "value": 0.1, "timestamp": 2, "step": 1, "model_id": a},
        {"key": "acc", "value": 0.5, "timestamp": 1, "step": 0, "model_id": b, **data},
    ]
    wire.post("runs/log-batch", run_id=run, metrics=points)
    wire.ask("PATCH", f"logged-models/{a}", {"model_id": a, "status": "LOGGED_MODEL_READY"})
    for text, found in (
        ("", ["a", "b", "c"]),
        ("name='a'", ["a"]),
        ("name=a", ["a"]),
        ("params.lr = 1 and metrics.acc > 0.8", ["a"]),
        ("metrics.acc < 0.2", ["a"]),
        ("tags.team ILIKE 'blue'", ["a"]),
        ("tags.team LIKE 'blue'", []),
        ("status = 2", ["a"]),
        (f"model_id IN ('{a}', '{b}')", ["a", "b"]),
        (f"source_run_id = '{run}'", ["c"]),
        (f"attributes.experiment_id = {experiment}", ["a", "b", "c"]),
        ("creation_time > 5", ["a", "b", "c"]),
    ):
        assert search(wire, experiment, text) == found, text
    acc: dict[str, Any] = {"field_name": "metrics.acc"}
    assert search(wire, experiment, order_by=[acc]) == ["a", "b", "c"]
    assert search(wire, experiment, order_by=[{**acc, "ascending": False}]) == ["b", "a", "c"]
    assert search(wire, experiment, order_by=[{**acc, **data}, {"field_name": "name"}]) == ["b", "a", "c"]
    assert search(wire, experiment, order_by=[]) == ["c", "b", "a"]
    assert search(wire, experiment, datasets=[data]) == ["b"]
    assert search(wire, experiment, datasets=[{"dataset_name": "d"}]) == ["b"]
    assert search(wire, experiment, "metrics.acc > 0.8", datasets=[data]) == []
    assert wire.post("logged-models/search", experiment_ids=[]) == {}
    for body, words in (
        ({"order_by": [{"field_name": "foo"}]}, "Invalid order by field name: foo"),
        ({"order_by": [{"field_name": "params.a"}]}, "Invalid order by field name: params.a. Only metrics are supported."),
        ({"datasets": [{"dataset_digest": "x"}]}, "`dataset_name` in the `datasets` clause must be specified."),
    ):
        assert wire.refused("POST", "logged-models/search", {"experiment_ids": [experiment], **body}) == (IPV, words)
    for text in ("foo = 'x'", "params.lr > '1'", "metrics.acc = 'abc'", "name"):
        assert wire.refused("POST", "logged-models/search", {"experiment_ids": [experiment], "filter": text})[0] == IPV
    first = wire.post("logged-models/search", experiment_ids=[experiment], order_by=[acc], max_results=1)
    rest = search(wire, experiment, order_by=[acc], max_results=5, page_token=first["next_page_token"])
    assert [first["models"][0]["info"]["name"], *rest] == ["a", "b", "c"]


def test_registering_notes_the_version(wire: Wire, experiment: str):
    model_id, name = make(wire, experiment), f"m-{uuid.uuid4().hex[:12]}"
    wire.post("registered-models/create", name=name)
    wire.post("model-versions/create", name=name, source=f"models:/{model_id}", model_id=model_id)
    (tag,) = wire.get(f"logged-models/{model_id}")["model"]["info"]["tags"]
    assert (tag["key"], json.loads(tag["value"])) == ("mlflow.modelVersions", [{"name": name, "version": 1}])


def test_another_workspace_finds_no_model(wire: Wire, server: LiveServer, experiment: str):
    model_id = make(wire, experiment)
    space = f"w{uuid.uuid4().hex[:8]}"
    server.ok("POST", "/workspaces", {"name": space})
    there = Wire(server, space)
    assert there.post("logged-models/search", experiment_ids=[experiment]) == {}
    assert there.refused("POST", "logged-models", {"experiment_id": experiment}, status=404)[0] == RDNE
    run = there.run(there.experiment("e"))
    point = {"run_id": run, "key": "k", "value": 1, "timestamp": 1, "model_id": model_id}
    assert there.refused("POST", "runs/log-metric", point)[0] == BR
    there.close()
