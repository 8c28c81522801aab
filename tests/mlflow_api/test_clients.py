"""What people do with stock clients, and what our own doors then show of it: one run is one run."""

from __future__ import annotations

from tests.live import LiveServer
from tests.mlflow_clients import run_client

TRACK = """
mlflow.set_experiment("one")
with mlflow.start_run(run_name="first", description="words") as run:
    mlflow.log_param("lr", 0.1)
    mlflow.log_params({"depth": 3, "long": "x" * 7000})
    for step in range(5):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    mlflow.log_metrics({"nan": float("nan"), "inf": float("inf")}, step=2)
    mlflow.set_tag("team", "blue")
    mlflow.log_text("hello", "notes/a b.txt")
    mlflow.log_text("", "empty.txt")
    mlflow.log_dict({"a": [1, 2]}, "d.json")
    with mlflow.start_run(nested=True, run_name="child"):
        mlflow.log_metric("loss", 7)
    mlflow.log_table({"a": [1, 2], "b": ["x", "y"]}, "table.json")
    mlflow.log_table({"a": [3], "b": ["z"]}, "table.json")
run_id = run.info.run_id
found = client.get_run(run_id)
child = client.search_runs([found.info.experiment_id], f"tags.mlflow.parentRunId = '{run_id}'")
print(json.dumps({
    "id": run_id, "status": found.info.status, "params": found.data.params, "tags": found.data.tags, "loss": found.data.metrics["loss"],
    "nan": str(found.data.metrics["nan"]), "inf": found.data.metrics["inf"], "children": [r.info.run_name for r in child],
    "history": [[m.step, m.value] for m in client.get_metric_history(run_id, "loss")],
    "files": sorted(f.path for f in client.list_artifacts(run_id)), "inner": [f.path for f in client.list_artifacts(run_id, "notes")],
    "text": mlflow.artifacts.load_text(f"runs:/{run_id}/notes/a b.txt"), "empty": mlflow.artifacts.load_text(f"runs:/{run_id}/empty.txt"),
    "table": mlflow.load_table("table.json", run_ids=[run_id]).to_dict("list"),
    "missing": refused(client.get_run, "0" * 32), "changed": refused(client.log_param, run_id, "lr", 2),
}))
"""


def test_a_run_of_a_client_is_a_run_of_ours(server: LiveServer):
    said = run_client(TRACK, f"{server.url}/mlws", server.token)
    assert said["status"] == "FINISHED"
    assert said["params"] == {"lr": "0.1", "depth": "3", "long": "x" * 6000}
    assert said["tags"]["mlflow.runName"] == "first"
    assert said["tags"]["mlflow.note.content"] == "words"
    assert (said["loss"], said["nan"], said["inf"]) == (0.2, "nan", float("inf"))
    assert said["history"] == [[step, 1 / (step + 1)] for step in range(5)]
    assert said["files"] == ["d.json", "empty.txt", "notes", "table.json"]
    assert said["inner"] == ["notes/a b.txt"]
    assert (said["text"], said["empty"]) == ("hello", "")
    assert said["table"] == {"a": [1, 2, 3], "b": ["x", "y", "z"]}
    assert said["children"] == ["child"]
    assert said["missing"][0] == "RESOURCE_DOES_NOT_EXIST"
    assert said["changed"][0] == "INVALID_PARAMETER_VALUE"
    assert "was already logged with value='0.1'" in said["changed"][1]

    run = server.ok("GET", f"/runs/{said['id']}")
    assert (run["name"], run["note"], run["status"], run["kind"]) == ("first", "words", "Completed", "interactive")
    assert (run["experiment_name"], run["tags"]["team"], run["children"]) == ("one", "blue", 1)
    assert (run["metrics"]["loss"]["last"], run["metrics"]["loss"]["count"]) == (0.2, 5)
    files = server.ok("GET", f"/runs/{said['id']}/artifacts?recursive=true")["entries"]
    assert {entry["path"] for entry in files if entry["type"] == "file"} == {"d.json", "empty.txt", "notes/a b.txt", "table.json"}


