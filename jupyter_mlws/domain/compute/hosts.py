"""From the rows of compute targets to the targets of this server: made, moved and taken away while it runs."""

from __future__ import annotations

import getpass
import logging
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import msgspec

from jupyter_mlws.domain.compute import store
from jupyter_mlws.domain.compute.batch import checks as batch_checks
from jupyter_mlws.domain.compute.batch import psi
from jupyter_mlws.domain.compute.batch.login import Login
from jupyter_mlws.domain.compute.batch.lsf import Lsf
from jupyter_mlws.domain.compute.batch.pbs import Pbs
from jupyter_mlws.domain.compute.batch.site import Here, Site
from jupyter_mlws.domain.compute.batch.slurm import Slurm
from jupyter_mlws.domain.compute.batch.target import BatchCompute
from jupyter_mlws.domain.compute.errors import ComputeNotFound, ExtraMissing, LoginRefused
from jupyter_mlws.domain.compute.gateway import checks as gateway_checks
from jupyter_mlws.domain.compute.gateway import records, specs
from jupyter_mlws.domain.compute.gateway.target import GatewayCompute
from jupyter_mlws.domain.compute.schemas import BatchPlace, GatewayPlace, LsfPlace, PbsPlace, SlurmPlace, SshPlace
from jupyter_mlws.domain.compute.ssh import checks, keys, link, loop
from jupyter_mlws.domain.compute.ssh.target import SshCompute
from jupyter_mlws.domain.secrets import service as secrets
from jupyter_mlws.kit.errors import MlwsError

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.compute.batch.system import System
    from jupyter_mlws.domain.compute.schemas import HostFacts, LimitsChanged, TargetCheck, TestStep
    from jupyter_mlws.domain.compute.service import Compute
    from jupyter_mlws.domain.secrets.service import KeyPlaces
    from jupyter_mlws.kit.transactions import Transactions

PLACES: dict[str, type[SshPlace | SlurmPlace | PbsPlace | LsfPlace | GatewayPlace]] = {
    "ssh": SshPlace,
    "slurm": SlurmPlace,
    "pbs": PbsPlace,
    "lsf": LsfPlace,
    "gateway": GatewayPlace,
}

log = logging.getLogger(__name__)

TELL_S, TELL_EVERY_S = 3600.0, 15.0
"""So long a batch system that is away is tried to be told that its target was deleted."""


class Made(NamedTuple):
    """A target that somebody made, as its row has it."""

    name: str
    description: str
    max_jobs: int
    place: SshPlace | SlurmPlace | PbsPlace | LsfPlace | GatewayPlace
    facts: HostFacts | None
    version: int
    checked: TargetCheck | None = None
    limits: LimitsChanged | None = None


class Refreshed(NamedTuple):
    """The targets after some of them changed."""

    targets: dict[str, Compute]
    gone: list[Compute]
    """Those that were deleted, or moved and made anew. They follow nothing any more, and are still to be closed, which may take seconds.
    Batch systems that were deleted are told, and closed, by a thread of their own."""


