"""Attempts to run a job: how one ends, and whether another follows.

A job whose attempt failed goes back to the queue while it has retries left; it was not at its end then, and has one end only.
What was canceled, and what ran out of time, is not tried again. Each attempt has a folder and a token of its own, so that nothing an
earlier one still writes or sends can reach a later one.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from jupyter_mlws.db.outbox import record_change
from jupyter_mlws.domain.jobs import store
from jupyter_mlws.domain.jobs.schemas import Attempt
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.states import TERMINAL, RunStatus
from jupyter_mlws.kit.clock import now_ms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.jobs.folder import Outcome
    from jupyter_mlws.domain.jobs.tables import JobRow

ACTOR = "mlws"
BACKOFF_S = 10.0
FINAL_REASONS = frozenset({"timeout", "canceled"})
"""What ends a job although it has retries left."""
RETRY = "retry"


def comes_again(row: JobRow, outcome: Outcome) -> bool:
    """Whether another attempt follows one that ended so."""
    failed = outcome.status is RunStatus.FAILED and outcome.reason not in FINAL_REASONS
    return failed and row.attempt <= row.max_retries and row.cancel_requested_at is None


def backoff_ms(attempt: int, base_s: float) -> int:
    """How long to wait after an attempt: doubled each time, at most ten minutes, and a little more so that jobs do not march in step."""
    seconds = min(base_s * 2.0 ** (attempt - 1), store.LONGEST_BACKOFF_S)
    return int(seconds * 1000 * (1 + store.JITTER * secrets.randbelow(1000) / 1000))


def prefix_of(attempt: int) -> str:
    """Where among the files of a run those of an attempt stand that another one followed."""
    return f"attempts/{attempt}/"


def end_attempt(
    session: Session,
    row: JobRow,
    outcome: Outcome,
    base_s: float,
    *,
    record: Mapping[str, Any] | None = None,
    through: Sequence[tuple[RunStatus, int]] = (),
) -> bool:
    """End an attempt, and with it the job unless another follows. True if one does. `record`: what the supervisor left.

    `through`: what the run went through meanwhile, as of `runs.change_status`.
    """
    _note(session, row, outcome, record or {}, dict(through).get(RunStatus.RUNNING))
    if comes_again(row, outcome):
        _again(session, row, base_s, through)
        return True
    if row.cancel_requested_at is not None and row.attempt <= row.max_retries and outcome.status is RunStatus.FAILED:
        # Canceled in the moment between the failure and the next attempt: it is that one that does not come.
        outcome = outcome._replace(status=RunStatus.CANCELED, reason="canceled", error=None)
    first = row.attempt == 1 and outcome.started_at is not None
    runs.change_status(
        session,
        row.run_id,
        outcome.status,
        actor=ACTOR,
        reason=outcome.reason,
        at=outcome.ended_at,
        error=outcome.error,
        values={"started_at": outcome.started_at} if first else {},
        through=through,
    )
    return False


def _note(session: Session, row: JobRow, outcome: Outcome, record: Mapping[str, Any], running: int | None) -> None:
    ended = outcome.ended_at or now_ms()
    code, number = _small(record.get("exit_code")), _small(record.get("signal"))
    end = store.AttemptEnd(outcome.status, outcome.reason, outcome.error, outcome.started_at or running, ended, code, number)
    store.end_attempt(session, row.run_id, row.attempt, end)


def _small(value: Any) -> int | None:
    """A number of the exit record, whose folder is the user's, too."""
    return value if isinstance(value, int) and not isinstance(value, bool) and -(2**31) <= value < 2**31 else None


def _again(session: Session, row: JobRow, base_s: float, through: Sequence[tuple[RunStatus, int]]) -> None:
    """Back to the queue."""
    row.not_before = now_ms() + backoff_ms(row.attempt, base_s)
    row.attempt += 1
    row.gpu_ids = None
    session.flush()
    runs.change_status(
        session, row.run_id, RunStatus.QUEUED, actor=ACTOR, reason=RETRY, values={"progress": None}, through=through
    )
    record_change(session, runs.ref_by_id(session, row.run_id).workspace, "compute", row.target)


def note_running(session: Session, run_id: str, at: int | None) -> None:
    """The process of the current attempt runs."""
    store.note_running(session, run_id, at if at is not None else now_ms())


def attempts_of(session: Session, row: JobRow, status: RunStatus) -> list[Attempt]:
    """The attempts that left the queue; `status` of the run is that of the last one while it goes on."""
    return [
        Attempt(
            attempt=one.attempt,
            status=status if one.ended_at is None and status not in TERMINAL else one.status,
            reason=one.reason,
            error=one.error,
            started_at=one.started_at,
            ended_at=one.ended_at,
            exit_code=one.exit_code,
            signal=one.signal,
        )
        for one in store.attempts(session, row.run_id)
    ]
