"""Wire types of targets."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from msgspec import UNSET, Meta, Struct, UnsetType

from jupyter_mlws.domain.compute.schemas.batch import (
    ComputeName,
    LsfCreate,
    LsfPlace,
    LsfUpdate,
    PbsCreate,
    PbsPlace,
    PbsUpdate,
    SlurmCreate,
    SlurmPlace,
    SlurmUpdate,
)
from jupyter_mlws.domain.compute.schemas.gateway import GatewayCreate, GatewayPlace, GatewayUpdate
from jupyter_mlws.domain.compute.schemas.hosts import HostFacts, SshCreate, SshPlace, SshUpdate


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
    reason: str
    """Why it does not run yet, or why that is not known; empty while it runs."""
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
    spares_end_at: int | None
    """When (ms) those end that are more than `min_instances`, unless a notebook job comes before; null where none is to end."""
    running: int
    queued: int
    state: Literal["ready", "away", "unavailable"]
    """`away`: its host cannot be reached now; jobs may be submitted, and wait."""
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
    ssh: SshPlace | None
    """Where it is; null for targets of other kinds."""
    slurm: SlurmPlace | None
    """What Slurm is asked for; null for targets of other kinds."""
    pbs: PbsPlace | None
    """What PBS is asked for; null for targets of other kinds."""
    lsf: LsfPlace | None
    """What LSF is asked for; null for targets of other kinds."""
    gateway: GatewayPlace | None
    """The Jupyter server whose kernels it has; null for targets of other kinds."""
    facts: HostFacts | None
    kinds: list[str] | None
    """The kinds of jobs that it runs; null: all."""
    made: bool
    """Somebody made it: it can be changed, tested and deleted. False for this machine, and for what stands in the settings."""
    checked: TargetCheck | None
    """What its last test found; null where there was none since it was made or moved."""


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
    description: Annotated[str, Meta(max_length=500)] | UnsetType = UNSET
    """Only of a target that was made here."""
    ssh: SshUpdate | UnsetType = UNSET
    """Where a host is. Jobs that run there are not moved."""
    slurm: SlurmUpdate | UnsetType = UNSET
    """What Slurm is asked for, of jobs that are submitted from now on."""
    pbs: PbsUpdate | UnsetType = UNSET
    """What PBS is asked for, likewise."""
    lsf: LsfUpdate | UnsetType = UNSET
    """What LSF is asked for, likewise."""
    gateway: GatewayUpdate | UnsetType = UNSET


class LimitsChanged(Struct, omit_defaults=True):
    """What was changed of a target's limits; null is what the server's settings say."""

    max_jobs: Jobs | None = None
    paused: bool = False
    cpus: Cpus | None = None
    memory_bytes: Bytes | None = None
    gpus: Gpus | None = None
    max_jobs_per_user: Jobs | None = None
    cpus_per_user: Cpus | None = None
    memory_bytes_per_user: Bytes | None = None
    gpus_per_user: Gpus | None = None
    min_instances: Instances | None = None


class ComputeCreate(Struct, kw_only=True, forbid_unknown_fields=True):
    """A compute target to make."""

    name: ComputeName
    ssh: SshCreate | UnsetType = UNSET
    slurm: SlurmCreate | UnsetType = UNSET
    pbs: PbsCreate | UnsetType = UNSET
    lsf: LsfCreate | UnsetType = UNSET
    gateway: GatewayCreate | UnsetType = UNSET
    """One of the five: what is given says of what kind the target is."""
    description: Annotated[str, Meta(max_length=500)] | UnsetType = UNSET
    max_jobs: Jobs | UnsetType = UNSET
    """How many jobs run at once; if it is left out 1. To Slurm, PBS and LSF, which have queues of their own, so many are submitted at
    once: 100 if it is left out."""


class ComputeDeleteQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """How a target is deleted."""

    force: bool = False
    """Also while jobs run there: they are given up, and end as lost."""


class TestStep(Struct, kw_only=True):
    """One thing that a target needs."""

    name: str
    state: Literal["ok", "missing", "failed", "skipped"]
    """`missing`: jobs run without it, if they do without what it is for."""
    detail: str
    todo: str
    """What to do; empty where there is nothing."""


class ComputeTest(Struct, kw_only=True):
    """What a target has, and what it lacks, step by step."""

    name: str
    usable: bool
    """Whether jobs can run."""
    steps: list[TestStep]


class TargetCheck(Struct, kw_only=True):
    """What a test found, and when."""

    at: int
    usable: bool
    steps: list[TestStep]


class ComputeList(Struct, kw_only=True):
    """All compute targets."""

    targets: list[ComputeTarget]
