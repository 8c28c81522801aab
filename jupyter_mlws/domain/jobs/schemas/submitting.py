"""Jobs that are submitted, changed, or submitted again."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from jupyter_mlws.domain.compute.schemas import JobResources
from jupyter_mlws.domain.environments.schemas import Reference
from jupyter_mlws.domain.jobs.schemas.specs import COMMAND_CHARS, EnvName, MemoryLimit, Retries, SourceManifest, Spec
from jupyter_mlws.domain.runs.schemas import RunUpdate
from jupyter_mlws.domain.secrets.schemas import SecretName
from jupyter_mlws.kit.fields import Key, Many, Name, ObjectId, Tags


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
