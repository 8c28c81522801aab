"""Jobs as they are told. A job is a run: its status, progress, params and metrics are read from `Run`."""

from __future__ import annotations

from msgspec import Struct

from jupyter_mlws.domain.compute.schemas import Amounts
from jupyter_mlws.domain.jobs.schemas.specs import Spec
from jupyter_mlws.domain.runs.schemas import Run, RunError
from jupyter_mlws.domain.runs.states import RunStatus


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


class JobList(Struct, kw_only=True):
    """Jobs that wait or run, in the order of the queue. `ended`: ids of those submitted in the last minute that have ended
    already, so that who follows the list learns of jobs too that were never in it."""

    jobs: list[Run]
    ended: list[str]
