"""Models by stock clients: logged, registered, given an alias, loaded again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live import LiveServer
from tests.mlflow_clients import run_client

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

REGISTER = """
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
X, y = load_iris(return_X_y=True)
mlflow.set_experiment("models")
with mlflow.start_run() as run:
    model = LogisticRegression(max_iter=300).fit(X, y)
    mlflow.log_metric("before", 1)
    info = mlflow.sklearn.log_model(model, name="iris", registered_model_name="iris", pip_requirements=["scikit-learn"])
    mlflow.log_metric("after", 2)
second = mlflow.register_model(f"runs:/{run.info.run_id}/iris", "iris", tags={"from": "the run"})
client.set_registered_model_alias("iris", "champion", "1")
client.update_registered_model("iris", description="words")
client.set_model_version_tag("iris", "2", "checked", "yes")
client.transition_model_version_stage("iris", "2", "Production")
loaded = [mlflow.sklearn.load_model(uri) for uri in ("models:/iris@champion", "models:/iris/2", "models:/iris/latest",
          "models:/iris/Production", f"runs:/{run.info.run_id}/iris", info.model_uri)]
logged = client.get_logged_model(info.model_id)
found = client.search_logged_models([run.info.experiment_id], "name = 'iris'")
client.delete_registered_model_alias("iris", "champion")
unknown = refused(client.get_model_version_by_alias, "iris", "champion")
client.rename_registered_model("iris", "iris two")
client.delete_model_version("iris two", "1")
names = [m.name for m in client.search_registered_models("name LIKE 'iris%'")]
versions = sorted(v.version for v in client.search_model_versions("name = 'iris two'"))
print(json.dumps({
    "same": [bool((m.predict(X) == model.predict(X)).all()) for m in loaded], "versions": [int(v) for v in versions], "names": names,
    "unknown": unknown, "logged": [logged.name, str(logged.status), logged.source_run_id == run.info.run_id,
    sorted(m.key for m in logged.metrics)], "found": [m.model_id for m in found] == [info.model_id], "second": int(second.version),
    "outputs": [o.model_id for o in client.get_run(run.info.run_id).outputs.model_outputs] == [info.model_id],
}))
"""


def test_from_log_model_to_load_model(server: LiveServer, tmp_path: Path):
    said = run_client(REGISTER, f"{server.url}/mlws", server.token, cwd=tmp_path)
    assert said["same"] == [True] * 6
    assert (said["versions"], said["names"], said["second"]) == ([2], ["iris two"], 2)
    assert said["unknown"] == ["INVALID_PARAMETER_VALUE", "INVALID_PARAMETER_VALUE: Registered model alias champion not found."]
    assert said["logged"] == ["iris", "READY", True, ["after", "before"]]
    assert said["found"] is True
    assert said["outputs"] is True


OLD = """
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
X, y = load_iris(return_X_y=True)
mlflow.set_experiment("old models")
with mlflow.start_run() as run:
    model = LogisticRegression(max_iter=300).fit(X, y)
    mlflow.sklearn.log_model(model, "model", registered_model_name="old-iris", pip_requirements=["scikit-learn"])
loaded = [mlflow.sklearn.load_model(uri) for uri in ("models:/old-iris/1", f"runs:/{run.info.run_id}/model")]
history = json.loads(client.get_run(run.info.run_id).data.tags["mlflow.log-model.history"])
print(json.dumps([[bool((m.predict(X) == model.predict(X)).all()) for m in loaded], history[0]["artifact_path"]]))
"""


def test_models_of_the_oldest_client(server: LiveServer, tmp_path: Path):
    assert run_client(OLD, f"{server.url}/mlws", server.token, version="2", cwd=tmp_path) == [[True, True], "model"]


AUTOLOG = """
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
X, y = load_iris(return_X_y=True)
mlflow.set_experiment("autolog")
mlflow.sklearn.autolog()
model = RandomForestClassifier(n_estimators=5).fit(X, y)
score = model.score(X, y)
run = client.get_run(mlflow.last_active_run().info.run_id)
print(json.dumps([run.info.status, run.data.params["n_estimators"], sorted(run.data.metrics), len(run.inputs.dataset_inputs),
    len(run.outputs.model_outputs), sorted(f.path for f in client.list_artifacts(run.info.run_id))]))
"""


def test_autolog(server: LiveServer, tmp_path: Path):
    status, trees, metrics, datasets, models, files = run_client(AUTOLOG, f"{server.url}/mlws", server.token, cwd=tmp_path)
    assert (status, trees, datasets, models) == ("FINISHED", "5", 1, 1)
    assert "training_accuracy_score" in metrics
    assert any(name.startswith("RandomForestClassifier_score") for name in metrics)
    assert {"estimator.html", "metric_info.json", "training_confusion_matrix.png"} <= set(files)