LIFE = """
mlflow.set_experiment("life")
with mlflow.start_run() as run:
    mlflow.log_metric("a", 1)
run_id, experiment_id = run.info.run_id, run.info.experiment_id
with mlflow.start_run(run_id=run_id):
    during = client.get_run(run_id).info.status
    mlflow.log_metric("a", 2, step=1)
after = client.get_run(run_id).info.status
client.set_terminated(run_id, "KILLED")
killed = client.get_run(run_id).info.status
try:
    with mlflow.start_run() as broken:
        raise ValueError("no")
except ValueError:
    pass
client.delete_run(run_id)
deleted = client.get_run(run_id).info.lifecycle_stage
refusal = refused(client.log_metric, run_id, "a", 3)
client.restore_run(run_id)
client.rename_experiment(experiment_id, "life two")
client.delete_experiment(experiment_id)
gone = [client.get_experiment(experiment_id).lifecycle_stage, client.get_run(run_id).info.lifecycle_stage]
again = refused(mlflow.set_experiment, "life two")
client.restore_experiment(experiment_id)
back = [client.get_experiment(experiment_id).lifecycle_stage, client.get_run(run_id).info.lifecycle_stage]
client.set_experiment_tag(experiment_id, "k", "v")
found = [e.name for e in client.search_experiments(filter_string="tags.k = 'v' AND name LIKE 'life%'")]
mlflow.set_experiment(experiment_id=experiment_id)
print(json.dumps([during, after, killed, client.get_run(broken.info.run_id).info.status, deleted, refusal, gone, again, back, found]))
"""


def test_resuming_deleting_and_restoring(server: LiveServer):
    during, after, killed, broken, deleted, refusal, gone, again, back, found = run_client(
        LIFE, f"{server.url}/mlws", server.token
    )
    assert (during, after, killed, broken) == ("RUNNING", "FINISHED", "KILLED", "FAILED")
    assert deleted == "deleted"
    assert "must be in the 'active' state. Current state is deleted." in refusal[1]
    assert gone == ["deleted", "deleted"]
    assert "deleted experiment" in again[1]
    assert back == ["active", "active"]
    assert found == ["life two"]


WORKSPACE = """
mlflow.set_experiment("elsewhere")
with mlflow.start_run() as run:
    pass
print(json.dumps(run.info.run_id))
"""


def test_a_new_workspace_answers_at_its_address_at_once(server: LiveServer):
    server.ok("POST", "/workspaces", {"name": "team-b"})
    run_id = run_client(WORKSPACE, f"{server.url}/mlws/w/team-b", server.token)
    assert server.ok("GET", f"/runs/{run_id}")["workspace"] == "team-b"


def test_a_password_may_be_a_token(server: LiveServer):
    token = server.ok("POST", "/tokens", {"kind": "kernel", "workspace": "default"})["secret"]
    run_id = run_client(WORKSPACE, f"{server.url}/mlws", "", MLFLOW_TRACKING_USERNAME="me", MLFLOW_TRACKING_PASSWORD=token)
    assert server.ok("GET", f"/runs/{run_id}")["workspace"] == "default"


OLD = """
mlflow.set_experiment("old")
with mlflow.start_run(run_name="by an old client") as run:
    mlflow.log_params({"a": 1})
    mlflow.log_metric("m", 0.5, step=3)
    mlflow.log_text("old", "old.txt")
runs = mlflow.search_runs(experiment_names=["old"], filter_string="metrics.m > 0.4 and params.a = '1'")
text = mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/old.txt")
print(json.dumps({"id": run.info.run_id, "found": list(runs["run_id"]), "text": text,
                  "history": [m.value for m in client.get_metric_history(run.info.run_id, "m")]}))
"""


def test_the_oldest_client_of_version_2(server: LiveServer):
    said = run_client(OLD, f"{server.url}/mlws", server.token, version="2")
    assert said["found"] == [said["id"]]
    assert (said["text"], said["history"]) == ("old", [0.5])
    assert server.ok("GET", f"/runs/{said['id']}")["name"] == "by an old client"


INPUTS = """
import pandas as pd
mlflow.set_experiment("data")
frame = pd.DataFrame({"a": [1.0, 2.0]})
with mlflow.start_run() as run:
    mlflow.log_input(mlflow.data.from_pandas(frame, name="numbers"), context="training", tags={"split": "a"})
    mlflow.log_input(mlflow.data.from_pandas(frame, name="numbers"), context="validation")
found = client.get_run(run.info.run_id).inputs.dataset_inputs
hits = [mlflow.search_runs(experiment_names=["data"], filter_string=text).shape[0] for text in
        ("dataset.name = 'numbers'", "dataset.context = 'training'", "dataset.name LIKE 'other%'")]
print(json.dumps([[i.dataset.name, i.dataset.source_type, {t.key: t.value for t in i.tags}] for i in found] + [hits]))
"""


def test_datasets(server: LiveServer):
    *found, hits = run_client(INPUTS, f"{server.url}/mlws", server.token)
    assert found == [["numbers", "code", {"split": "a", "mlflow.data.context": "training"}]]
    assert hits == [1, 1, 0]
