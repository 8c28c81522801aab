"""What a target asks of a batch system, whichever it is, and what that says. `slurm`, `pbs` and `lsf` are those that there are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, Protocol, TypeVar

from jupyter_mlws.domain.compute.batch.site import NoAnswer, NotThere
from jupyter_mlws.domain.compute.errors import HostUnfit, HostUnreachable, QueueFull

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from jupyter_mlws.domain.compute.batch.site import Done, Site
    from jupyter_mlws.domain.compute.schemas import BatchPlace
    from jupyter_mlws.kit.errors import MlwsError

PATIENCE_S = 30.0
SHOWS_S = 5.0
KEPT = 5000

T = TypeVar("T")


class Seen(NamedTuple):
    """A job as the batch system has it."""

    native_id: str
    name: str
    state: str
    """In its own words: `PENDING`, `R` …; empty of a job that it does not know any more."""
    reason: str
    """Why it waits, or why it ended: `Resources`, `PartitionTimeLimit` …; empty where it does not say that."""
    nodes: str
    stage: Literal["waits", "runs", "over"]

    @property
    def waits(self) -> bool:
        """It has not begun."""
        return self.stage == "waits"

    @property
    def over(self) -> bool:
        """It runs no more, and will not."""
        return self.stage == "over"


Cause = Literal[
    "", "timeout", "deadline", "memory", "limit", "node", "boot", "preempted", "revoked", "failed", "cancelled", "ended"
]
"""What ended a job: nothing but itself, the batch system for such a reason, somebody else; `ended`: one of these, it does not say which."""


class End(NamedTuple):
    """How a job ended, as its batch system says it."""

    state: str
    """In its own words."""
    reason: str
    cause: Cause
    time_limit: str
    over: bool = True
    """It has come to its end there, too."""


class Wanted(NamedTuple):
    """What a job asks for."""

    cpus: float | None
    memory_bytes: int | None
    gpus: int
    time_s: int | None
    """How long it may take; None: as long as its queue lets it."""


def last_words(system: System, seen: Seen) -> str:
    """What became of a job that the batch system ended before its supervisor came to it."""
    if not seen.state:
        return f"{system.name} does not know job {seen.native_id} any more"
    return f"{system.name} job {seen.native_id} ended as {seen.state}" + (f" ({seen.reason})" if seen.reason else "")


def forgotten(native_id: str) -> Seen:
    """A job that the batch system does not know any more."""
    return Seen(native_id, "", "", "", "", "over")


class Lately(Generic[T]):
    """What was known of jobs lately, by their numbers: of so many, the last ones last."""

    def __init__(self) -> None:
        self._known: dict[str, T] = {}

    def keep(self, found: Mapping[str, T]) -> None:
        """What is known of these now."""
        before = [(number, known) for number, known in self._known.items() if number not in found]
        self._known = dict([*before, *found.items()][-KEPT:])

    def get(self, number: str) -> T | None:
        """What is known of one; None where that is nothing, or too long ago."""
        return self._known.get(number)


def megabytes(amount: int) -> int:
    """So many bytes, rounded up."""
    return -(-amount // (1 << 20))


def minutes(seconds: int) -> int:
    """So many seconds, rounded up."""
    return -(-seconds // 60)


class Unknown(Exception):
    """Whether the job was submitted is not known."""


class System(Protocol):
    """One batch system, for one target."""

    kind: str
    """That of the target."""
    name: str
    programs: tuple[str, ...]
    """Those that must be there."""
    tells_version: str
    """The word by which any of them says of what version it is, and does nothing."""
    cancels: str
    """The program by which somebody ends a job."""
    package: str
    """What brings the programs, in words."""
    ask_owner: str
    """What to do where it does not answer, in words."""
    passed: tuple[str, ...]
    """How the names of variables begin that it gives to a job."""

    shows_s: float
    """A submission that it does not show so long after it, and that left no trace in the folder, did not happen."""

    def name_of(self, key: str, ticket: str) -> str:
        """What a job is called there: by that a submission is found of which nothing else is known."""

    def look(self, site: Site, numbers: Collection[str], *, unnumbered: bool) -> list[Seen]:
        """Those of the jobs that it still knows. `unnumbered`: there are others, whose numbers are not known. Raises `HostUnreachable`."""

    def end_of(self, site: Site, native_id: str, record: Mapping[str, Any]) -> End | None:
        """How a job ended that left this exit record, as far as it still knows the job. Raises `HostUnreachable`."""

    def number_of(self, submitted: Done) -> str:
        """The number of a job that was submitted. Raises as `refusal` says."""

    def executor(self, psij: Any) -> tuple[type, type]:
        """PSI/J's executor, and the class of its configuration."""

    def ask_for(self, site: Site, psij: Any, spec: Any, name: str, place: BatchPlace, wanted: Wanted) -> None:
        """Have PSI/J's specification ask for all that a job asks for. Raises `HostUnreachable`, `HostUnfit`."""

    def version(self, site: Site) -> str:
        """That it answers, and what it is. Raises `HostUnreachable` where it does not."""

    def takes(self, place: BatchPlace, site: Site) -> str:
        """What jobs ask for, where it is taken. Raises `HostUnreachable` with why it is not."""

    takes_todo: str
    """What to do where that is not taken, in words."""


def ran(system: System, site: Site, argv: list[str], patience: float = PATIENCE_S) -> Done:
    """What became of a program of the batch system. Raises `HostUnreachable` where there is none, or none that answers."""
    try:
        return site.run(argv, patience)
    except NotThere:
        raise HostUnreachable(
            f"There is no program {argv[0]} on the PATH of {site.where}: is {system.name} installed there?"
        ) from None
    except NoAnswer as error:
        raise HostUnreachable(f"{system.name} does not answer: {error}.") from None


def silent(system: System, words: str) -> HostUnreachable:
    """The error of a program that fails with such words."""
    return HostUnreachable(f"{system.name} cannot be reached: {words}.")


def printed(system: System, site: Site, argv: list[str]) -> str:
    """What a program prints that does not fail. Raises `HostUnreachable` for one that does."""
    done = ran(system, site, argv)
    if done.code != 0:
        raise silent(system, said(done.err or done.out))
    return done.out


def said(words: str) -> str:
    """What a program printed, in one line."""
    lines = [re.sub(r"^\w+: (error|fatal): ", "", line.strip()) for line in words.splitlines() if line.strip()]
    return "; ".join(lines)[:1000].rstrip(".") or "it said nothing"


class Refusals(NamedTuple):
    """What a program says that did not submit a job."""

    away: re.Pattern[str]
    """For a reason that passes."""
    full: re.Pattern[str]
    """As many jobs were submitted as may be."""
    unknown: re.Pattern[str]
    """The job may have been taken all the same."""

    def of(self, system: System, words: str) -> Unknown | MlwsError:
        """`HostUnreachable` where the batch system cannot be asked now, `Unknown` where that was seen too late, `QueueFull` where it takes
        no more jobs now, and `HostUnfit` with its own words where it does not take this one."""
        if self.unknown.search(words):
            return Unknown(words)
        if self.away.search(words):
            return silent(system, words)
        if self.full.search(words):
            return QueueFull(f"{system.name} takes no more jobs now: {words}.")
        return HostUnfit(f"{system.name} does not take the job: {words}.")
