"""The requests that MLflow's client for R is documented to send, as bare HTTP: JSON bodies for POST, PATCH and DELETE, the query for
GET, ids twice (`run_uuid` and `run_id`) and numbers as R writes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.live import LiveServer

NOW = 1_790_000_000_000


class R:
    """Requests with R's headers: no `Accept: application/json` alone, and a User-Agent of its own."""

    def __init__(self, server: LiveServer) -> None:
        headers = {
            "Authorization": f"Bearer {server.token}",
            "User-Agent": "mlflow-r-client/3.17.2",
            "Accept": "application/json, text/xml, application/xml, */*",
            "Content-Type": "application/json",
        }
        self.http = httpx.Client(base_url=f"{server.url}/mlws/api/2.0/mlflow/", headers=headers, timeout=30)

    def rest(self, *path: str, verb: str = "GET", query: dict[str, Any] | None = None, data: dict[str, Any] | None = None) -> Any:
        """`mlflow_rest(…)`: the JSON of an answer of 200."""
        answer = self.http.request(verb, "/".join(path), params=query, json=data)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"].startswith("application/json")
        return answer.json()


@pytest.fixture
def r(server: LiveServer) -> Iterator[R]:
    made = R(server)
    yield made
    made.http.close()


def start_run(r: R, experiment_id: str, **tags: str) -> str:
    """`mlflow_start_run()`."""
    told = {"mlflow.user": "ann", "mlflow.source.name": "train.R", "mlflow.source.type": "LOCAL", **tags}
    body = {
        "experiment_id": experiment_id,
        "user_id": "ann",
        "start_time": NOW,
        "tags": [{"key": key, "value": value} for key, value in told.items()],
    }
    run = r.rest("runs", "create", verb="POST", data=body)["run"]
    assert (run["info"]["status"], run["info"]["run_uuid"]) == ("RUNNING", run["info"]["run_id"])
    return str(run["info"]["run_id"])


def test_experiments(r: R):
    """`mlflow_create_experiment`, `mlflow_get_experiment`, `mlflow_set_experiment_tag`, `mlflow_search_experiments` and the rest."""
    made = r.rest(
        "experiments",
        "create",
        verb="POST",
        data={"name": "r experiments", "artifact_location": None, "tags": [{"key": "a", "value": "1"}]},
    )
    experiment_id = made["experiment_id"]
    assert isinstance(experiment_id, str)
    found = r.rest("experiments", "get", query={"experiment_id": experiment_id})["experiment"]
    assert (found["name"], found["lifecycle_stage"], found["tags"]) == ("r experiments", "active", [{"key": "a", "value": "1"}])
    assert (
        r.rest("experiments", "get-by-name", query={"experiment_name": "r experiments"})["experiment"]["experiment_id"]
        == experiment_id
    )
    assert (
        r.rest("experiments", "set-experiment-tag", verb="POST", data={"experiment_id": experiment_id, "key": "b", "value": "2"})
        == {}
    )
    assert r.rest("experiments", "update", verb="POST", data={"experiment_id": experiment_id, "new_name": "r renamed"}) == {}
    body = {
        "filter": "name = 'r renamed'",
        "max_results": 1000,
        "view_type": "ACTIVE_ONLY",
        "order_by": ["name ASC"],
        "page_token": None,
    }
    assert [one["name"] for one in r.rest("experiments", "search", verb="POST", data=body)["experiments"]] == ["r renamed"]
    assert r.rest("experiments", "delete", verb="POST", data={"experiment_id": experiment_id}) == {}
    assert r.rest("experiments", "restore", verb="POST", data={"experiment_id": experiment_id}) == {}


