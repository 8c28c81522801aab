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
from jupyter_mlws.domain.compute.errors import ComputeNotFound, ExtraMissing, LoginRefused
from jupyter_mlws.domain.compute.gateway import checks as gateway_checks
from jupyter_mlws.domain.compute.gateway import specs
from jupyter_mlws.domain.compute.gateway.target import GatewayCompute
from jupyter_mlws.domain.compute.schemas import BatchPlace, GatewayPlace, SshPlace
from jupyter_mlws.domain.compute.ssh import checks, keys, link, loop
from jupyter_mlws.domain.compute.ssh.target import SshCompute
from jupyter_mlws.domain.secrets import service as secrets
from jupyter_mlws.kit.errors import MlwsError

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.compute.schemas import HostFacts, TargetCheck, TestStep
    from jupyter_mlws.domain.compute.service import Compute
    from jupyter_mlws.domain.secrets.service import KeyPlaces
    from jupyter_mlws.kit.transactions import Transactions

PLACES: dict[str, type[SshPlace | BatchPlace | GatewayPlace]] = {"ssh": SshPlace, "slurm": BatchPlace, "gateway": GatewayPlace}

log = logging.getLogger(__name__)


class Made(NamedTuple):
    """A target that somebody made, as its row has it."""

    name: str
    description: str
    max_jobs: int
    place: SshPlace | BatchPlace | GatewayPlace
    facts: HostFacts | None
    version: int
    checked: TargetCheck | None = None


class Hosts:
    """The targets of one server that have rows."""

    def __init__(self, db: Transactions, places: KeyPlaces, jobs: Path, owner: str) -> None:
        self._db = db
        self._places = places
        self._jobs = jobs
        self._kernels = jobs.parent / "kernels"
        self._owner = owner
        self.rows: dict[str, Made] = {}

    def refresh(self, computes: dict[str, Compute]) -> dict[str, Compute] | None:
        """All targets as they are now; None if nothing has changed. Blocks: for threads."""
        rows = {row.name: row for row in self._db.read_sync(made_targets)}
        if {name: row.version for name, row in rows.items()} == {name: row.version for name, row in self.rows.items()}:
            return None
        found = {name: compute for name, compute in computes.items() if name not in self.rows}
        for name, row in rows.items():
            if name in found:
                log.warning("The target %r stands in the settings, too: those count", name)
                continue
            known = self.rows.get(name)
            if known is not None and known.version == row.version:
                found[name] = computes[name]
                continue
            if known is not None:
                _close(computes[name])
            found[name] = self._make(row)
        for name in set(self.rows) - set(rows):
            if isinstance(gone := computes[name], BatchCompute):
                # Another server may have deleted it, by force: jobs and secrets that this one submitted are known here alone.
                threading.Thread(target=gone.give_up, name=f"mlws-{name}-gone", daemon=True).start()
            _close(gone)
        specs.keep_only(self._kernels, [name for name, row in rows.items() if isinstance(row.place, GatewayPlace)])
        self.rows = rows
        return found

    def _make(self, row: Made) -> Compute:
        if isinstance(row.place, BatchPlace):
            return self._make_batch(row, row.place)
        if isinstance(row.place, GatewayPlace):
            token = partial(self._token, row.place)
            far = GatewayCompute(
                row.name, row.max_jobs, row.place, token, jobs=self._jobs, kernels=self._kernels, description=row.description
            )
            far.tidy()
            return far
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

    def _token(self, place: GatewayPlace) -> str:
        """The token of another Jupyter server; empty where it asks for none. Blocks: for threads. Raises `LoginRefused`."""
        if place.token is None:
            return ""
        try:
            return secrets.value_of(self._db, self._places, place.token.workspace, place.token.name).strip()
        except MlwsError as error:
            where = f"The secret {place.token.name!r} of the workspace {place.token.workspace!r}, which holds the token,"
            raise LoginRefused(f"{where} cannot be read: {error.message}") from error

    def test(self, name: str) -> tuple[list[TestStep], HostFacts | None]:
        """What a host has and lacks. Blocks: for threads."""
        if name not in self.rows:
            raise ComputeNotFound(name)
        place = self.rows[name].place
        if isinstance(place, BatchPlace):
            return batch_checks.steps(name, place, self._jobs.parent / "batch" / name), None
        if isinstance(place, GatewayPlace):
            return gateway_checks.steps(place, partial(self._token, place)), None
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


def _place_of(kind: str, place: dict[str, Any]) -> SshPlace | BatchPlace | GatewayPlace:
    return msgspec.convert(place, PLACES[kind])


def _close(compute: Compute) -> None:
    if hasattr(compute, "close"):
        compute.close()
