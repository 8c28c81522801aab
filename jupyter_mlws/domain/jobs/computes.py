"""Compute targets with what waits and runs on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_mlws.domain.compute import service as compute
from jupyter_mlws.domain.compute.schemas import Amounts, ComputeList, ComputeTarget, LiveJob, QueuedJob, UserLimits
from jupyter_mlws.domain.jobs import queue, service, store
from jupyter_mlws.domain.jobs.states import Phase
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.kit.errors import BadInput, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.compute.schemas import ComputeUpdate, Load
    from jupyter_mlws.domain.compute.service import Compute
    from jupyter_mlws.domain.jobs.store import Ask
    from jupyter_mlws.domain.runs.schemas import Run
    from jupyter_mlws.kit.actors import Actor

QUEUE_SHOWN = 100


class ComputeNotFound(NotFound):
    """No compute target has this name."""

    code = "compute_not_found"


def find(computes: Mapping[str, Compute], name: str) -> Compute:
    """The target of this name. Raises `ComputeNotFound`."""
    if name not in computes:
        raise ComputeNotFound(f"There is no compute target {name[:80]!r}.", field="target")
    return computes[name]


def change(services: Any, name: str, update: ComputeUpdate) -> None:
    """Change what is given of a target, from now on and after a restart. Kept on disk; may block."""
    target = find(services.jobs.computes, name)
    if target.problem:
        raise BadInput(target.problem, field="target")
    if update.min_instances and not hasattr(target, "keep_spares"):
        raise BadInput(f"No kernels can be kept ready on {name!r}: this kind of target does not do that.", field="min_instances")
    compute.keep(services.folders.compute, name, update)
    services.jobs.refresh_limits()


def describe(session: Session, actor: Actor, computes: Iterable[tuple[Compute, Load]], usual: Mapping[str, int]) -> ComputeList:
    """All targets; `usual` are their limits in the settings. Of their queues only the jobs that the actor may see."""
    return ComputeList(targets=[_one(session, actor, one, load, usual[one.name]) for one, load in computes])


def _one(session: Session, actor: Actor, target: Compute, load: Load, usual: int) -> ComputeTarget:
    name = target.name
    plan = queue.plan_of(session, name)
    limits, use = plan.limits, plan.use_before
    live = store.asks(session, name, Phase.LIVE)
    return ComputeTarget(
        name=name,
        kind=target.kind,
        description=target.description,
        max_jobs=target.max_jobs,
        default_max_jobs=usual,
        min_instances=limits.min_instances,
        spares=getattr(target, "spares", 0),
        running=len(live),
        queued=len(plan.waiting),
        state="unavailable" if target.problem else "ready",
        detail=target.problem,
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
    )


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
            asks=service.asks_of(ask),
        )
        for ask in live
        if ask.run_id in found
    ]
