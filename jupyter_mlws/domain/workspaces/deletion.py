"""Deleting a workspace with all it holds, in short writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_mlws.domain.workspaces import service
from jupyter_mlws.kit.removal import STEP, bytes_of_jobs, in_steps, remove_jobs

if TYPE_CHECKING:
    from jupyter_mlws.domain.workspaces.schemas import WorkspaceDeletion
    from jupyter_mlws.kit.transactions import Transactions


async def delete_workspace(services: Any, db: Transactions, name: str, *, dry_run: bool) -> WorkspaceDeletion:
    """Delete an archived workspace, or tell what that would free. Where it is cut short the workspace stays, with what is left."""
    plan, run_ids = await db.read(lambda s: service.deletion_plan(s, name, dry_run=dry_run))
    plan.bytes_freed += await bytes_of_jobs(services.folders, run_ids)
    if not dry_run:
        await in_steps(db, lambda s: service.delete_some(s, name, STEP))
        await remove_jobs(services.folders, run_ids)
    return plan
