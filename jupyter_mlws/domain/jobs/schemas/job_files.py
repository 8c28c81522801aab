"""Job files: YAML in the form of Azure ML's."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from jupyter_mlws.domain.jobs.schemas.jobs import Job
from jupyter_mlws.domain.jobs.schemas.specs import JOB_FILE_CHARS, SourceManifest
from jupyter_mlws.domain.jobs.schemas.submitting import JobCreate
from jupyter_mlws.kit.fields import Key, ObjectId


class JobFile(Struct, kw_only=True, forbid_unknown_fields=True):
    """A job file: YAML in the form of Azure ML's command jobs, or with `type: notebook`."""

    text: Annotated[str, Meta(max_length=JOB_FILE_CHARS)]
    """The file as it is; the server reads it."""
    file_name: Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)")] = "job.yml"
    """What messages call it."""
    folder: Annotated[str, Meta(max_length=4096)] | UnsetType = UNSET
    """Where the file lies, relative to the server's root (empty: in it); its paths go from there. Left out: the server does not see it."""
    set: Annotated[dict[Key, Annotated[str, Meta(max_length=10_000)]], Meta(max_length=100)] | UnsetType = UNSET
    """Fields by path (`limits.timeout`, `inputs.lr`) that win over those of the file; the values are YAML, as they would stand in it."""


class JobFileSubmit(JobFile, kw_only=True, forbid_unknown_fields=True):
    """A job file to submit, and what it has no fields for."""

    manifest: SourceManifest | UnsetType = UNSET
    """The files of the folder that `source` of the validation names, or of the notebook's folder, if the server does not see them."""
    priority: Annotated[int, Meta(ge=-100, le=100)] = 0
    in_place: bool = False
    confirm_large: bool = False
    parent_id: ObjectId | UnsetType = UNSET


class JobFileWarning(Struct, kw_only=True):
    """A field that is accepted and not honoured."""

    line: int | None
    """From 1; null for a field that was given by `set`."""
    field: str
    message: str
    """The whole sentence, with file, line and field."""


class JobFileSource(Struct, kw_only=True):
    """What a job file takes along."""

    field: Literal["code", "notebook"]
    path: str
    """As the file writes it, from the file's folder."""
    line: int | None


class JobFileValidation(Struct, kw_only=True):
    """A job file that can be submitted."""

    job: JobCreate
    """What it asks for; of a command, with its inputs put in."""
    source: JobFileSource | None
    warnings: list[JobFileWarning]


class JobFileText(Struct, kw_only=True):
    """A job as the text of a job file."""

    text: str
    warnings: list[str]
    """What the file cannot say; the same stands in its first lines, as comments."""


class JobFileSchema(Struct, kw_only=True):
    """A JSON schema of job files, for editors."""

    schema: dict[str, Any]


class JobFileSubmission(Struct, kw_only=True):
    """The job that a file asked for, and what of the file was not honoured."""

    job: Job
    warnings: list[JobFileWarning]
