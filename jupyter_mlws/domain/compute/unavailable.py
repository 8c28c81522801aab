"""A compute target that is named in the settings and cannot be used: it is shown, with the reason, and takes no jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_mlws.domain.compute.schemas import Load

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class UnavailableCompute:
    """Stands in for a target whose package is missing or fails."""

    description = ""
    max_jobs = 0

    def __init__(self, name: str, kind: str, problem: str) -> None:
        self.name = name
        self.kind = kind
        self.problem = problem

    def start(self, job_dir: Path, secrets: Mapping[str, str] | None = None) -> None:  # noqa: ARG002 - nothing starts
        """Nothing starts here. Raises RuntimeError."""
        raise RuntimeError(f"{self.problem} (job {job_dir.name})")

    def is_alive(self, job_dir: Path) -> bool:
        """Nobody can be asked: a job that was there goes on for us until the target is back, or the job is canceled."""
        return job_dir.is_dir()

    def cancel(self, job_dir: Path, reason: str = "canceled") -> None:
        """Nobody can be told."""

    def tidy(self) -> None:
        """There is nothing to let go of."""

    def load(self) -> Load:
        """Unknown."""
        return Load(None, None, None, None)