class Hosts:
    """The targets of one server that have rows."""

    def __init__(self, db: Transactions, places: KeyPlaces, jobs: Path, owner: str) -> None:
        self._db = db
        self._places = places
        self._jobs = jobs
        self._kernels = jobs.parent / "kernels"
        self._owner = owner
        self._left_out: set[str] = set()
        self.rows: dict[str, Made] = {}
        self._looked = False

    def refresh(self, computes: dict[str, Compute]) -> Refreshed | None:
        """All targets as they are now; None if nothing has changed. Asks the database: for threads."""
        settings = {name: compute for name, compute in computes.items() if name not in self.rows}
        rows = {row.name: row for row in self._db.read_sync(made_targets) if self._counts(row.name, settings)}
        if _versions(rows) == _versions(self.rows) and _limits(rows) == _limits(self.rows) and self._looked:
            return None
        if not self._looked:  # there may be kernels of targets that went while no server ran
            places = {name: row.place.url for name, row in rows.items() if isinstance(row.place, GatewayPlace)}
            records.drop_unknown(self._jobs, self._kernels, places)
        self._looked = True
        old, new = _versions(self.rows), _versions(rows)
        found, gone = dict(settings), []
        for name, row in rows.items():
            if name in old and old[name] == new[name]:
                found[name] = computes[name]
                continue
            if name in old:
                gone.append(computes[name])
            found[name] = self._make(row, rows)
        for name in set(self.rows) - set(rows):
            if isinstance(deleted := computes[name], BatchCompute):
                # Another server may have deleted it, by force: jobs and secrets that this one submitted are known here alone.
                deleted.stop_following()
                threading.Thread(target=_give_up, args=(deleted,), name=f"mlws-{name}-gone", daemon=True).start()
            else:
                gone.append(deleted)
        _part_from(gone, rows)
        specs.keep_only(self._kernels, [name for name, row in rows.items() if isinstance(row.place, GatewayPlace)])
        self.rows = rows
        return Refreshed(found, gone)

    def _counts(self, name: str, settings: Collection[str]) -> bool:
        """Whether a row is a target here: what stands in the settings is never one of a row, whatever becomes of that."""
        if name in settings and name not in self._left_out:
            self._left_out.add(name)
            log.warning("The target %r stands in the settings, too: those count", name)
        return name not in settings

    def _make(self, row: Made, rows: dict[str, Made]) -> Compute:
        if isinstance(row.place, BatchPlace):
            return self._make_batch(row, row.place, rows)
        if isinstance(row.place, GatewayPlace):
            token = partial(self._token, row.place)
            far = GatewayCompute(
                row.name, row.max_jobs, row.place, token, jobs=self._jobs, kernels=self._kernels, description=row.description
            )
            far.tidy()
            return far
        made = self._make_host(row, row.place, self._owner)
        try:
            link.library()
        except ExtraMissing as error:
            made.problem = error.message
        return made

    def _make_host(self, row: Made, place: SshPlace, owner: str) -> SshCompute:
        made = SshCompute(
            row.name,
            row.max_jobs,
            place_of(place),
            self._keys(place),
            jobs=self._jobs,
            owner=owner,
            description=row.description,
            server_url=place.server_url or "",
            wheelhouse=place.wheelhouse,
        )
        if row.facts is not None:
            made.facts = msgspec.structs.asdict(row.facts)
        return made

    def _make_batch(self, row: Made, place: BatchPlace, rows: dict[str, Made]) -> Compute:
        scripts, problem, system = self._jobs.parent / "batch" / row.name, "", system_of(place)
        site: Site = Here(scripts, system.kind)
        try:
            psi.check_installed()
            if place.via is not None:
                site = self._login(row, place.via, rows, system.kind)
        except (ExtraMissing, ComputeNotFound) as error:
            problem = error.message
        made = BatchCompute(row.name, row.max_jobs, place, site, system, scripts=scripts, description=row.description)
        made.problem = problem
        if isinstance(site, Login):
            site.tells(ended=lambda: made.when_one_ends(), changed=lambda: made.when_it_changes())
        return made

    def _login(self, row: Made, via: str, rows: dict[str, Made], kind: str) -> Login:
        """The host by whose way a target submits. What is its own there is not that of the host's own target."""
        link.library()
        host = rows.get(via)
        if host is None or not isinstance(host.place, SshPlace):
            raise ComputeNotFound(via)
        owner = f"{self._owner}/{row.name}"
        return Login(self._make_host(host._replace(name=row.name), host.place, owner), self._keys(host.place), kind)

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
        row = self.rows[name]
        if isinstance(row.place, GatewayPlace):
            token = partial(self._token, row.place)
            return gateway_checks.steps(row.place, token, name, records.folder_of(self._kernels)), None
        if isinstance(row.place, SshPlace):
            return self._test_host(row.place)
        folder = self._jobs.parent / "batch" / name
        if row.place.via is None:
            system = system_of(row.place)
            return batch_checks.steps(name, row.place, folder, Here(folder, system.kind), system), None
        return self._test_via(row, row.place, row.place.via, folder)

    def _test_host(self, place: SshPlace) -> tuple[list[TestStep], HostFacts | None]:
        steps, said = loop.wait(checks.steps(place_of(place), self._keys(place), place.server_url, place.wheelhouse))
        return steps, checks.facts_of(said) if said else None

    def _test_via(self, row: Made, place: BatchPlace, via: str, folder: Path) -> tuple[list[TestStep], HostFacts | None]:
        """The steps to the host, and then those of the batch system there."""
        system = system_of(place)
        login = self._login(row, via, self.rows, system.kind)
        try:
            host = cast("SshPlace", self.rows[via].place)
            steps, facts = self._test_host(msgspec.structs.replace(host, server_url=place.server_url))
            if any(step.state == "failed" for step in steps):
                return [*steps, *batch_checks.skipped(system)], facts
            return [*steps, *batch_checks.steps(row.name, place, folder, login, system)], facts
        finally:
            login.close()

    def know(self, name: str, check: TargetCheck, facts: HostFacts | None, target: Compute) -> None:
        """What a test has just found, and what the host said of itself."""
        if name not in self.rows:
            return  # deleted meanwhile
        self.rows[name] = self.rows[name]._replace(checked=check)
        if facts is None:
            return
        self.rows[name] = self.rows[name]._replace(facts=facts)
        if isinstance(target, (SshCompute, BatchCompute)):
            target.know(facts)


