"""From the rows of compute targets to the targets of this server: made, moved and taken away while it runs."""

from __future__ import annotations

import getpass
import logging
import threading
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from jupyter_mlws.domain.compute import store
from jupyter_mlws.domain.compute.batch import checks as batch_checks
from jupyter_mlws.domain.compute.batch import psi
from jupyter_mlws.domain.compute.batch.target import BatchCompute
from jupyter_mlws.domain.compute.errors import ComputeNotFound, ExtraMissing
from jupyter_mlws.domain.compute.schemas import BatchPlace, SshPlace
from jupyter_mlws.domain.compute.ssh import checks, keys, link, loop
from jupyter_mlws.domain.compute.ssh.target import SshCompute

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.compute.schemas import HostFacts, TargetCheck, TestStep
    from jupyter_mlws.domain.compute.service import Compute
    from jupyter_mlws.domain.secrets.service import KeyPlaces
    from jupyter_mlws.kit.transactions import Transactions

PLACES: dict[str, type[SshPlace | BatchPlace]] = {"ssh": SshPlace, "slurm": BatchPlace}

log = logging.getLogger(__name__)


class Made(NamedTuple):
    """A target that somebody made, as its row has it."""

    name: str
    description: str
    max_jobs: int
    place: SshPlace | BatchPlace
    facts: HostFacts | None
    version: int
    checked: TargetCheck | None = None


class Refreshed(NamedTuple):
    """The targets after some of them changed."""

    targets: dict[str, Compute]
    gone: list[Compute]
    """Those that were deleted, or moved and made anew. They are still to be closed, which may take seconds."""


class Hosts:
    """The targets of one server that have rows."""

    def __init__(self, db: Transactions, places: KeyPlaces, jobs: Path, owner: str) -> None:
        self._db = db
        self._places = places
        self._jobs = jobs
        self._owner = owner
        self.rows: dict[str, Made] = {}

    def refresh(self, computes: dict[str, Compute]) -> Refreshed | None:
        """All targets as they are now; None if nothing has changed. Asks the database: for threads."""
        rows = {row.name: row for row in self._db.read_sync(made_targets)}
        if {name: row.version for name, row in rows.items()} == {name: row.version for name, row in self.rows.items()}:
            return None
        found = {name: compute for name, compute in computes.items() if name not in self.rows}
        gone = []
        for name, row in rows.items():
            if name in found:
                log.warning("The target %r stands in the settings, too: those count", name)
                continue
            known = self.rows.get(name)
            if known is not None and known.version == row.version:
                found[name] = computes[name]
                continue
            if known is not None:
                gone.append(computes[name])
            found[name] = self._make(row)
        for name in set(self.rows) - set(rows):
            if isinstance(deleted := computes[name], BatchCompute):
                # Another server may have deleted it, by force: jobs and secrets that this one submitted are known here alone.
                threading.Thread(target=deleted.give_up, name=f"mlws-{name}-gone", daemon=True).start()
            gone.append(deleted)
        self.rows = rows
        return Refreshed(found, gone)

    def _make(self, row: Made) -> Compute:
        if isinstance(row.place, BatchPlace):
            return self._make_batch(row, row.place)
        made = SshCompute(
            row.name,
            row.max_jobs,
            place_of(row.place),
            self._keys(row.place),
            jobs=self._jobs,
            owner=self._owner,
            description=row.description,
            server_url=row.place.server_url or "",
            wheelhouse=row.place.wheelhouse,
        )
        if row.facts is not None:
            made.facts = msgspec.structs.asdict(row.facts)
        try:
            link.library()
        except ExtraMissing as error:
            made.problem = error.message
        return made

    def _make_batch(self, row: Made, place: BatchPlace) -> Compute:
        made = BatchCompute(
            row.name, row.max_jobs, place, scripts=self._jobs.parent / "batch" / row.name, description=row.description
        )
        try:
            psi.check_installed()
        except ExtraMissing as error:
            made.problem = error.message
        return made

    def _keys(self, place: SshPlace) -> Any:
        return partial(keys.private_keys, self._db, self._places, place.key)

    def test(self, name: str) -> tuple[list[TestStep], HostFacts | None]:
        """What a host has and lacks. Blocks: for threads."""
        if name not in self.rows:
            raise ComputeNotFound(name)
        place = self.rows[name].place
        if isinstance(place, BatchPlace):
            return batch_checks.steps(name, place, self._jobs.parent / "batch" / name), None
        steps, said = loop.wait(checks.steps(place_of(place), self._keys(place), place.server_url, place.wheelhouse))
        return steps, checks.facts_of(said) if said else None

    def know(self, name: str, check: TargetCheck, facts: HostFacts | None, target: Compute) -> None:
        """What a test has just found, and what the host said of itself."""
        if name not in self.rows:
            return  # deleted meanwhile
        self.rows[name] = self.rows[name]._replace(checked=check)
        if facts is None:
            return
        self.rows[name] = self.rows[name]._replace(facts=facts)
        if isinstance(target, SshCompute):
            target.know(facts)


def place_of(place: SshPlace) -> link.Place:
    """Where a connection goes."""
    return link.Place(place.host, place.port, place.user, place.folder, place.python, place.host_key)


def own_user() -> str:
    """Who the server runs as: the user on a host where none is named."""
    return getpass.getuser()


def made_targets(session: Session) -> list[Made]:
    """All targets that somebody made, by name."""
    return [
        Made(row.name, row.description, row.max_jobs, _place_of(row.kind, row.place), row.facts, row.version, row.checked)
        for row in store.all_of_them(session)
        if row.kind in PLACES
    ]


def _place_of(kind: str, place: dict[str, Any]) -> SshPlace | BatchPlace:
    return msgspec.convert(place, PLACES[kind])
