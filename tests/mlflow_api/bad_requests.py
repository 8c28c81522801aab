"""Requests that are refused: of each kind of mistake one or more, for routes of every kind."""

from __future__ import annotations

from typing import Any

from tests.mlflow_api.pair import Asked

NOWHERE = "0" * 32
RUN, EXPERIMENT, MODEL = {"run_id": "$run0"}, {"experiment_id": "$exp0"}, {"name": "nobody"}


def _post(path: str, /, **body: Any) -> Asked:
    return Asked("POST", path, body)


def _get(path: str, /, **query: Any) -> Asked:
    return Asked("GET", path, query=query or None)


MISSING = [
    *[_post(f"experiments/{word}") for word in ("create", "update", "delete", "restore", "set-experiment-tag", "search")],
    *[
        _post(f"runs/{word}")
        for word in ("update", "delete", "restore", "log-metric", "log-parameter", "log-batch", "set-tag", "outputs")
    ],
    *[_post(f"runs/{word}", **RUN) for word in ("log-metric", "log-parameter", "set-tag", "delete-tag", "log-model", "outputs")],
    *[_get(path) for path in ("runs/get", "experiments/get", "experiments/get-by-name", "metrics/get-history", "artifacts/list")],
    *[
        _get(path)
        for path in ("registered-models/get", "registered-models/alias", "model-versions/get", "model-versions/get-download-uri")
    ],
    *[_post(path) for path in ("registered-models/create", "registered-models/alias", "model-versions/create", "logged-models")],
    *[Asked("DELETE", path, {}) for path in ("registered-models/delete", "registered-models/alias", "model-versions/delete-tag")],
    _post("experiments/update", **EXPERIMENT),
    _get("metrics/get-history", **RUN),
    _get("metrics/get-history-bulk-interval", metric_key="m"),
    _post("runs/log-batch", **RUN, metrics=[{"value": 1, "timestamp": 1}]),
    _post("runs/log-batch", **RUN, metrics=[{"key": "m", "timestamp": 1}]),
    _post("runs/log-batch", **RUN, params=[{"value": "x"}]),
    _post("runs/log-batch", **RUN, tags=[{"value": "x"}]),
]
UNKNOWN = [
    *[_post(f"runs/{word}", run_id=NOWHERE) for word in ("update", "delete", "restore", "log-batch", "log-inputs")],
    _post("runs/log-metric", run_id=NOWHERE, key="m", value=1, timestamp=1),
    _post("runs/log-parameter", run_id=NOWHERE, key="p", value="1"),
    _post("runs/set-tag", run_id=NOWHERE, key="p", value="1"),
    _post("runs/delete-tag", run_id=NOWHERE, key="p"),
    _post("runs/delete-tag", **RUN, key="none"),
    _get("runs/get", run_id=NOWHERE),
    _get("artifacts/list", run_id=NOWHERE),
    *[_post(f"experiments/{word}", experiment_id="987654") for word in ("delete", "restore")],
    _post("experiments/restore", **EXPERIMENT),
    _post("experiments/update", experiment_id="987654", new_name="x"),
    _post("experiments/delete-experiment-tag", **EXPERIMENT, key="none"),
    _get("experiments/get", experiment_id="987654"),
    _get("experiments/get-by-name", experiment_name="nobody"),
    _post("runs/create", experiment_id="987654", start_time=1),
    _get("registered-models/get", **MODEL),
    _get("registered-models/alias", **MODEL, alias="a"),
    _get("model-versions/get", **MODEL, version="1"),
    _get("model-versions/get-download-uri", **MODEL, version="1"),
    _post("registered-models/rename", **MODEL, new_name="x"),
    _post("registered-models/get-latest-versions", **MODEL),
    _post("registered-models/set-tag", **MODEL, key="k", value="v"),
    _post("registered-models/alias", **MODEL, alias="a", version="1"),
    _post("model-versions/create", **MODEL, source="s3://b/x"),
    _post("model-versions/transition-stage", **MODEL, version="1", stage="Staging"),
    *[Asked("DELETE", path, {**MODEL, "version": "1", "key": "k", "alias": "a"}) for path in (
        "registered-models/delete", "registered-models/alias", "registered-models/delete-tag", "model-versions/delete",
        "model-versions/delete-tag",
    )],
    Asked("GET", "logged-models/m-nobody"),
    Asked("DELETE", "logged-models/m-nobody"),
    Asked("DELETE", "logged-models/m-nobody/tags/x"),
    Asked("DELETE", "logged-models/$model0/tags/none"),
    Asked("PATCH", "logged-models/m-nobody/tags", {"tags": [{"key": "a", "value": "b"}]}),
    _post("logged-models/m-nobody/params", model_id="m-nobody", params=[{"key": "a", "value": "b"}]),
    _post("logged-models", experiment_id="987654"),
]  # fmt: skip
WRONG = [
    _post("experiments/create", name=5),
    _post("experiments/create", name="x", tags={"a": "b"}),
    _post("experiments/create", name="n" * 501),
    _post("experiments/create", name="x", tags=[{"key": "b@d", "value": ""}]),
    *[_post("experiments/create", name="x", artifact_location=place) for place in ("runs:/x", "s3://b/x#y", "s3://b/x?a=../b")],
    _get("experiments/get", experiment_id="abc"),
    _post("experiments/search", max_results=0),
    _post("experiments/search", max_results=50_001),
    _post("experiments/set-experiment-tag", **EXPERIMENT, key="k" * 251, value=""),
    _post("experiments/set-experiment-tag", **EXPERIMENT, key="k", value="v" * 20_001),
    _post("runs/create", **EXPERIMENT, run_name="a", tags=[{"key": "mlflow.runName", "value": "b"}]),
    _post("runs/update", **RUN, status=77),
    _post("runs/log-metric", **RUN, key="m", value="much", timestamp=1),
    _post("runs/log-metric", **RUN, key="m", value=1, timestamp=-1),
    _post("runs/log-metric", **RUN, key="k" * 251, value=1, timestamp=1),
    _post("runs/log-metric", **RUN, key="m", value=1, timestamp=1, dataset_name="d"),
    _post("runs/log-parameter", **RUN, key="a//b", value=""),
    _post("runs/set-tag", **RUN, key="/a", value=""),
    _post("runs/log-batch", **RUN, metrics={}),
    _post("runs/log-batch", **RUN, metrics=[{"key": "m", "value": 1, "timestamp": -1}]),
    _post("runs/log-batch", **RUN, params=[{"key": "p", "value": "1"}, {"key": "p", "value": "1"}]),
    _post("runs/log-batch", **RUN, params=[{"key": f"p{n}", "value": "1"} for n in range(101)]),
    _post("runs/log-batch", **RUN, tags=[{"key": f"t{n}", "value": "1"} for n in range(101)]),
    _post("runs/log-batch", **RUN, metrics=[{"key": "m", "value": n, "timestamp": n} for n in range(1001)]),
    _post("runs/log-batch", run_id="bad id!"),
    _post("runs/log-inputs", run_id="bad id!"),
    _post("runs/log-model", **RUN, model_json="no JSON"),
    _post("runs/search", experiment_ids="1"),
    _post("runs/search", experiment_ids=["x"]),
    _post("runs/search", experiment_ids=["$exp0"], max_results=0),
    _post("runs/search", experiment_ids=["$exp0"], max_results=50_001),
    _post("runs/search", experiment_ids=["$exp0"], filter="metrics.a"),
    _post("runs/search", experiment_ids=["$exp0"], order_by=[1]),
    _post("runs/search", experiment_ids=["$exp0"], page_token="%"),
    _get("metrics/get-history", **RUN, metric_key="m", max_results=0),
    _get("metrics/get-history-bulk-interval", run_ids=["$run0"], metric_key="m", start_step=1),
    _get("metrics/get-history-bulk-interval", run_ids=["$run0"], metric_key="m", start_step=2, end_step=1),
    _get("metrics/get-history-bulk-interval", run_ids=["$run0"], metric_key="m", max_results=2501),
    _get("artifacts/list", **RUN, path="../x"),
    _post("registered-models/create", name=" "),
    _post("registered-models/create", name="a/b"),
    _get("registered-models/search", max_results=1001),
    _get("model-versions/search", max_results=0),
    _get("model-versions/get", **MODEL, version="x"),
    _post("model-versions/set-tag", **MODEL, version="x", key="/a", value=""),
    Asked("DELETE", "model-versions/delete-tag", {**MODEL, "version": "x", "key": "/a"}),
    Asked("DELETE", "model-versions/delete-tag", {**MODEL, "version": "1", "key": "/a"}),
    _post("logged-models", **EXPERIMENT, name="a/b"),
    _post("logged-models/search", experiment_ids=["$exp0"], datasets=[{"dataset_digest": "1"}]),
    _post("artifacts/presigned-upload-url", path="x"),
    _post("artifacts/presigned-download-url", **RUN, path="x", expiration=0),
    _post("artifacts/presigned-upload-url", **RUN, path="x"),
]

BAD = [*MISSING, *UNKNOWN, *WRONG]
