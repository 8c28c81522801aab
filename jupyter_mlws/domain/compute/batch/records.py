"""What is written of a job on a batch system, in its folder, and what is known of it meanwhile."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from mlws import jobdir

if TYPE_CHECKING:
    from pathlib import Path

    from jupyter_mlws.domain.compute.batch.system import Seen


class Watched:
    """A job that was submitted, and what the batch system said of it last."""

    def __init__(self, folder: Path, mark: dict[str, Any]) -> None:
        self.folder = folder
        self.mark = mark
        self.since = time.monotonic()
        self.seen: Seen | None = None
        self.asked = False
        """Whether the batch system was asked for it since."""
        self.canceled_at = 0.0
        self.submitting = False

    @property
    def native_id(self) -> str:
        """The batch system's own number; empty while it is not known."""
        return str(self.mark.get("id") or "")

    def begun(self) -> bool:
        """Whether its supervisor was ever started."""
        return jobdir.read_pid(str(self.folder)) is not None or jobdir.read_exit(str(self.folder)) is not None


def note(job_dir: Path, mark: dict[str, Any]) -> None:
    """Mark the folder of a job that is submitted, or was."""
    jobdir.write_atomic(str(job_dir / jobdir.SENT), json.dumps(mark).encode(), durable=True)


def put_end(job_dir: Path, end: dict[str, Any]) -> None:
    """Keep how the batch system says that it ended a job."""
    jobdir.write_atomic(str(job_dir / jobdir.BATCH), json.dumps(end).encode(), durable=True)
