"""Wire types of compute targets."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from msgspec import UNSET, Meta, Struct, UnsetType


class Load(NamedTuple):
    """Load of a target now; None where it cannot be told."""

    cpu_count: int | None
    memory_bytes: int | None
    load: float | None
    memory_used_bytes: int | None


Jobs = Annotated[int, Meta(ge=1, le=1000)]
Cpus = Annotated[float, Meta(ge=0.01, le=100_000)]
Bytes = Annotated[int, Meta(ge=1, le=2**53)]
Gpus = Annotated[int, Meta(ge=0, le=1000)]
Instances = Annotated[int, Meta(ge=0, le=100)]


class JobResources(Struct, kw_only=True, forbid_unknown_fields=True):
    """What a job asks of its target: it starts once so much is free there, and until its end no other job gets it."""

    cpus: Cpus | UnsetType = UNSET
    memory_bytes: Bytes | UnsetType = UNSET
    gpus: Gpus | UnsetType = UNSET
    """How many; which ones the job has stands in its `CUDA_VISIBLE_DEVICES`."""


class Amounts(Struct, kw_only=True):
    """Of what jobs ask for; null where nothing is said, or not known."""

    cpus: float | None
    memory_bytes: int | None
    gpus: int | None


class UserLimits(Struct, kw_only=True):
    """What the jobs of one user may have of a target at once; null: as much as there is."""

    max_jobs: int | None
    cpus: float | None
    memory_bytes: int | None
    gpus: int | None


class QueuedJob(Struct, kw_only=True):
    """A job that waits on a target."""

    run_id: str
    name: str
    user: str
    position: int | None
    """From 1; null for one that is on hold, which has no place."""
    code: str
    """As in the `waiting` of its run."""
    reason: str
    until: int | None
    priority: int
    asks: Amounts


class LiveJob(Struct, kw_only=True):
    """A job that runs on a target, or is about to."""

    run_id: str
    name: str
    user: str
    status: str
    started_at: int | None
    asks: Amounts


class ComputeTarget(Struct, kw_only=True):
    """A compute target with its load now."""

    name: str
    kind: str
    description: str
    max_jobs: int
    """How many jobs run at once."""
    default_max_jobs: int
    """The same as the server's settings have it, before anybody changed it."""
    min_instances: int
    """How many notebook jobs can begin at once at any time: so many kernels are kept ready, also while no job comes."""
    spares: int
    """How many are ready now."""
    running: int
    queued: int
    state: Literal["ready", "unavailable"]
    detail: str
    cpu_count: int | None
    memory_bytes: int | None
    load: float | None
    """Load average of one minute, in CPUs."""
    memory_used_bytes: int | None
    paused: bool
    """No job starts; those that run go on."""
    total: Amounts
    """How much jobs may ask for, all together."""
    reserved: Amounts
    """How much of it the running ones have asked for."""
    per_user: UserLimits
    queue: list[QueuedJob]
    """The first hundred; those that are on hold come last."""
    live: list[LiveJob]
    """The first hundred."""


class ComputeUpdate(Struct, kw_only=True, forbid_unknown_fields=True):
    """What may change of a compute target; what is left out stays, and null is what the server's settings say."""

    max_jobs: Jobs | UnsetType | None = UNSET
    """How many jobs run at once."""
    min_instances: Instances | UnsetType | None = UNSET
    """How many kernels are kept ready for notebook jobs, also while none comes; at most as many as jobs run at once."""
    paused: bool | UnsetType = UNSET
    """No job starts; those that run go on."""
    cpus: Cpus | UnsetType | None = UNSET
    """How many CPUs jobs may ask for, all together; the machine's own if nobody says otherwise."""
    memory_bytes: Bytes | UnsetType | None = UNSET
    gpus: Gpus | UnsetType | None = UNSET
    max_jobs_per_user: Jobs | UnsetType | None = UNSET
    """How many jobs of one user run at once."""
    cpus_per_user: Cpus | UnsetType | None = UNSET
    memory_bytes_per_user: Bytes | UnsetType | None = UNSET
    gpus_per_user: Gpus | UnsetType | None = UNSET


class ComputeList(Struct, kw_only=True):
    """All compute targets."""

    targets: list[ComputeTarget]
