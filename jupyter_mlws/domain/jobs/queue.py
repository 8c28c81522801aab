"""The order of a queue: which jobs start now, and what each of the others waits for.

The rule. Jobs are looked at by priority, then in the order of submission. One in back-off, one that asks for more than the target has,
one whose environment is being built, and the jobs of a user who has as much as one user may have, are passed over. The first one
besides that does not fit into what is free is the head: nothing behind it starts, however small, so that small jobs never starve a
large one. A job that asks for nothing counts against the number of jobs only. The same function starts jobs and tells why they wait:
what it tells is what it does.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from jupyter_mlws.db.outbox import record_change
from jupyter_mlws.domain.compute import service as compute
from jupyter_mlws.domain.compute.service import Limits
from jupyter_mlws.domain.jobs import store
from jupyter_mlws.domain.jobs.errors import TooMuchAsked
from jupyter_mlws.domain.jobs.states import Phase
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.errors import StatusConflict
from jupyter_mlws.domain.runs.schemas import Waiting, WaitingFor
from jupyter_mlws.domain.runs.states import RunStatus
from jupyter_mlws.kit.clock import now_ms

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.compute.schemas import JobResources
    from jupyter_mlws.domain.jobs.leases import Leases
    from jupyter_mlws.domain.jobs.store import Ask

W = WaitingFor
PASSED_OVER = frozenset({W.BACKOFF, W.TOO_LARGE, W.USER_LIMIT, W.ENVIRONMENT})
ATTEMPT_TAG = "mlws.attempt"
NO_TARGET = Limits(max_jobs=0)


class Queues:
    """What this server knows of its targets beside the database; the engine fills it."""

    limits: dict[str, Limits] = {}  # noqa: RUF012 - one process-wide table, filled at start
    problems: dict[str, str] = {}  # noqa: RUF012 - likewise
    """Why a target takes no jobs, by its name; empty while it does."""
    owner: str | None = None
    """This server, where several share a database: each has its own `local`, and its limits count what runs there."""
    shared: frozenset[str] = frozenset()
    """The targets that all servers on the database have, as somebody made them there: of those all that runs counts."""
    environments: dict[int, str] = {}  # noqa: RUF012 - likewise
    """Why jobs that named an environment wait for it, by its version's id; empty once it can be used."""
    held_up: dict[str, str] = {}  # noqa: RUF012 - likewise
    """Why a job that left the queue does not begin, by its run."""
    outside: dict[str, str] = {}  # noqa: RUF012 - likewise
    """Why a batch system has not begun a job, in its own words, by its run."""


class Verdict(NamedTuple):
    """What becomes of a job that waits: START and the GPUs that it gets, or what it waits for."""

    what: WaitingFor
    gpu_ids: tuple[int, ...] = ()


VERDICTS = {what: Verdict(what) for what in WaitingFor}
"""Made once: of ten thousand jobs most wait for the same."""


@dataclass
class Use:
    """What of a target is taken, by all or by one user."""

    jobs: int = 0
    cpus: float = 0.0
    memory_bytes: int = 0
    gpus: int = 0

    def add(self, ask: Ask) -> None:
        """One job more."""
        self.jobs += 1
        self.cpus += ask.cpus or 0
        self.memory_bytes += ask.memory_bytes or 0
        self.gpus += ask.gpus


