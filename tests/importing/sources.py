"""MLflow stores made by MLflow's own clients, and what a client reads in a store or server: the two sides of a comparison."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.live import LiveServer
from tests.mlflow_clients import environment, run_python

START = """
import json, os, sys, warnings
warnings.simplefilter("ignore")
import sqlalchemy.pool
# MLflow 2.2 names a class that newer SQLAlchemy has no more, and never uses it.
if not hasattr(sqlalchemy.pool, "FallbackAsyncAdaptedQueuePool"):
    sqlalchemy.pool.FallbackAsyncAdaptedQueuePool = sqlalchemy.pool.AsyncAdaptedQueuePool
import mlflow
mlflow.set_tracking_uri(sys.argv[1])
client = mlflow.MlflowClient()
"""

MAKE = """
import pandas as pd
place = {"artifact_location": sys.argv[2]} if len(sys.argv) > 2 else {}
one = client.create_experiment("first one/ü", tags={"team": "blue", "mlflow.note.content": "a *note*"}, **place)
class Same(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input
with mlflow.start_run(experiment_id=one, run_name="mother", description="words") as run:
    mlflow.log_param("optimizer/lr", 0.1)
    mlflow.log_param("lines", "one\\ntwo  ")
    for step in range(50):
        mlflow.log_metric("train/loss", 1 / (step + 1), step=step)
    for key, value in (("nan", "nan"), ("up", "inf"), ("down", "-inf")):
        mlflow.log_metric(key, float(value))
    mlflow.log_metric("nan", 2.0, step=3)
    mlflow.set_tags({"plain": "text", "two lines": "a\\nb"})
    mlflow.log_text("hello", "notes/a b ü.txt")
    mlflow.log_text("", "empty.txt")
    if hasattr(mlflow, "log_input"):
        data = mlflow.data.from_pandas(pd.DataFrame({"a": [1]}), name="table")
        mlflow.log_input(data, context="training", tags={"fold": "1"})
    new = mlflow.__version__.startswith("3")
    name = {"name": "model"} if new else {"artifact_path": "model"}
    made = mlflow.pyfunc.log_model(python_model=Same(), registered_model_name="same", pip_requirements=["mlflow"], **name)
    if new:
        mlflow.log_metric("acc", 0.5, model_id=made.model_id, step=1)
        mlflow.log_model_params({"depth": "3"}, model_id=made.model_id)
        client.set_logged_model_tags(made.model_id, {"kept": "yes"})
    with mlflow.start_run(experiment_id=one, nested=True, run_name="child"):
        mlflow.log_metric("train/loss", 7)
with mlflow.start_run(experiment_id=one, run_name="reader") as reader:
    if new:
        from mlflow.entities import LoggedModelInput
        client.log_inputs(reader.info.run_id, models=[LoggedModelInput(made.model_id)])
binned = client.create_run(one, run_name="binned")
client.set_terminated(binned.info.run_id, "FAILED")
client.delete_run(binned.info.run_id)
client.create_run(one, run_name="still running")
gone = client.create_experiment("gone", **({"artifact_location": place["artifact_location"] + "/gone"} if place else {}))
killed = client.create_run(gone)
client.log_metric(killed.info.run_id, "a", 1.5)
client.set_terminated(killed.info.run_id, "KILLED")
client.delete_experiment(gone)
client.update_registered_model("same", "what it is")
client.set_registered_model_tag("same", "owner", "us")
first = client.get_model_version("same", "1")
client.create_model_version("same", first.source, run.info.run_id, **({"model_id": made.model_id} if new else {}))
client.update_model_version("same", "1", "the first")
client.set_model_version_tag("same", "1", "passed", "yes")
client.transition_model_version_stage("same", "1", "Production")
if hasattr(client, "set_registered_model_alias"):
    client.set_registered_model_alias("same", "best", "2")
print(json.dumps({"run": run.info.run_id}))
"""

READ = """
import hashlib, math, pathlib, tempfile
from mlflow.entities import ViewType
def paged(call, *args, **kwargs):
    found, token = [], None
    while True:
        page = call(*args, **kwargs, **({"page_token": token} if token else {}))
        found += page
        token = page.token
        if not token:
            return found
def files(fetch):
    with tempfile.TemporaryDirectory() as folder:
        got = pathlib.Path(fetch(folder))
        paths = [path for path in sorted(got.rglob("*")) if path.is_file()]
        return {path.relative_to(got).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
def number(value):
    # A database of MLflow keeps infinity as the greatest number, and its clients read that; it was infinity.
    value = float(value)
    return str(value if abs(value) < sys.float_info.max else math.copysign(math.inf, value))
def pairs(items):
    return {item.key: item.value for item in items}
told = {"experiments": {}, "runs": {}, "logged": {}, "registered": {}, "versions": {}}
experiments = paged(client.search_experiments, view_type=ViewType.ALL)
for e in experiments:
    told["experiments"][e.name] = [e.lifecycle_stage, e.tags, e.creation_time, e.last_update_time]
    for run in paged(client.search_runs, [e.experiment_id], run_view_type=ViewType.ALL):
        run = client.get_run(run.info.run_id)
        i, d = run.info, run.data
        points = {key: client.get_metric_history(i.run_id, key) for key in d.metrics}
        history = {key: sorted({(m.step, m.timestamp, number(m.value)) for m in some}) for key, some in points.items()}
        inputs = getattr(run, "inputs", None)
        outputs = getattr(run, "outputs", None)
        told["runs"][i.run_id] = {
            "info": [e.name, i.run_name, i.status, i.start_time, i.end_time, i.lifecycle_stage, i.user_id],
            "params": d.params, "tags": d.tags, "metrics": {key: number(value) for key, value in d.metrics.items()}, "history": history,
            "datasets": [[vars(one.dataset), {t.key: t.value for t in one.tags}] for one in inputs.dataset_inputs] if inputs else [],
            "reads": [one.model_id for one in getattr(inputs, "model_inputs", None) or []],
            "makes": [[one.model_id, one.step] for one in getattr(outputs, "model_outputs", None) or []],
            "files": files(lambda to: client.download_artifacts(i.run_id, "", to)) if client.list_artifacts(i.run_id) else {},
        }
if hasattr(client, "search_logged_models") and mlflow.__version__.startswith("3"):
    for m in paged(client.search_logged_models, [e.experiment_id for e in experiments]):
        m = client.get_logged_model(m.model_id)
        told["logged"][m.model_id] = [m.name, str(m.status), m.creation_timestamp, m.last_updated_timestamp, m.model_type or "",
            m.source_run_id, m.params, m.tags, sorted([p.key, p.step, p.timestamp, number(p.value), p.run_id] for p in m.metrics or []),
            files(lambda to: mlflow.artifacts.download_artifacts(f"models:/{m.model_id}", dst_path=to))]
for model in paged(client.search_registered_models):
    model = client.get_registered_model(model.name)
    times = [model.creation_timestamp, model.last_updated_timestamp]
    told["registered"][model.name] = [model.description, *times, model.tags,
        {alias: str(version) for alias, version in getattr(model, "aliases", {}).items()}]
    for v in paged(client.search_model_versions, f"name='{model.name}'"):
        v = client.get_model_version(v.name, v.version)
        content = files(lambda to: mlflow.artifacts.download_artifacts(f"models:/{v.name}/{v.version}", dst_path=to))
        times = [v.creation_timestamp, v.last_updated_timestamp]
        told["versions"][f"{v.name} {v.version}"] = [*times, v.description or "", v.current_stage, v.run_id, v.tags,
            sorted(getattr(v, "aliases", [])), content]
print(json.dumps(told))
"""

OURS = "mlws."


def run_script(script: str, *args: str, version: str = "3", url: str = "", token: str = "", cwd: Path | None = None) -> Any:
    """What a script that speaks to a store (its first argument) printed last."""
    variables = environment(url, token, MLFLOW_ALLOW_FILE_STORE="true", MLFLOW_DISABLE_ENV_MANAGER_CONDA_WARNING="true")
    return run_python(START + script, variables, *args, version=version, cwd=cwd)


def make(uri: str, folder: Path, *, version: str = "3", location: str | None = None) -> str:
    """Fill a store with everything that this version of MLflow knows; the id of its main run."""
    folder.mkdir(parents=True, exist_ok=True)
    args = [] if location is None else [location]
    return str(run_script(MAKE, uri, *args, version=version, cwd=folder)["run"])


def read(uri: str, *, version: str = "3", token: str = "", cwd: Path | None = None) -> dict[str, Any]:
    """All that a client reads there."""
    found: dict[str, Any] = run_script(READ, uri, version=version, url=uri, token=token, cwd=cwd)
    return found


def read_server(server: LiveServer, workspace: str, *, version: str = "3") -> dict[str, Any]:
    """All that a client reads in a workspace of ours."""
    return read(f"{server.url}/mlws/w/{workspace}", version=version, token=server.token)


def compared(found: dict[str, Any], original: dict[str, Any]) -> dict[str, Any]:
    """What was read, without what may differ: our own tags, and the user whom we name where the original names none."""

    def without_ours(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: without_ours(one) for key, one in value.items() if not key.startswith(OURS)}
        return [without_ours(one) for one in value] if isinstance(value, list) else value

    kept: dict[str, Any] = without_ours(found)
    for run_id, run in kept["runs"].items():
        if "mlflow.user" not in original["runs"].get(run_id, {"tags": {}})["tags"]:
            run["tags"].pop("mlflow.user", None)
    return kept


def command(server: LiveServer, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`mlws` with these words, on this server."""
    return subprocess.run(
        [sys.executable, "-m", "jupyter_mlws.cli", *words],
        env={**server.env, "PYTHONPATH": os.environ.get("PYTHONPATH", ""), **variables},
        check=False,
        capture_output=True,
        text=True,
        timeout=100,
    )


def brought(server: LiveServer, source: str | Path, workspace: str, *options: str) -> dict[str, Any]:
    """The report of an import that must go well."""
    done = command(server, "import", "mlflow", str(source), "-w", workspace, "-o", "json", *options)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
