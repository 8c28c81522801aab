"""The phase of a job: where it stands for the dispatcher. Its status, which people see, is that of its run."""

from __future__ import annotations

from enum import Enum

from jupyter_mlws.domain.runs.states import TERMINAL, RunStatus


class Phase(str, Enum):
    """Waits, waits without being served, has (or had) processes, or is over."""

    QUEUED = "queued"
    PAUSED = "paused"
    LIVE = "live"
    ENDED = "ended"


def phase_of(status: RunStatus) -> Phase:
    """The phase that belongs to a run's status."""
    if status in TERMINAL:
        return Phase.ENDED
    if status in (RunStatus.NOT_STARTED, RunStatus.QUEUED):
        return Phase.QUEUED
    return Phase.PAUSED if status is RunStatus.PAUSED else Phase.LIVE
