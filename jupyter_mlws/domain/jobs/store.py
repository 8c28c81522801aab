"""SQL of jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from sqlalchemy import case, delete, distinct, func, select, tuple_, update

from jupyter_mlws.db import driver
from jupyter_mlws.db.values import listed
from jupyter_mlws.domain.jobs.states import Phase
from jupyter_mlws.domain.jobs.tables import JobAttemptRow, JobRow

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.runs.schemas import RunError
    from jupyter_mlws.domain.runs.states import RunStatus

LONGEST_BACKOFF_S = 600.0
JITTER = 0.1
GIVEN_UP = 0
"""The end of the lease on a job that was canceled while its server was away: that has still to end what is there of it."""


class Ask(NamedTuple):
    """What the queue goes by, of one job. Of ten thousand jobs nothing else is read."""

    run_id: str
    user: str
    priority: int
    attempt: int
    not_before: int | None
    cpus: float | None
    memory_bytes: int | None
    gpus: int
    gpu_ids: str | None
    """As JSON."""
    environment_id: int | None = None
    """The environment that must be there before it begins."""

    def rests(self, now: int) -> bool:
        """Whether it waits for its next attempt. No rest is longer than the longest: after one that seems so the clock was set back."""
        return self.not_before is not None and 0 < self.not_before - now <= LONGEST_BACKOFF_S * (1 + JITTER) * 1000


_ASKS = (
    "SELECT run_id, submitted_by, priority, attempt, not_before, cpus, memory_bytes, gpus, gpu_ids, environment_id FROM jobs "
    "WHERE target = ? AND phase = ? {whose}ORDER BY priority DESC, submitted_at, run_id"
)
ORDER = (JobRow.priority.desc(), JobRow.submitted_at, JobRow.run_id)


def by_id(session: Session, run_id: str) -> JobRow | None:
    """The job with this run id."""
    return session.get(JobRow, run_id)


class Current(NamedTuple):
    """The current attempt of a job, and which server minds it."""

    run_id: str
    attempt: int
    owner: str | None


def current_attempt(session: Session, run_id: str) -> Current | None:
    """The current attempt of the job with this run id."""
    session.flush()
    found = driver.fetch(session, "SELECT run_id, attempt, owner FROM jobs WHERE run_id = ?", [run_id])
    return Current._make(found[0]) if found else None


def is_canceled(session: Session, run_id: str) -> bool:
    """Whether somebody asked for the job's end."""
    sql = "SELECT 1 FROM jobs WHERE run_id = ? AND cancel_requested_at IS NOT NULL"
    return bool(driver.fetch(session, sql, [run_id]))


def hold(session: Session, *ids: str) -> None:
    """To be called first by who decides by the status of a job and changes it then: until the transaction ends no other server does that.

    On SQLite, which has one writer, this does nothing.
    """
    if ids and session.get_bind().dialect.name == "postgresql":
        driver.fetch_among(session, "SELECT 1 FROM jobs WHERE run_id {among} ORDER BY run_id FOR NO KEY UPDATE", ids)


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
    driver.run(session, "UPDATE jobs SET phase = ? WHERE run_id = ? AND phase <> ?", [phase.value, run_id, phase.value])


def asks(session: Session, target: str, phase: Phase, owner: str | None = None) -> list[Ask]:
    """The jobs of a target in a phase: greater priority first, then in the order of submission; with an `owner` those it minds."""
    session.flush()
    whose = "" if owner is None else "AND (owner = ? OR owner IS NULL) "
    given = [target, phase.value, *([] if owner is None else [owner])]
    return list(map(Ask._make, driver.fetch(session, _ASKS.replace("{whose}", whose), given)))


def is_queued(session: Session, run_id: str) -> bool:
    """Whether a job waits in a queue."""
    session.flush()
    return bool(driver.fetch(session, "SELECT 1 FROM jobs WHERE run_id = ? AND phase = ?", [run_id, Phase.QUEUED.value]))


def queued_with(session: Session, environment_id: int) -> list[str]:
    """Run ids of the queued jobs that name an environment."""
    query = select(JobRow.run_id).where(JobRow.phase == Phase.QUEUED, JobRow.environment_id == environment_id)
    return list(session.execute(query).scalars())


