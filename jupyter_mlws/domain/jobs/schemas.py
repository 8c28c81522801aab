"""Wire types of jobs. A job is a run: its status, progress, params and metrics are read from `Run`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from jupyter_mlws.domain.compute.schemas import Amounts, JobResources
from jupyter_mlws.domain.environments.schemas import Reference
from jupyter_mlws.domain.runs.schemas import Run, RunError, RunUpdate
from jupyter_mlws.domain.runs.states import RunStatus
from jupyter_mlws.domain.secrets.schemas import SecretName
from jupyter_mlws.domain.storage.schemas import ManifestFile, Sha256
from jupyter_mlws.kit.fields import Key, Many, Name, ObjectId, Tags, matching

EnvName = Annotated[
    str,
    matching(
        r"^[A-Za-z_][A-Za-z0-9_]*$(?!\n)",
        "The name of an environment variable has letters, digits and `_`, and does not begin with a digit",
    ),
]
PathText = Annotated[str, Meta(min_length=1, max_length=4096)]
Retries = Annotated[int, Meta(ge=0, le=20)]
COMMAND_CHARS = 100_000
JOB_FILE_CHARS = 65_536


MemoryLimit = Annotated[int, Meta(ge=16 * 2**20, le=2**53)]
"""Bytes that all processes of a job may hold together. Less than 16 MiB is what an empty program takes."""


class NotebookSpec(Struct, kw_only=True, forbid_unknown_fields=True, tag="notebook", tag_field="kind"):
    """Run a notebook by papermill."""

    notebook: PathText
    """Path of the notebook, relative to the server's root (or inside `files` when the client sent a manifest)."""
    kernel: Annotated[str, Meta(max_length=255)] | UnsetType = UNSET
    """Kernelspec name; the notebook's own if left out."""
    parameters: Annotated[dict[Key, Any], Many] | UnsetType = UNSET
    """Values by name, JSON types; each must be declared in the notebook's `parameters` cell."""
    memory_limit: MemoryLimit | UnsetType = UNSET
    """Bytes of memory that all its processes may hold together; over it the job is ended, reason `out_of_memory`."""
    keep_kernel_on_failure: bool | UnsetType = UNSET
    """When a cell fails the run is Failed as ever, but its kernel is kept for a time, so that a console can be opened on it."""


DataName = Annotated[
    str,
    matching(
        r"^[a-zA-Z_][a-zA-Z0-9_]*$(?!\n)",
        "The name of an input or output has letters, digits and `_`, and does not begin with a digit",
    ),
]
DataType = Literal["uri_folder", "uri_file", "mltable", "custom_model", "mlflow_model", "triton_model"]
InputMode = Literal["ro_mount", "rw_mount", "download", "direct"]
OutputMode = Literal["rw_mount", "upload", "direct"]


class JobInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """Data that a command reads: `${{inputs.<name>}}` in it becomes the path where the data lies while the job runs."""

    path: PathText
    """File or folder of the server's disk, relative to its root; or an address or a reference that its mirror map knows."""
    type: DataType = "uri_folder"
    mode: InputMode = "ro_mount"
    """`ro_mount` and `rw_mount`: a link to the original. `download`: a copy. `direct`: the text of `path` itself."""


class JobOutput(Struct, kw_only=True, forbid_unknown_fields=True):
    """Data that a command writes: `${{outputs.<name>}}` in it becomes a path below `outputs/`, which is captured."""

    path: PathText | UnsetType = UNSET
    """Where a copy goes once the job completed, as `path` of an input; with the mode `direct` the command writes there itself."""
    type: DataType = "uri_folder"
    mode: OutputMode = "rw_mount"


class CommandSpec(Struct, kw_only=True, forbid_unknown_fields=True, tag="command", tag_field="kind"):
    """Run a shell line with bash."""

    command: Annotated[str, Meta(min_length=1, max_length=COMMAND_CHARS)]
    code: PathText | UnsetType = UNSET
    """Folder to snapshot and to run in, relative to the server's root; an empty folder if left out. With a manifest: `.`, or left out."""
    inputs: Annotated[dict[DataName, JobInput], Meta(max_length=100)] | UnsetType = UNSET
    """Data by name. With it, or with outputs, `${{inputs.<name>}}` and `${{outputs.<name>}}` in the command stand for paths."""
    outputs: Annotated[dict[DataName, JobOutput], Meta(max_length=100)] | UnsetType = UNSET
    memory_limit: MemoryLimit | UnsetType = UNSET
    """Bytes of memory that all its processes may hold together; over it the job is ended, reason `out_of_memory`."""


