"""What a job is to run: a notebook, a command, or what another package brings."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from jupyter_mlws.domain.storage.schemas import ManifestFile
from jupyter_mlws.kit.fields import Key, Many, matching

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
