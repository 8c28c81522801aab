"""What the owner of a data folder does besides answering: the engine of jobs, kernels that died, clients' spools, compaction."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING

from jupyter_mlws.domain.access import service as access
from jupyter_mlws.domain.compute import service as compute
from jupyter_mlws.domain.environments import service as environments
from jupyter_mlws.domain.jobs import ingest, submit
from jupyter_mlws.domain.jobs import tasks as jobs_tasks
from jupyter_mlws.domain.jobs.engine import JobEngine
from jupyter_mlws.domain.jobs.leases import Leases, name_of
from jupyter_mlws.domain.metrics import tasks as metrics_tasks
from jupyter_mlws.domain.runs import retention
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.errors import StatusConflict
from jupyter_mlws.domain.runs.schemas import RunError
from jupyter_mlws.domain.runs.states import RunStatus
from jupyter_mlws.domain.storage import accounting
from jupyter_mlws.kit.clock import now_ms
from jupyter_mlws.server.processes import process_alive
from mlws import spool

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlalchemy.orm import Session

    from jupyter_mlws.db.database import Database
    from jupyter_mlws.server.runtime import Runtime

log = logging.getLogger(__name__)

KERNELS_EVERY_S = 3.0
COMPACT_EVERY_S = 5.0
SWEEP_EVERY_S = 6 * 3600.0
RETAIN_EVERY_S = 3600.0
BATCHES_KEPT_MS = 30 * 24 * 3600 * 1000
TOKENS_KEPT_MS = 31 * 24 * 3600 * 1000
"""Longer than a token lives: one that was exchanged and revoked is not made anew while that which it was made from lives."""
COMPACT_STEPS = 20
ACTIVE_EVERY_S = 5.0
SPOOL_ROUNDS = 10
"""For so many rounds a run whose process is dead stays as it is while its spool cannot be taken: it may hold the true end."""


class Background:
    """Starts and stops the owner's work."""

    def __init__(self, runtime: Runtime, db: Database) -> None:
        self._runtime = runtime
        self._db = db
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = threading.Event()
        self._spool_left = 0
        services = runtime.services
        settings = runtime.settings
        targets = compute.make_targets(settings.max_jobs, settings.compute_targets, settings.spares)
        self._engine = JobEngine(
            db,
            services.blobs,
            services.folders,
            targets,
            settings.url,
            services.hub.passing,
            services.secrets,
            retry_backoff_s=settings.retry_backoff_s,
            compute_limits=settings.compute_limits,
            hosts=compute.Hosts(db, services.secrets, services.folders.jobs, name_of(services.folders.root)),
            leases=Leases(name_of(services.folders.root) if db.writer_engine.dialect.name == "postgresql" else None),
        )
        self._engine.kept_kernel_s = settings.kept_kernel_s
        self._engine.mirrors = settings.mirror_map
        self._builds = environments.Builds(services.folders.environments, self._built, settings.environment_build_timeout_s)
        self._engine.environments = environments.Environments(self._builds, installed_kernels)

    async def start(self) -> None:
        """Begin."""
        services = self._runtime.services
        services.environments = self._engine.environments
        services.aliases = environments.Aliases(services.folders.environment_aliases, self._runtime.settings.environment_aliases)
        await asyncio.to_thread(self._builds.start)
        await asyncio.to_thread(self._engine.start)
        self._runtime.services.jobs = self._engine
        self._tasks = [
            asyncio.create_task(self._every(KERNELS_EVERY_S, self._follow_processes)),
            asyncio.create_task(self._every(ACTIVE_EVERY_S, self._tell_active)),
            asyncio.create_task(self._every(COMPACT_EVERY_S, self._compact)),
            asyncio.create_task(self._every(SWEEP_EVERY_S, self._sweep)),
            asyncio.create_task(self._every(RETAIN_EVERY_S, self._retain)),
        ]

    async def stop(self) -> None:
        """End."""
        self._stopping.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._engine.stop)
        await asyncio.to_thread(self._builds.stop)

    def _built(self, whose: environments.Whose, ended: bool) -> None:
        """A build goes on, or has ended: jobs may wait for it."""
        self._runtime.services.hub.passing(whose.workspace, "environment", f"{whose.workspace}/{whose.name}")
        if ended:
            self._engine.wake()

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await work()
            except Exception:
                log.exception("Background work failed; trying again in %s s", seconds)

    async def _follow_processes(self) -> None:
        """First what dead notebooks and scripts could not send: it may say how their runs ended. Then the runs that nobody ended."""
        left = await asyncio.to_thread(self._take_spool)
        self._spool_left = self._spool_left + 1 if left else 0
        if self._spool_left in (0, SPOOL_ROUNDS):
            self._spool_left = 0
            await self._end_dead_runs()

    def _take_spool(self) -> bool:
        """True if something there cannot be taken now."""
        services = self._runtime.services
        folder = services.folders.spool
        done = spool.replay(str(folder), ingest.of_user(self._db, services.blobs, self._stopping))
        if done.rejected:
            log.warning(
                "%d record(s) of a notebook or script were refused; they are kept, with the reasons, in %s", done.rejected, folder
            )
        return done.left > 0

    async def _end_dead_runs(self) -> None:
        """Runs whose kernel or script is gone are Failed, reason `kernel_ended`."""
        followed = await self._db.read(runs.interactive_running)
        dead = await asyncio.to_thread(lambda: [run_id for run_id, process in followed if not process_alive(process)])
        # A process that died between the two looks may have left its last words in the spool.
        if dead:
            left = await asyncio.to_thread(self._take_spool)
            if left:
                return
        for run_id in dead:
            await self._db.write(lambda s, run_id=run_id: end_dead(s, run_id))  # type: ignore[misc]

    async def _tell_active(self) -> None:
        if self._engine.active():
            self._runtime.jobs_run()

    async def _sweep(self) -> None:
        """Free the bytes of what was deleted more than a day ago; forget batches that no client sends again, and tokens long dead."""
        services = self._runtime.services
        await asyncio.to_thread(accounting.sweep, services.blobs, self._db)
        await asyncio.to_thread(jobs_tasks.sweep, services.folders, self._db)
        await self._db.write(lambda s: runs.forget_batches(s, now_ms() - BATCHES_KEPT_MS))
        await self._db.write(lambda s: access.forget_old_tokens(s, now_ms() - TOKENS_KEPT_MS))

    async def _retain(self) -> None:
        """Let go the runs that no rule of retention keeps; empty the bin, where the setting says so."""
        await retention.apply_all(self._runtime.services, self._db)
        if days := self._runtime.settings.bin_days:
            await retention.empty_bin(self._runtime.services, self._db, days)

    async def _compact(self) -> None:
        await metrics_tasks.compact_due(self._db, COMPACT_STEPS)


def installed_kernels() -> set[str]:
    """Names of the kernels that are installed."""
    return {kernel.name for kernel in submit.installed_kernels().kernels}


def end_dead(session: Session, run_id: str) -> None:
    """End a run whose process is gone."""
    error = RunError(message="The kernel or script that logged to this run ended without ending the run.")
    try:
        runs.change_status(session, run_id, RunStatus.FAILED, actor="mlws", reason="kernel_ended", error=error)
    except StatusConflict:
        log.debug("Run %s ended by itself meanwhile", run_id)
