"""Which server minds a job, where several share one database.

Each has a data folder of its own, and with it the folders of the jobs that it started; its name for the database is kept in that folder.
A job leaves the queue by one compare-and-set, so it is started once. Who started it holds a lease on it, by the database's clock, and
renews it; it lasts so long that a server may be restarted in peace. A job whose server stays away beyond that is taken over by another,
which can only find it lost. On SQLite there is one server, and every job is its own.
"""

from __future__ import annotations

import secrets
import time
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from jupyter_mlws.domain.jobs.states import Phase
from jupyter_mlws.domain.jobs.tables import JobRow
from jupyter_mlws.kit.clock import now_ms

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from jupyter_mlws.kit.transactions import Transactions

LEASE_MS = 600_000
STEADY_S = 60.0
"""After an outage of the database everybody's leases look old: nobody takes over before the others had time to renew theirs."""
NAME = "server.id"


class Leases:
    """The leases of one server; without an owner (on SQLite) it minds all jobs."""

    def __init__(self, owner: str | None, *, lease_ms: int = LEASE_MS, steady_s: float = STEADY_S) -> None:
        self.owner = owner
        self.lease_ms = lease_ms
        self.steady_s = steady_s
        self._since = time.monotonic()

    def mine(self) -> ColumnElement[bool] | None:
        """SQL of "this server minds it"; None where it minds all."""
        return None if self.owner is None else JobRow.owner == self.owner

    def take(self, session: Session, row: JobRow) -> None:
        """This server starts the job."""
        if self.owner is not None:
            row.owner, row.lease_until = self.owner, clock(session) + self.lease_ms

    def renew(self, session: Session) -> list[str]:
        """Renew all leases of this server; the jobs of others, whose servers are gone, that are its own from now on."""
        if self.owner is None:
            return []
        now = clock(session)
        live = (JobRow.phase == Phase.LIVE, JobRow.owner.is_not(None))
        session.execute(update(JobRow).where(*live, JobRow.owner == self.owner).values(lease_until=now + self.lease_ms))
        if not self._steady():
            return []
        left = select(JobRow.run_id).where(*live, JobRow.owner != self.owner, JobRow.lease_until < now)
        found = []
        for run_id in session.execute(left).scalars().all():
            taken = update(JobRow).where(JobRow.run_id == run_id, JobRow.lease_until < now)
            if session.execute(taken.values(owner=self.owner, lease_until=now + self.lease_ms)).rowcount:  # type: ignore[attr-defined]
                found.append(run_id)
        return found

    def take_unowned(self, db: Transactions, is_here: Callable[[str, int], bool]) -> None:
        """Mind the live jobs that were started before there were leases: those whose folder is here, and at last those that nobody took."""
        left = db.read_sync(unowned)
        steady = self._steady()
        for run_id in [run_id for run_id, attempt in left if steady or is_here(run_id, attempt)]:
            db.write_sync(partial(self._take_unowned, run_id=run_id))

    def _take_unowned(self, session: Session, run_id: str) -> None:
        taken = update(JobRow).where(JobRow.run_id == run_id, JobRow.owner.is_(None))
        session.execute(taken.values(owner=self.owner, lease_until=clock(session) + self.lease_ms))

    def _steady(self) -> bool:
        return time.monotonic() - self._since >= self.steady_s

    def failed(self) -> None:
        """The database could not be asked."""
        self._since = time.monotonic()


def unowned(session: Session) -> list[tuple[str, int]]:
    """(run, attempt) of the live jobs that no server minds."""
    query = select(JobRow.run_id, JobRow.attempt).where(JobRow.phase == Phase.LIVE, JobRow.owner.is_(None))
    return [(run_id, attempt) for run_id, attempt in session.execute(query)]


def clock(session: Session) -> int:
    """The present in ms, by the clock that all servers share."""
    if session.get_bind().dialect.name != "postgresql":
        return now_ms()
    return int(session.execute(select(func.extract("epoch", func.clock_timestamp()) * 1000)).scalar_one())


def name_of(folder: Path) -> str:
    """The name of the server of a data folder, made at its first start."""
    path = folder / NAME
    try:
        known = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        known = ""
    if not known:
        known = secrets.token_hex(16)
        path.write_text(known, encoding="ascii")
    return known
