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
    "TIMEOUT": "the time limit that Slurm had for it, {limit}, was over",
    "DEADLINE": "its deadline was over",
    "OUT_OF_MEMORY": "it used more memory than Slurm gave to it",
    "NODE_FAIL": "its node failed",
    "BOOT_FAIL": "its node could not be started",
    "PREEMPTED": "another job took its place",
    "REVOKED": "it was taken back",
    "FAILED": "its script failed",
}
REASONS = {"TIMEOUT": "timeout", "DEADLINE": "timeout", "OUT_OF_MEMORY": "out_of_memory"}


def end_of(job_dir: Path, record: dict[str, Any]) -> tuple[RunStatus, str, RunError | None] | None:
    """(status, reason, error) of a job that its batch system ended; None for one that ended by itself, or that this server ended."""
    told = jobdir.read_json(str(job_dir / jobdir.BATCH))
    by_us = (job_dir / jobdir.CANCEL).exists()
    if record.get("reason") == "batch" and by_us:
        return RunStatus.CANCELED, "canceled", None
    if told is None or by_us or record.get("reason") in ("timeout", "out_of_memory", "spawn_failed"):
        return _unfinished(record)
    state, number = str(told.get("state")), told.get("id")
    if state == "CANCELLED":
        words = f"Slurm job {number} was cancelled (CANCELLED), and not from here: somebody called scancel."
        return RunStatus.CANCELED, "canceled", RunError(message=words)
    if state in WORDS and (state != "FAILED" or record.get("reason") == "batch"):
        why = WORDS[state].format(limit=told.get("time_limit"))
        more = f" {record['message']}." if record.get("reason") == "batch" and record.get("message") else ""
        words = f"Slurm ended job {number} ({state}): {why}.{more}"
        return RunStatus.FAILED, REASONS.get(state, "batch"), RunError(message=whole_text(words))
    return _unfinished(record)


def _unfinished(record: dict[str, Any]) -> tuple[RunStatus, str, RunError | None] | None:
    if record.get("reason") != "batch":
        return None
    return RunStatus.FAILED, "batch", RunError(message=whole_text(f"The job was not run to its end: {record.get('message')}."))
