"""What ran on a compute target: the jobs that have ended there, and what each user had of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_mlws.domain.compute.schemas import ComputeUsage, EndedJob, EndedJobPage, Use, UserUse
from jupyter_mlws.domain.jobs import store
from jupyter_mlws.domain.jobs.usage import peak_and_sum
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.kit.clock import now_ms
from jupyter_mlws.kit.errors import BadInput
from jupyter_mlws.kit.pagination import decode_cursor, encode_cursor

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.compute.schemas import Span
    from jupyter_mlws.domain.jobs.tables import JobRow
    from jupyter_mlws.domain.runs.schemas import Run
    from jupyter_mlws.kit.actors import Actor

HOUR_MS = 3_600_000
SPANS: dict[Span, int | None] = {"24h": 24 * HOUR_MS, "7d": 7 * 24 * HOUR_MS, "30d": 30 * 24 * HOUR_MS, "all": None}
USERS_SHOWN = 100


def note_end(session: Session, ref: runs.RunRef) -> None:
    """A job has ended: what the history of its target tells of it stands beside it from now on."""
    peak, spent = peak_and_sum(session, ref.id)
    store.note_end(session, ref.id, store.ran_ms(session, ref.id), spent, peak)


def ended_jobs(session: Session, actor: Actor, target: str, *, limit: int, cursor: str | None) -> EndedJobPage:
    """A page of the jobs that have ended on a target, the last first; only those that the actor may see."""
    after = None if cursor is None else _place(cursor)
    rows = store.ended_page(session, target, actor.workspace_id, after, limit + 1)
    more = len(rows) > limit
    rows = rows[:limit]
    found = {run.id: run for run in runs.wires_by_id(session, [row.run_id for row in rows])}
    return EndedJobPage(
        jobs=[_ended(row, found[row.run_id]) for row in rows if row.run_id in found],
        next_cursor=encode_cursor(rows[-1].ended_at, rows[-1].run_id) if more else None,
    )


def _place(cursor: str) -> tuple[int, str]:
    """(ended at, run id) of the last job of the page before."""
    at, run_id = decode_cursor(cursor, 2)
    if type(at) is not int or not isinstance(run_id, str):
        raise BadInput("This cursor was not made by this server for this list; ask for the first page again.", field="cursor")
    return at, run_id


def _ended(row: JobRow, run: Run) -> EndedJob:
    ended_at = row.ended_at or 0
    began = ended_at if run.started_at is None else run.started_at
    return EndedJob(
        run_id=run.id,
        name=run.name,
        workspace=run.workspace,
        experiment_id=run.experiment_id,
        experiment_name=run.experiment_name,
        kind=row.kind,
        user=row.submitted_by or run.user,
        status=run.status.value,
        reason=run.reason,
        submitted_at=row.submitted_at,
        ended_at=ended_at,
        waited_ms=max(0, began - row.submitted_at),
        ran_ms=row.ran_ms or 0,
        cpu_time_s=row.cpu_time_s,
        peak_memory_bytes=row.peak_memory_bytes,
    )


def usage(session: Session, actor: Actor, target: str, span: Span) -> ComputeUsage:
    """What each user had of a target; only of the jobs that the actor may see."""
    length = SPANS[span]
    since = None if length is None else now_ms() - length
    users = store.use_by_user(session, target, actor.workspace_id, since, USERS_SHOWN)
    number, total = store.use_in_all(session, target, actor.workspace_id, since)
    return ComputeUsage(
        name=target,
        span=span,
        since=since,
        users=[UserUse(user=user, **use._asdict()) for user, use in users],
        more_users=max(0, number - len(users)),
        total=Use(**total._asdict()),
    )
