"""Answers on the wire, route by route: MLflow's codes, its words where clients or people rely on them, and its rules."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.mlflow_api.conftest import Wire

IPV, RDNE = "INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"
NOWHERE = "0" * 32


def missing(name: str) -> str:
    return f"Missing value for required parameter '{name}'. See the API docs for more information about request parameters."


@pytest.mark.parametrize(
    ("method", "path", "body", "name"),
    [
        ("POST", "experiments/create", {}, "name"),
        ("POST", "experiments/create", {"name": ""}, "name"),
        ("POST", "experiments/update", {"experiment_id": "1"}, "new_name"),
        ("POST", "runs/delete", {}, "run_id"),
        ("POST", "runs/log-metric", {"run_id": NOWHERE, "key": "k", "timestamp": 1}, "value"),
        ("POST", "runs/log-metric", {"run_id": NOWHERE, "key": "k", "value": None, "timestamp": 1}, "value"),
        ("POST", "runs/log-batch", {"run_id": NOWHERE, "metrics": [{"value": 1, "timestamp": 1}]}, "metrics[0].key"),
        ("POST", "runs/log-batch", {"run_id": NOWHERE, "params": [{"value": "1"}]}, "params[0].key"),
        ("POST", "runs/set-tag", {"run_id": NOWHERE}, "key"),
        ("POST", "runs/set-tag", {"key": "k"}, "run_id"),
        ("POST", "runs/outputs", {"run_id": NOWHERE}, "models"),
        ("GET", "runs/get", None, "run_id"),
        ("GET", "experiments/get-by-name", None, "experiment_name"),
        ("GET", "metrics/get-history", None, "run_id"),
    ],
)
def test_what_must_be_there(wire: Wire, method: str, path: str, body: Any, name: str):
    assert wire.refused(method, path, body) == (IPV, missing(name))


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("experiments/create", {"name": 5}, "name"),
        ("experiments/create", {"name": "x", "tags": {"a": "b"}}, "tags"),
        ("runs/log-metric", {"run_id": NOWHERE, "key": "k", "value": "much", "timestamp": 1}, "value"),
        ("runs/log-metric", {"run_id": NOWHERE, "key": "k", "value": 1, "timestamp": 1.5}, "timestamp"),
        ("runs/log-batch", {"run_id": NOWHERE, "metrics": {}}, "metrics"),
        ("runs/search", {"experiment_ids": "1"}, "experiment_ids"),
        ("runs/search", {"experiment_ids": ["1"], "order_by": [1]}, "order_by"),
    ],
)
def test_wrong_types(wire: Wire, path: str, body: Any, field: str):
    code, message = wire.refused("POST", path, body)
    assert code == IPV
    assert f"for parameter '{field}' supplied:  Hint: Value was of type '" in message


def test_forms_that_protobuf_takes(wire: Wire):
    experiment = wire.post("experiments/create", name="forms", artifactLocation="s3://bucket/place")["experiment_id"]
    assert wire.get("experiments/get", experiment_id=experiment)["experiment"]["artifact_location"] == "s3://bucket/place"
    run = wire.post("runs/create", experiment_id=experiment, start_time="1000", tags=[{"key": "bare"}])["run"]
    assert run["info"]["start_time"] == 1000
    assert {"key": "bare", "value": ""} in run["data"]["tags"]
    assert run["info"]["artifact_uri"] == f"s3://bucket/place/{run['info']['run_id']}/artifacts"
    run_id = run["info"]["run_id"]
    for n, value in enumerate(["NaN", "Infinity", "-Infinity", "3.25", 7]):
        wire.post("runs/log-metric", run_id=run_id, key="m", value=value, timestamp=str(n), step=float(n), unknown="ignored")
    history = wire.get("metrics/get-history", run_uuid=run_id, metric_key="m")["metrics"]
    assert [point["value"] for point in history] == ["NaN", "Infinity", "-Infinity", 3.25, 7.0]
    twice = json.dumps(json.dumps({"run_id": run_id, "key": "k", "value": "v"}))
    wire.ask("POST", "runs/set-tag", content=twice, headers={"Content-Type": "application/json"})
    code, message = wire.refused("POST", "runs/update", {"run_id": run_id, "endTime": 5, "end_time": 6})
    assert (code, message) == (IPV, "Request specifies both 'end_time' and 'endTime'; provide only one of them.")


@pytest.mark.parametrize("raw", [b"", b"null", b"{", b"[" * 100_000, b'{"name": "\xff"}'])
def test_bodies_that_are_no_object_lack_what_is_required(wire: Wire, raw: bytes):
    found = wire.refused("POST", "experiments/create", content=raw, headers={"Content-Type": "application/json"})
    assert found == (IPV, missing("name"))


def test_content_types(wire: Wire):
    raw = b'{"name": "typed"}'
    assert wire.refused("POST", "experiments/create", content=raw)[1] == "Bad Request. Content-Type header is missing."
    other = wire.refused("POST", "experiments/create", content=raw, headers={"Content-Type": "text/plain"})
    assert other[1] == "Bad Request. Content-Type must be one of ['application/json']."


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("b@d", "Names may only contain alphanumerics"),
        ("a//b", "This name would resolve to 'a/b'"),
        ("/a", "must not resolve to other names"),
        ("..", "must not resolve to other names"),
        ("x" * 251, "exceeds the maximum length of 250 characters"),
        ("😀", "Names may only contain alphanumerics"),
    ],
)
def test_keys(wire: Wire, key: str, words: str):
    run_id = wire.run("0")
    for path, body in (
        ("runs/log-metric", {"key": key, "value": 1, "timestamp": 1}),
        ("runs/log-parameter", {"key": key, "value": "1"}),
        ("runs/set-tag", {"key": key, "value": "1"}),
        ("runs/log-batch", {"metrics": [{"key": key, "value": 1, "timestamp": 1}]}),
        ("runs/log-batch", {"tags": [{"key": key, "value": "1"}]}),
    ):
        code, message = wire.refused("POST", path, {"run_id": run_id, **body})
        assert code == IPV
        assert words in message, (path, message)


@pytest.mark.parametrize("key", ["a b", "a.b/c-d:e", "größe", ".a", "a..b", "-x"])
def test_keys_that_are_fine(wire: Wire, key: str):
    run_id = wire.run("0")
    wire.post(
        "runs/log-batch", run_id=run_id, metrics=[{"key": key, "value": 1, "timestamp": 1}], params=[{"key": key, "value": "1"}]
    )
    data = wire.get("runs/get", run_id=run_id)["run"]["data"]
    assert (data["metrics"][0]["key"], data["params"][0]["key"]) == (key, key)


def test_batches(wire: Wire):
    run_id = wire.run("0")
    metrics = [{"key": "m", "value": n, "timestamp": n, "step": n} for n in range(1001)]
    assert (
        "at most 1000 metrics. Got 1001 metrics."
        in wire.refused("POST", "runs/log-batch", {"run_id": run_id, "metrics": metrics})[1]
    )
    params = [{"key": f"p{n}", "value": "1"} for n in range(101)]
    assert (
        "at most 100 params. Got 101 params." in wire.refused("POST", "runs/log-batch", {"run_id": run_id, "params": params})[1]
    )
    both = {"run_id": run_id, "metrics": metrics[:950], "params": params[:60]}
    assert "at most 1000 metrics, params, and tags. Got 1010" in wire.refused("POST", "runs/log-batch", both)[1]
    twice = {"run_id": run_id, "params": [{"key": "q", "value": "1"}] * 2}
    assert wire.refused("POST", "runs/log-batch", twice)[1].startswith("Duplicate parameter keys have been submitted: ['q'].")
    wire.post("runs/log-batch", run_id=run_id, params=[{"key": "p", "value": "1"}])
    conflict = {
        "run_id": run_id,
        "params": [{"key": "p", "value": "2"}],
        "metrics": metrics[:5],
        "tags": [{"key": "t", "value": "v"}],
    }
    code, message = wire.refused("POST", "runs/log-batch", conflict)
    assert (code, message) == (
        IPV,
        "Changing param values is not allowed. Params were already logged='[{'key': 'p', 'old_value': '1', 'new_value': '2'}]' "
        f"for run ID='{run_id}'.",
    )
    data = wire.get("runs/get", run_id=run_id)["run"]["data"]
    assert "metrics" not in data, "all of a batch or nothing"
    for _ in range(2):
        wire.post("runs/log-batch", run_id=run_id, metrics=metrics[:1000])
    assert len(wire.get("metrics/get-history", run_id=run_id, metric_key="m")["metrics"]) == 1000
    assert wire.refused("POST", "runs/log-batch", {"run_id": "bad id!"})[1] == (
        "Invalid value \"bad id!\" for parameter 'run_id' supplied."
    )


def test_the_latest_value(wire: Wire):
    """The greatest (step, timestamp, value), whatever came first; NaN counts as 0."""
    run_id = wire.run("0")
    for value, timestamp, step in ((1, 5, 2), (9, 9, 1), (3, 5, 2), (2, 4, 2), (7, 1, -5)):
        wire.post("runs/log-metric", run_id=run_id, key="m", value=value, timestamp=timestamp, step=step)
    for odd in ("NaN", -1):
        wire.post("runs/log-metric", run_id=run_id, key="n", value=odd, timestamp=1)
    found = {m["key"]: m for m in wire.get("runs/get", run_id=run_id)["run"]["data"]["metrics"]}
    assert found["m"] == {"key": "m", "value": 3.0, "timestamp": 5, "step": 2}
    assert found["n"]["value"] == "NaN"


def test_names_and_tags(wire: Wire):
    experiment = wire.experiment("names")
    differing = {"experiment_id": experiment, "run_name": "a", "tags": [{"key": "mlflow.runName", "value": "b"}]}
    assert "are specified, but with different values" in wire.refused("POST", "runs/create", differing)[1]
    run_id = wire.run(experiment, run_name="one")
    wire.post("runs/set-tag", run_id=run_id, key="mlflow.runName", value="two")
    assert wire.get("runs/get", run_id=run_id)["run"]["info"]["run_name"] == "two"
    info = wire.ask("POST", "runs/update", {"run_id": run_id, "run_name": "three", "status": "FINISHED", "end_time": 2000})[
        "run_info"
    ]
    assert (info["run_name"], info["status"], info["end_time"]) == ("three", "FINISHED", 2000)
    assert wire.refused("POST", "runs/delete-tag", {"run_id": run_id, "key": "none"}, status=404) == (
        RDNE,
        f"No tag with name: none in run with id {run_id}",
    )
    found = wire.post("runs/search", experiment_ids=[experiment], filter="tags.`mlflow.runName` = 'three'")["runs"]
    assert [run["info"]["run_id"] for run in found] == [run_id]


def test_tags_of_other_things(wire: Wire):
    """Names and notes change the run, also when nothing else is given; and never a run that is not there."""
    run_id = wire.run("0", run_name="kept")
    wire.post("runs/set-tag", run_id=run_id, key="mlflow.note.content", value="# Why")
    wire.post("runs/set-tag", run_id=run_id, key="mlflow.runName", value="  ")
    wire.post(
        "runs/log-batch", run_id=run_id, tags=[{"key": "mlflow.note.content", "value": "n" * 100_000}, {"key": "t", "value": "v"}]
    )
    too_long = {"run_id": run_id, "key": "mlflow.note.content", "value": "n" * 100_001}
    assert "exceeds the maximum length of 100000" in wire.refused("POST", "runs/set-tag", too_long)[1]
    run = wire.get("runs/get", run_id=run_id)["run"]
    tags = {tag["key"]: tag["value"] for tag in run["data"]["tags"]}
    assert (run["info"]["run_name"], len(tags["mlflow.note.content"]), tags["t"]) == ("kept", 100_000, "v")
    for key in ("mlflow.runName", "mlflow.note.content", "t"):
        for value in ("", "x"):
            code = wire.refused("POST", "runs/set-tag", {"run_id": NOWHERE, "key": key, "value": value}, status=404)[0]
            assert code == RDNE, (key, value)
    assert "'user_id' exceeds" in wire.refused("POST", "runs/create", {"experiment_id": "0", "user_id": "u" * 256})[1]


def test_runs_in_the_bin(wire: Wire):
    run_id = wire.run("0")
    wire.post("runs/delete", run_id=run_id)
    wire.post("runs/delete", run_id=run_id)
    inactive = f"The run {run_id} must be in the 'active' state. Current state is deleted."
    calls: dict[str, dict[str, Any]] = {
        "runs/update": {"status": "FINISHED"},
        "runs/set-tag": {"key": "mlflow.runName", "value": ""},
        "runs/delete-tag": {"key": "t"},
        "runs/log-metric": {"key": "m", "value": 1, "timestamp": 1},
        "runs/log-batch": {},
        "runs/log-inputs": {},
        "runs/outputs": {"models": []},
    }
    for path, body in calls.items():
        assert wire.refused("POST", path, {"run_id": run_id, **body}) == (IPV, inactive), path
        assert wire.refused("POST", path, {"run_id": NOWHERE, **body}, status=404)[0] == RDNE, path
    assert wire.get("runs/get", run_id=run_id)["run"]["info"]["lifecycle_stage"] == "deleted"
    wire.post("runs/restore", run_id=run_id)
    assert wire.get("runs/get", run_id=run_id)["run"]["info"]["lifecycle_stage"] == "active"
    for path in ("runs/delete", "runs/restore"):
        assert wire.refused("POST", path, {"run_id": NOWHERE}, status=404)[0] == RDNE


@pytest.mark.parametrize("told", ["{}", "7", '"x"', "[" * 100_000, "no JSON", "[1]"])
def test_models_of_old_clients(wire: Wire, told: str):
    """The tag that lists them may hold anything."""
    run_id = wire.run("0")
    wire.post("runs/set-tag", run_id=run_id, key="mlflow.log-model.history", value=told)
    model = {"artifact_path": "model", "flavors": {"f": {}}, "utc_time_created": "now", "run_id": run_id}
    wire.post("runs/log-model", run_id=run_id, model_json=json.dumps(model))
    tags = {tag["key"]: tag["value"] for tag in wire.get("runs/get", run_id=run_id)["run"]["data"]["tags"]}
    listed = json.loads(tags["mlflow.log-model.history"])
    assert listed[-1]["artifact_path"] == "model"
    wire.post("runs/log-model", run_id=run_id, model_json=json.dumps(model))
    tags = {tag["key"]: tag["value"] for tag in wire.get("runs/get", run_id=run_id)["run"]["data"]["tags"]}
    assert json.loads(tags["mlflow.log-model.history"]) == listed, "sent again, it is noted once"
    huge = {**model, "flavors": {"f": "x" * 1_000_000}}
    assert (
        "exceeds the maximum length"
        in wire.refused("POST", "runs/log-model", {"run_id": run_id, "model_json": json.dumps(huge)})[1]
    )
    assert wire.refused("POST", "runs/log-model", {"run_id": run_id, "model_json": "[" * 100_000})[0] == IPV


def test_the_dataset_that_is_wrong_is_named(wire: Wire):
    run_id = wire.run("0")
    fine = {"dataset": {"name": "d", "digest": "1", "source_type": "local", "source": "s"}}
    assert "'datasets[1].dataset'" in wire.refused("POST", "runs/log-inputs", {"run_id": run_id, "datasets": [fine, {}]})[1]


def test_experiments(wire: Wire):
    one = wire.experiment("Exp A")
    assert wire.refused("POST", "experiments/create", {"name": "Exp A"})[0] == "RESOURCE_ALREADY_EXISTS"
    assert wire.refused("GET", "experiments/get", params={"experiment_id": "abc"}) == (
        IPV,
        "Invalid experiment ID 'abc'. Experiment ID must be a valid integer.",
    )
    assert wire.refused("GET", "experiments/get", params={"experiment_id": "999999"}, status=404)[0] == RDNE
    assert wire.refused("GET", "experiments/get-by-name", params={"experiment_name": "nope"}, status=404) == (
        RDNE,
        "Could not find experiment with name 'nope'",
    )
    wire.post("experiments/delete", experiment_id=one)
    assert wire.refused("POST", "experiments/delete", {"experiment_id": one}, status=404)[0] == RDNE
    assert wire.refused("POST", "experiments/create", {"name": "Exp A"})[0] == "RESOURCE_ALREADY_EXISTS"
    assert wire.refused("POST", "runs/create", {"experiment_id": one})[1] == (
        f"The experiment {one} must be in the 'active' state. Current state is deleted."
    )
    deleted = wire.post("experiments/search", max_results=10, view_type="DELETED_ONLY", filter="name = 'Exp A'")["experiments"]
    assert [(found["experiment_id"], found["lifecycle_stage"]) for found in deleted] == [(one, "deleted")]
    assert wire.post("experiments/search", max_results=10, filter="name = 'Exp A'") == {}
    wire.post("experiments/restore", experiment_id=one)
    assert wire.refused("POST", "experiments/search", {})[1] == (
        "Invalid value 0 for parameter 'max_results' supplied. It must be a positive integer"
    )


@pytest.mark.parametrize(
    "location",
    ["runs:/x", "http://h/x", "mlflow-artifacts://other:1/x", "s3://b/x#y", "ftp://h/x", "s3://b/x?p=../y", "x" * 3000],
)
def test_places_of_artifacts_that_are_refused(wire: Wire, location: str):
    assert wire.refused("POST", "experiments/create", {"name": f"place {location[:20]}", "artifact_location": location})[0] == IPV


def test_pages(wire: Wire):
    experiment = wire.experiment("pages")
    ids = [wire.run(experiment, start_time=n // 2) for n in range(7)]
    found: list[tuple[int, str]] = []
    token = None
    while True:
        page = wire.post("runs/search", experiment_ids=[experiment], max_results=3, **({"page_token": token} if token else {}))
        found += [(run["info"]["start_time"], run["info"]["run_id"]) for run in page["runs"]]
        token = page.get("next_page_token")
        if token is None:
            break
    assert sorted(run_id for _, run_id in found) == sorted(ids)
    assert found == sorted(found, key=lambda one: (-one[0], one[1])), "the latest start first, then by id"
    for token in ("%", base64.b64encode(b'{"offset": 2}').decode(), base64.b64encode(b"[1]").decode()):
        assert wire.refused("POST", "runs/search", {"experiment_ids": [experiment], "page_token": token})[0] == IPV
    assert wire.post("runs/search", experiment_ids=["987654"]) == {}
    assert wire.post("runs/search") == {}


def test_filters_of_runs(wire: Wire):
    experiment = wire.experiment("filters")
    a = wire.run(experiment, run_name="Alpha", start_time=1, user_id="ann")
    b = wire.run(experiment, run_name="beta", start_time=2)
    wire.post("runs/log-batch", run_id=a, metrics=[{"key": "m", "value": 1, "timestamp": 1}], params=[{"key": "p", "value": "x"}])
    wire.post(
        "runs/log-batch", run_id=b, metrics=[{"key": "m", "value": "NaN", "timestamp": 1}], tags=[{"key": "t", "value": "y"}]
    )
    wire.ask("POST", "runs/update", {"run_id": b, "status": "FINISHED", "end_time": 9})
    for text, expected in {
        "metrics.m > 0": [a],
        "metrics.m != 5": [b, a],
        "params.p = 'x' and attributes.status = 'RUNNING'": [a],
        "status = 'FINISHED'": [b],
        "run_name LIKE 'A%'": [a],
        "run_name ILIKE 'B%'": [b],
        "tags.t IS NOT NULL": [b],
        "params.p IS NULL": [b],
        f"run_id IN ('{a}', '{b}')": [b, a],
        "tags.mlflow.runName = 'beta'": [b],
        "start_time >= 2": [b],
        "user_id = 'ann'": [a],
        "user != 'ann'": [b, a],
        f"artifact_uri LIKE 'mlflow-artifacts:/{experiment}/{b}/%'": [b],
        "artifact_uri LIKE '%/artifacts'": [b, a],
        "metrics.m = 1 OR tags.t = 'y'": [b, a],
        "NOT (tags.t = 'y')": [a],
        "metrics.m BETWEEN 0 AND 2": [a],
        "metrics.m.max >= 1": [a],
        "": [b, a],
    }.items():
        found = wire.post("runs/search", experiment_ids=[experiment], filter=text).get("runs", [])
        assert [run["info"]["run_id"] for run in found] == expected, text
    ordered = wire.post("runs/search", experiment_ids=[experiment], order_by=["metrics.m ASC"])["runs"]
    assert [run["info"]["run_id"] for run in ordered] == [a, b], "NaN stands behind all numbers"
    code, message = wire.refused("POST", "runs/search", {"experiment_ids": [experiment], "filter": "metrics.m >> 1"})
    assert code == IPV
    assert "character 12" in message, "the place is told"


def test_tags_that_stand_for_attributes_are_found_by_both(wire: Wire):
    experiment = wire.experiment("family")
    parent = wire.run(experiment, user_id="ann", start_time=1)
    wire.post("runs/delete", run_id=parent)
    tags = [{"key": "mlflow.parentRunId", "value": parent}, {"key": "mlflow.source.name", "value": "train.py"}]
    child = wire.run(experiment, user_id="ann", start_time=2, tags=tags)
    other = wire.run(experiment, user_id="bob", start_time=3, tags=[{"key": "mlflow.user", "value": "carol"}])
    for text, expected in {
        f"tags.mlflow.parentRunId = '{parent}'": [child],  # the parent is in the bin
        "tags.mlflow.parentRunId IS NULL": [other],
        "tags.`mlflow.parentRunId` IS NOT NULL": [child],
        "tags.mlflow.user = 'ann'": [child],
        "tags.mlflow.user = 'carol'": [other],
        "tags.mlflow.user != 'ann'": [other],
        "tags.mlflow.source.name LIKE '%.py'": [child],
        "tags.mlflow.source.name IS NULL": [other],
    }.items():
        found = wire.post("runs/search", experiment_ids=[experiment], filter=text).get("runs", [])
        assert [run["info"]["run_id"] for run in found] == expected, text


def test_nothing_else_is_there(wire: Wire):
    assert wire.refused("GET", "experiments/list", status=404)[0] == "ENDPOINT_NOT_FOUND"
    assert wire.refused("POST", "runs/get", {}, status=405)[0] == "ENDPOINT_NOT_FOUND"
    assert wire.refused("GET", "experiments/get/", status=404)[0] == "ENDPOINT_NOT_FOUND"
    answer = wire.http.post(f"{wire.root}/api/3.0/mlflow/traces", json={})
    assert (answer.status_code, answer.json()["error_code"]) == (404, "ENDPOINT_NOT_FOUND")
    assert wire.http.get(f"{wire.root}/health").text == "OK"
    assert wire.http.get(f"{wire.root}/version").text == "3.17.2"
    info = wire.http.get(f"{wire.root}/api/3.0/mlflow/server-info").json()
    assert (info["multipart_uploads_enabled"], info["workspaces_enabled"]) == (True, False)


def test_histories(wire: Wire):
    run_id = wire.run("0")
    metrics = [{"key": "m", "value": n, "timestamp": n + 1, "step": n} for n in range(1000)]
    wire.post("runs/log-batch", run_id=run_id, metrics=metrics)
    page = wire.get("metrics/get-history", run_id=run_id, metric_key="m", max_results=600)
    rest = wire.get("metrics/get-history", run_id=run_id, metric_key="m", max_results=600, page_token=page["next_page_token"])
    assert [point["step"] for point in [*page["metrics"], *rest["metrics"]]] == list(range(1000))
    assert "next_page_token" not in rest
    assert wire.get("metrics/get-history", run_id=NOWHERE, metric_key="m") == {}
    assert wire.get("metrics/get-history", run_id=run_id, metric_key="other") == {}
    thin = wire.get("metrics/get-history-bulk-interval", run_ids=[run_id, NOWHERE], metric_key="m", max_results=10)["metrics"]
    assert [point["step"] for point in thin] == [0, 100, 200, 300, 400, 500, 600, 700, 800, 999]
    part = wire.get("metrics/get-history-bulk-interval", run_ids=run_id, metric_key="m", start_step=5, end_step=7)["metrics"]
    assert [(point["step"], point["run_id"]) for point in part] == [(5, run_id), (6, run_id), (7, run_id)]
    assert (
        "end_step must be greater than start_step"
        in wire.refused(
            "GET",
            "metrics/get-history-bulk-interval",
            params={"run_ids": run_id, "metric_key": "m", "start_step": 2, "end_step": 1},
        )[1]
    )
