"""Wire types of compute targets."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from msgspec import UNSET, Meta, Struct, UnsetType

from jupyter_mlws.kit.fields import matching
from jupyter_mlws.kit.pagination import Limit


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
    slurm: BatchPlace | None
    """What Slurm is asked for; null for targets of other kinds."""
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
    slurm: BatchUpdate | UnsetType = UNSET
    """What Slurm is asked for, of jobs that are submitted from now on."""


ComputeName = Annotated[
    str,
    matching(
        r"^[A-Za-z0-9][A-Za-z0-9_-]*$(?!\n)",
        "The name of a compute target has letters, digits, `-` and `_`, and begins with a letter or a digit",
        max_length=64,
    ),
]
HostName = Annotated[
    str,
    matching(
        r"^[A-Za-z0-9][A-Za-z0-9.-]*$(?!\n)|^[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*$(?!\n)",
        "A host is a name or an address: letters, digits, `.`, `-`, or an IPv6 address",
        max_length=253,
    ),
]
Login = Annotated[
    str,
    matching(
        r"^[A-Za-z0-9_][A-Za-z0-9_.@-]*$(?!\n)",
        "The name of a user has letters, digits, `_`, `.`, `@` and `-`, and does not begin with `-`",
        max_length=64,
    ),
]
Port = Annotated[int, Meta(ge=1, le=65535)]
HostPath = Annotated[
    str,
    matching(
        r"^(~?/|~$)[^\x00-\x1f\x7f]*$(?!\n)",
        "A path on the host begins with `/` or `~/` and has no control characters",
        max_length=1000,
    ),
]
Program = Annotated[
    str,
    matching(
        r"^(/[^\x00-\x1f\x7f]*|[A-Za-z0-9_.+][A-Za-z0-9_.+-]*)$(?!\n)",
        "Python on the host is a whole path (`/opt/venv/bin/python`), or the name of a program there (`python3`)",
        max_length=1000,
    ),
]
HostKey = Annotated[str, Meta(min_length=8, max_length=4000)]
"""`SHA256:…`, the fingerprint that the host's owner tells; or the public key, `ssh-ed25519 AAAA…`."""
HttpUrl = Annotated[
    str,
    matching(
        r"^https?://[^\s]+$(?!\n)",
        "The address of this server, as the host reaches it, begins with http:// or https://",
        max_length=1000,
    ),
]


class KeySecret(Struct, kw_only=True, forbid_unknown_fields=True):
    """A private key that lies in the secret store."""

    workspace: Annotated[str, Meta(min_length=1, max_length=200)]
    name: Annotated[str, Meta(min_length=1, max_length=100)]


class SshPlace(Struct, kw_only=True):
    """Where a host is, and how to get in."""

    host: str
    port: int
    user: str
    folder: str
    """There; `mlws` keeps jobs, files and our supervisor below it."""
    python: str
    host_key: str
    """Its public key, as `known_hosts` has it: `ssh-ed25519 AAAA…`."""
    fingerprint: str
    """The same, as people compare it: `SHA256:…`."""
    key: KeySecret | None
    """The private key to show; null: those of the SSH agent of the server."""
    server_url: str | None
    """How jobs there reach this server; null: they do not, and what they log is fetched."""


class HostKernel(Struct, kw_only=True):
    """A kernel that is installed on a host."""

    name: str
    display_name: str
    language: str


class HostNotebooks(Struct, kw_only=True):
    """What a host has for notebook jobs."""

    missing: str
    """Why no notebook runs there; empty where they do."""
    papermill: str | None
    """Its version; null where it is not there."""
    ipykernel: str | None
    kernels: list[HostKernel]


SlurmName = Annotated[
    str,
    matching(
        r"^[A-Za-z0-9_][A-Za-z0-9_.,:+/-]*$(?!\n)",
        "A name of Slurm's has letters, digits and `_ . , : + / -`, and does not begin with `-`",
        max_length=200,
    ),
]
Seconds = Annotated[int, Meta(ge=60, le=365 * 86_400)]


class BatchPlace(Struct, kw_only=True):
    """What Slurm is asked for with each job; null: as it has it."""

    partition: str | None
    account: str | None
    qos: str | None
    reservation: str | None
    time_limit_s: int | None
    """How long a job may take that says nothing of that itself; null: as long as the partition lets it."""
    python: str
    """The interpreter that starts on the nodes."""
    server_url: str | None
    """How jobs reach this server; null: they do not, and what they log is read from their folders."""


class BatchCreate(Struct, kw_only=True, forbid_unknown_fields=True):
    """Slurm, as the machine of this server submits to it. Its nodes must see the data folder of this server under the same path."""

    partition: SlurmName | UnsetType | None = UNSET
    account: SlurmName | UnsetType | None = UNSET
    qos: SlurmName | UnsetType | None = UNSET
    reservation: SlurmName | UnsetType | None = UNSET
    time_limit_s: Seconds | UnsetType | None = UNSET
    """How long a job may take that says nothing of that itself; rounded up to minutes."""
    python: Program | UnsetType = UNSET
    """That of the server if it is left out."""
    server_url: HttpUrl | UnsetType | None = UNSET


