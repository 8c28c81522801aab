"""What is told of models, and wire types of their import. Times are ms since the epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from msgspec import UNSET, Meta, Struct, UnsetType

from jupyter_mlws.domain.runs.schemas import ImportedTexts, ImportSource
from jupyter_mlws.domain.runs.states import ImportState
from jupyter_mlws.kit.fields import Count, Key, Many, MetricValue, Name, Note, Step, TimeMs

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


# Models of other stores


OtherId = Annotated[str, Meta(max_length=255)]
Location = Annotated[str, Meta(min_length=1, max_length=4000)]
VersionNumber = Annotated[int, Meta(ge=1, le=2**31 - 1)]


class LoggedModelImport(Struct, kw_only=True, forbid_unknown_fields=True):
    """A logged model of another store, as it was there. Its files and points are sent afterwards."""

    experiment_id: str
    imported_from: ImportSource
    name: Name
    model_type: Annotated[str, Meta(max_length=500)] = ""
    source_run_id: OtherId = ""
    created_at: TimeMs
    params: ImportedTexts | UnsetType = UNSET
    tags: ImportedTexts | UnsetType = UNSET


class LoggedModelImportEnd(Struct, kw_only=True, forbid_unknown_fields=True):
    """All of an imported logged model is here: how it stood there."""

    imported_from: ImportSource
    status: Literal["unspecified", "pending", "ready", "failed"]
    updated_at: TimeMs
    deleted: bool = False


class ImportedPoint(Struct, kw_only=True, forbid_unknown_fields=True):
    """A point of a metric that a run measured of a logged model."""

    key: Key
    value: MetricValue
    time: TimeMs
    step: Step = 0
    run_id: Annotated[str, Meta(max_length=32)]
    dataset_name: Annotated[str, Meta(max_length=500)] | None = None
    dataset_digest: Annotated[str, Meta(max_length=255)] | None = None


class LoggedModelPoints(Struct, kw_only=True, forbid_unknown_fields=True):
    """Points of a logged model that is being imported."""

    imported_from: ImportSource
    points: Annotated[list[ImportedPoint], Meta(max_length=10_000)]


class ImportedLoggedModel(Struct, kw_only=True):
    """What is here of a logged model that is being imported."""

    id: str
    state: ImportState


class VersionImport(Struct, kw_only=True, forbid_unknown_fields=True):
    """A version of a registered model of another store."""

    number: VersionNumber
    source: Location
    location: Location
    """Where its files lie now."""
    description: Note = ""
    run_id: OtherId = ""
    run_link: Annotated[str, Meta(max_length=4000)] = ""
    logged_model_id: Annotated[str, Meta(max_length=34)] | None = None
    stage: Literal["None", "Staging", "Production", "Archived"] = "None"
    created_at: TimeMs
    updated_at: TimeMs
    tags: ImportedTexts | UnsetType = UNSET


class ModelImport(Struct, kw_only=True, forbid_unknown_fields=True):
    """A registered model of another store, with some of its versions."""

    name: Annotated[str, Meta(min_length=1, max_length=256)]
    imported_from: ImportSource
    description: Note | UnsetType = UNSET
    tags: ImportedTexts | UnsetType = UNSET
    created_at: TimeMs
    updated_at: TimeMs
    versions: Annotated[list[VersionImport], Meta(max_length=500)] | UnsetType = UNSET
    aliases: Annotated[dict[Annotated[str, Meta(min_length=1, max_length=255)], VersionNumber], Many] | UnsetType = UNSET
    dry_run: bool = False
    """Only tell what would be added."""


class ImportedModel(Struct, kw_only=True):
    """What was added of a registered model, or would be."""

    name: str
    created: bool
    versions: Count
    """Number of versions added; those that were here stay as they are."""
    aliases: Count
