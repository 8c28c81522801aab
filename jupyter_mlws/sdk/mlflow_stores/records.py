"""What MLflow's stores hold, whichever way it was read. Times are ms since the epoch; None is what the store does not say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from jupyter_mlws.sdk.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jupyter_mlws.sdk.mlflow_stores.places import Places

Status = Literal["NotStarted", "Running", "Completed", "Failed", "Canceled"]
STATUSES: dict[str, Status] = {
    "RUNNING": "Running",
    "SCHEDULED": "NotStarted",
    "FINISHED": "Completed",
    "FAILED": "Failed",
    "KILLED": "Canceled",
}
WORDS = ("RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED")
"""Their numbers count from 1."""
ModelStatus = Literal["unspecified", "pending", "ready", "failed"]
MODEL_STATUSES: tuple[ModelStatus, ...] = ("unspecified", "pending", "ready", "failed")
Stage = Literal["None", "Staging", "Production", "Archived"]
STAGES: tuple[Stage, ...] = ("None", "Staging", "Production", "Archived")
NAME, NOTE, PARENT, SOURCE = "mlflow.runName", "mlflow.note.content", "mlflow.parentRunId", "mlflow.source.name"
LAST_MS = 253_402_300_799_999
LEAST, MOST = -(2**63), 2**63 - 1


class SourceExperiment(NamedTuple):
    """An experiment."""

    id: str
    name: str
    deleted: bool
    created_at: int | None
    updated_at: int | None
    tags: dict[str, str]


class SourceRun(NamedTuple):
    """A run without what it logged but its tags."""

    id: str
    experiment_id: str
    name: str
    status: Status
    started_at: int | None
    ended_at: int | None
    deleted: bool
    user: str
    artifact_uri: str
    tags: dict[str, str]

    @property
    def parent_id(self) -> str | None:
        """The run that it says it belongs to."""
        return self.tags.get(PARENT)


class Point(NamedTuple):
    """A point of a metric."""

    key: str
    value: float
    step: int
    time: int


class DatasetRead(NamedTuple):
    """A dataset that a run has read."""

    name: str
    digest: str
    source_type: str
    source: str
    schema: str | None
    profile: str | None
    tags: dict[str, str]


class SourceLoggedModel(NamedTuple):
    """A model that training code made."""

    id: str
    experiment_id: str
    name: str
    model_type: str
    source_run_id: str
    status: ModelStatus
    created_at: int
    updated_at: int
    deleted: bool
    artifact_uri: str
    tags: dict[str, str]
    params: dict[str, str]


class ModelPoint(NamedTuple):
    """A point of a metric that a run measured of a logged model."""

    point: Point
    run_id: str
    dataset_name: str | None
    dataset_digest: str | None


class SourceModel(NamedTuple):
    """A registered model."""

    name: str
    description: str
    created_at: int
    updated_at: int
    tags: dict[str, str]
    aliases: dict[str, int]


class SourceVersion(NamedTuple):
    """A version of a registered model."""

    number: int
    description: str
    source: str
    location: str
    """Where its files lie; the source, if the store does not say."""
    run_id: str
    run_link: str
    logged_model_id: str | None
    stage: Stage
    created_at: int
    updated_at: int
    tags: dict[str, str]


class Skip(NamedTuple):
    """Something that cannot be taken along, and why."""

    kind: str
    name: str
    reason: str


class Source(Protocol):
    """A store that is open for reading. What it cannot read it tells to `skip`, and goes on."""

    identity: str
    """What it is called wherever it is named again: a URI, without a password."""
    skip: Callable[[Skip], None]

    @property
    def places(self) -> Places:
        """Where the files of its runs lie."""

    def experiments(self) -> Iterator[SourceExperiment]:
        """All experiments, deleted ones too."""

    def runs(self, experiment: SourceExperiment) -> Iterator[SourceRun]:
        """All runs of an experiment, deleted ones too."""

    def params(self, run: SourceRun) -> dict[str, str]:
        """The params of a run."""

    def points(self, run: SourceRun) -> Iterator[Point]:
        """All points of a run, key by key, always in the same order."""

    def datasets(self, run: SourceRun) -> Iterator[DatasetRead]:
        """The datasets that a run has read."""

    def model_inputs(self, run: SourceRun) -> list[str]:
        """Ids of the logged models that a run has read."""

    def model_outputs(self, run: SourceRun) -> list[tuple[str, int]]:
        """Ids of the logged models that a run has made, each with its step."""

    def logged_models(self, experiment: SourceExperiment) -> Iterator[SourceLoggedModel]:
        """All logged models of an experiment, deleted ones too."""

    def model_points(self, model: SourceLoggedModel) -> Iterator[ModelPoint]:
        """What was measured of a logged model."""

    def registered_models(self) -> Iterator[SourceModel]:
        """All registered models."""

    def versions(self, model: SourceModel) -> Iterator[SourceVersion]:
        """The versions of a registered model, by number."""

    def traces(self, experiment: SourceExperiment) -> int:
        """Number of its traces, which are not kept here."""

    def close(self) -> None:
        """Let go of the store."""


def bad_source(message: str, code: str = "bad_source") -> BadInput:
    """The source is no store that can be read; the message says why, and what to do."""
    return BadInput(message, status=400, code=code, field="source")


def time_of(value: object) -> int | None:
    """A time as stores write it; None for what is none."""
    number = whole(value)
    return number if number is not None and 0 <= number <= LAST_MS else None


def whole(value: object) -> int | None:
    """A whole number, written as one or as text."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and len(value) < 25:
        try:
            return int(value)
        except ValueError:
            return None
    return None


def text_of(value: object) -> str:
    """A text; numbers and the like as they are written."""
    return "" if value is None else value if isinstance(value, str) else str(value)


def texts(value: object) -> dict[str, str]:
    """A mapping of texts."""
    return {text_of(key): text_of(one) for key, one in value.items()} if isinstance(value, dict) else {}


def status_of(value: object) -> Status:
    """The status of a run by MLflow's word or number."""
    number = whole(value)
    word = WORDS[number - 1] if number is not None and 1 <= number <= len(WORDS) else text_of(value)
    return STATUSES.get(word, "Running")


def model_status(value: object) -> ModelStatus:
    """The status of a logged model by MLflow's number."""
    number = whole(value)
    return MODEL_STATUSES[number] if number is not None and 0 <= number < len(MODEL_STATUSES) else "unspecified"


def stage_of(value: object) -> Stage:
    """The stage of a version."""
    return next((stage for stage in STAGES if stage.lower() == text_of(value).lower()), "None")
