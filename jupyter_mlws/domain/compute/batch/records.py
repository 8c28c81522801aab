"""What is written of a job on a batch system, in its folder, and what is known of it meanwhile."""

from __future__ import annotations

import contextlib
import json
import os
import time
from typing import TYPE_CHECKING, Any

from jupyter_mlws.kit.clock import now_ms
from mlws import jobdir

if TYPE_CHECKING:
    from pathlib import Path

    from jupyter_mlws.domain.compute.batch import slurm

LAST = 2000
"""So many bytes of a log are told."""


class Watched:
    """A job that was submitted, and what Slurm said of it last."""

    def __init__(self, folder: Path, mark: dict[str, Any]) -> None:
        self.folder = folder
        self.mark = mark
        self.since = time.monotonic()
        self.seen: slurm.Seen | None = None
        self.asked = False
        """Whether Slurm was asked for it since."""
        self.canceled_at = 0.0
        self.submitting = False

    @property
    def native_id(self) -> str:
        """Slurm's own number; empty while it is not known."""
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


def put_exit(job_dir: Path, seen: slurm.Seen) -> None:
    """The exit record of a job whose supervisor did not come to it. Under the supervisor's lock."""
    words = last_words(job_dir)
    pid = jobdir.read_pid(str(job_dir)) or {}
    record = {
        "version": 1,
        "exit_code": None,
        "signal": None,
        "reason": "batch",
        "message": f"Slurm job {seen.native_id} ended as {seen.state} ({seen.reason})" + (f": {words}" if words else ""),
        "started_at": pid.get("started_at"),
        "ended_at": now_ms(),
    }
    made = job_dir / f".{jobdir.EXIT}.of-server"
    jobdir.write_atomic(str(made), json.dumps(record).encode(), durable=True)
    try:
        # A network file system may not show yet what the supervisor wrote: its record stays.
        with contextlib.suppress(FileExistsError):
            os.link(made, job_dir / jobdir.EXIT)
    except OSError:  # a file system without hard links: the lock keeps others out
        made.replace(job_dir / jobdir.EXIT)
    finally:
        made.unlink(missing_ok=True)


def last_words(job_dir: Path) -> str:
    """What the start of the supervisor printed, if it failed."""
    return last_of(job_dir / "system_logs" / "batch.log")


def last_of(path: Path) -> str:
    """The end of a log. A job's folder is the user's, too: what stands there may be huge, a link, or a pipe that nobody writes to."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - LAST))
            return file.read(LAST).decode("utf-8", "replace").strip()
    except OSError:
        return ""
