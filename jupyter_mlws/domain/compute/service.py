"""What every kind of compute target can do, and how many jobs each runs. Kinds are entry points of the group `jupyter_mlws.compute`.

`local` is always there. Others are named in the setting `MlwsApp.compute_targets`: their kind, and what that kind asks for; or somebody
made them, and they have rows in the database, which servers may share.
"""

from __future__ import annotations

import logging
import sys
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast

import msgspec
from msgspec import UNSET

from jupyter_mlws.domain.compute import store
from jupyter_mlws.domain.compute.batch import psi
from jupyter_mlws.domain.compute.errors import ComputeExists, ComputeNeeded, ComputeNotFound
from jupyter_mlws.domain.compute.gateway import places
from jupyter_mlws.domain.compute.gateway.specs import parts_of, target_of
from jupyter_mlws.domain.compute.hosts import PLACES, Hosts, Made, made_targets, own_user
from jupyter_mlws.domain.compute.limits import Limits, changed_by, forget, keep, kept, limits_of
from jupyter_mlws.domain.compute.local import LocalCompute
from jupyter_mlws.domain.compute.schemas import BatchPlace, GatewayPlace, LimitsChanged, LsfPlace, PbsPlace, SlurmPlace, SshPlace
from jupyter_mlws.domain.compute.spares import NO_SPARES, SpareSettings
from jupyter_mlws.domain.compute.ssh import keys, wheels
from jupyter_mlws.domain.compute.tables import ComputeTargetRow
from jupyter_mlws.domain.compute.unavailable import UnavailableCompute
from jupyter_mlws.kit.clock import now_ms
from jupyter_mlws.kit.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.compute.schemas import (
        BatchCreate,
        ComputeCreate,
        ComputeUpdate,
        HostFacts,
        HostNotebooks,
        Load,
        SshCreate,
        SshUpdate,
        TargetCheck,
    )
    from jupyter_mlws.kit.actors import Actor

__all__ = [
    "LOCAL",
    "PLACES",
    "Compute",
    "ComputeKind",
    "Hosts",
    "KernelsElsewhere",
    "Limits",
    "Made",
    "Place",
    "SpareSettings",
    "forget",
    "keep",
    "kept",
    "keys",
    "limits_of",
    "made_targets",
    "make_targets",
    "parts_of",
    "target_of",
]

log = logging.getLogger(__name__)

GROUP = "jupyter_mlws.compute"
LOCAL = "local"
SUBMITTED = 100
"""So many jobs are given to a batch system at once, which has a queue of its own."""


class Compute(Protocol):
    """A compute target. All methods may block; they are called from threads."""

    name: str
    kind: str
    description: str
    max_jobs: int
    """How many jobs run on it at once."""
    problem: str
    """Why it takes no jobs now, in a sentence; empty while it does."""

    def start(self, job_dir: Path, secrets: Mapping[str, str] | None = None) -> None:
        """Start the supervisor of a job whose folder is ready.

        `secrets` are variables for the job that must lie on no disk and in no argument; a target is given them only if it says
        `takes_secrets = True`, others need not have the parameter.
        """

    def is_alive(self, job_dir: Path) -> bool:
        """Whether the job's supervisor lives."""

    def cancel(self, job_dir: Path, reason: str = "canceled") -> None:
        """Ask the supervisor to end the job."""

    def tidy(self) -> None:
        """Called now and then: let go of what has ended."""

    def load(self) -> Load:
        """Load of the target now."""


class RemoteCompute(Compute, Protocol):
    """What targets have besides whose jobs run on other machines (`remote = True`): the folder here is a copy of what is there."""

    remote: bool
    unreachable: str
    """Why nothing starts there now, in a sentence, though jobs may be submitted; empty while they start."""
    trouble: str
    """What is wrong with the connection, if anything is."""
    kinds: frozenset[str]
    """The kinds of jobs that it runs."""
    when_it_changes: Any
    facts: dict[str, Any]
    """What the host said of itself; empty before it was met."""

    def notebooks(self, patience: float | None = None, *, kernel: str | None = None) -> HostNotebooks | None:
        """What there is for notebooks; None where that is not known within so many seconds. Raises if the host is away and they are not
        given. What is missing, as a kernel that is wanted, is not told from memory."""

    def address_for_jobs(self) -> str:
        """How jobs there reach this server; empty where they do not, and what they log is fetched. Raises if the host is away."""

    def away(self, job_dir: Path) -> str:
        """Why the host cannot be asked for a job now, which for that is not lost; empty while it can be."""

    def take_back(self, job_dir: Path) -> bool:
        """Whether it is sure that the host never began with a job; from then on nothing is kept that says it did."""


