"""Compute targets with what waits and runs on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_mlws.domain.compute import service as compute
from jupyter_mlws.domain.compute.schemas import ComputeList, ComputeTarget, QueuedJob
from jupyter_mlws.domain.jobs import service, store
from jupyter_mlws.domain.jobs.states import Phase
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.kit.errors import BadInput, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.compute.schemas import Load
    from jupyter_mlws.domain.compute.service import Compute
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


def set_limit(services: Any, name: str, max_jobs: int | None) -> None:
    """How many jobs of a target run at once, from now on; None: as the settings say. Kept on disk; may block."""
    target = find(services.jobs.computes, name)
    if target.problem:
        raise BadInput(target.problem, field="target")
    compute.keep_limit(services.folders.compute, name, max_jobs)
    services.jobs.set_limit(name, services.jobs.usual[name] if max_jobs is None else max_jobs)


def describe(session: Session, actor: Actor, computes: Iterable[tuple[Compute, Load]], usual: Mapping[str, int]) -> ComputeList:
    """All targets; `usual` are their limits in the settings. Of their queues only the jobs that the actor may see."""
    return ComputeList(targets=[_one(session, actor, one, load, usual[one.name]) for one, load in computes])


def _one(session: Session, actor: Actor, target: Compute, load: Load, usual: int) -> ComputeTarget:
    waiting = service.queue_of(session, target.name, QUEUE_SHOWN)
    queue = [(row, why) for row, why in waiting if actor.workspace_id in (None, row.workspace_id)]
    names = {run.id: run.name for run in runs.wires_by_id(session, [row.run_id for row, _ in queue])}
    return ComputeTarget(
        name=target.name,
        kind=target.kind,
        description=target.description,
        max_jobs=target.max_jobs,
        default_max_jobs=usual,
        running=store.number(session, target.name, Phase.LIVE),
        queued=store.number(session, target.name, Phase.QUEUED),
        state="unavailable" if target.problem else "ready",
        detail=target.problem,
        cpu_count=load.cpu_count,
        memory_bytes=load.memory_bytes,
        load=load.load,
        memory_used_bytes=load.memory_used_bytes,
        queue=[
            QueuedJob(run_id=row.run_id, name=names[row.run_id], position=why.position, reason=why.reason, priority=row.priority)
            for row, why in queue
        ],
    )
