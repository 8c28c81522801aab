"""Routes of compute targets: with what runs on them, and what waits."""

from __future__ import annotations

import asyncio

from jupyter_mlws.domain.compute import service as compute
from jupyter_mlws.domain.compute.errors import (
    ComputeExists,
    ComputeFixed,
    ComputeInUse,
    ComputeNotFound,
    ExtraMissing,
    HostSilent,
    TargetRefuses,
)
from jupyter_mlws.domain.compute.schemas import (
    ComputeCreate,
    ComputeDeleteQuery,
    ComputeList,
    ComputeTarget,
    ComputeTest,
    ComputeUpdate,
    ComputeUsage,
    EndedJobPage,
    EndedJobsQuery,
    HostKeyQuery,
    ShownKeys,
    UsageQuery,
)
from jupyter_mlws.domain.jobs import computes, history, service
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.http import ApiHandler, Route, endpoint


class ComputesHandler(ApiHandler):
    """Compute targets."""

    @endpoint(Action.READ, summary="Compute targets", reply=ComputeList)
    async def get(self) -> None:
        """With their load, their queue, and why each job in it waits."""
        self.reply(await targets(self))

    @endpoint(
        Action.ADMIN,
        summary="Make a compute target",
        body=ComputeCreate,
        reply=ComputeTarget,
        status=201,
        errors=[ComputeExists, ExtraMissing, HostSilent, TargetRefuses],
    )
    async def post(self) -> None:
        """A host on which jobs run, reached by SSH, whose key must be given: it is never believed without. Or Slurm, PBS or
        LSF, where `sbatch`, `qsub` or `bsub` is, or by way of such a host. Or another Jupyter server, whose kernels run notebooks."""
        await asyncio.to_thread(computes.create, self.services, self.db, self.actor, self.body)
        await tell(self, self.body.name)
        self.set_status(201)
        self.reply(await one_target(self, self.body.name))


class ComputeHandler(ApiHandler):
    """One compute target."""

    @endpoint(Action.READ, summary="A compute target", reply=ComputeTarget, errors=[ComputeNotFound])
    async def get(self, name: str) -> None:
        """With its load, its queue, and why each job in it waits."""
        self.reply(await one_target(self, name))

    @endpoint(
        Action.ADMIN,
        summary="Change a compute target",
        body=ComputeUpdate,
        reply=ComputeTarget,
        errors=[ComputeNotFound, ComputeFixed, HostSilent, TargetRefuses],
    )
    async def patch(self, name: str) -> None:
        """What jobs may have of it, and whether any start, from now on and after a restart. Those that run go on in any case."""
        await asyncio.to_thread(computes.change, self.services, self.db, self.actor, name, self.body)
        await tell(self, name)
        self.reply(await one_target(self, name))

    @endpoint(
        Action.ADMIN,
        summary="Delete a compute target",
        query=ComputeDeleteQuery,
        status=204,
        errors=[ComputeNotFound, ComputeFixed, ComputeInUse],
    )
    async def delete(self, name: str) -> None:
        """Refused while jobs run there, unless they are given up. What lies on the host stays."""
        await asyncio.to_thread(computes.delete, self.services, self.db, name, force=self.query.force)
        await tell(self, name)
        self.set_status(204)


class ComputeTestHandler(ApiHandler):
    """Whether a target can be used."""

    @endpoint(
        Action.ADMIN, summary="Test a compute target", reply=ComputeTest, errors=[ComputeNotFound, ComputeFixed, ExtraMissing]
    )
    async def post(self, name: str) -> None:
        """What it has and lacks, step by step, each tried for real. Takes some seconds."""
        self.reply(await asyncio.to_thread(computes.test, self.services, self.db, name))
        await tell(self, name)


class ComputeJobsHandler(ApiHandler):
    """What has ended on a target."""

    @endpoint(
        Action.READ,
        summary="Jobs that have ended on a target",
        query=EndedJobsQuery,
        reply=EndedJobPage,
        errors=[ComputeNotFound],
    )
    async def get(self, name: str) -> None:
        """The last first: how long each waited and ran, and what it used. Those that run or wait stand in the target itself."""
        computes.find(self.services.jobs.computes, name)
        actor, query = self.actor, self.query
        self.reply(await self.db.read(lambda s: history.ended_jobs(s, actor, name, limit=query.limit, cursor=query.cursor)))


class ComputeUsageHandler(ApiHandler):
    """Who has used a target."""

    @endpoint(Action.READ, summary="Usage of a target by user", query=UsageQuery, reply=ComputeUsage, errors=[ComputeNotFound])
    async def get(self, name: str) -> None:
        """Jobs, time, CPU time and peak memory of each user, of the jobs that have ended within the span."""
        computes.find(self.services.jobs.computes, name)
        actor, span = self.actor, self.query.span
        self.reply(await self.db.read(lambda s: history.usage(s, actor, name, span)))


class HostKeysHandler(ApiHandler):
    """Keys of hosts."""

    @endpoint(
        Action.ADMIN,
        summary="The keys that a host shows",
        body=HostKeyQuery,
        reply=ShownKeys,
        errors=[ExtraMissing, HostSilent],
    )
    async def post(self) -> None:
        """Compare one with what the host's owner says before a target is made with it."""
        host, port = self.body.host, self.body.port or 22
        self.reply(ShownKeys(keys=await asyncio.to_thread(compute.keys.shown, host, port)))


async def tell(handler: ApiHandler, name: str) -> None:
    """All browsers learn that a target has changed."""
    actor = handler.actor
    for workspace in await handler.db.read(lambda s: service.list_workspaces(s, actor)):
        handler.services.hub.passing(workspace, "compute", name)


async def targets(handler: ApiHandler) -> ComputeList:
    """All targets, their loads asked for off the event loop."""
    adapters = list(handler.services.jobs.computes.values())
    loads = await asyncio.gather(*(asyncio.to_thread(adapter.load) for adapter in adapters))
    actor = handler.actor
    jobs = handler.services.jobs
    return await handler.db.read(lambda s: computes.describe(s, actor, list(zip(adapters, loads, strict=True)), jobs))


async def one_target(handler: ApiHandler, name: str) -> ComputeTarget:
    """The target of this name. Raises `ComputeNotFound`."""
    for target in (await targets(handler)).targets:
        if target.name == name:
            return target
    raise ComputeNotFound(name)


ROUTES = [
    Route("/compute", ComputesHandler),
    Route("/compute/{name}", ComputeHandler),
    Route("/compute/{name}/test", ComputeTestHandler),
    Route("/compute/{name}/jobs", ComputeJobsHandler),
    Route("/compute/{name}/usage", ComputeUsageHandler),
    Route("/ssh/host-keys", HostKeysHandler),
]
