"""The table of MLflow's routes. READ FIRST."""

from __future__ import annotations

from jupyter_mlws.kit.actors import Action
from jupyter_mlws.mlflow_api import artifacts, experiments, metrics, run_search, runs
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
    Call("POST", "runs/log-metric", LOG, r.LogMetric, runs.log_metric),
    Call("POST", "runs/log-parameter", LOG, r.LogParam, runs.log_param),
    Call("POST", "runs/log-batch", LOG, r.LogBatch, runs.log_batch),
    Call("POST", "runs/set-tag", LOG, r.RunTag, runs.set_tag),
    Call("POST", "runs/delete-tag", LOG, r.DeleteRunTag, runs.delete_tag),
    Call("POST", "runs/log-model", LOG, r.LogModel, runs.log_model),
    Call("POST", "runs/log-inputs", LOG, r.LogInputs, runs.log_inputs),
    Call("POST", "runs/outputs", LOG, r.LogOutputs, runs.log_outputs),
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

CALLS = [*EXPERIMENTS, *RUNS, *METRICS, *ARTIFACTS]