def environments_wanted(session: Session, target: str) -> list[int]:
    """Versions of environments that queued jobs of a target name."""
    sql = "SELECT DISTINCT environment_id FROM jobs WHERE target = ? AND phase = ? AND environment_id IS NOT NULL"
    return [found for (found,) in driver.fetch(session, sql, [target, Phase.QUEUED.value])]


def environments_in_use(session: Session) -> list[int]:
    """Versions of environments that jobs name which have not ended."""
    query = select(JobRow.environment_id).where(JobRow.phase != Phase.ENDED, JobRow.environment_id.is_not(None)).distinct()
    return [one for one in session.execute(query).scalars() if one is not None]


def targets_of(session: Session, ids: Collection[str]) -> dict[str, list[str]]:
    """The jobs among these run ids, by target."""
    query = select(JobRow.target, JobRow.run_id).where(JobRow.run_id.in_(listed(session, ids)))
    found: dict[str, list[str]] = {}
    for target, run_id in session.execute(query):
        found.setdefault(target, []).append(run_id)
    return found


def workspaces_of(session: Session, ids: Collection[str]) -> dict[str, int]:
    """The workspace of each of these jobs."""
    query = select(JobRow.run_id, JobRow.workspace_id).where(JobRow.run_id.in_(listed(session, ids)))
    return dict(session.execute(query).all())


def owners(session: Session, ids: Collection[str]) -> dict[str, str | None]:
    """Which server minds each of these jobs; none one that was given up while its server was away."""
    owner = case((JobRow.lease_until == GIVEN_UP, None), else_=JobRow.owner)
    query = select(JobRow.run_id, owner).where(JobRow.run_id.in_(listed(session, ids)))
    return dict(session.execute(query).all())


def current(session: Session, ids: Collection[str]) -> dict[str, tuple[int, str]]:
    """The number of the current attempt of each of these jobs, and its phase."""
    query = select(JobRow.run_id, JobRow.attempt, JobRow.phase).where(JobRow.run_id.in_(listed(session, ids)))
    return {run_id: (attempt, phase) for run_id, attempt, phase in session.execute(query)}


def live(session: Session, mine: ColumnElement[bool] | None = None) -> list[JobRow]:
    """Jobs that are past the queue and not at their end, oldest first; of several servers those that are `mine`."""
    query = (
        select(JobRow)
        .where(JobRow.phase == Phase.LIVE, *([] if mine is None else [mine]))
        .order_by(JobRow.submitted_at, JobRow.run_id)
    )
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
    session.execute(delete(JobAttemptRow).where(JobAttemptRow.run_id.in_(listed(session, ids))))
    session.execute(delete(JobRow).where(JobRow.run_id.in_(listed(session, ids))))


# --- what has ended


class Used(NamedTuple):
    """What some jobs used, all together."""

    jobs: int
    ran_ms: int
    cpu_time_s: float | None
    peak_memory_bytes: int | None


_USED = (
    func.count(),
    func.coalesce(func.sum(JobRow.ran_ms), 0),
    func.sum(JobRow.cpu_time_s),
    func.max(JobRow.peak_memory_bytes),
)


def _used(jobs: Any, ran_ms: Any, cpu_time_s: Any, peak: Any) -> Used:
    return Used(jobs, int(ran_ms), cpu_time_s, peak)  # PostgreSQL's sum of whole numbers is a decimal


_NOTE_END = """
UPDATE jobs SET ended_at = (SELECT ended_at FROM runs WHERE id = ?), ran_ms = ?, cpu_time_s = ?, peak_memory_bytes = ?
WHERE run_id = ?
"""


def note_end(session: Session, run_id: str, ran_ms: int, cpu_time_s: float | None, peak_memory_bytes: int | None) -> None:
    """What a job used stands beside it from now on, and when its run ended."""
    session.flush()
    driver.run(session, _NOTE_END, [run_id, ran_ms, cpu_time_s, peak_memory_bytes, run_id])


def _ended_on(target: str, workspace_id: int | None, since: int | None = None) -> list[ColumnElement[bool]]:
    found = [JobRow.target == target, JobRow.ended_at.is_not(None)]
    if workspace_id is not None:
        found.append(JobRow.workspace_id == workspace_id)
    if since is not None:
        found.append(JobRow.ended_at >= since)
    return found