class BatchSystem(RemoteCompute, Protocol):
    """What targets have besides that give jobs to a system with a queue of its own."""

    shared: bool
    """The folder of a job here is the one in which it runs."""
    own_queue: bool
    """It minds CPUs, memory and GPUs by itself, as far as nobody limits them here."""
    passed: tuple[str, ...]
    """How the variables begin that a job has from it."""

    def waits(self, job_dir: Path) -> str:
        """Why it has not begun a job, in its own words; empty where that is not so."""

    def note_end(self, job_dir: Path) -> bool:
        """Keep in the job's folder how it says that it ended the job. False while it does not say that yet."""

    def give_up(self) -> bool:
        """The target goes although it has jobs: they are to leave the system. False where some could not be told now."""


class KernelsElsewhere(Compute, Protocol):
    """What targets have besides that run jobs here, and only the kernels of notebooks on another server (`kernels_elsewhere = True`)."""

    kernels_elsewhere: bool
    kinds: frozenset[str]
    """The kinds of jobs that it runs."""
    usual_kernel: str | None
    """The kernel of notebooks whose own one is not there."""
    pulls: bool
    """What jobs log comes into their folders, and is taken from there."""

    def address_for_jobs(self) -> str:
        """How kernels there reach this server; empty where they do not. Raises if the other server is away."""

    def notebooks(self, patience: float | None = None, *, kernel: str | None = None) -> HostNotebooks | None:
        """The kernels there; None where that is not known."""

    def bridge(self, kernel: str, job_dir: Path, work: Path) -> dict[str, Any]:
        """What the runner of a job is told of its kernel."""


class ComputeKind(Protocol):
    """Makes targets of one kind."""

    def __call__(self, name: str, max_jobs: int, **options: Any) -> Compute:
        """A target of this kind. Raises ValueError or TypeError, with a sentence, for options that it cannot use."""


def make_targets(max_local: int, others: Mapping[str, Any], spares: SpareSettings = NO_SPARES) -> dict[str, Compute]:
    """The compute targets: `local`, and those that the settings name. One that cannot be made is there, and says why."""
    made: dict[str, Compute] = {LOCAL: LocalCompute(LOCAL, max_local, spares)}
    for name, options in others.items():
        if name == LOCAL:
            log.warning(
                "The compute target `local` is always this machine; the entry of that name in compute_targets is left out."
            )
            continue
        made[name] = _make(name, options)
    return made


def _make(name: str, options: Any) -> Compute:
    kind = options.get("kind") if isinstance(options, dict) else None
    try:
        kind, max_jobs, rest = _checked(options)
        return cast("ComputeKind", _kind(kind).load())(name, max_jobs, **rest)
    except Exception as error:  # another package's code: whatever is wrong there must not stop ours
        log.exception("The compute target %r could not be made", name)
        return UnavailableCompute(name, str(kind), f"The target {name!r} cannot be used: {error}.")


def _checked(options: Any) -> tuple[str, int, dict[str, Any]]:
    """(kind, max_jobs, what is left for the kind) of an entry in the settings."""
    rest = dict(options) if isinstance(options, dict) else {}
    kind, max_jobs = rest.pop("kind", None), rest.pop("max_jobs", 1)
    if not isinstance(kind, str):
        raise ValueError("its entry in compute_targets must be a dict that names a `kind`")  # noqa: TRY004 - told in words, as others
    if not isinstance(max_jobs, int) or max_jobs < 1:
        raise ValueError(f"max_jobs must be a whole number from 1 on, not {max_jobs!r}")
    return kind, max_jobs, rest


