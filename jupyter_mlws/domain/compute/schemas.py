"""Wire types of compute targets."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from msgspec import Meta, Struct


class Load(NamedTuple):
    """Load of a target now; None where it cannot be told."""

    cpu_count: int | None
    memory_bytes: int | None
    load: float | None
    memory_used_bytes: int | None


class QueuedJob(Struct, kw_only=True):
    """A job that waits on a target."""

    run_id: str
    name: str
    position: int
    reason: str
    priority: int


class ComputeTarget(Struct, kw_only=True):
    """A compute target with its load now."""

    name: str
    kind: str
    description: str
    max_jobs: int
    """How many jobs run at once."""
    default_max_jobs: int
    """The same as the server's settings have it, before anybody changed it."""
    running: int
    queued: int
    state: Literal["ready", "unavailable"]
    detail: str
    cpu_count: int | None
    memory_bytes: int | None
    load: float | None
    """Load average of one minute, in CPUs."""
    memory_used_bytes: int | None
    queue: list[QueuedJob]


class ComputeUpdate(Struct, kw_only=True, forbid_unknown_fields=True):
    """What may change of a compute target."""

    max_jobs: Annotated[int, Meta(ge=1, le=1000)] | None
    """How many jobs run at once; null for what the server's settings say."""


class ComputeList(Struct, kw_only=True):
    """All compute targets."""

    targets: list[ComputeTarget]
