"""What is told of models. Times are ms since the epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jupyter_mlws.domain.models.states import LoggedModelStatus, Stage


class ModelVersion(NamedTuple):
    """A version of a registered model."""

    name: str
    number: int
    created_at: int
    updated_at: int
    description: str | None
    source: str
    location: str
    """Where its files lie: fixed when it was made."""
    run_id: str
    run_link: str
    logged_model_id: str | None
    stage: Stage
    tags: dict[str, str]
    aliases: list[str]


class RegisteredModel(NamedTuple):
    """A registered model, with the latest version of each stage."""

    name: str
    created_at: int
    updated_at: int
    description: str | None
    tags: dict[str, str]
    aliases: dict[str, int]
    latest: list[ModelVersion]


class NewVersion(NamedTuple):
    """What a version is made of."""

    source: str
    location: str
    run_id: str = ""
    run_link: str = ""
    description: str = ""
    logged_model_id: str | None = None
    tags: Mapping[str, str] = {}


class ModelPoint(NamedTuple):
    """A point of a metric that was measured of a logged model. None is NaN."""

    key: str
    value: float | None
    time: int
    step: int
    run_id: str
    dataset_name: str | None
    dataset_digest: str | None


class LoggedModel(NamedTuple):
    """A model that training code made."""

    id: str
    workspace: str
    experiment_id: int
    name: str
    model_type: str
    source_run_id: str
    status: LoggedModelStatus
    location: str
    """Where its files lie."""
    created_at: int
    updated_at: int
    deleted: bool
    params: dict[str, str]
    tags: dict[str, str]
    points: list[ModelPoint]


class NewLoggedModel(NamedTuple):
    """What a logged model is made of."""

    name: str | None
    """None: one is made up."""
    model_type: str
    source_run_id: str
    params: Mapping[str, str]
    tags: Mapping[str, str]


class DatasetChoice(NamedTuple):
    """Points of metrics on a dataset; without a digest on any of this name."""

    name: str
    digest: str | None


class ModelOrder(NamedTuple):
    """One key of an order of logged models: an attribute, or else a metric by its latest point."""

    attribute: str | None
    metric: str | None
    descending: bool
    dataset_name: str | None = None
    dataset_digest: str | None = None


class RunModels(NamedTuple):
    """The logged models that a run read, and those that it made, each with its step."""

    inputs: Sequence[str]
    outputs: Sequence[tuple[str, int]]
