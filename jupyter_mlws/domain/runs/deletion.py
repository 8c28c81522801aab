"""Deleting a run: into the bin, or for good in short writes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from jupyter_mlws.domain.runs import service
from jupyter_mlws.kit.removal import STEP, bytes_of_jobs, remove_jobs

if TYPE_CHECKING:
    from jupyter_mlws.domain.runs.schemas import DeletePlan
    from jupyter_mlws.kit.actors import Actor
    from jupyter_mlws.kit.transactions import Transactions


async def delete_run(services: Any, db: Transactions, actor: Actor, run_id: str, *, purge: bool, dry_run: bool) -> DeletePlan:
    """Move a run and the runs below it to the bin, or (purge) remove them for good, or only tell what would become free."""
    plan, run_ids = await db.read(lambda s: service.deletion_plan(s, actor, run_id, purge=purge))
    in_folders = await bytes_of_jobs(services.folders, run_ids)
    if not dry_run and not purge:
        plan = await db.write(lambda s: service.move_to_bin(s, actor, run_id))
    elif not dry_run:
        for start in range(0, len(run_ids), STEP):
            part = run_ids[::-1][start : start + STEP]  # the lowest first: what is cut short can be done again
            await db.write(partial(service.purge_some, actor=actor, run_id=run_id, ids=part))
        await remove_jobs(services.folders, run_ids)
        plan.dry_run = False
    plan.bytes_freed += in_folders
    return plan
