"""Whether a process that logs to a run lives."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from mlws.jobdir import boot_id, start_time

if TYPE_CHECKING:
    from jupyter_mlws.domain.runs.schemas import Process


def process_alive(process: Process) -> bool:
    """Whether a process lives. One of another host or without a start time is believed."""
    if process.host != socket.gethostname() or process.start_time is None:
        return True
    return process.boot_id == boot_id() and start_time(process.pid) == process.start_time  # a zombie has no start time