class ExtensionSpec(Struct, kw_only=True, forbid_unknown_fields=True, tag="extension", tag_field="kind"):
    """Run a job of a kind that another installed package brings."""

    extension: Annotated[str, Meta(min_length=1, max_length=100)]
    """Name of the kind, an entry point of the group `jupyter_mlws.job_kinds`."""
    settings: Annotated[dict[Key, Any], Many] | UnsetType = UNSET
    """What the kind asks for, JSON types; the kind itself checks them."""
    code: PathText | UnsetType = UNSET
    """Folder to snapshot and to run in, relative to the server's root; an empty folder if left out. With a manifest: `.`, or left out."""
    memory_limit: MemoryLimit | UnsetType = UNSET
    """Bytes of memory that all its processes may hold together; over it the job is ended, reason `out_of_memory`."""


Spec = NotebookSpec | CommandSpec | ExtensionSpec


class SourceManifest(Struct, kw_only=True, forbid_unknown_fields=True):
    """Files that the client sends itself (because they lie outside the server's root): hashes now, missing blobs before the submit.

    A notebook runs where it lies among them, all else at their top: `code` is `.` or left out. None of it can run `in_place`.
    """

    files: Annotated[list[ManifestFile], Meta(max_length=100_000)]


class JobCreate(Struct, kw_only=True, forbid_unknown_fields=True):
    """A job to submit."""

    spec: Spec
    experiment: Name | UnsetType = UNSET
    """Experiment name, made if it is new; the notebook's name if left out."""
    name: Name | UnsetType = UNSET
    """Run name; made from the source and a number if left out."""
    target: Annotated[str, Meta(max_length=255)] = "local"
    priority: Annotated[int, Meta(ge=-100, le=100)] = 0
    """Greater runs first; equal ones in the order of submission."""
    timeout_s: Annotated[int, Meta(ge=1, le=31_536_000)] | UnsetType = UNSET
    """Of each attempt."""
    max_retries: Retries = 0
    """How often it is tried again when it fails; not when it is canceled or runs out of time."""
    resources: JobResources | UnsetType = UNSET
    tags: Tags | UnsetType = UNSET
    note: Annotated[str, Meta(max_length=100_000)] | UnsetType = UNSET
    env: dict[EnvName, str] | UnsetType = UNSET
    """Environment variables of the job."""
    environment: Reference | UnsetType = UNSET
    """What it runs in: an environment of the workspace, as `name`, `name:version` or `name@latest`, with `azureml:` before it or not, or
    what the alias table knows. The version is chosen at submit. Left out: the server's interpreter, or the notebook's kernel."""
    secrets: Annotated[dict[EnvName, SecretName], Meta(max_length=100)] | UnsetType = UNSET
    """Further variables, each with the name of the workspace's secret that it holds. Their values stand nowhere but in the job's
    processes, and are hidden (`***`) in its log, notebook, params, tags and errors."""
    manifest: SourceManifest | UnsetType = UNSET
    in_place: bool = False
    """Run in the notebook's own folder instead of a working copy; not with a manifest."""
    confirm_large: bool = False
    """Take a snapshot although the folder is the home or root folder, or over 1 GB."""
    parent_id: ObjectId | UnsetType = UNSET


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