def test_an_unknown_experiment_is_told_by_its_code(r: R):
    """`mlflow_set_experiment` makes the experiment where the code says that there is none."""
    answer = r.http.get("experiments/get-by-name", params={"experiment_name": "r nobody"})
    assert (answer.status_code, answer.json()["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")


def test_a_run_from_start_to_end(r: R):
    """`mlflow_start_run`, `mlflow_log_param`, `mlflow_log_metric`, `mlflow_log_batch`, `mlflow_set_tag`, `mlflow_get_run` and the end."""
    experiment_id = r.rest("experiments", "create", verb="POST", data={"name": "r runs"})["experiment_id"]
    run_id = start_run(r, experiment_id)
    both = {"run_uuid": run_id, "run_id": run_id}
    assert r.rest("runs", "log-parameter", verb="POST", data={**both, "key": "alpha", "value": "0.5"}) == {}
    metric = {"key": "rmse", "value": 1, "timestamp": float(NOW), "step": 0}
    assert r.rest("runs", "log-metric", verb="POST", data={**both, **metric}) == {}
    for value in ("NaN", "Infinity", "-Infinity"):
        r.rest("runs", "log-metric", verb="POST", data={**both, "key": "odd", "value": value, "timestamp": NOW, "step": "1"})
    batch = {
        "run_id": run_id,
        "metrics": [
            {"key": "rmse", "value": 0.5, "timestamp": NOW + 1, "step": 1},
            {"key": "mae", "value": "NaN", "timestamp": NOW, "step": 0},
        ],
        "params": [{"key": "lambda", "value": "0.1"}],
        "tags": [{"key": "kind", "value": "glmnet"}],
    }
    assert r.rest("runs", "log-batch", verb="POST", data=batch) == {}
    assert r.rest("runs", "set-tag", verb="POST", data={**both, "key": "stage", "value": "test"}) == {}
    assert r.rest("runs", "delete-tag", verb="POST", data={"run_id": run_id, "key": "stage"}) == {}
    run = r.rest("runs", "get", query=both)["run"]
    assert {param["key"]: param["value"] for param in run["data"]["params"]} == {"alpha": "0.5", "lambda": "0.1"}
    latest = {one["key"]: one["value"] for one in run["data"]["metrics"]}
    assert (latest["rmse"], latest["mae"]) == (0.5, "NaN")
    history = r.rest("metrics", "get-history", query={**both, "metric_key": "rmse"})["metrics"]
    assert [(one["step"], one["value"]) for one in history] == [(0, 1.0), (1, 0.5)]
    ended = r.rest("runs", "update", verb="POST", data={**both, "status": "FINISHED", "end_time": NOW + 5})["run_info"]
    assert (ended["status"], ended["end_time"], ended["user_id"]) == ("FINISHED", NOW + 5, "ann")
    listed = r.rest("artifacts", "list", query={"run_uuid": run_id, "run_id": run_id, "path": ""})
    assert listed == {"root_uri": run["info"]["artifact_uri"]}


def test_searching_and_deleting_runs(r: R):
    """`mlflow_search_runs`, `mlflow_list_run_infos`, `mlflow_delete_run`, `mlflow_restore_run`; runs within runs by their tag."""
    experiment_id = r.rest("experiments", "create", verb="POST", data={"name": "r searches"})["experiment_id"]
    parent = start_run(r, experiment_id)
    child = start_run(r, experiment_id, **{"mlflow.parentRunId": parent})
    r.rest(
        "runs",
        "log-metric",
        verb="POST",
        data={"run_uuid": child, "run_id": child, "key": "m", "value": 2, "timestamp": NOW, "step": 0},
    )

    def search(**fields: Any) -> list[str]:
        body = {
            "experiment_ids": [experiment_id],
            "filter": None,
            "run_view_type": "ACTIVE_ONLY",
            "order_by": [],
            "max_results": 100,
            **fields,
        }
        return [run["info"]["run_id"] for run in r.rest("runs", "search", verb="POST", data=body).get("runs", [])]

    assert sorted(search()) == sorted([parent, child])
    assert search(filter="metrics.m > 1", order_by=["metrics.m DESC"]) == [child]
    assert search(filter=f"tags.`mlflow.parentRunId` = '{parent}'") == [child]
    assert r.rest("runs", "delete", verb="POST", data={"run_id": child}) == {}
    assert search() == [parent]
    assert search(run_view_type="DELETED_ONLY") == [child]
    assert r.rest("runs", "restore", verb="POST", data={"run_id": child}) == {}
    assert len(search(run_view_type="ALL")) == 2


def test_the_registry(r: R):
    """`mlflow_create_registered_model` to `mlflow_delete_registered_model`, versions and stages."""
    experiment_id = r.rest("experiments", "create", verb="POST", data={"name": "r registry"})["experiment_id"]
    run_id = start_run(r, experiment_id)
    name = {"name": "r model"}
    made = r.rest(
        "registered-models", "create", verb="POST", data={**name, "tags": [{"key": "a", "value": "1"}], "description": "words"}
    )
    assert made["registered_model"]["description"] == "words"
    source = f"runs:/{run_id}/model"
    version = r.rest("model-versions", "create", verb="POST", data={**name, "source": source, "run_id": run_id, "tags": []})[
        "model_version"
    ]
    assert (version["version"], version["status"], version["current_stage"]) == ("1", "READY", "None")
    one = {**name, "version": "1"}
    moved = r.rest(
        "model-versions", "transition-stage", verb="POST", data={**one, "stage": "Production", "archive_existing_versions": False}
    )
    assert moved["model_version"]["current_stage"] == "Production"
    assert (
        r.rest("model-versions", "update", verb="PATCH", data={**one, "description": "better"})["model_version"]["description"]
        == "better"
    )
    assert r.rest("model-versions", "set-tag", verb="POST", data={**one, "key": "k", "value": "v"}) == {}
    assert r.rest("model-versions", "get", query=one)["model_version"]["tags"] == [{"key": "k", "value": "v"}]
    latest = r.rest("registered-models", "get-latest-versions", query={**name, "stages": ["Production"]})["model_versions"]
    assert [found["version"] for found in latest] == ["1"]
    assert (
        r.rest("registered-models", "search", query={"filter": "name = 'r model'", "max_results": 100})["registered_models"][0][
            "name"
        ]
        == "r model"
    )
    assert r.rest("model-versions", "get-download-uri", query=one) == {"artifact_uri": source}
    assert (
        r.rest("registered-models", "rename", verb="POST", data={**name, "new_name": "r model two"})["registered_model"]["name"]
        == "r model two"
    )
    renamed = {"name": "r model two"}
    assert (
        r.rest("registered-models", "update", verb="PATCH", data={**renamed, "description": "x"})["registered_model"][
            "description"
        ]
        == "x"
    )
    assert r.rest("model-versions", "delete", verb="DELETE", data={**renamed, "version": "1"}) == {}
    assert r.rest("registered-models", "delete", verb="DELETE", data=renamed) == {}
