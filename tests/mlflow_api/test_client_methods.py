"""Each method of `MlflowClient` that has a route here, called as people call it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live import LiveServer
from tests.mlflow_clients import run_client

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

SHARED = """
import inspect, io, pathlib, time
from mlflow.entities import Metric, Param, RunTag, ViewType
called = set()
class Noting:
    "The client, which notes what is called."
    def __getattr__(self, name):
        called.add(name)
        return getattr(client, name)
c = Noting()
here = f"methods-{mlflow.__version__}"
experiment = c.create_experiment(here, tags={"a": "1"})
out = {"experiment": [c.get_experiment(experiment).name == here, c.get_experiment_by_name(here).experiment_id == experiment,
    c.get_experiment_by_name("nobody") is None, [e.name for e in c.search_experiments(filter_string=f"name = '{here}'")] == [here]]}
c.set_experiment_tag(experiment, "b", "2")
c.rename_experiment(experiment, here + "-two")
c.delete_experiment(experiment)
c.restore_experiment(experiment)
out["experiment"].append(c.get_experiment(experiment).tags == {"a": "1", "b": "2"})
run_id = c.create_run(experiment, run_name="one", tags={"t": "v"}).info.run_id
c.log_metric(run_id, "m", 1.5, step=3)
c.log_param(run_id, "p", "x")
c.set_tag(run_id, "gone", "1")
c.delete_tag(run_id, "gone")
c.log_batch(run_id, [Metric("m", 2.5, int(time.time() * 1000), 4)], [Param("q", "y")], [RunTag("u", "w")])
c.update_run(run_id, status="RUNNING", name="renamed")
pathlib.Path("f.txt").write_text("hello")
pathlib.Path("d").mkdir(exist_ok=True)
pathlib.Path("d", "g.txt").write_text("there")
c.log_artifact(run_id, "f.txt", "in")
c.log_artifacts(run_id, "d", "all")
c.log_text(run_id, "text", "t.txt")
c.log_dict(run_id, {"a": 1}, "d.json")
import matplotlib.pyplot as plt
figure, _ = plt.subplots()
c.log_figure(run_id, figure, "f.png")
import numpy
c.log_image(run_id, numpy.zeros((4, 4, 3), dtype="uint8"), "i.png")
c.set_terminated(run_id)
run = c.get_run(run_id)
out["run"] = [run.info.run_name, run.info.status, run.data.params, run.data.metrics, run.data.tags["u"], "gone" in run.data.tags]
out["history"] = [[m.step, m.value] for m in c.get_metric_history(run_id, "m")]
out["files"] = sorted(f.path for f in c.list_artifacts(run_id))
out["down"] = pathlib.Path(c.download_artifacts(run_id, "all/g.txt")).read_text()
out["search"] = [r.info.run_name for r in c.search_runs([experiment], "params.p = 'x'", ViewType.ALL)]
c.delete_run(run_id)
out["deleted"] = [c.get_run(run_id).info.lifecycle_stage,
    [r.info.run_name for r in c.search_runs([experiment], "", ViewType.DELETED_ONLY)]]
c.restore_run(run_id)
name = f"model-{mlflow.__version__}"
c.create_registered_model(name, tags={"a": "1"}, description="words")
source = run.info.artifact_uri + "/in"
versions = [c.create_model_version(name, source, run_id).version for _ in range(2)]
c.update_registered_model(name, "other words")
c.set_registered_model_tag(name, "b", "2")
c.delete_registered_model_tag(name, "a")
c.update_model_version(name, "1", "first")
c.set_model_version_tag(name, "1", "k", "v")
c.set_model_version_tag(name, "1", "l", "v")
c.delete_model_version_tag(name, "1", "l")
c.transition_model_version_stage(name, "1", "Staging")
c.transition_model_version_stage(name, "2", "Staging", archive_existing_versions=True)
model, version = c.get_registered_model(name), c.get_model_version(name, "1")
out["model"] = [model.description, model.tags, [int(v) for v in versions], version.description, version.tags, version.current_stage,
    c.get_model_version_download_uri(name, "1") == source, sorted(int(v.version) for v in c.get_latest_versions(name)),
    c.get_model_version_stages(name, "1"), [m.name for m in c.search_registered_models(f"name = '{name}'")] == [name],
    sorted(int(v.version) for v in c.search_model_versions(f"name='{name}'"))]
