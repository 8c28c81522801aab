"""Failures of runs."""

from __future__ import annotations

from jupyter_mlws.kit.errors import BadInput, Conflict, Forbidden, NotFound


class RunNotFound(NotFound):
    """No run has this id."""

    code = "run_not_found"


class RunDeleted(Conflict):
    """The run is in the bin; restore it first."""

    code = "run_deleted"


class RunNotDeleted(Conflict):
    """Only a run that is in the bin can be purged."""

    code = "run_not_deleted"


class RunActive(Conflict):
    """The run still runs."""

    code = "run_active"


class StatusConflict(Conflict):
    """The run cannot go from its present status to the one asked for."""

    code = "status_conflict"


class ParamConflict(Conflict):
    """A param is written once; it has another value already. `conflicts`: (key, the value it has, the new one) of each such."""

    code = "param_conflict"

    def __init__(self, conflicts: list[tuple[str, str, str]]) -> None:
        key, old, new = conflicts[0]
        super().__init__(
            f"The param {key[:80]!r} of this run is {old[:200]!r} already and cannot become {new[:200]!r}; "
            "log it under another name, or in another run (`mlws.end_run()`, then what is logged next begins one).",
            field=key,
        )
        self.conflicts = conflicts


class NotYourRun(Forbidden):
    """A job may write to its own run and its descendants only."""

    code = "not_your_run"


class JobOwnsStatus(Conflict):
    """The status of a job's run is told by its supervisor alone."""

    code = "job_owns_status"


class BadParent(BadInput):
    """The parent is no run of this workspace, or the chain of parents is too long."""

    code = "bad_parent"


class SnapshotFrozen(Conflict):
    """The snapshot of a job was frozen when it was submitted."""

    code = "snapshot_frozen"


class RunTaken(Conflict):
    """Another run has this id: it was made here, or imported from elsewhere."""

    code = "run_taken"


class NotImporting(Conflict):
    """The run is not one that is being imported from there."""

    code = "not_importing"
