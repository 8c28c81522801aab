"""Wire types of what ran on a target."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from jupyter_mlws.kit.pagination import Limit


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
