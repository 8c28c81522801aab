"""Wire types of batch systems."""

from __future__ import annotations

from typing import Annotated

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
    via: str | None = None
    """The target of the kind ssh on whose host `sbatch` is, and whose folder the nodes see; null: both are this machine's."""


class BatchCreate(Struct, kw_only=True, forbid_unknown_fields=True):
    """Slurm, as the machine of this server submits to it, or a host on the way. Its nodes must see under the same path the data folder of
    this server; with `via` the `folder` of that target instead."""

    partition: SlurmName | UnsetType | None = UNSET
    account: SlurmName | UnsetType | None = UNSET
    qos: SlurmName | UnsetType | None = UNSET
    reservation: SlurmName | UnsetType | None = UNSET
    time_limit_s: Seconds | UnsetType | None = UNSET
    """How long a job may take that says nothing of that itself; rounded up to minutes."""
    python: Program | UnsetType = UNSET
    """If it is left out that of the server; with `via` that of the ssh target."""
    server_url: HttpUrl | UnsetType | None = UNSET
    via: ComputeName | UnsetType | None = UNSET
    """A target of the kind ssh: its host has `sbatch`, and its nodes share the file system."""


class BatchUpdate(BatchCreate, kw_only=True, forbid_unknown_fields=True):
    """What may change of it; what is left out stays, and null is what Slurm has."""