class Plan:
    """The state of one queue. `verdicts` are in the order of `waiting`."""

    def __init__(self, waiting: Sequence[Ask], live: Sequence[Ask], limits: Limits, now: int) -> None:
        self.waiting = waiting
        self.limits = limits
        self.now = now
        self.use = Use()
        self.of_user: defaultdict[str, Use] = defaultdict(Use)
        self._taken: set[int] = set()
        for ask in live:
            self._take(ask, msgspec.json.decode(ask.gpu_ids, type=list[int]) if ask.gpu_ids else ())
        self.use_before = replace(self.use)
        """What is taken before anything of this queue starts."""
        self.head: Ask | None = None
        """The job that nothing overtakes."""
        self.head_waits = W.START
        self._waiting_users: set[str] = set()
        self._limits_users = any(one is not None for one in limits[limits._fields.index("max_jobs_per_user") :])
        self.verdicts = [self._verdict(ask) for ask in waiting]

    def starts(self) -> list[tuple[Ask, tuple[int, ...]]]:
        """The jobs that start now, with the GPUs that they get."""
        found = zip(self.waiting, self.verdicts, strict=True)
        return [(ask, verdict.gpu_ids) for ask, verdict in found if verdict.what is W.START]

    def due(self) -> int | None:
        """When the next back-off ends (ms)."""
        return min((ask.not_before for ask in self.waiting if ask.not_before and ask.rests(self.now)), default=None)

    def _take(self, ask: Ask, gpu_ids: Collection[int]) -> None:
        self.use.add(ask)
        self.of_user[ask.user].add(ask)
        self._taken.update(gpu_ids)

    def _verdict(self, ask: Ask) -> Verdict:
        if self.limits.paused:
            return VERDICTS[W.QUEUE_PAUSED]
        if ask.rests(self.now):
            return VERDICTS[W.BACKOFF]
        if (ask.cpus or ask.memory_bytes or ask.gpus) and too_large(ask, self.limits):
            return VERDICTS[W.TOO_LARGE]
        if ask.environment_id is not None and environment_words(ask.environment_id):
            return VERDICTS[W.ENVIRONMENT]
        # Of one user the order holds too: his small jobs do not overtake his large one.
        if self._limits_users and (ask.user in self._waiting_users or user_limit(ask, self.of_user[ask.user], self.limits)):
            self._waiting_users.add(ask.user)
            return VERDICTS[W.USER_LIMIT]
        if self.head is not None:
            return VERDICTS[W.SLOT if self.head_waits is W.SLOT else W.TURN]
        if (lacks := self._lacks(ask)) is not None:
            self.head, self.head_waits = ask, lacks
            return VERDICTS[lacks]
        free = () if self.limits.own_queue else tuple(one for one in self.limits.gpu_ids if one not in self._taken)[: ask.gpus]
        self._take(ask, free)
        return Verdict(W.START, free)

    def _free_gpus(self) -> int | None:
        if self.limits.own_queue:
            total = _gpus_in_all(self.limits)
            return None if total is None else total - self.use.gpus
        return sum(one not in self._taken for one in self.limits.gpu_ids)

    def _lacks(self, ask: Ask) -> WaitingFor | None:
        """What is not free for a job now."""
        limits, use = self.limits, self.use
        if use.jobs >= limits.max_jobs:
            return W.SLOT
        if ask.cpus and limits.cpus is not None and use.cpus + ask.cpus > limits.cpus:
            return W.CPUS
        if ask.memory_bytes and limits.memory_bytes is not None and use.memory_bytes + ask.memory_bytes > limits.memory_bytes:
            return W.MEMORY
        if ask.gpus and (free := self._free_gpus()) is not None and ask.gpus > free:
            return W.GPUS
        return None


def _gpus_in_all(limits: Limits) -> int | None:
    """How many GPUs jobs may have together; None where the target minds that, and nobody set a limit."""
    return None if limits.own_gpus else len(limits.gpu_ids)


def too_large(ask: Ask, limits: Limits) -> str:
    """What of a job's request can never be met, in words; empty if all can be."""
    for asked, total, per_user, show in (
        (ask.cpus, limits.cpus, limits.cpus_per_user, cpus_text),
        (ask.memory_bytes, limits.memory_bytes, limits.memory_bytes_per_user, bytes_text),
        (ask.gpus or None, _gpus_in_all(limits), limits.gpus_per_user, gpus_text),
    ):
        if asked is None:
            continue
        if (total is None and not limits.own_queue) or (total is not None and asked > total):
            has = "it cannot tell how much it has" if total is None else f"it has {show(total)} in all"
            return f"asks for {show(asked)}, and {has}"
        if per_user is not None and asked > per_user:
            return f"asks for {show(asked)}, and one user may have {show(per_user)} at once"
    return ""


def environment_words(environment_id: int) -> str:
    """Why a job waits for its environment; empty if it is there."""
    return Queues.environments.get(environment_id, "Its environment was not looked at yet.")


