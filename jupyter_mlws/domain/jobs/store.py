"""SQL of jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import case, delete, func, select, update

from jupyter_mlws.db.values import listed
from jupyter_mlws.domain.jobs.states import Phase
from jupyter_mlws.domain.jobs.tables import JobRow

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy.orm import Session

ORDER = (JobRow.priority.desc(), JobRow.submitted_at, JobRow.run_id)


def by_id(session: Session, run_id: str) -> JobRow | None:
    """The job with this run id."""
    return session.get(JobRow, run_id)


def known(session: Session, ids: Collection[str]) -> set[str]:
    """Those of the run ids that have a job."""
    return set(session.execute(select(JobRow.run_id).where(JobRow.run_id.in_(listed(session, ids)))).scalars())


def done_with(session: Session, ids: Collection[str]) -> set[str]:
    """Those of the jobs that have ended, with all that they left stored."""
    query = select(JobRow.run_id).where(JobRow.run_id.in_(listed(session, ids)), JobRow.phase == Phase.ENDED, JobRow.captured)
    return set(session.execute(query).scalars())


def forget_new_files(session: Session, run_id: str) -> None:
    """The working folder is gone, and with it what could have been kept."""
    session.execute(update(JobRow).where(JobRow.run_id == run_id).values(new_files=[]))


def by_key(session: Session, workspace_id: int, key: str) -> JobRow | None:
    """The job that was submitted with this idempotency key."""
    query = select(JobRow).where(JobRow.workspace_id == workspace_id, JobRow.idempotency_key == key)
    return session.execute(query).scalar_one_or_none()


def add(session: Session, row: JobRow) -> None:
    """Store a new job."""
    session.add(row)
    session.flush()


def set_phase(session: Session, run_id: str, phase: Phase) -> None:
    """The status of the job's run changed."""
    session.execute(update(JobRow).where(JobRow.run_id == run_id).values(phase=phase))


def queue(session: Session, target: str, limit: int | None = None) -> list[JobRow]:
    """Jobs that wait on a target: greater priority first, then in the order of submission."""
    query = select(JobRow).where(JobRow.phase == Phase.QUEUED, JobRow.target == target).order_by(*ORDER)
    return list(session.execute(query if limit is None else query.limit(limit)).scalars())


def queued_before(session: Session, row: JobRow) -> int:
    """How many jobs of the same target come before this one."""
    earlier = (JobRow.priority > row.priority) | (
        (JobRow.priority == row.priority)
        & ((JobRow.submitted_at < row.submitted_at) | ((JobRow.submitted_at == row.submitted_at) & (JobRow.run_id < row.run_id)))
    )
    query = select(func.count()).select_from(JobRow)
    return session.execute(query.where(JobRow.phase == Phase.QUEUED, JobRow.target == row.target, earlier)).scalar_one()


def live(session: Session) -> list[JobRow]:
    """Jobs that are past the queue and not at their end, oldest first."""
    query = select(JobRow).where(JobRow.phase == Phase.LIVE).order_by(JobRow.submitted_at, JobRow.run_id)
    return list(session.execute(query).scalars())


def number(session: Session, target: str, phase: Phase) -> int:
    """How many jobs of a target are in a phase."""
    query = select(func.count()).select_from(JobRow).where(JobRow.phase == phase, JobRow.target == target)
    return session.execute(query).scalar_one()


def unfinished(session: Session, workspace_id: int, limit: int) -> list[str]:
    """Run ids of jobs that wait or run: the running first, then the queue in its order."""
    query = select(JobRow.run_id).where(JobRow.workspace_id == workspace_id, JobRow.phase != Phase.ENDED)
    first = case((JobRow.phase == Phase.LIVE, 0), else_=1)
    return list(session.execute(query.order_by(first, *ORDER).limit(limit)).scalars())


def ended(session: Session, ids: Collection[str]) -> list[str]:
    """Those of the run ids whose job has ended."""
    query = select(JobRow.run_id).where(JobRow.run_id.in_(listed(session, ids)), JobRow.phase == Phase.ENDED)
    return sorted(session.execute(query).scalars())


def any_unfinished(session: Session) -> bool:
    """Whether a job waits or runs, in whatever workspace."""
    return session.execute(select(JobRow.run_id).where(JobRow.phase != Phase.ENDED).limit(1)).first() is not None


def remove(session: Session, ids: Sequence[str] | Collection[str]) -> None:
    """Remove jobs."""
    session.execute(delete(JobRow).where(JobRow.run_id.in_(listed(session, ids))))
