"""What stock clients do beyond plain logging: autologs, callbacks of trainers, images, system metrics, logging in the background."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live import LiveServer
from tests.mlflow_clients import run_client

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

LIGHTGBM = """
import lightgbm, numpy
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
X, y = load_breast_cancer(return_X_y=True)
X, V, y, v = train_test_split(X, y, random_state=0)
mlflow.set_experiment("lightgbm")
mlflow.lightgbm.autolog()
data = lightgbm.Dataset(X, y)
params = {"objective": "binary", "verbosity": -1, "num_leaves": 7, "num_threads": 1}
with mlflow.start_run() as run:
    model = lightgbm.train(params, data, num_boost_round=6, valid_sets=[lightgbm.Dataset(V, v, reference=data)], valid_names=["valid"])
run_id = run.info.run_id
found = client.get_run(run_id)
again = mlflow.lightgbm.load_model(f"runs:/{run_id}/model")
print(json.dumps({
    "status": found.info.status, "leaves": found.data.params["num_leaves"], "rounds": found.data.params["num_boost_round"],
    "history": [m.step for m in client.get_metric_history(run_id, "valid-binary_logloss")], "datasets": len(found.inputs.dataset_inputs),
    "models": len(found.outputs.model_outputs), "files": sorted(f.path for f in client.list_artifacts(run_id)),
    "same": bool(numpy.allclose(again.predict(V), model.predict(V))),
}))
"""


def test_autolog_of_lightgbm(server: LiveServer, tmp_path: Path):
    said = run_client(LIGHTGBM, f"{server.url}/mlws", server.token, cwd=tmp_path)
    assert (said["status"], said["leaves"], said["rounds"]) == ("FINISHED", "7", "6")
    assert said["history"] == list(range(6))
    assert (said["models"], said["same"]) == (1, True)
    assert said["datasets"] >= 1
    assert {"feature_importance_split.json", "feature_importance_gain.json"} <= set(said["files"])


TRAINER = """
import pathlib, time
from mlflow.entities import Metric, Param, RunTag
mlflow.set_experiment("trainer")
class Logger:
    "What loggers of trainers do: a run by the client, batches of metrics by epoch, checkpoints as artifacts."
    def __init__(self):
        experiment = client.get_experiment_by_name("trainer").experiment_id
        self.run_id = client.create_run(experiment, run_name="fit", tags={"mlflow.user": "ann"}).info.run_id
        params = [Param(f"hparam/{n}", str(n)) for n in range(250)]
        for start in range(0, len(params), 100):
            client.log_batch(self.run_id, params=params[start:start + 100])
    def on_epoch_end(self, epoch):
        now = int(time.time() * 1000)
        steps = [Metric("train_loss", 1 / (epoch * 20 + n + 1), now + n, epoch * 20 + n) for n in range(20)]
        client.log_batch(self.run_id, metrics=[*steps, Metric("val/acc", epoch / 4, now, epoch)], tags=[RunTag("epoch", str(epoch))])
        client.log_metric(self.run_id, "lr", 0.1 / (epoch + 1), step=epoch, synchronous=False).wait()
        path = pathlib.Path(f"epoch={epoch}-step={epoch * 20}.ckpt")
        path.write_bytes(bytes([epoch]) * 1000)
        client.log_artifact(self.run_id, str(path), "model/checkpoints/best")
    def on_fit_end(self):
        client.set_terminated(self.run_id, "FINISHED")
logger = Logger()
for epoch in range(3):
    logger.on_epoch_end(epoch)
logger.on_fit_end()
run = client.get_run(logger.run_id)
place = "model/checkpoints/best"
local = mlflow.artifacts.download_artifacts(f"runs:/{logger.run_id}/{place}")
mlflow.config.enable_async_logging()
with mlflow.start_run() as second:
    for step in range(50):
        mlflow.log_metric("async", step, step=step)
    mlflow.log_params({"a": 1})
    mlflow.set_tag("t", "v")
    mlflow.flush_async_logging()
background = client.get_run(second.info.run_id).data
print(json.dumps({
    "status": run.info.status, "params": len(run.data.params),
    "epoch": run.data.tags["epoch"], "acc": run.data.metrics["val/acc"],
    "loss": [m.step for m in client.get_metric_history(logger.run_id, "train_loss")],
    "lr": [m.step for m in client.get_metric_history(logger.run_id, "lr")],
    "files": sorted(f.path for f in client.list_artifacts(logger.run_id, place)),
    "bytes": sorted(p.stat().st_size for p in pathlib.Path(local).iterdir()),
    "async": [m.value for m in client.get_metric_history(second.info.run_id, "async")],
    "more": [background.params["a"], background.tags["t"]],
}))
"""


def test_what_loggers_of_trainers_do(server: LiveServer, tmp_path: Path):
    said = run_client(TRAINER, f"{server.url}/mlws", server.token, cwd=tmp_path)
    assert (said["status"], said["params"], said["epoch"], said["acc"]) == ("FINISHED", 250, "2", 0.5)
    assert (said["loss"], said["lr"]) == (list(range(60)), [0, 1, 2])
    assert said["files"] == [f"model/checkpoints/best/epoch={n}-step={n * 20}.ckpt" for n in range(3)]
    assert said["bytes"] == [1000] * 3
    assert said["async"] == [float(n) for n in range(50)]
    assert said["more"] == ["1", "v"]


PICTURES = """
import time, numpy
from PIL import Image
mlflow.set_experiment("pictures")
mlflow.set_system_metrics_sampling_interval(0.2)
mlflow.set_system_metrics_samples_before_logging(1)
with mlflow.start_run(log_system_metrics=True) as run:
    mlflow.log_image(numpy.zeros((8, 8, 3), dtype="uint8"), artifact_file="plain.png")
    for step in range(2):
        mlflow.log_image(Image.new("RGB", (8, 8), "red"), key="a/pic", step=step)
    mlflow.flush_artifact_async_logging()
    time.sleep(1.5)
