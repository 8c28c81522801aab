"""The note of a kernel that may live on another server: whoever finds it and not the process that wrote it ends that kernel."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from mlws.process import start_time

if TYPE_CHECKING:
    from pathlib import Path

    from jupyter_mlws.runner.gateway.remote import Remote


def write(record: Path, target: str, remote: Remote) -> None:
    """Have the note name what there may be now."""
    told = {
        "url": remote.place.url,
        "target": target,
        "kernel_id": remote.kernel_id,
        "asked": remote.asked,
        "pid": os.getpid(),
        "start_time": start_time(os.getpid()),
    }
    part = record.with_name(f"{record.name}.{os.getpid()}")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(told, file)
    part.replace(record)
