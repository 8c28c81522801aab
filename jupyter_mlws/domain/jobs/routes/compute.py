"""Routes of compute targets: with what runs on them, and what waits."""

from __future__ import annotations

import asyncio

from jupyter_mlws.domain.compute.schemas import ComputeList, ComputeTarget, ComputeUpdate
from jupyter_mlws.domain.jobs import computes, service
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.http import ApiHandler, Route, endpoint


class ComputesHandler(ApiHandler):
    """Compute targets."""

    @endpoint(Action.READ, summary="Compute targets", reply=ComputeList)
    async def get(self) -> None:
        """With their load, their queue, and why each job in it waits."""
        self.reply(await targets(self))


class ComputeHandler(ApiHandler):
    """One compute target."""

    @endpoint(Action.READ, summary="A compute target", reply=ComputeTarget, errors=[computes.ComputeNotFound])
    async def get(self, name: str) -> None:
        """With its load, its queue, and why each job in it waits."""
        self.reply(await one_target(self, name))

    @endpoint(
        Action.ADMIN,
        summary="Change a compute target",
        body=ComputeUpdate,
        reply=ComputeTarget,
        errors=[computes.ComputeNotFound],
    )
    async def patch(self, name: str) -> None:
        """What jobs may have of it, and whether any start, from now on and after a restart. Those that run go on in any case."""
        await asyncio.to_thread(computes.change, self.services, name, self.body)
        actor = self.actor
        for workspace in await self.db.read(lambda s: service.list_workspaces(s, actor)):
            self.services.hub.passing(workspace, "compute", name)
        self.reply(await one_target(self, name))


async def targets(handler: ApiHandler) -> ComputeList:
    """All targets, their loads asked for off the event loop."""
    adapters = list(handler.services.jobs.computes.values())
    loads = await asyncio.gather(*(asyncio.to_thread(adapter.load) for adapter in adapters))
    actor = handler.actor
    usual = handler.services.jobs.usual
    return await handler.db.read(lambda s: computes.describe(s, actor, list(zip(adapters, loads, strict=True)), usual))


async def one_target(handler: ApiHandler, name: str) -> ComputeTarget:
    """The target of this name. Raises `ComputeNotFound`."""
    computes.find(handler.services.jobs.computes, name)
    return next(target for target in (await targets(handler)).targets if target.name == name)


ROUTES = [
    Route("/compute", ComputesHandler),
    Route("/compute/{name}", ComputeHandler),
]
