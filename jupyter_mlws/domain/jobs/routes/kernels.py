"""Routes of the kernels that are kept when a cell of a notebook job failed."""

from __future__ import annotations

import asyncio

from jupyter_mlws.domain.jobs import kept, service
from jupyter_mlws.domain.jobs.errors import NoKernelKept, NotAJob
from jupyter_mlws.domain.jobs.schemas import KeptKernel
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.http import ApiHandler, Route, endpoint


class KernelHandler(ApiHandler):
    """The kernel that is kept of a job."""

    @endpoint(Action.READ, summary="The kept kernel of a job", reply=KeptKernel, errors=[NotAJob, NoKernelKept])
    async def get(self, run_id: str) -> None:
        """Until when it is kept."""
        await self._open(Action.READ, run_id)
        self.reply(await asyncio.to_thread(kept.kept_kernel, self.services.folders, run_id))

    @endpoint(Action.SUBMIT, summary="End the kept kernel of a job", status=204, errors=[NotAJob, NoKernelKept])
    async def delete(self, run_id: str) -> None:
        """With all its processes. The run stays as it is."""
        await self._open(Action.SUBMIT, run_id)
        await asyncio.to_thread(kept.end_kernel, self.services.folders, run_id)
        self.set_status(204)

    async def _open(self, action: Action, run_id: str) -> None:
        actor = self.actor
        await self.db.read(lambda s: (runs.open_run(s, actor, action, run_id), service.job_row(s, run_id)))


ROUTES = [Route("/jobs/{run_id}/kernel", KernelHandler)]
