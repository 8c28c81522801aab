"""Deleting an experiment with all its runs, in short writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_mlws.domain.experiments import service
from jupyter_mlws.kit.removal import STEP, bytes_of_jobs, in_steps, remove_jobs

if TYPE_CHECKING:
    from jupyter_mlws.domain.experiments.schemas import ExperimentDeletion
    from jupyter_mlws.kit.actors import Actor
    from jupyter_mlws.kit.transactions import Transactions


async def delete_experiment(
    services: Any, db: Transactions, actor: Actor, experiment_id: str, *, dry_run: bool
) -> ExperimentDeletion:
    """Delete an archived experiment, or tell what that would free. Where it is cut short the experiment stays, with what is left."""
    plan, run_ids = await db.read(lambda s: service.deletion_plan(s, actor, experiment_id, dry_run=dry_run))
    plan.bytes_freed += await bytes_of_jobs(services.folders, run_ids)
    if not dry_run:
        await in_steps(db, lambda s: service.delete_some(s, actor, experiment_id, STEP))
        await remove_jobs(services.folders, run_ids)
    return plan
