"""Which server minds a job, where several share one database.

Each has a data folder of its own, and with it the folders of the jobs that it started; its name for the database is kept in that folder.
A job leaves the queue by one compare-and-set, so it is started once. Who started it holds a lease on it, by the database's clock, and
renews it; it lasts so long that a server may be restarted in peace. What becomes of a job whose server stays away beyond that is told
in `absent`: no other one takes it for lost. On SQLite there is one server, and every job is its own.
"""

from __future__ import annotations

import secrets
import socket
import time
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import and_, func, or_, select, update

from jupyter_mlws.domain.jobs.states import Phase
from jupyter_mlws.domain.jobs.store import GIVEN_UP
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
"""After an outage of the database everybody's leases look old: nobody is taken to be away before all had time to renew theirs."""
LOST_MS = 3_600_000
"""A server of which nothing was heard for so long is gone for good, as a container that went with its folder, and so are the jobs that were
its machine's own."""
NAME = "server.id"


class Left(NamedTuple):
    """A job of a server that is away."""

    run_id: str
    attempt: int
    target: str
    owner: str | None
    lease_until: int | None
    heard_at: int
    """When (ms) its server was there at last."""


class Leases:
    """The leases of one server; without an owner (on SQLite) it minds all jobs."""

    def __init__(
        self, owner: str | None, *, lease_ms: int = LEASE_MS, steady_s: float = STEADY_S, lost_ms: int = LOST_MS
    ) -> None:
        self.owner = owner
        self.lease_ms = lease_ms
        self.lost_ms = lost_ms
        self.steady_s = steady_s
        self._since = time.monotonic()

    def mine(self) -> ColumnElement[bool] | None:
        """SQL of "this server minds it"; None where it minds all."""
        return None if self.owner is None else JobRow.owner == self.owner

    def take(self, session: Session, row: JobRow) -> None:
        """This server starts the job."""
        if self.owner is not None:
            row.owner, row.lease_until = self.owner, clock(session) + self.lease_ms

    def renew(self, session: Session) -> int:
        """Renew all leases of this server; the present, by the database's clock."""
        now = clock(session)
        live = (JobRow.phase == Phase.LIVE, JobRow.owner == self.owner)
        session.execute(update(JobRow).where(*live).values(lease_until=now + self.lease_ms))
        return now

    def run_out(self, session: Session) -> list[Left]:
        """The live jobs of servers that have been away for longer than a lease, and of none. Only while it `is_steady`."""
        query = select(JobRow.run_id, JobRow.attempt, JobRow.target, JobRow.owner, JobRow.lease_until).where(
            JobRow.phase == Phase.LIVE,
            or_(JobRow.owner.is_(None), and_(JobRow.owner != self.owner, JobRow.lease_until < clock(session))),
        )
        return [Left(*row, heard_at=(row[-1] or 0) - self.lease_ms) for row in session.execute(query)]

    def take_over(self, session: Session, one: Left) -> None:
        """Mind a job from now on, unless its server has come back."""
        same = (
            (JobRow.owner.is_(None),) if one.owner is None else (JobRow.owner == one.owner, JobRow.lease_until == one.lease_until)
        )
        values = {"owner": self.owner, "lease_until": clock(session) + self.lease_ms}
        session.execute(update(JobRow).where(JobRow.run_id == one.run_id, *same).values(values))

    def take_unowned(self, db: Transactions, is_here: Callable[[str, int], bool]) -> None:
        """Mind the live jobs that were started before there were leases, and whose folder is here."""
        for run_id in [run_id for run_id, attempt in db.read_sync(unowned) if is_here(run_id, attempt)]:
            db.write_sync(partial(self._take_unowned, run_id=run_id))

    def _take_unowned(self, session: Session, run_id: str) -> None:
        taken = update(JobRow).where(JobRow.run_id == run_id, JobRow.owner.is_(None))
        session.execute(taken.values(owner=self.owner, lease_until=clock(session) + self.lease_ms))

    def given_up(self, session: Session) -> list[Left]:
        """The jobs of this server that others gave up while it was away."""
        query = select(JobRow.run_id, JobRow.attempt, JobRow.target, JobRow.owner, JobRow.lease_until)
        mine = (JobRow.owner == self.owner, JobRow.phase == Phase.ENDED, JobRow.lease_until == GIVEN_UP)
        return [Left(*row, heard_at=0) for row in session.execute(query.where(*mine))]

    def forget(self, session: Session, run_id: str) -> None:
        """Nothing is left of a job that was given up."""
        session.execute(update(JobRow).where(JobRow.run_id == run_id, JobRow.phase == Phase.ENDED).values(lease_until=None))

    def is_steady(self) -> bool:
        """Whether all servers had the time to renew their leases since the database could be asked."""
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
    """The name of the server of a data folder, made at its first start: it tells people on which machine that was."""
    path = folder / NAME
    try:
        known = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        known = ""
    if not known:
        host = "".join(letter for letter in socket.gethostname() if letter.isascii() and (letter.isalnum() or letter in "-."))[
            :40
        ]
        known = f"{host}-{secrets.token_hex(8)}"
        path.write_text(known, encoding="ascii")
    return known
