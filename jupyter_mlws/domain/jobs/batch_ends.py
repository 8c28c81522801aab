"""The end of a job as its batch system has it, where that ended it: it knows more than the supervisor, which saw a signal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_mlws.domain.runs.schemas import RunError
from jupyter_mlws.domain.runs.states import RunStatus
from jupyter_mlws.kit.surrogates import whole_text
from mlws import jobdir

if TYPE_CHECKING:
    from pathlib import Path

WORDS = {
    "timeout": "the time limit that {system} had for it{limit} was over",
    "deadline": "its deadline was over",
    "memory": "it used more memory than {system} gave to it",
    "limit": "it used more than it had asked for",
    "node": "its node failed",
    "boot": "its node could not be started",
    "preempted": "another job took its place",
    "revoked": "it was taken back",
    "failed": "its script failed",
}
"""By the cause, what the batch system did to it."""
REASONS = {"timeout": "timeout", "deadline": "timeout", "memory": "out_of_memory"}


def end_of(job_dir: Path, record: dict[str, Any]) -> tuple[RunStatus, str, RunError | None] | None:
    """(status, reason, error) of a job that its batch system ended; None for one that ended by itself, or that this server ended."""
    told = jobdir.read_json(str(job_dir / jobdir.BATCH))
    by_us = (job_dir / jobdir.CANCEL).exists()
    if record.get("reason") == "batch" and by_us:
        return RunStatus.CANCELED, "canceled", None
    if told is None or by_us or record.get("reason") in ("timeout", "out_of_memory", "spawn_failed"):
        return _unfinished(record)
    system, number, state, cause = (str(told.get(name)) for name in ("system", "id", "state", "cause"))
    if cause in ("cancelled", "ended"):
        if cause == "ended" and record.get("reason") == "batch":
            return _unfinished(record)  # before its supervisor began, or with it
        doubt = "" if cause == "cancelled" else f", or by whoever runs {system}: it does not say why"
        words = f"{system} job {number} was cancelled ({state}), and not from here: somebody called {told.get('by')}{doubt}."
        return RunStatus.CANCELED, "canceled", RunError(message=words)
    if cause in WORDS and (cause != "failed" or record.get("reason") == "batch"):
        limit = f", {told['time_limit']}," if told.get("time_limit") else ""
        why = WORDS[cause].format(system=system, limit=limit)
        more = f" {record['message']}." if record.get("reason") == "batch" and record.get("message") else ""
        words = f"{system} ended job {number} ({state}): {why}.{more}"
        return RunStatus.FAILED, REASONS.get(cause, "batch"), RunError(message=whole_text(words))
    return _unfinished(record)


def _unfinished(record: dict[str, Any]) -> tuple[RunStatus, str, RunError | None] | None:
    if record.get("reason") != "batch":
        return None
    return RunStatus.FAILED, "batch", RunError(message=whole_text(f"The job was not run to its end: {record.get('message')}."))
