"""Compute targets with what waits and runs on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_mlws.domain.compute.schemas import ComputeList, ComputeTarget, QueuedJob
from jupyter_mlws.domain.jobs import service, store
from jupyter_mlws.domain.jobs.states import Phase
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.kit.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.compute.schemas import Load
    from jupyter_mlws.domain.compute.service import Compute
    from jupyter_mlws.kit.actors import Actor

QUEUE_SHOWN = 100


class ComputeNotFound(NotFound):
    """No compute target has this name."""

    code = "compute_not_found"


def describe(session: Session, actor: Actor, computes: Iterable[tuple[Compute, Load]]) -> ComputeList:
    """All targets. Of their queues only the jobs that the actor may see."""
    return ComputeList(targets=[_one(session, actor, compute, load) for compute, load in computes])


def _one(session: Session, actor: Actor, compute: Compute, load: Load) -> ComputeTarget:
    waiting = service.queue_of(session, compute.name, QUEUE_SHOWN)
    queue = [(row, why) for row, why in waiting if actor.workspace_id in (None, row.workspace_id)]
    names = {run.id: run.name for run in runs.wires_by_id(session, [row.run_id for row, _ in queue])}
    return ComputeTarget(
        name=compute.name,
        kind=compute.kind,
        description=compute.description,
        max_jobs=compute.max_jobs,
        running=store.number(session, compute.name, Phase.LIVE),
        queued=store.number(session, compute.name, Phase.QUEUED),
        state="unavailable" if compute.problem else "ready",
        detail=compute.problem,
        cpu_count=load.cpu_count,
        memory_bytes=load.memory_bytes,
        load=load.load,
        memory_used_bytes=load.memory_used_bytes,
        queue=[
            QueuedJob(run_id=row.run_id, name=names[row.run_id], position=why.position, reason=why.reason, priority=row.priority)
            for row, why in queue
        ],
    )