"""
END = """
c.rename_registered_model(name, name + "-two")
c.delete_model_version(name + "-two", "1")
c.delete_registered_model(name + "-two")
out["gone"] = refused(c.get_registered_model, name + "-two")[0]
OTHER = ("trace", "span", "assessment", "prompt", "webhook", "dataset", "scorer", "mcp", "workspace", "issue",
    "expectation", "label", "review")
methods = [name for name, _ in inspect.getmembers(MlflowClient, inspect.isfunction) if not name.startswith("_")]
out["left"] = [name for name in methods if name not in called and not any(word in name for word in OTHER)]
print(json.dumps(out))
"""
NEW = """
from mlflow.entities import Dataset, DatasetInput, InputTag, LoggedModelInput, LoggedModelOutput, LoggedModelStatus
c.delete_experiment_tag(experiment, "b")
c.set_registered_model_alias(name, "champion", "2")
out["alias"] = [int(c.get_model_version_by_alias(name, "champion").version), c.get_registered_model(name).aliases]
c.delete_registered_model_alias(name, "champion")
c.copy_model_version(f"models:/{name}/2", name + "-copy")
logged = c.create_logged_model(experiment, name="forest", source_run_id=run_id, tags={"a": "1"}, params={"depth": "3"}, model_type="trees")
c.log_model_params(logged.model_id, {"more": "1"})
c.set_logged_model_tags(logged.model_id, {"b": "2"})
c.delete_logged_model_tag(logged.model_id, "a")
c.log_model_artifact(logged.model_id, "f.txt")
c.log_model_artifacts(logged.model_id, "d")
c.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)
data = DatasetInput(Dataset("digits", "1a", "local", "{}"), [InputTag("mlflow.data.context", "train")])
c.log_inputs(run_id, [data], [LoggedModelInput(logged.model_id)])
c.log_outputs(run_id, [LoggedModelOutput(logged.model_id, 1)])
found = c.get_logged_model(logged.model_id)
out["logged"] = [found.params, found.tags, str(found.status), sorted(f.path for f in c.list_logged_model_artifacts(logged.model_id)),
    [m.name for m in c.search_logged_models([experiment], "name = 'forest'")]]
again = c.get_run(run_id)
out["io"] = [again.inputs.dataset_inputs[0].dataset.name, len(again.inputs.model_inputs), len(again.outputs.model_outputs)]
c.log_table(run_id, {"a": [1, 2]}, "table.json")
out["table"] = list(c.load_table(experiment, "table.json", [run_id])["a"])
out["parent"] = c.get_parent_run(run_id) is None
c.log_stream(run_id, io.BytesIO(b"stream"), "s.bin")
c.delete_logged_model(logged.model_id)
out["hidden"] = refused(c.get_logged_model, logged.model_id)[0]
"""
EXPECTED = {
    "experiment": [True] * 5,
    "run": ["renamed", "FINISHED", {"p": "x", "q": "y"}, {"m": 2.5}, "w", False],
    "history": [[3, 1.5], [4, 2.5]],
    "files": ["all", "d.json", "f.png", "i.png", "in", "t.txt"],
    "down": "there",
    "search": ["renamed"],
    "deleted": ["deleted", ["renamed"]],
    "gone": "RESOURCE_DOES_NOT_EXIST",
}


def check_shared(said: dict[str, object]) -> None:
    for name, expected in EXPECTED.items():
        assert said[name] == expected, name
    stages = ["None", "Staging", "Production", "Archived"]
    assert said["model"] == [
        "other words",
        {"b": "2"},
        [1, 2],
        "first",
        {"k": "v"},
        "Archived",
        True,
        [1, 2],
        stages,
        True,
        [1, 2],
    ]


def test_every_method(server: LiveServer, tmp_path: Path):
    said = run_client(SHARED + NEW + END, f"{server.url}/mlws", server.token, cwd=tmp_path)
    check_shared(said)
    assert said["alias"] == [2, {"champion": "2"}]
    assert said["logged"][:3] == [{"depth": "3", "more": "1"}, {"b": "2"}, "READY"]
    assert said["logged"][3:] == [["f.txt", "g.txt"], ["forest"]]
    assert (said["io"], said["table"], said["parent"]) == (["digits", 1, 1], [1, 2], True)
    assert said["hidden"] == "RESOURCE_DOES_NOT_EXIST"
    assert said["left"] == []


def test_every_method_of_the_oldest_client(server: LiveServer, tmp_path: Path):
    said = run_client(SHARED + END, f"{server.url}/mlws", server.token, version="2", cwd=tmp_path)
    check_shared(said)
    assert said["left"] == []
