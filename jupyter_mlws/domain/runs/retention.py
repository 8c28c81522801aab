"""Applying rules of retention and emptying the bin, in short writes."""

from __future__ import annotations

import asyncio
import logging
import os
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_mlws.domain.runs.service import retention
from jupyter_mlws.kit.clock import now_ms
from jupyter_mlws.kit.removal import STEP, bytes_of_jobs, remove_jobs

if TYPE_CHECKING:
    from pathlib import Path

    from jupyter_mlws.domain.runs.schemas import Retention, RetentionPlan
    from jupyter_mlws.kit.transactions import Transactions

log = logging.getLogger(__name__)


async def apply_rule(
    services: Any, db: Transactions, workspace_id: int, experiment_id: int, rule: Retention, *, dry_run: bool
) -> RetentionPlan:
    """Let go what a rule does not keep, or tell what that would be. Cut short it is asked again and goes on."""
    plan, ids = await db.read(lambda s: retention.plan(s, experiment_id, rule))
    plan.bytes_freed += await bytes_of_jobs(services.folders, ids)
    if dry_run:
        return plan
    tops, _ = await db.read(lambda s: retention.doomed(s, experiment_id, rule))
    gone: list[str] = []
    for start in range(0, len(tops), STEP):
        part = tops[start : start + STEP]
        gone += await db.write(partial(retention.let_go, experiment_id=experiment_id, tops=part, rule=rule))
    if rule.what == "outputs":
        await remove_jobs(services.folders, gone)
    done = msgspec.structs.replace(plan, runs=len(gone), dry_run=False)
    if gone:
        await db.write(lambda s: retention.note_done(s, workspace_id, experiment_id, done))
        told = {"experiment_id": experiment_id, "what": rule.what, "bytes": done.bytes_freed, "spared": done.spared, "runs": gone}
        await asyncio.to_thread(_note, services.folders.removed, told)
    return done


async def apply_all(services: Any, db: Transactions) -> None:
    """Apply the rules of all experiments that have one."""
    for workspace_id, experiment_id in await db.read(retention.with_rules):
        found = await db.read(partial(retention.state, workspace_id=workspace_id, experiment_id=experiment_id))
        if found.rule is not None:
            await apply_rule(services, db, workspace_id, experiment_id, found.rule, dry_run=False)


async def empty_bin(services: Any, db: Transactions, days: int) -> int:
    """Remove for good the runs that were moved to the bin more than so many days ago; how many went."""
    before = now_ms() - days * retention.DAY_MS
    total = 0
    while ids := await db.read(partial(retention.binned, before=before, limit=STEP)):
        gone = await db.write(partial(retention.empty_bin, ids=ids))
        if not gone:
            break  # what is left cannot go now
        await remove_jobs(services.folders, gone)
        await asyncio.to_thread(_note, services.folders.removed, {"what": "bin", "after_days": days, "runs": gone})
        total += len(gone)
    return total


def _note(path: Path, told: dict[str, Any]) -> None:
    """A line that outlives what went: when, what, which runs."""
    line = msgspec.json.encode({"at": now_ms(), **told}) + b"\n"
    log.info("Went by itself: %s", line.decode().rstrip())
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(line)
    except OSError as error:  # a full disk must not keep what is to free it
        log.warning("%s could not be written: %s", path, error)