class BatchUpdate(BatchCreate, kw_only=True, forbid_unknown_fields=True):
    """What may change of it; what is left out stays, and null is what Slurm has."""


class HostFacts(Struct, kw_only=True):
    """What a host said of itself."""

    host: str
    python: str
    system: str
    machine: str
    cpus: int | None
    memory: int | None
    gpus: list[int]
    notebooks: HostNotebooks | None = None
    """Null while it was not asked."""


class SshCreate(Struct, kw_only=True, forbid_unknown_fields=True):
    """A host to run jobs on."""

    host: HostName
    host_key: HostKey
    """The key that it must show. Ask who runs the host; `POST /ssh/host-keys` says what it shows now."""
    user: Login | UnsetType = UNSET
    """Who to log in as; the user of the server if it is left out."""
    port: Port | UnsetType = UNSET
    """22 if it is left out."""
    folder: HostPath | UnsetType = UNSET
    """`~/.mlws` if it is left out."""
    python: Program | UnsetType = UNSET
    """`python3` if it is left out."""
    key: KeySecret | UnsetType | None = UNSET
    server_url: HttpUrl | UnsetType | None = UNSET


class SshUpdate(Struct, kw_only=True, forbid_unknown_fields=True):
    """What may change of a host; what is left out stays."""

    host: HostName | UnsetType = UNSET
    host_key: HostKey | UnsetType = UNSET
    user: Login | UnsetType = UNSET
    port: Port | UnsetType = UNSET
    folder: HostPath | UnsetType = UNSET
    python: Program | UnsetType = UNSET
    key: KeySecret | UnsetType | None = UNSET
    server_url: HttpUrl | UnsetType | None = UNSET


class ComputeCreate(Struct, kw_only=True, forbid_unknown_fields=True):
    """A compute target to make."""

    name: ComputeName
    ssh: SshCreate | UnsetType = UNSET
    slurm: BatchCreate | UnsetType = UNSET
    """One of the two: what is given says of what kind the target is."""
    description: Annotated[str, Meta(max_length=500)] | UnsetType = UNSET
    max_jobs: Jobs | UnsetType = UNSET
    """How many jobs run at once; if it is left out 1, and of Slurm, which has a queue of its own, so many are submitted at once: 100."""


class ComputeDeleteQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """How a target is deleted."""

    force: bool = False
    """Also while jobs run there: they are given up, and end as lost."""


class HostKeyQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which host to ask for its keys."""

    host: HostName
    port: Port | UnsetType = UNSET


class ShownKey(Struct, kw_only=True):
    """A key that a host shows."""

    type: str
    fingerprint: str
    public_key: str
    known: bool
    """Whether it stands in `~/.ssh/known_hosts` of the server's user."""


class ShownKeys(Struct, kw_only=True):
    """The keys that a host shows now. Whether they are its own nobody can tell who does not know them."""

    keys: list[ShownKey]


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


class EndedJob(Struct, kw_only=True):
    """A job that has ended on a target."""

    run_id: str
    name: str
    workspace: str
    experiment_id: str
    experiment_name: str
    kind: str
    user: str
    status: str
    reason: str | None
    submitted_at: int
    ended_at: int
    waited_ms: int
    """From when it was submitted until it first began, or ended without."""
    ran_ms: int
    """All attempts together."""
    cpu_time_s: float | None
    """Null where nothing was measured: the job was over too soon, or is of before it was noted."""
    peak_memory_bytes: int | None


class EndedJobsQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which part of a target's history."""

    limit: Limit = 50
    cursor: str | None = None


class EndedJobPage(Struct, kw_only=True):
    """Jobs that have ended on a target, the last first."""

    jobs: list[EndedJob]
    next_cursor: str | None


Span = Literal["24h", "7d", "30d", "all"]


class UsageQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Of which time: jobs that have ended in it count with all that they used."""

    span: Span = "7d"


class Use(Struct, kw_only=True):
    """What jobs used, all together."""

    jobs: int
    ran_ms: int
    cpu_time_s: float | None
    """Null where nothing was measured."""
    peak_memory_bytes: int | None
    """Of the job that had most at once."""


class UserUse(Use, kw_only=True):
    """What the jobs of one user used."""

    user: str


class ComputeUsage(Struct, kw_only=True):
    """Who has used a target, and how much."""

    name: str
    span: Span
    since: int | None
    """Null: from the first job on."""
    users: list[UserUse]
    """The hundred whose jobs ran longest, the longest first."""
    more_users: int
    """How many others there are."""
    total: Use


class ComputeList(Struct, kw_only=True):
    """All compute targets."""

    targets: list[ComputeTarget]
