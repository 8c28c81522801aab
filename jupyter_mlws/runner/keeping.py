"""Keeps the kernel of a notebook whose cell failed, so that somebody can look at what is in it."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

from mlws import jobdir

if TYPE_CHECKING:
    from jupyter_mlws.runner.session import Session

LOOK_EVERY_S = 0.25


def may_keep(session: Session, section: dict[str, Any]) -> bool:
    """Whether it is asked for, and a cell failed in a kernel that lives."""
    error = session.error
    failed = error is not None and error.get("cell") is not None and not session.canceled and session.kernel_signal is None
    return bool(section.get("keep_kernel_s")) and failed and session.kernel.pid is not None


async def keep(session: Session, seconds: float) -> None:
    """Tell of the kernel, and hold it until its time is over, it ends, or a signal comes. The job has told all else before.

    We are its parent, and it would end with us.
    """
    kernel = session.kernel
    pid = kernel.pid
    kernel.let_go()
    until = time.time() + seconds
    told = {
        "pid": pid,
        "start_time": None if pid is None else jobdir.start_time(pid),
        "kernel_name": kernel.name,
        "display_name": kernel.spec.display_name,
        "interrupt_mode": kernel.spec.interrupt_mode,
        "connection_file": str(kernel.manager.connection_file),
        "until": int(until * 1000),
    }
    jobdir.write_atomic(str(session.reporter.dir / jobdir.KERNEL), json.dumps(told).encode())
    while time.time() < until and not session.canceled and await kernel.manager.is_alive():  # noqa: ASYNC110 - a process tells nobody
        await asyncio.sleep(LOOK_EVERY_S)
