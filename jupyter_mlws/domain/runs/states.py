"""The status of a run and how it may change. Names are Azure ML's; MLflow's words are a view of them."""

from __future__ import annotations

from enum import Enum


class RunStatus(str, Enum):
    """Status of a run or job."""

    NOT_STARTED = "NotStarted"
    QUEUED = "Queued"
    PREPARING = "Preparing"
    RUNNING = "Running"
    FINALIZING = "Finalizing"
    CANCEL_REQUESTED = "CancelRequested"
    PAUSED = "Paused"
    NOT_RESPONDING = "NotResponding"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELED = "Canceled"


S = RunStatus

TERMINAL = frozenset({S.COMPLETED, S.FAILED, S.CANCELED})

ENDINGS = (S.COMPLETED, S.FAILED, S.CANCELED)

TRANSITIONS: dict[RunStatus, frozenset[RunStatus]] = {
    S.NOT_STARTED: frozenset({S.QUEUED, S.PREPARING, S.RUNNING, S.PAUSED, S.CANCEL_REQUESTED, S.FAILED, S.CANCELED}),
    S.QUEUED: frozenset({S.PREPARING, S.PAUSED, S.CANCEL_REQUESTED, S.FAILED, S.CANCELED}),
    S.PAUSED: frozenset({S.QUEUED, S.CANCEL_REQUESTED, S.CANCELED}),
    S.PREPARING: frozenset({S.QUEUED, S.RUNNING, S.FINALIZING, S.CANCEL_REQUESTED, S.NOT_RESPONDING, *ENDINGS}),
    S.RUNNING: frozenset({S.FINALIZING, S.CANCEL_REQUESTED, S.NOT_RESPONDING, *ENDINGS}),
    S.FINALIZING: frozenset({S.QUEUED, S.NOT_RESPONDING, *ENDINGS}),  # Queued: another attempt comes
    S.CANCEL_REQUESTED: frozenset({S.FINALIZING, S.NOT_RESPONDING, *ENDINGS}),
    S.NOT_RESPONDING: frozenset({S.RUNNING, S.FINALIZING, S.CANCEL_REQUESTED, *ENDINGS}),
    S.COMPLETED: frozenset(),
    S.FAILED: frozenset(),
    S.CANCELED: frozenset(),
}


def may_change(old: RunStatus, new: RunStatus) -> bool:
    """Whether a run in status `old` may go to `new`."""
    return new in TRANSITIONS[old]


class ImportState(str, Enum):
    """What is here of something that lies in another store, and is to be brought here under the same id."""

    MISSING = "missing"
    BEGUN = "begun"
    """Some of it is here; the rest was not sent yet."""
    COMPLETE = "complete"
    UNFINISHED = "unfinished"
    """All of it is here, of a run that had not ended then: there may be more of it now."""
    TAKEN = "taken"
    """Something else has this id or name: it was made here, or comes from another store."""


IMPORTED_FROM = "mlws.importedFrom"
"""Tag of what was imported: the store that it comes from."""
IMPORTING = "mlws.importing"
"""Tag of what is here in part only."""
