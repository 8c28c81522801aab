"""Requests of MLflow's protocol. Every field may be left out in the protocol; `REQUIRED` names those that must be there."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta, Struct

from jupyter_mlws.mlflow_api.parsing import Request

Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Word = str | int
"""A word of an enum, or its number."""


class Pair(Struct):
    """A tag or a param."""

    key: str | None = None
    value: str | None = None


# Experiments


class CreateExperiment(Request):
    """A new experiment."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("name",)
    name: str | None = None
    artifact_location: str | None = None
    tags: list[Pair] | None = None


class ExperimentId(Request):
    """Which experiment."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("experiment_id",)
    experiment_id: str | None = None


class ExperimentName(Request):
    """Which experiment, by name."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("experiment_name",)
    experiment_name: str | None = None


class UpdateExperiment(Request):
    """A new name."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("experiment_id", "new_name")
    experiment_id: str | None = None
    new_name: str | None = None


class ExperimentTag(Request):
    """A tag of an experiment."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("experiment_id", "key")
    experiment_id: str | None = None
    key: str | None = None
    value: str | None = None


class Search(Request):
    """What all searches take."""

    filter: str | None = None
    max_results: Int64 | None = None
    order_by: list[str] | None = None
    page_token: str | None = None


class SearchExperiments(Search):
    """Experiments by name, times and tags."""

    view_type: Word | None = None


# Runs


class CreateRun(Request):
    """A new run."""

    experiment_id: str | None = None
    user_id: str | None = None
    run_name: str | None = None
    start_time: Int64 | None = None
    tags: list[Pair] | None = None


class RunRequest(Request):
    """Which run; clients of old call its id `run_uuid`."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("run_id",)
    run_id: str | None = None


class EitherRunRequest(Request):
    """Which run, by one name or the other."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("run_id",)
    INSTEAD: ClassVar[dict[str, str]] = {"run_id": "run_uuid"}
    run_id: str | None = None
    run_uuid: str | None = None


class UpdateRun(EitherRunRequest):
    """New status, end or name."""

    status: Word | None = None
    end_time: Int64 | None = None
    run_name: str | None = None


class RunTag(EitherRunRequest):
    """A tag of a run."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("run_id", "key")
    key: str | None = None
    value: str | None = None


class DeleteRunTag(RunRequest):
    """Which tag of which run."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("run_id", "key")
    key: str | None = None


class LogParam(EitherRunRequest):
    """A param of a run."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("run_id", "key")
    key: str | None = None
    value: str | None = None


class Metric(Struct):
    """A point of a metric."""

    key: str | None = None
    value: float | None = None
    timestamp: Int64 | None = None
    step: Int64 | None = None
    model_id: str | None = None
    dataset_name: str | None = None
    dataset_digest: str | None = None


class LogMetric(EitherRunRequest):
    """A point of a metric of a run."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("run_id", "key", "value", "timestamp")
    key: str | None = None
    value: float | None = None
    timestamp: Int64 | None = None
    step: Int64 | None = None
    model_id: str | None = None
    dataset_name: str | None = None
    dataset_digest: str | None = None


class LogBatch(RunRequest):
    """Metrics, params and tags of a run."""

    metrics: list[Metric] | None = None
    params: list[Pair] | None = None
    tags: list[Pair] | None = None


class LogModel(RunRequest):
    """A model that a client of version 2 has stored among the run's artifacts."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("run_id", "model_json")
    model_json: str | None = None


class Dataset(Struct):
    """A dataset as clients describe it."""

    name: str = ""
    digest: str = ""
    source_type: str = ""
    source: str = ""
    schema: str | None = None
    profile: str | None = None


class DatasetInput(Struct):
    """A dataset that a run reads."""

    tags: list[Pair] | None = None
    dataset: Dataset | None = None


class ModelInput(Struct):
    """A logged model that a run reads."""

    model_id: str = ""


class ModelOutput(Struct):
    """A logged model that a run made."""

    model_id: str = ""
    step: Int64 = 0


class LogInputs(RunRequest):
    """What a run reads."""

    datasets: list[DatasetInput] | None = None
    models: list[ModelInput] | None = None


class LogOutputs(RunRequest):
    """What a run makes."""

    models: list[ModelOutput] | None = None


class SearchRuns(Search):
    """Runs of experiments."""

    experiment_ids: list[str] | None = None
    run_view_type: Word | None = None


# Metrics and artifacts


class MetricHistory(EitherRunRequest):
    """All points of a metric of a run."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("run_id", "metric_key")
    metric_key: str | None = None
    max_results: Int64 | None = None
    page_token: str | None = None


class BulkHistory(Request):
    """Points of one metric of several runs, spread over an interval of steps."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("run_ids", "metric_key")
    run_ids: list[str] | None = None
    metric_key: str | None = None
    start_step: Int64 | None = None
    end_step: Int64 | None = None
    max_results: Int64 | None = None


class ListArtifacts(EitherRunRequest):
    """What lies in a folder of a run's artifacts."""

    path: str | None = None


class Presigned(Request):
    """A URL to send a file to, or to fetch it from, without this server."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("path",)
    run_id: str | None = None
    model_id: str | None = None
    path: str | None = None
    expiration: Int64 | None = None
