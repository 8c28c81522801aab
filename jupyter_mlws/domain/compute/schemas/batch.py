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