class ReRun(Struct, kw_only=True, forbid_unknown_fields=True):
    """Submit a job again from its own snapshot; what is given here wins over what it had."""

    name: Name | UnsetType = UNSET
    experiment: Name | UnsetType = UNSET
    kernel: Annotated[str, Meta(min_length=1, max_length=255)] | UnsetType = UNSET
    """Of a notebook."""
    parameters: Annotated[dict[Key, Any], Many] | UnsetType = UNSET
    """Of a notebook, values by name; those that are not named stay."""
    command: Annotated[str, Meta(min_length=1, max_length=COMMAND_CHARS)] | UnsetType = UNSET
    """Another shell line for a command job."""
    target: Annotated[str, Meta(max_length=255)] | UnsetType = UNSET
    priority: Annotated[int, Meta(ge=-100, le=100)] | UnsetType = UNSET
    timeout_s: Annotated[int, Meta(ge=1, le=31_536_000)] | UnsetType | None = UNSET
    """null takes the limit away."""
    memory_limit: MemoryLimit | UnsetType | None = UNSET
    """In bytes; null takes the limit away."""
    keep_kernel_on_failure: bool | UnsetType = UNSET
    """Of a notebook."""
    max_retries: Retries | UnsetType = UNSET
    resources: JobResources | UnsetType | None = UNSET
    """All of what it asks for; null for nothing."""
    env: dict[EnvName, str | None] | UnsetType = UNSET
    """Environment variables that are added or changed; null takes one away, and those that are not named keep their values."""
    environment: Reference | UnsetType | None = UNSET
    """Another environment; null for none. Left out, the very version that it had."""
    secrets: Annotated[dict[EnvName, SecretName | None], Meta(max_length=100)] | UnsetType = UNSET
    """Secrets by variable, added or changed; null takes one away. Those that are not named stay, with the values that they have now."""
    tags: Tags | UnsetType = UNSET
    """Of the new run, which takes over none."""
    note: Annotated[str, Meta(max_length=100_000)] | UnsetType = UNSET
    """Of the new run."""


class JobUpdate(RunUpdate, kw_only=True, forbid_unknown_fields=True):
    """What a person may change of a job: what may change of its run, and while it waits its place in the queue."""

    priority: Annotated[int, Meta(ge=-100, le=100)] | UnsetType = UNSET


class KeptKernel(Struct, kw_only=True):
    """The kernel of a failed notebook that is kept, with all that was in it."""

    run_id: str
    kernel_id: str
    """By this id Jupyter's server has it, once it is attached."""
    kernel_name: str
    display_name: str
    until: int
    """When it ends by itself."""


class JobUsage(Struct, kw_only=True):
    """What a job used until now. Its course over time are the metrics `system/job_…` of its run."""

    peak_memory_bytes: int | None
    """The most that all its processes held at once, looked at every second or oftener."""
    memory_limit_bytes: int | None
    cpu_time_s: float | None
    """Of all its processes together."""


class Attempt(Struct, kw_only=True):
    """One attempt to run a job. While it goes on its status is that of the run, and `ended_at` is null."""

    attempt: int
    """From 1."""
    status: RunStatus
    reason: str | None
    error: RunError | None
    started_at: int | None
    ended_at: int | None
    exit_code: int | None
    signal: int | None
    """Number of the signal that ended the process."""


class Job(Struct, kw_only=True):
    """A job: its run, what it was asked to do, and what was not captured of its folder."""

    run: Run
    spec: Spec
    priority: int
    timeout_s: int | None
    environment: str | None
    """The environment that it named, as `name:version`."""
    env_names: list[str]
    """The environment variables that it was given; their values may be secret and are not told."""
    secrets: dict[str, str]
    """Names of the workspace's secrets that it is given, by variable."""
    in_place: bool
    """It runs in its source's own folder: with the files as they are there, not with those of a snapshot."""
    attempt: int
    """Which one runs, or comes next, from 1."""
    max_retries: int
    attempts: list[Attempt]
    """Those that have begun, the first first."""
    asks: Amounts
    gpu_ids: list[int]
    """The GPUs that it has; empty without any."""
    not_captured: list[str]
    """Paths that the snapshot left out (ignored files); links to the originals stand in their place."""
    new_files: list[str]
    """Files the job made outside `outputs/` and `logs/`, known after its end; `Keep` stores one as an artifact."""
    notebook_artifact: str | None
    """Artifact path of the output notebook, once it is stored."""
    usage: JobUsage | None
    """null until there is something to tell."""


class JobFileSubmission(Struct, kw_only=True):
    """The job that a file asked for, and what of the file was not honoured."""

    job: Job
    warnings: list[JobFileWarning]


class JobList(Struct, kw_only=True):
    """Jobs that wait or run, in the order of the queue. `ended`: ids of those submitted in the last minute that have ended
    already, so that who follows the list learns of jobs too that were never in it."""

    jobs: list[Run]
    ended: list[str]