def _kind(name: str) -> EntryPoint:
    points = {point.name: point for point in entry_points(group=GROUP)}
    if name not in points:
        raise ValueError(f"no installed package brings targets of the kind {name!r}; there are: {', '.join(sorted(points))}")
    return points[name]


# ---- targets that somebody made


Place: TypeAlias = SshPlace | SlurmPlace | PbsPlace | LsfPlace | GatewayPlace
"""Where a target is that somebody made."""
KINDS: dict[type[Place], str] = {place: kind for kind, place in PLACES.items()}
MOST_JOBS = {"ssh": 1, "slurm": SUBMITTED, "pbs": SUBMITTED, "lsf": SUBMITTED, "gateway": 1}


def lock_target(session: Session, name: str) -> None:
    """Let one server at a time start jobs on a target that several have."""
    store.lock(session, name)


def place_made(body: ComputeCreate, made: Mapping[str, Made]) -> Place:
    """What is kept of a new target: of a host, once its key is known to be one. Blocks: for threads. Raises `BadInput` for none or two,
    `ExtraMissing` where a batch system cannot be spoken to. `made` are the targets that there are."""
    if sum(getattr(body, kind) is not UNSET for kind in PLACES) != 1:
        raise BadInput("Say of what kind the target is: give one of `ssh`, `slurm`, `pbs`, `lsf` and `gateway`.", field="ssh")
    if body.gateway is not UNSET:
        return places.made(body.gateway)
    for kind, place in PLACES.items():
        if issubclass(place, BatchPlace) and (given := getattr(body, kind)) is not UNSET:
            return place(**_batch_made(kind, given, made))
    assert body.ssh is not UNSET  # noqa: S101 - one of them is there
    return _host_made(body.ssh)


def _batch_made(kind: str, body: BatchCreate, made: Mapping[str, Made]) -> dict[str, Any]:
    psi.check_installed()
    given: dict[str, Any] = {name: None if (value := getattr(body, name)) is UNSET else value for name in body.__struct_fields__}
    python = sys.executable if given["via"] is None else _login(kind, given["via"], made).python
    return {**given, "python": given["python"] or python}


def _login(kind: str, name: str, made: Mapping[str, Made]) -> SshPlace:
    """Where a host is by whose way jobs are to be submitted. Raises `BadInput` for what is none."""
    place = made[name].place if name in made else None
    if not isinstance(place, SshPlace):
        there = ", ".join(sorted(one.name for one in made.values() if isinstance(one.place, SshPlace))) or "none"
        raise BadInput(
            f"`via` names a compute target of the kind ssh; {name!r} is none. There are: {there}.", field=f"{kind}.via"
        )
    return place


def _host_made(body: SshCreate) -> SshPlace:
    port = 22 if body.port is UNSET else body.port
    public, fingerprint = keys.checked(body.host_key, body.host, port)
    return SshPlace(
        host=body.host,
        port=port,
        user=own_user() if body.user is UNSET else body.user,
        folder="~/.mlws" if body.folder is UNSET else body.folder,
        python="python3" if body.python is UNSET else body.python,
        host_key=public,
        fingerprint=fingerprint,
        key=body.key or None,
        server_url=body.server_url or None,
        wheelhouse=wheels.checked(body.wheelhouse) if body.wheelhouse else None,
    )


def place_changed(before: Place, body: ComputeUpdate, made: Mapping[str, Made]) -> Place | None:
    """What is kept of a target that changes; None where that does not. Blocks: for threads. Raises `BadInput` for another kind's."""
    kind = KINDS[type(before)]
    for other in PLACES:
        if other != kind and getattr(body, other) is not UNSET:
            raise BadInput(f"This target is of the kind {kind}: only `{kind}` can be changed of it.", field=other)
    update = getattr(body, kind)
    if update is UNSET:
        return None
    if isinstance(before, SshPlace):
        return _host_changed(before, cast("SshUpdate", update))
    given = {name: value for name in update.__struct_fields__ if (value := getattr(update, name)) is not UNSET}
    if given.get("via"):
        _login(kind, given["via"], made)
    changed = msgspec.structs.replace(before, **given)
    return places.checked(changed) if isinstance(changed, GatewayPlace) else changed


