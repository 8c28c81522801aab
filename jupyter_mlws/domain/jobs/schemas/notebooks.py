"""What a notebook says of itself before it runs, and the kernels for it."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from jupyter_mlws.domain.jobs.schemas.specs import PathText


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