def _part_from(gone: list[Compute], rows: dict[str, Made]) -> None:
    """The new ones follow the same jobs, and two must not write into one folder; and what lives at an address that is left is ended."""
    for one in gone:
        if isinstance(one, (SshCompute, BatchCompute)):
            one.stop_following()
        if isinstance(one, GatewayCompute) and not _is_at(rows.get(one.name), one.place.url):
            one.leave()


def _is_at(row: Made | None, url: str) -> bool:
    """Whether a target is another Jupyter server at this address."""
    return row is not None and isinstance(row.place, GatewayPlace) and row.place.url == url


def _give_up(target: BatchCompute) -> None:
    """Tell the batch system, as soon as the way there is open, and close the connection by which it is told only then."""
    until = time.monotonic() + TELL_S
    try:
        while not target.give_up() and time.monotonic() < until:
            time.sleep(TELL_EVERY_S)
    finally:
        target.close()


def _versions(rows: dict[str, Made]) -> dict[str, tuple[int, int]]:
    """By name those of a target, and of the one that it goes by way of."""
    via = {name: rows.get(row.place.via or "") if isinstance(row.place, BatchPlace) else None for name, row in rows.items()}
    return {name: (row.version, other.version if (other := via[name]) is not None else 0) for name, row in rows.items()}


def _limits(rows: dict[str, Made]) -> list[LimitsChanged | None]:
    """What was changed of them, without them being made anew."""
    return [row.limits for row in rows.values()]


def system_of(place: BatchPlace) -> System:
    """The batch system that is asked for this."""
    if isinstance(place, PbsPlace):
        return Pbs(place.dialect)
    return Lsf() if isinstance(place, LsfPlace) else Slurm()


def place_of(place: SshPlace) -> link.Place:
    """Where a connection goes."""
    return link.Place(place.host, place.port, place.user, place.folder, place.python, place.host_key)


def own_user() -> str:
    """Who the server runs as: the user on a host where none is named."""
    return getpass.getuser()


def made_targets(session: Session) -> list[Made]:
    """All targets that somebody made, by name."""
    return [
        Made(
            row.name,
            row.description,
            row.max_jobs,
            _place_of(row.kind, row.place),
            row.facts,
            row.version,
            row.checked,
            row.limits,
        )
        for row in store.all_of_them(session)
        if row.kind in PLACES
    ]


def _place_of(kind: str, place: dict[str, Any]) -> SshPlace | SlurmPlace | PbsPlace | LsfPlace | GatewayPlace:
    return msgspec.convert(place, PLACES[kind])