def check_resources(asked: JobResources, target: str) -> None:
    """Raise `TooMuchAsked` for what a target could never give."""
    for field in ("cpus", "memory_bytes", "gpus"):
        only: dict[str, Any] = {
            "cpus": None,
            "memory_bytes": None,
            "gpus": 0,
            field: getattr(asked, field) or (0 if field == "gpus" else None),
        }
        ask = store.Ask("", "", 0, 1, None, gpu_ids=None, **only)
        if words := too_large(ask, Queues.limits.get(target, NO_TARGET)):
            raise TooMuchAsked(f"The job {words}: {target} could never run it.", field=f"resources.{field}")


def user_limit(ask: Ask, has: Use, limits: Limits) -> str:
    """The limit for one user that a job would break now, in words; empty if it breaks none."""
    if limits.max_jobs_per_user is not None and has.jobs >= limits.max_jobs_per_user:
        return f"{jobs_text(has.jobs)} of {ask.user} run, and one user may have {limits.max_jobs_per_user} at once"
    for asked, taken, limit, show in (
        (ask.cpus, has.cpus, limits.cpus_per_user, cpus_text),
        (ask.memory_bytes, has.memory_bytes, limits.memory_bytes_per_user, bytes_text),
        (ask.gpus or None, has.gpus, limits.gpus_per_user, gpus_text),
    ):
        if asked is not None and limit is not None and taken + asked > limit:
            return f"it asks for {show(asked)}; the jobs of {ask.user} have {show(taken)} of the {show(limit)} that one user may have"
    return ""


# --- in words


def cpus_text(value: float) -> str:
    """`4 CPUs`."""
    return f"{value:g} CPU{'' if value == 1 else 's'}"


def gpus_text(value: float) -> str:
    """`2 GPUs`."""
    return f"{value:g} GPU{'' if value == 1 else 's'}"


def jobs_text(value: int) -> str:
    """`3 jobs`."""
    return f"{value} job{'' if value == 1 else 's'}"


def bytes_text(value: float) -> str:
    """`3.5 GiB`."""
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20)):
        if value >= size or unit == "MiB":
            return f"{value / size:.1f}".removesuffix(".0") + f" {unit}"
    raise AssertionError(value)


def words(plan: Plan, target: str, place: int) -> str:
    """Why the job at a place (from 0) waits, as a sentence."""
    ask, what = plan.waiting[place], plan.verdicts[place].what
    if what is W.START:
        return "Starts in a moment."
    if what is W.QUEUE_PAUSED:
        return f"The queue of {target} is paused."
    if what is W.BACKOFF:
        return f"Attempt {ask.attempt - 1} failed; attempt {ask.attempt} begins after a pause."
    if what is W.TOO_LARGE:
        return f"This job {too_large(ask, plan.limits)}: {target} cannot run it until that is changed."
    if what is W.ENVIRONMENT:
        return environment_words(ask.environment_id or 0)
    if what is W.USER_LIMIT:
        limit = user_limit(ask, plan.of_user[ask.user], plan.limits)
        return f"The limit for one user of {target}: {limit or f'an earlier job of {ask.user} waits for it'}."
    if what is W.SLOT:
        return f"{_all_taken(plan, target)}; {_ahead(place)}."
    if what is W.TURN and plan.head is not None:
        ahead = _ahead(place)
        return f"{ahead[:1].upper()}{ahead[1:]}; the first {_needs(plan, plan.head, plan.head_waits, target)}."
    return f"This job {_needs(plan, ask, what, target)}."


def _ahead(place: int) -> str:
    if place == 0:
        return "this job is next"
    return f"{place} {'job is' if place == 1 else 'jobs are'} ahead of this one"


def _all_taken(plan: Plan, target: str) -> str:
    slots = plan.limits.max_jobs
    return f"All {slots} slots of {target} are taken" if slots != 1 else f"The one slot of {target} is taken"