def ended_page(session: Session, target: str, workspace_id: int | None, after: Sequence[Any] | None, limit: int) -> list[JobRow]:
    """Jobs that have ended on a target, the last first, of all workspaces or of one; `after` is (ended at, run id) of the one before."""
    query = select(JobRow).where(*_ended_on(target, workspace_id))
    if after is not None:
        query = query.where(tuple_(JobRow.ended_at, JobRow.run_id) < tuple(after))
    return list(session.execute(query.order_by(JobRow.ended_at.desc(), JobRow.run_id.desc()).limit(limit)).scalars())


def use_by_user(session: Session, target: str, workspace_id: int | None, since: int | None, limit: int) -> list[tuple[str, Used]]:
    """What the jobs of each user used that have ended on a target since then; whose ran longest first."""
    query = select(JobRow.submitted_by, *_USED).where(*_ended_on(target, workspace_id, since)).group_by(JobRow.submitted_by)
    ordered = query.order_by(func.coalesce(func.sum(JobRow.ran_ms), 0).desc(), JobRow.submitted_by).limit(limit)
    return [(user, _used(*use)) for user, *use in session.execute(ordered)]


def use_in_all(session: Session, target: str, workspace_id: int | None, since: int | None) -> tuple[int, Used]:
    """(how many users, what all of them used) of the jobs that have ended on a target since then."""
    query = select(func.count(distinct(JobRow.submitted_by)), *_USED).where(*_ended_on(target, workspace_id, since))
    users, *use = session.execute(query).one()
    return users, _used(*use)


# --- attempts


def ran_ms(session: Session, run_id: str) -> int:
    """How long the attempts of a job ran, all together."""
    session.flush()
    spans = driver.fetch(session, "SELECT started_at, ended_at FROM job_attempts WHERE run_id = ?", [run_id])
    return sum(max(0, end - start) for start, end in spans if start is not None and end is not None)


_BEGIN = """
INSERT INTO job_attempts (run_id, attempt, status) VALUES (?, ?, ?)
ON CONFLICT (run_id, attempt) DO UPDATE SET status = excluded.status, reason = NULL, error = NULL, ended_at = NULL
"""


def begin_attempt(session: Session, run_id: str, attempt: int, status: RunStatus) -> None:
    """An attempt left the queue; one that came back unbegun does so again."""
    driver.run(session, _BEGIN, [run_id, attempt, status.value])


_RUNNING = """
UPDATE job_attempts SET started_at = ?
WHERE run_id = ? AND attempt = (SELECT attempt FROM jobs WHERE run_id = ?) AND ended_at IS NULL
"""


def note_running(session: Session, run_id: str, at: int) -> None:
    """The process of the current attempt runs since then."""
    session.flush()
    driver.run(session, _RUNNING, [at, run_id, run_id])


_END = """
UPDATE job_attempts
SET status = ?, reason = ?, error = ?, started_at = COALESCE(?, started_at), ended_at = ?, exit_code = ?, signal = ?
WHERE run_id = ? AND attempt = ?
"""


class AttemptEnd(NamedTuple):
    """How an attempt ended."""

    status: RunStatus
    reason: str | None
    error: RunError | None
    started_at: int | None
    """None: as it is known."""
    ended_at: int
    exit_code: int | None
    signal: int | None


def end_attempt(session: Session, run_id: str, attempt: int, end: AttemptEnd) -> None:
    """An attempt has ended."""
    error = None if end.error is None else msgspec.json.encode(end.error).decode()
    driver.run(session, _END, [end.status.value, end.reason, error, *end[3:], run_id, attempt])


def attempts(session: Session, run_id: str) -> list[JobAttemptRow]:
    """The attempts of a job, the first first."""
    query = select(JobAttemptRow).where(JobAttemptRow.run_id == run_id).order_by(JobAttemptRow.attempt)
    return list(session.execute(query.execution_options(populate_existing=True)).scalars())  # they are changed past the session


def close_attempts(session: Session, run_id: str, status: RunStatus, at: int) -> None:
    """End what is open of a job's attempts: the job has ended otherwise than by its process."""
    sql = "UPDATE job_attempts SET status = ?, ended_at = ? WHERE run_id = ? AND ended_at IS NULL"
    driver.run(session, sql, [status.value, at, run_id])
