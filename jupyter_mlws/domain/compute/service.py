"""What every kind of compute target can do. Kinds are entry points of the group `jupyter_mlws.compute`."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

if TYPE_CHECKING:
    from pathlib import Path

GROUP = "jupyter_mlws.compute"


class Load(NamedTuple):
    """Load of a target now; None where it cannot be told."""

    cpu_count: int | None
    memory_bytes: int | None
    load: float | None
    memory_used_bytes: int | None


class Compute(Protocol):
    """A compute target. All methods may block; they are called from threads."""

    name: str
    kind: str
    description: str
    max_jobs: int

    def start(self, job_dir: Path) -> None:
        """Start the supervisor of a job whose folder is ready."""

    def is_alive(self, job_dir: Path) -> bool:
        """Whether the job's supervisor lives."""

    def cancel(self, job_dir: Path, reason: str = "canceled") -> None:
        """Ask the supervisor to end the job."""

    def tidy(self) -> None:
        """Called now and then: let go of what has ended."""

    def load(self) -> Load:
        """Load of the target now."""


class ComputeKind(Protocol):
    """Makes targets of one kind."""

    def __call__(self, name: str, max_jobs: int) -> Compute:
        """A target of this kind."""


def kinds() -> dict[str, ComputeKind]:
    """All kinds of compute targets that are installed, by name."""
    return {point.name: cast("ComputeKind", point.load()) for point in entry_points(group=GROUP)}