def _needs(plan: Plan, ask: Ask, what: WaitingFor, target: str) -> str:
    limits, use = plan.limits, plan.use
    if what is W.CPUS:
        return (
            f"needs {cpus_text(ask.cpus or 0)}; {max(0, (limits.cpus or 0) - use.cpus):g} of {limits.cpus:g} are free on {target}"
        )
    if what is W.MEMORY:
        free, total = max(0, (limits.memory_bytes or 0) - use.memory_bytes), bytes_text(limits.memory_bytes or 0)
        return f"needs {bytes_text(ask.memory_bytes or 0)} of memory; {bytes_text(free)} of {total} are free on {target}"
    gpus = len(limits.gpu_ids)
    return f"needs {gpus_text(ask.gpus)}; {max(0, gpus - use.gpus)} of {gpus} are free on {target}"


# --- on the database


def plan_of(session: Session, target: str, owner: str | None = None) -> Plan:
    """The queue of a target as it stands, for this server or for the `owner`."""
    limits = Queues.limits.get(target, NO_TARGET)
    return Plan(store.asks(session, target, Phase.QUEUED), live_on(session, target, owner), limits, now_ms())


def live_on(session: Session, target: str, owner: str | None = None) -> list[Ask]:
    """The jobs past the queue that count on a target: those of this server, or of the `owner`; on a shared one those of all servers."""
    return store.asks(session, target, Phase.LIVE, None if target in Queues.shared else owner or Queues.owner)


def waiting_of(plan: Plan, target: str, place: int) -> Waiting:
    """Why the job at a place (from 0) of a queue waits."""
    verdict = plan.verdicts[place].what
    if problem := problem_of(target):
        return Waiting(code=W.TARGET, reason=problem, position=place + 1, until=None)
    until = plan.waiting[place].not_before if verdict is W.BACKOFF else None
    return Waiting(code=verdict, reason=words(plan, target, place), position=place + 1, until=until)


def problem_of(target: str) -> str:
    """Why a target takes no jobs; empty while it does."""
    if target not in Queues.limits:
        return f"The compute target {target!r} is not there; it was removed or renamed."
    return Queues.problems.get(target, "")


def why(session: Session, ids: Collection[str]) -> dict[str, Waiting]:
    """Why each of these queued jobs waits."""
    found = {}
    for target, mine in store.targets_of(session, ids).items():
        plan, asked = plan_of(session, target), set(mine)
        for place, ask in enumerate(plan.waiting):
            if ask.run_id in asked:
                found[ask.run_id] = waiting_of(plan, target, place)
    return found


def on_hold() -> Waiting:
    """Why a job that somebody paused waits."""
    words = "This job is on hold: it waits until somebody resumes it."
    return Waiting(code=W.ON_HOLD, reason=words, position=None, until=None)


def held_up(run_id: str) -> Waiting | None:
    """Why a job that left the queue does not begin; None if nothing is known of that."""
    if (problem := Queues.held_up.get(run_id)) is not None:
        return Waiting(code=W.SERVER, reason=problem, position=None, until=None)
    if (words := Queues.outside.get(run_id)) is not None:
        return Waiting(code=W.BATCH_SYSTEM, reason=words, position=None, until=None)
    return None


def claim(session: Session, picks: Sequence[tuple[Ask, tuple[int, ...]]], target: str, leases: Leases) -> list[str]:
    """Move jobs out of the queue: those that nobody else took, or canceled, at the same time."""
    taken = []
    if leases.owner is not None and target in Queues.shared:  # one server at a time, so that all keep the limits together
        compute.lock_target(session, target)
        picks = plan_of(session, target, leases.owner).starts()
    store.hold(session, *(ask.run_id for ask, _ in picks))
    for ask, gpu_ids in picks:
        try:
            if not runs.change_status(session, ask.run_id, RunStatus.PREPARING, actor="mlws"):
                continue
        except StatusConflict:
            continue
        row = store.by_id(session, ask.run_id)
        if row is None:
            continue
        row.gpu_ids = list(gpu_ids) or None
        row.not_before = None
        leases.take(session, row)
        store.begin_attempt(session, row.run_id, row.attempt, RunStatus.PREPARING)
        if row.attempt > 1:
            runs.store_tags(session, row.run_id, {ATTEMPT_TAG: str(row.attempt)})
        record_change(session, runs.ref_by_id(session, row.run_id).workspace, "compute", target)
        taken.append(row.run_id)
    return taken
