"""SQL of jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select

from jupyter_mlws.domain.jobs.tables import JobRow
from jupyter_mlws.domain.runs.states import RunStatus
from jupyter_mlws.domain.runs.tables import RunRow

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy.orm import Session

LIVE = (RunStatus.PREPARING, RunStatus.RUNNING, RunStatus.FINALIZING, RunStatus.CANCEL_REQUESTED, RunStatus.NOT_RESPONDING)


def by_id(session: Session, run_id: str) -> JobRow | None:
    """The job with this run id."""
    return session.get(JobRow, run_id)


def by_ids(session: Session, ids: Collection[str]) -> list[JobRow]:
    """Jobs by run id."""
    return list(session.execute(select(JobRow).where(JobRow.run_id.in_(ids))).scalars())


def by_key(session: Session, workspace_id: int, key: str) -> JobRow | None:
    """The job that was submitted with this idempotency key."""
    query = select(JobRow).where(JobRow.workspace_id == workspace_id, JobRow.idempotency_key == key)
    return session.execute(query).scalar_one_or_none()


def add(session: Session, row: JobRow) -> None:
    """Store a new job."""
    session.add(row)
    session.flush()


def queue(session: Session, target: str, limit: int | None = None) -> list[tuple[JobRow, RunRow]]:
    """Jobs that wait on a target: greater priority first, then in the order of submission."""
    query = (
        select(JobRow, RunRow)
        .join(RunRow, RunRow.id == JobRow.run_id)
        .where(RunRow.status == RunStatus.QUEUED, JobRow.target == target)
        .order_by(JobRow.priority.desc(), JobRow.submitted_at, JobRow.run_id)
    )
    return list(session.execute(query.limit(limit) if limit is not None else query).tuples())


def live(session: Session, target: str | None = None) -> list[tuple[JobRow, RunRow]]:
    """Jobs that are past the queue and not at their end."""
    query = (
        select(JobRow, RunRow)
        .join(RunRow, RunRow.id == JobRow.run_id)
        .where(RunRow.status.in_(LIVE))
        .order_by(JobRow.submitted_at)
    )
    return list(session.execute(query.where(JobRow.target == target) if target is not None else query).tuples())


def number_live(session: Session, target: str) -> int:
    """How many jobs of a target are past the queue and not at their end."""
    query = select(func.count()).select_from(JobRow).join(RunRow, RunRow.id == JobRow.run_id)
    return session.execute(query.where(RunRow.status.in_(LIVE), JobRow.target == target)).scalar_one()


def number_active(session: Session) -> int:
    """How many jobs wait or run."""
    query = select(func.count()).select_from(JobRow).join(RunRow, RunRow.id == JobRow.run_id)
    return session.execute(query.where(RunRow.status.in_((*LIVE, RunStatus.QUEUED)))).scalar_one()


def active_of_workspace(session: Session, workspace_id: int) -> list[RunRow]:
    """Runs of jobs that wait or run: the running first, then the queue in its order."""
    query = (
        select(RunRow)
        .join(JobRow, JobRow.run_id == RunRow.id)
        .where(RunRow.status.in_((*LIVE, RunStatus.QUEUED, RunStatus.PAUSED)), RunRow.workspace_id == workspace_id)
        .order_by((RunRow.status == RunStatus.QUEUED).asc(), JobRow.priority.desc(), JobRow.submitted_at, JobRow.run_id)
    )
    return list(session.execute(query).scalars())


def remove(session: Session, ids: Sequence[str]) -> None:
    """Remove jobs."""
    session.execute(delete(JobRow).where(JobRow.run_id.in_(ids)))