class LogSlice(Struct, kw_only=True):
    """A piece of a log. Whole lines stand in `text`; the unfinished last ones (several, where a program moves its bars) stand in
    `partial` and are not counted in `next_offset`."""

    text: str
    partial: str
    offset: int
    """Byte offset where `text` begins."""
    next_offset: int
    size: int
    done: bool
    """The log is complete and `text` reaches its end."""


class LogMatches(Struct, kw_only=True):
    """Lines of a log that a search found."""

    offsets: list[int]
    """Byte offsets of the beginnings of these lines; at most 1,000."""
    next_offset: int
    """The lines before it are searched."""
    more: bool
    """Lines behind it can be searched at once."""


class HeldOutput(Struct, kw_only=True, omit_defaults=True):
    """What an answer left out of an output because of its size (`hold_over`). Asked without `hold_over`, the same place gives all."""

    bytes: int
    """Of the whole output, as JSON."""
    types: list[str]
    """Its MIME types; of a stream and of an error `text/plain` alone."""
    lines: int | None = None
    """Lines of its text."""
    tail: str | None = None
    """The last lines of its text; the first ones stand in the output itself."""
    width: int | None = None
    """Of an image, in pixels."""
    height: int | None = None


class CellDelta(Struct, kw_only=True, omit_defaults=True):
    """One change of the growing output notebook. `op` tells which fields count.

    `base`: `notebook` is the whole notebook before the first cell ran. `start`: cell `cell` runs. `output`: `output` is
    appended to the cell (stream text continues the last output of the same name, after its last `back` lines were taken
    away; the unfinished one counts). `clear`: the outputs go. `update`: the outputs with `display_id` become `output`.
    `end`: the cell ended with `ok`. `done`: no more deltas come.
    """

    op: Literal["base", "start", "output", "clear", "update", "end", "done"]
    cell: int | None = None
    at: int | None = None
    output: dict[str, Any] | None = None
    display_id: str | None = None
    back: int = 0
    ok: bool | None = None
    execution_count: int | None = None
    notebook: dict[str, Any] | None = None
    place: int | None = None
    """The offset that gives this delta again; in answers only."""
    held: HeldOutput | None = None
    """Only the beginning of `output` is here; in answers only."""


class NotebookDeltas(Struct, kw_only=True):
    """Deltas from an offset on, about 1 MB of them at once; ask again from `next_offset` while there is `more`, and until `done`."""

    deltas: list[CellDelta]
    next_offset: int
    more: bool
    """More can be read at once."""
    done: bool


class ParameterField(Struct, kw_only=True):
    """A parameter of a notebook, read from its `parameters` cell without running it."""

    name: str
    type: Literal["int", "float", "bool", "str", "list", "dict", "none", "unknown"]
    default: Any
    """The value where it is a literal, else null."""
    default_source: str
    """The expression as written."""
    help: str
    """The comment beside it."""
    required_literal: bool
    """False when the default is an expression that cannot be shown as a value."""
    annotated: bool
    """Whether the notebook says the type itself; else it is guessed from the default, and whole numbers may be fractions."""


class NotebookInspection(Struct, kw_only=True):
    """What the submit dialog needs to know of a notebook."""

    path: str
    name: str
    kernel: str | None
    kernel_display_name: str | None
    kernel_available: bool
    language: str | None
    parameters: list[ParameterField]
    has_parameters_cell: bool
    cells: int
    snapshot_files: int
    snapshot_bytes: int
    not_captured: list[str]
    needs_confirmation: str | None
    """Why a snapshot of this folder should be confirmed first, or null."""
    default_experiment: str


class JobParameters(Struct, kw_only=True):
    """The parameters that the notebook in a job's snapshot declares; none for other jobs."""

    parameters: list[ParameterField]


class NotebookInspect(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which notebook to look at."""

    path: PathText


class KernelChoice(Struct, kw_only=True):
    """A kernel that is installed."""

    name: str
    display_name: str
    language: str


class KernelList(Struct, kw_only=True):
    """All kernels that are installed."""

    kernels: list[KernelChoice]


class MissingBlobs(Struct, kw_only=True):
    """Hashes that the server does not have."""

    missing: list[str]


class BlobQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Hashes to ask about."""

    sha256: Annotated[list[Sha256], Meta(max_length=100_000)]


class KeepFile(Struct, kw_only=True, forbid_unknown_fields=True):
    """A file of the working folder to store as an artifact."""

    path: PathText
