"""Requests of MLflow's protocol about models."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from jupyter_mlws.mlflow_api.parsing import Request
from jupyter_mlws.mlflow_api.requests import Int64, Pair, Word  # noqa: TC001 - msgspec reads it

# Registered models


class ModelName(Request):
    """Which registered model."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("name",)
    name: str | None = None


class CreateModel(ModelName):
    """A new registered model."""

    tags: list[Pair] | None = None
    description: str | None = None


class RenameModel(ModelName):
    """A new name."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("name", "new_name")
    new_name: str | None = None


class DescribeModel(ModelName):
    """A new description; none removes it."""

    description: str | None = None


class ModelTag(ModelName):
    """A tag of a registered model."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("name", "key")
    key: str | None = None
    value: str | None = None


class LatestVersions(ModelName):
    """Which stages' latest versions."""

    stages: list[str] | None = None


class ModelAlias(ModelName):
    """Which alias."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("name", "alias")
    alias: str | None = None


class SetAlias(ModelAlias):
    """What version an alias means."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("name", "alias", "version")
    version: str | None = None


# Versions


class CreateVersion(ModelName):
    """A new version."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("name", "source")
    source: str | None = None
    run_id: str | None = None
    run_link: str | None = None
    description: str | None = None
    tags: list[Pair] | None = None
    model_id: str | None = None


class EitherVersion(Request):
    """Which version; what is missing is told in other words."""

    name: str | None = None
    version: str | None = None


class Version(EitherVersion):
    """Which version."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("name", "version")


class DescribeVersion(Version):
    """A new description; none removes it."""

    description: str | None = None


class MoveVersion(Version):
    """A new stage."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("name", "version", "stage")
    stage: str | None = None
    archive_existing_versions: bool | None = None


class VersionTag(Version):
    """A tag of a version."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("name", "version", "key")
    key: str | None = None
    value: str | None = None


# Logged models


class CreateLoggedModel(Request):
    """A new logged model."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("experiment_id",)
    experiment_id: str | None = None
    name: str | None = None
    model_type: str | None = None
    source_run_id: str | None = None
    params: list[Pair] | None = None
    tags: list[Pair] | None = None


class LoggedModelPath(Request):
    """Which logged model, by its place in the URL."""

    path_id: str | None = None


class GetLoggedModel(LoggedModelPath):
    """Whether a deleted one is wanted, too."""

    allow_deleted: bool | None = None


class FinalizeLoggedModel(LoggedModelPath):
    """A status, by its word or number. The id of the body is the one that counts."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("model_id", "status")
    model_id: str | None = None
    status: Word | None = None


class LoggedModelTags(LoggedModelPath):
    """Tags of a logged model."""

    tags: list[Pair] | None = None


class LoggedModelTag(LoggedModelPath):
    """Which tag, by its place in the URL."""

    tag_key: str | None = None


class LoggedModelParams(LoggedModelPath):
    """Params of a logged model."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("model_id",)
    model_id: str | None = None
    params: list[Pair] | None = None


class LoggedModelFolder(LoggedModelPath):
    """A folder among a logged model's files."""

    artifact_directory_path: str | None = None


class DatasetClause(Struct):
    """A dataset that metrics were measured on."""

    dataset_name: str | None = None
    dataset_digest: str | None = None


class OrderClause(Struct):
    """One key of an order."""

    field_name: str | None = None
    ascending: bool | None = None
    dataset_name: str | None = None
    dataset_digest: str | None = None


class SearchLoggedModels(Request):
    """Logged models of experiments."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("experiment_ids",)
    experiment_ids: list[str] | None = None
    filter: str | None = None
    datasets: list[DatasetClause] | None = None
    max_results: Int64 | None = None
    order_by: list[OrderClause] | None = None
    page_token: str | None = None
