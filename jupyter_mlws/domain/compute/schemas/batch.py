"""Wire types of batch systems."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from jupyter_mlws.domain.compute.schemas.hosts import HttpUrl, Program
from jupyter_mlws.kit.fields import matching

SlurmName = Annotated[
    str,
    matching(
        r"^[A-Za-z0-9_][A-Za-z0-9_.,:+/-]*$(?!\n)",
        "A name of Slurm's has letters, digits and `_ . , : + / -`, and does not begin with `-`",
        max_length=200,
    ),
]
ComputeName = Annotated[
    str,
    matching(
        r"^[A-Za-z0-9][A-Za-z0-9_-]*$(?!\n)",
        "The name of a compute target has letters, digits, `-` and `_`, and begins with a letter or a digit",
        max_length=64,
    ),
]
Seconds = Annotated[int, Meta(ge=60, le=365 * 86_400)]


QueueName = Annotated[
    str,
    matching(
        r"^[A-Za-z0-9_][A-Za-z0-9_.,:+/@-]*$(?!\n)",
        "A name of PBS or LSF has letters, digits and `_ . , : + / @ -`, and does not begin with `-`",
        max_length=200,
    ),
]


class BatchPlace(Struct, kw_only=True):
    """What a batch system is asked for with each job, whichever it is; null: as it has it."""

    time_limit_s: int | None
    """How long a job may take that says nothing of that itself; null: as long as the partition or queue lets it."""
    python: str
    """The interpreter that starts on the nodes."""
    server_url: str | None
    """How jobs reach this server; null: they do not, and what they log is read from their folders."""
    via: str | None = None
    """The target of the kind ssh on whose host its programs are, and whose folder the nodes see; null: both are this machine's."""


class SlurmPlace(BatchPlace, kw_only=True):
    """What Slurm is asked for with each job; null: as it has it."""

    partition: str | None
    account: str | None
    qos: str | None
    reservation: str | None


class PbsPlace(BatchPlace, kw_only=True):
    """What PBS is asked for with each job; null: as it has it."""

    queue: str | None
    account: str | None
    project: str | None
    """PBS Pro's `-P`; Torque has none."""
    dialect: Literal["torque", "pro"] | None
    """How jobs ask for resources: `-l nodes=1:ppn=…` of Torque, or `-l select=1:ncpus=…` of OpenPBS and PBS Pro; null: `qstat --version`
    tells."""


class LsfPlace(BatchPlace, kw_only=True):
    """What LSF is asked for with each job; null: as it has it."""

    queue: str | None
    project: str | None
    """`-P`: what jobs count against."""
    user_group: str | None
    """`-G`: the group whose share they use."""
    application: str | None
    """`-app`: a profile that LSF has for jobs of a kind."""


class BatchCreate(Struct, kw_only=True, forbid_unknown_fields=True):
    """What all batch systems have."""

    time_limit_s: Seconds | UnsetType | None = UNSET
    """How long a job may take that says nothing of that itself; rounded up to minutes."""
    python: Program | UnsetType = UNSET
    """If it is left out that of the server; with `via` that of the ssh target."""
    server_url: HttpUrl | UnsetType | None = UNSET
    via: ComputeName | UnsetType | None = UNSET
    """A target of the kind ssh: its host has the batch system's programs, and its nodes share the file system."""


class SlurmCreate(BatchCreate, kw_only=True, forbid_unknown_fields=True):
    """Slurm, as the machine of this server submits to it, or a host on the way. Its nodes must see under the same path the data folder of
    this server; with `via` the `folder` of that target instead."""

    partition: SlurmName | UnsetType | None = UNSET
    account: SlurmName | UnsetType | None = UNSET
    qos: SlurmName | UnsetType | None = UNSET
    reservation: SlurmName | UnsetType | None = UNSET


class SlurmUpdate(SlurmCreate, kw_only=True, forbid_unknown_fields=True):
    """What may change of it; what is left out stays, and null is what Slurm has."""


class PbsCreate(BatchCreate, kw_only=True, forbid_unknown_fields=True):
    """PBS (Torque, OpenPBS, PBS Pro, or their command line in front of Slurm), as the machine of this server submits to it, or a host on
    the way. Its nodes must see the same folders as those of Slurm."""

    queue: QueueName | UnsetType | None = UNSET
    account: QueueName | UnsetType | None = UNSET
    project: QueueName | UnsetType | None = UNSET
    """PBS Pro's `-P`."""
    dialect: Literal["torque", "pro"] | UnsetType | None = UNSET
    """How jobs ask for resources; if it is left out `qstat --version` tells."""


class PbsUpdate(PbsCreate, kw_only=True, forbid_unknown_fields=True):
    """What may change of it; what is left out stays, and null is what PBS has."""


class LsfCreate(BatchCreate, kw_only=True, forbid_unknown_fields=True):
    """IBM Spectrum LSF, as the machine of this server submits to it, or a host on the way. Its nodes must see the same folders as those
    of Slurm."""

    queue: QueueName | UnsetType | None = UNSET
    project: QueueName | UnsetType | None = UNSET
    """`-P`: what jobs count against."""
    user_group: QueueName | UnsetType | None = UNSET
    """`-G`: the group whose share they use."""
    application: QueueName | UnsetType | None = UNSET
    """`-app`: a profile that LSF has for jobs of a kind."""


class LsfUpdate(LsfCreate, kw_only=True, forbid_unknown_fields=True):
    """What may change of it; what is left out stays, and null is what LSF has."""