run_id = run.info.run_id
found = client.get_run(run_id)
image = mlflow.artifacts.load_image(f"runs:/{run_id}/plain.png")
print(json.dumps({"files": sorted(f.path for f in client.list_artifacts(run_id)), "size": list(image.size),
    "images": sorted(f.path.split("+")[1] + f.path[-4:] for f in client.list_artifacts(run_id, "images")),
    "tag": found.data.tags["mlflow.loggedImages"], "system": sorted(k for k in found.data.metrics if k.startswith("system/"))}))
"""


def test_images_and_system_metrics(server: LiveServer, tmp_path: Path):
    said = run_client(PICTURES, f"{server.url}/mlws", server.token, cwd=tmp_path)
    assert said["files"] == ["images", "plain.png"]
    assert said["size"] == [8, 8]
    assert said["images"] == ["step.png", "step.png", "stepwebp", "stepwebp"]
    assert said["tag"] == "True"
    assert {"system/cpu_utilization_percentage", "system/system_memory_usage_megabytes"} <= set(said["system"])


OPERATORS = """
mlflow.set_experiment("operators")
made = {}
for name, acc, params, tags in (
    ("Alpha", 0.5, {"kind": "tree"}, {"team": "Blue"}), ("beta", 0.9, {}, {"team": "red", "x-y": "1"}),
    ("gamma", float("nan"), {"kind": "net"}, {}),
):
    with mlflow.start_run(run_name=name) as run:
        mlflow.log_metric("acc", acc)
        mlflow.log_params(params)
        mlflow.set_tags(tags)
    made[run.info.run_id] = name
first = list(made)[0]
filters = ["metrics.acc = 0.5", "metrics.acc != 0.5", "metrics.acc > 0.5", "metrics.acc >= 0.5", "metrics.acc < 0.9", "metrics.acc <= 0.9",
    "params.kind = 'tree'", "params.kind != 'tree'", "params.kind LIKE 't%'", "params.kind ILIKE 'T%'", "params.kind IS NULL",
    "params.kind IS NOT NULL",
    "tags.team = 'Blue'", "tags.team LIKE 'b%'", "tags.team ILIKE 'b%'", "tags.`x-y` = '1'", "tags.team IS NULL",
    "attributes.run_name LIKE '%a'", "run_name ILIKE 'ALPHA'", "attributes.status = 'FINISHED'", "status != 'FINISHED'", "start_time > 0",
    "end_time <= 5",
    f"attributes.run_id IN ('{first}')", f"attributes.run_id NOT IN ('{first}')", f"run_id = '{first}'",
    "artifact_uri LIKE 'mlflow-artifacts:/%'",
    "metrics.acc > 0.1 AND params.kind = 'tree' and tags.team = \\"Blue\\""]
def names(text, **more):
    try:
        return [made[r.info.run_id] for r in client.search_runs([run.info.experiment_id], text, **more)]
    except mlflow.exceptions.MlflowException as error:
        return error.error_code + " " + str(error)[:200]
print(json.dumps({"found": {text.replace(first, "FIRST"): sorted(names(text)) for text in filters},
    "up": names("", order_by=["metrics.acc ASC"]), "down": names("", order_by=["metrics.acc DESC"]),
    "name": names("", order_by=["attributes.run_name"]),
    "one": [len(client.search_runs([run.info.experiment_id], max_results=2)), len(mlflow.search_runs([run.info.experiment_id]))]}))
"""
FOUND = {
    "metrics.acc = 0.5": "A", "metrics.acc != 0.5": "bg", "metrics.acc > 0.5": "b", "metrics.acc >= 0.5": "Ab", "metrics.acc < 0.9": "A",
    "metrics.acc <= 0.9": "Ab", "params.kind = 'tree'": "A", "params.kind != 'tree'": "g", "params.kind LIKE 't%'": "A",
    "params.kind ILIKE 'T%'": "A", "params.kind IS NULL": "b", "params.kind IS NOT NULL": "Ag", "tags.team = 'Blue'": "A",
    "tags.team LIKE 'b%'": "", "tags.team ILIKE 'b%'": "A", "tags.`x-y` = '1'": "b", "tags.team IS NULL": "g",
    "attributes.run_name LIKE '%a'": "Abg", "run_name ILIKE 'ALPHA'": "A", "attributes.status = 'FINISHED'": "Abg",
    "status != 'FINISHED'": "", "start_time > 0": "Abg", "end_time <= 5": "", "attributes.run_id IN ('FIRST')": "A",
    "attributes.run_id NOT IN ('FIRST')": "bg", "run_id = 'FIRST'": "A", "artifact_uri LIKE 'mlflow-artifacts:/%'": "Abg",
    "metrics.acc > 0.1 AND params.kind = 'tree' and tags.team = \"Blue\"": "A",
}  # fmt: skip


@pytest.mark.parametrize("version", ["3", "2"])
def test_search_by_every_operator(new_server, version: str):
    server = new_server().start()
    said = run_client(OPERATORS, f"{server.url}/mlws", server.token, version=version)
    assert {text: "".join(name[0] for name in found) for text, found in said["found"].items()} == FOUND
    assert said["up"] == ["Alpha", "beta", "gamma"]
    assert said["down"] == ["beta", "Alpha", "gamma"]
    assert said["name"] == ["Alpha", "beta", "gamma"]
    assert said["one"] == [2, 3]
