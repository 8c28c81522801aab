"""Lends the kernel of a failed notebook to Jupyter's server, so that a console can be opened on it.

Jupyter's server has a way of its own, `allow_external_kernels`, for which it must be started with a folder that it looks through. Its
kernel managers that do not own their kernel are used here without that: they leave it alone when the server stops. What they cannot do,
telling that the kernel has died and interrupting it, is added, for its process is known.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from jupyter_server.prometheus.metrics import KERNEL_CURRENTLY_RUNNING_TOTAL
from tornado.httpclient import HTTPClientError

from jupyter_mlws.domain.jobs import service as jobs
from jupyter_mlws.domain.jobs.errors import NoKernelKept, NotAJob
from jupyter_mlws.domain.jobs.kept import as_wire, found_kernel
from jupyter_mlws.domain.jobs.schemas import KeptKernel
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.errors import Conflict
from jupyter_mlws.kit.http import ApiHandler, Route, endpoint
from mlws.jobdir import start_time

if TYPE_CHECKING:
    from jupyter_mlws.server.runtime import Runtime

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
_watching: set[asyncio.Task[None]] = set()


class KernelsElsewhere(Conflict):
    """This Jupyter server runs its kernels through a gateway, where those of jobs cannot be reached."""

    code = "kernels_elsewhere"


class AttachHandler(ApiHandler):
    """A console on a kept kernel. Answered by the server that the browser speaks to: that one must have the kernel."""

    forwards = False

    @endpoint(
        Action.SUBMIT,
        summary="Attach the kept kernel of a job",
        reply=KeptKernel,
        errors=[NotAJob, NoKernelKept, KernelsElsewhere],
    )
    async def post(self, run_id: str) -> None:
        """From now on this Jupyter server has the kernel, by its `kernel_id`. Again it changes nothing."""
        await self._check(run_id)
        told = await asyncio.to_thread(found_kernel, self.services.folders, run_id)
        wire = as_wire(run_id, told)
        attach(self.kernel_manager, wire.kernel_id, told)
        self.reply(wire)

    async def _check(self, run_id: str) -> None:
        """Whether there is such a job, and the caller may do with it what its kernel lets one do."""
        runtime, actor = cast("Runtime", self.runtime), self.actor
        if runtime.is_owner or runtime.forwarder is None:
            await self.db.read(lambda s: (runs.open_run(s, actor, Action.SUBMIT, run_id), jobs.job_row(s, run_id)))
            return
        try:
            await runtime.forwarder.call("GET", f"/jobs/{run_id}/kernel")
        except HTTPClientError as error:
            raise NoKernelKept("No kernel of this job is kept: it was not asked for, or it has ended by now.") from error


def attach(manager: Any, kernel_id: str, told: dict[str, Any]) -> None:
    """Give a kernel to Jupyter's kernel manager, which leaves it alone when it stops."""
    if kernel_id in manager:
        return
    if not hasattr(manager, "kernel_manager_factory") or not hasattr(manager, "start_watching_activity"):
        raise KernelsElsewhere(
            "This Jupyter server runs its kernels through a gateway; open the job's page on one that does not."
        )
    try:
        info = json.loads(Path(told["connection_file"]).read_bytes())
    except (OSError, ValueError):
        raise NoKernelKept("The kernel of this job ended just now.") from None
    kernel = manager.kernel_manager_factory(parent=manager, log=manager.log, owns_kernel=False)
    kernel.load_connection_info(info)
    kernel.kernel_id, kernel.kernel_name = kernel_id, str(told.get("kernel_name"))
    kernel.execution_state = "idle"
    kernel.ready.set_result(None)
    _adapt(kernel, told)
    manager._kernels[kernel_id] = kernel
    manager._kernel_connections[kernel_id] = 0
    manager._kernel_ports[kernel_id] = kernel.ports
    manager.start_watching_activity(kernel_id)
    KERNEL_CURRENTLY_RUNNING_TOTAL.labels(type=kernel.kernel_name).inc()
    watching = asyncio.get_running_loop().create_task(_watch(manager, kernel_id, kernel))
    _watching.add(watching)
    watching.add_done_callback(_watching.discard)


def _adapt(kernel: Any, told: dict[str, Any]) -> None:
    """What a manager does with a kernel that is not its own."""
    pid, started = int(told["pid"]), str(told["start_time"])

    async def is_alive() -> bool:
        return start_time(pid) == started

    async def interrupt_kernel() -> None:
        if told.get("interrupt_mode") == "message":
            kernel._connect_control_socket()
            kernel.session.send(kernel._control_socket, kernel.session.msg("interrupt_request", content={}))
        elif await is_alive():
            os.kill(pid, signal.SIGINT)

    async def shutdown_kernel(now: bool = False, restart: bool = False) -> None:
        del now, restart  # it is let go of; the job's page ends it

    async def restart_kernel(*_: Any, **__: Any) -> None:
        raise RuntimeError("This is the kernel of a failed job: it cannot be started anew. Run the job again instead.")

    kernel.is_alive, kernel.interrupt_kernel = is_alive, interrupt_kernel
    kernel.shutdown_kernel, kernel.restart_kernel = shutdown_kernel, restart_kernel


async def _watch(manager: Any, kernel_id: str, kernel: Any) -> None:
    """Take the kernel away from Jupyter's kernel manager once it has ended."""
    while manager._kernels.get(kernel_id) is kernel:
        if not await kernel.is_alive():
            log.info("The kept kernel %s has ended", kernel_id)
            kernel.execution_state = "dead"
            manager.stop_watching_activity(kernel_id)
            manager.remove_kernel(kernel_id)
            manager._kernel_connections.pop(kernel_id, None)
            manager._kernel_ports.pop(kernel_id, None)
            KERNEL_CURRENTLY_RUNNING_TOTAL.labels(type=kernel.kernel_name).dec()
            return
        await asyncio.sleep(LOOK_EVERY_S)


ROUTES = [Route("/jobs/{run_id}/kernel/attach", AttachHandler)]
