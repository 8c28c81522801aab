"""Compute targets with what waits and runs on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec
from msgspec import UNSET

from jupyter_mlws.domain.compute import service as compute
from jupyter_mlws.domain.compute.errors import ComputeExists, ComputeFixed, ComputeInUse, ComputeNotFound
from jupyter_mlws.domain.compute.schemas import (
    Amounts,
    BatchPlace,
    ComputeList,
    ComputeTarget,
    ComputeTest,
    GatewayPlace,
    HostFacts,
    LimitsChanged,
    LiveJob,
    LsfPlace,
    PbsPlace,
    QueuedJob,
    SlurmPlace,
    SshPlace,
    TargetCheck,
    UserLimits,
)
from jupyter_mlws.domain.jobs import queue, service, store
from jupyter_mlws.domain.jobs.states import Phase
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.kit.clock import now_ms
from jupyter_mlws.kit.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.compute.schemas import ComputeCreate, ComputeUpdate, Load
    from jupyter_mlws.domain.compute.service import BatchSystem, Compute, Made
    from jupyter_mlws.domain.jobs.engine import JobEngine
    from jupyter_mlws.domain.jobs.store import Ask
    from jupyter_mlws.domain.runs.schemas import Run
    from jupyter_mlws.kit.actors import Actor
    from jupyter_mlws.kit.transactions import Transactions

QUEUE_SHOWN = 100


def find(computes: Mapping[str, Compute], name: str) -> Compute:
    """The target of this name. Raises `ComputeNotFound`."""
    if name not in computes:
        raise ComputeNotFound(name)
    return computes[name]


def change(services: Any, db: Transactions, actor: Actor, name: str, update: ComputeUpdate) -> None:
    """Change what is given of a target, from now on and after a restart. May block."""
    services.jobs.refresh_targets()  # what another server changed a moment ago stays
    target = find(services.jobs.computes, name)
    if update.min_instances and not hasattr(target, "keep_spares"):
        raise BadInput(f"No kernels can be kept ready on {name!r}: this kind of target does not do that.", field="min_instances")
    given = {field for field in update.__struct_fields__ if getattr(update, field) is not UNSET}
    of_place = given & {*compute.PLACES, "description"}
    if target.problem and given != of_place:
        raise BadInput(target.problem, field="target")  # before anything is changed of it
    if of_place:
        _change_made(services, db, actor, target, update)
    if all(getattr(update, field) is UNSET for field in LimitsChanged.__struct_fields__):
        return
    if (hosts := services.jobs.hosts) is not None and name in hosts.rows:
        before = services.jobs.changed_limits(name)
        db.write_sync(lambda s: compute.update_limits(s, actor, name, update, before))
        services.jobs.refresh_targets()
    else:
        compute.keep(services.folders.compute, name, update)
        services.jobs.refresh_limits()


def _change_made(services: Any, db: Transactions, actor: Actor, target: Compute, update: ComputeUpdate) -> None:
    made = _made(services, target)
    place = compute.place_changed(made, update, services.jobs.hosts.rows)

    def change(session: Session) -> None:
        if isinstance(place, BatchPlace) and isinstance(made, BatchPlace) and place.via != made.via:
            _check_idle(session, target.name, "what `via` names", f"{target.kind}.via")
        if isinstance(place, SshPlace) and isinstance(made, SshPlace) and place.folder != made.folder:
            for other in compute.submit_by_way_of(session, target.name):
                _check_idle(session, other, f"the folder of {target.name}, in which they run,", "ssh.folder")
        compute.update_target(session, actor, target.name, update, place)

    db.write_sync(change)
    services.jobs.refresh_targets()


def _check_idle(session: Session, name: str, what: str, field: str) -> None:
    """Raise `ComputeInUse` where jobs live on a target: another batch system, or another folder, does not know them."""
    if live := store.asks(session, name, Phase.LIVE):
        raise ComputeInUse(
            f"{len(live)} {'job lives' if len(live) == 1 else 'jobs live'} on {name}: {what} can be changed when they are over.",
            field=field,
        )


def _made(services: Any, target: Compute) -> compute.Place:
    """Where a target is that somebody made. Raises `ComputeFixed` for another one."""
    row = services.jobs.hosts.rows.get(target.name)
    if row is None:
        where = "is this machine" if target.kind == "local" else "stands in the server's setting `MlwsApp.compute_targets`"
        raise ComputeFixed(
            f"The target {target.name!r} {where}: it is neither moved, renamed, tested nor deleted here.", field="target"
        )
    place: compute.Place = row.place
    return place


def create(services: Any, db: Transactions, actor: Actor, body: ComputeCreate) -> None:
    """Make a target. Asks the host if only the fingerprint of its key is given; may block."""
    if body.name in services.jobs.computes:
        raise ComputeExists(f"There is a compute target {body.name!r} already.", field="name")
    place = compute.place_made(body, services.jobs.hosts.rows)
    db.write_sync(lambda s: compute.create_target(s, actor, body, place))
    services.jobs.refresh_targets()


def delete(services: Any, db: Transactions, name: str, *, force: bool = False) -> None:
    """Remove a target on which nothing runs. Jobs that wait for it wait until there is one of its name again.

    `force`: what runs there is given up. Nobody asks the host for it any more, and the engine finds it lost.
    """
    target = find(services.jobs.computes, name)
    _made(services, target)

    def remove(session: Session) -> None:
        live = store.asks(session, name, Phase.LIVE)
        if live and not force:
            raise ComputeInUse(
                f"{len(live)} {'job runs' if len(live) == 1 else 'jobs run'} on {name}; cancel them or wait for their end, then delete it. "
                "If the host never comes back, `force` gives them up.",
                field="target",
            )
        compute.delete_target(session, name)

    db.write_sync(remove)
    if force and hasattr(target, "give_up"):
        cast("BatchSystem", target).give_up()
    compute.forget(services.folders.compute, name)
    services.jobs.refresh_targets()


def test(services: Any, db: Transactions, name: str) -> ComputeTest:
    """Try what a target needs, step by step. Blocks, for up to half a minute."""
    target = find(services.jobs.computes, name)
    _made(services, target)
    steps, facts = services.jobs.hosts.test(name)
    usable = not any(step.state == "failed" for step in steps)
    check = TargetCheck(at=now_ms(), usable=usable, steps=steps)
    db.write_sync(lambda s: compute.note_test(s, name, check, facts))
    services.jobs.hosts.know(name, check, facts, target)
    if facts is not None:
        services.jobs.refresh_limits()
    return ComputeTest(name=name, usable=usable, steps=steps)


def describe(session: Session, actor: Actor, computes: Iterable[tuple[Compute, Load]], jobs: JobEngine) -> ComputeList:
    """All targets. Of their queues only the jobs that the actor may see."""
    return ComputeList(targets=[_one(session, actor, one, load, jobs) for one, load in computes])


def _one(session: Session, actor: Actor, target: Compute, load: Load, jobs: JobEngine) -> ComputeTarget:
    name = target.name
    made = jobs.hosts.rows.get(name) if jobs.hosts is not None else None
    detail = target.problem or str(getattr(target, "trouble", ""))
    kinds = getattr(target, "kinds", None)
    plan = queue.plan_of(session, name)
    limits, use = plan.limits, plan.use_before
    live = queue.live_on(session, name)
    return ComputeTarget(
        name=name,
        kind=target.kind,
        description=target.description,
        max_jobs=target.max_jobs,
        default_max_jobs=jobs.usual.get(name, target.max_jobs),
        min_instances=limits.min_instances,
        spares=getattr(target, "spares", 0),
        spares_end_at=getattr(target, "spares_end_at", None),
        running=len(live),
        queued=len(plan.waiting),
        state="unavailable" if target.problem else "away" if detail else "ready",
        detail=detail,
        cpu_count=load.cpu_count,
        memory_bytes=load.memory_bytes,
        load=load.load,
        memory_used_bytes=load.memory_used_bytes,
        paused=limits.paused,
        total=Amounts(cpus=limits.cpus, memory_bytes=limits.memory_bytes, gpus=len(limits.gpu_ids)),
        reserved=Amounts(cpus=use.cpus, memory_bytes=use.memory_bytes, gpus=use.gpus),
        per_user=UserLimits(
            max_jobs=limits.max_jobs_per_user,
            cpus=limits.cpus_per_user,
            memory_bytes=limits.memory_bytes_per_user,
            gpus=limits.gpus_per_user,
        ),
        queue=_queue(session, actor, plan, name),
        live=_live(session, actor, live),
        ssh=made.place if made is not None and isinstance(made.place, SshPlace) else None,
        slurm=made.place if made is not None and isinstance(made.place, SlurmPlace) else None,
        pbs=made.place if made is not None and isinstance(made.place, PbsPlace) else None,
        lsf=made.place if made is not None and isinstance(made.place, LsfPlace) else None,
        gateway=made.place if made is not None and isinstance(made.place, GatewayPlace) else None,
        facts=_facts(made, target),
        kinds=sorted(kinds) if kinds is not None else None,
        made=made is not None,
        checked=made.checked if made is not None else None,
    )


def _facts(made: Made | None, target: Compute) -> HostFacts | None:
    """What a host said of itself at the last test; what it has for notebooks as it said last. Another Jupyter server tells its kernels."""
    said = getattr(target, "facts", {}).get("notebooks")
    if made is not None and isinstance(made.place, GatewayPlace) and said is not None:
        return HostFacts(host="", python="", system="", machine="", cpus=None, memory=None, gpus=[], notebooks=said)
    if made is None or made.facts is None:
        return None
    return msgspec.structs.replace(made.facts, notebooks=said) if said is not None else made.facts


def _visible(session: Session, actor: Actor, asks: Sequence[Ask]) -> dict[str, Run]:
    """The runs of those of the jobs that the actor may see."""
    spaces = store.workspaces_of(session, [ask.run_id for ask in asks])
    seen = [run_id for run_id, space in spaces.items() if actor.workspace_id in (None, space)]
    return {run.id: run for run in runs.wires_by_id(session, seen)}


def _queue(session: Session, actor: Actor, plan: queue.Plan, name: str) -> list[QueuedJob]:
    held = store.asks(session, name, Phase.PAUSED)[:QUEUE_SHOWN]
    first = plan.waiting[:QUEUE_SHOWN]
    found = _visible(session, actor, [*first, *held])
    reasons = [(ask, queue.waiting_of(plan, name, place)) for place, ask in enumerate(first)]
    reasons += [(ask, queue.on_hold()) for ask in held]
    return [
        QueuedJob(
            run_id=ask.run_id,
            name=found[ask.run_id].name,
            user=ask.user,
            position=why.position,
            code=why.code.value,
            reason=why.reason,
            until=why.until,
            priority=ask.priority,
            asks=service.asks_of(ask),
        )
        for ask, why in reasons
        if ask.run_id in found
    ]


def _live(session: Session, actor: Actor, live: Sequence[Ask]) -> list[LiveJob]:
    found = _visible(session, actor, live[:QUEUE_SHOWN])
    return [
        LiveJob(
            run_id=ask.run_id,
            name=found[ask.run_id].name,
            user=ask.user,
            status=found[ask.run_id].status.value,
            started_at=found[ask.run_id].started_at,
            reason=why.reason if (why := found[ask.run_id].waiting) is not None else "",
            asks=service.asks_of(ask),
        )
        for ask in live
        if ask.run_id in found
    ]
