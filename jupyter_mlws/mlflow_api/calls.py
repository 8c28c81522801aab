"""The table of MLflow's routes. READ FIRST."""

from __future__ import annotations

from jupyter_mlws.kit.actors import Action
from jupyter_mlws.mlflow_api import (
    artifacts,
    experiments,
    logged_models,
    metrics,
    model_versions,
    registered_models,
    run_logging,
    run_search,
    runs,
)
from jupyter_mlws.mlflow_api import model_requests as m
from jupyter_mlws.mlflow_api import requests as r
from jupyter_mlws.mlflow_api.http import Call

READ, LOG, CREATE, EDIT = Action.READ, Action.LOG, Action.CREATE, Action.EDIT

EXPERIMENTS = [
    Call("POST", "experiments/create", CREATE, r.CreateExperiment, experiments.create),
    Call("GET", "experiments/get", READ, r.ExperimentId, experiments.get, writes=False),
    Call("GET", "experiments/get-by-name", READ, r.ExperimentName, experiments.get_by_name, writes=False),
    Call("GET", "experiments/search", READ, r.SearchExperiments, experiments.search_all, writes=False),
    Call("POST", "experiments/search", READ, r.SearchExperiments, experiments.search_all, writes=False),
    Call("POST", "experiments/update", EDIT, r.UpdateExperiment, experiments.update),
    Call("POST", "experiments/delete", EDIT, r.ExperimentId, experiments.delete),
    Call("POST", "experiments/restore", EDIT, r.ExperimentId, experiments.restore),
    Call("POST", "experiments/set-experiment-tag", EDIT, r.ExperimentTag, experiments.set_tag),
    Call("POST", "experiments/delete-experiment-tag", EDIT, r.ExperimentTag, experiments.delete_tag),
]

RUNS = [
    Call("POST", "runs/create", CREATE, r.CreateRun, runs.create),
    Call("GET", "runs/get", READ, r.EitherRunRequest, runs.get, writes=False),
    Call("POST", "runs/search", READ, r.SearchRuns, run_search.search_runs, writes=False),
    Call("POST", "runs/update", LOG, r.UpdateRun, runs.update),
    Call("POST", "runs/delete", EDIT, r.RunRequest, runs.delete),
    Call("POST", "runs/restore", EDIT, r.RunRequest, runs.restore),
    Call("POST", "runs/log-metric", LOG, r.LogMetric, run_logging.log_metric, repeatable=True, shortcut=run_logging.append),
    Call("POST", "runs/log-parameter", LOG, r.LogParam, run_logging.log_param, repeatable=True),
    Call("POST", "runs/log-batch", LOG, r.LogBatch, run_logging.log_batch, repeatable=True),
    Call("POST", "runs/set-tag", LOG, r.RunTag, run_logging.set_tag, repeatable=True),
    Call("POST", "runs/delete-tag", LOG, r.DeleteRunTag, run_logging.delete_tag),
    Call("POST", "runs/log-model", LOG, r.LogModel, run_logging.log_model),
    Call("POST", "runs/log-inputs", LOG, r.LogInputs, run_logging.log_inputs),
    Call("POST", "runs/outputs", LOG, r.LogOutputs, run_logging.log_outputs),
]

METRICS = [
    Call("GET", "metrics/get-history", READ, r.MetricHistory, metrics.history, writes=False),
    Call("GET", "metrics/get-history-bulk-interval", READ, r.BulkHistory, metrics.bulk_interval, writes=False),
]

ARTIFACTS = [
    Call("GET", "artifacts/list", READ, r.ListArtifacts, artifacts.list_of_run, writes=False),
    Call("POST", "artifacts/presigned-upload-url", LOG, r.Presigned, artifacts.presigned_upload, writes=False),
    Call("POST", "artifacts/presigned-download-url", READ, r.Presigned, artifacts.presigned_download, writes=False),
]

REGISTERED_MODELS = [
    Call("POST", "registered-models/create", CREATE, m.CreateModel, registered_models.create),
    Call("POST", "registered-models/rename", EDIT, m.RenameModel, registered_models.rename),
    Call("PATCH", "registered-models/update", CREATE, m.DescribeModel, registered_models.update),
    Call("DELETE", "registered-models/delete", EDIT, m.ModelName, registered_models.delete),
    Call("GET", "registered-models/get", READ, m.ModelName, registered_models.get, writes=False),
    Call("GET", "registered-models/search", READ, r.Search, registered_models.search, writes=False),
    Call(
        "POST", "registered-models/get-latest-versions", READ, m.LatestVersions, registered_models.latest_versions, writes=False
    ),
    Call("GET", "registered-models/get-latest-versions", READ, m.LatestVersions, registered_models.latest_versions, writes=False),
    Call("POST", "registered-models/set-tag", CREATE, m.ModelTag, registered_models.set_tag),
    Call("DELETE", "registered-models/delete-tag", CREATE, m.ModelTag, registered_models.delete_tag),
    Call("POST", "registered-models/alias", CREATE, m.SetAlias, registered_models.set_alias),
    Call("DELETE", "registered-models/alias", CREATE, m.ModelAlias, registered_models.delete_alias),
    Call("GET", "registered-models/alias", READ, m.ModelAlias, registered_models.get_alias, writes=False),
]

MODEL_VERSIONS = [
    Call("POST", "model-versions/create", CREATE, m.CreateVersion, model_versions.create),
    Call("GET", "model-versions/get", READ, m.Version, model_versions.get, writes=False),
    Call("PATCH", "model-versions/update", CREATE, m.DescribeVersion, model_versions.update),
    Call("POST", "model-versions/transition-stage", CREATE, m.MoveVersion, model_versions.transition),
    Call("DELETE", "model-versions/delete", EDIT, m.Version, model_versions.delete),
    Call("GET", "model-versions/search", READ, r.Search, model_versions.search, writes=False),
    Call("GET", "model-versions/get-download-uri", READ, m.EitherVersion, model_versions.download_uri, writes=False),
    Call("POST", "model-versions/set-tag", CREATE, m.VersionTag, model_versions.set_tag),
    Call("DELETE", "model-versions/delete-tag", CREATE, m.VersionTag, model_versions.delete_tag),
]

ONE = "logged-models/{path_id}"
LOGGED_MODELS = [
    Call("POST", "logged-models", LOG, m.CreateLoggedModel, logged_models.create),
    Call("POST", "logged-models/search", READ, m.SearchLoggedModels, logged_models.search, writes=False),
    Call("GET", ONE, READ, m.GetLoggedModel, logged_models.get, writes=False),
    Call("PATCH", ONE, LOG, m.FinalizeLoggedModel, logged_models.finalize),
    Call("DELETE", ONE, EDIT, m.LoggedModelPath, logged_models.delete),
    Call("PATCH", f"{ONE}/tags", LOG, m.LoggedModelTags, logged_models.set_tags),
    Call("DELETE", f"{ONE}/tags/{{tag_key}}", LOG, m.LoggedModelTag, logged_models.delete_tag),
    Call("POST", f"{ONE}/params", LOG, m.LoggedModelParams, logged_models.add_params),
    Call("GET", f"{ONE}/artifacts/directories", READ, m.LoggedModelFolder, logged_models.list_artifacts, writes=False),
]

CALLS = [*EXPERIMENTS, *RUNS, *METRICS, *ARTIFACTS, *REGISTERED_MODELS, *MODEL_VERSIONS, *LOGGED_MODELS]