def _host_changed(before: SshPlace, body: SshUpdate) -> SshPlace:
    given = {name: value for name in body.__struct_fields__ if (value := getattr(body, name)) is not UNSET}
    new_key = given.pop("host_key", None)
    if given.get("wheelhouse"):
        given["wheelhouse"] = wheels.checked(given["wheelhouse"])
    found: SshPlace = msgspec.structs.replace(before, **given)
    if new_key is not None:
        found.host_key, found.fingerprint = keys.checked(new_key, found.host, found.port)
    return found


def create_target(session: Session, actor: Actor, body: ComputeCreate, place: Place) -> None:
    """Make a target. Raises `ComputeExists`."""
    if store.by_name(session, body.name) is not None:
        raise ComputeExists(f"There is a compute target {body.name!r} already.", field="name")
    _check_way(session, place)
    at = now_ms()
    row = ComputeTargetRow(
        name=body.name,
        kind=(kind := KINDS[type(place)]),
        description=body.description or "",
        max_jobs=MOST_JOBS[kind] if body.max_jobs is UNSET else body.max_jobs,
        place=msgspec.to_builtins(place),
        limits=LimitsChanged(),  # what files of other servers have is of an earlier target of this name
        version=at,
        created_at=at,
        created_by=actor.name,
        updated_at=at,
        updated_by=actor.name,
    )
    store.add(session, row)


def update_target(session: Session, actor: Actor, name: str, body: ComputeUpdate, place: Place | None) -> None:
    """Change what a target says of itself, or where it is. Raises `ComputeNotFound`."""
    row = _made(session, name)
    _check_way(session, place)
    if place is not None and (new := msgspec.to_builtins(place)) != row.place:
        row.place, row.checked = new, None
    if body.description is not UNSET:
        row.description = body.description
    row.version, row.updated_at, row.updated_by = max(row.version + 1, now_ms()), now_ms(), actor.name
    session.flush()


def update_limits(session: Session, actor: Actor, name: str, body: ComputeUpdate, before: LimitsChanged) -> None:
    """Change the limits of a target, on all servers. `before`: what counted until now where the row has none. Raises `ComputeNotFound`."""
    store.lock(session, name)
    row = _made(session, name)
    row.limits = changed_by(before if row.limits is None else row.limits, body)
    row.updated_at, row.updated_by = now_ms(), actor.name
    session.flush()


def note_test(session: Session, name: str, check: TargetCheck, facts: HostFacts | None) -> None:
    """Keep what a test found, and what the host said of itself."""
    row = store.by_name(session, name)
    if row is None:
        return
    row.checked = check
    if facts is not None and row.facts != facts:
        row.facts = facts
    session.flush()


def delete_target(session: Session, name: str) -> None:
    """Remove a target. Raises `ComputeNotFound`, and `ComputeNeeded` where others submit by way of it."""
    row = _made(session, name)
    if others := submit_by_way_of(session, name):
        raise ComputeNeeded(
            f"By way of {name} jobs are submitted to {', '.join(others)}: delete that first, or name another host with "
            "`mlws compute update NAME --via …`.",
            field="target",
        )
    store.remove(session, row)


def submit_by_way_of(session: Session, name: str) -> list[str]:
    """The targets whose jobs go by way of the host of this one."""
    return [other.name for other in store.all_of_them(session) if other.place.get("via") == name]


def _check_way(session: Session, place: Place | None) -> None:
    """Raise `BadInput` where the host by whose way jobs are to be submitted has just been deleted."""
    if isinstance(place, BatchPlace) and place.via is not None and store.by_name(session, place.via) is None:
        words = f"`via` names a compute target of the kind ssh; {place.via!r} is none."
        raise BadInput(words, field=f"{KINDS[type(place)]}.via")


def _made(session: Session, name: str) -> ComputeTargetRow:
    row = store.by_name(session, name)
    if row is None:
        raise ComputeNotFound(name)
    return row
