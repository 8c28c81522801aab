"""Routes of a run itself."""

from __future__ import annotations

import asyncio

from msgspec import Struct

from jupyter_mlws.domain.environments import service as environments
from jupyter_mlws.domain.environments.errors import NothingCaptured, UnusableDefinition, UnusableEnvironment
from jupyter_mlws.domain.environments.schemas import EnvironmentCapture, EnvironmentCreate, EnvironmentFromRun, EnvironmentVersion
from jupyter_mlws.domain.runs import service
from jupyter_mlws.domain.runs.deletion import delete_run
from jupyter_mlws.domain.runs.errors import (
    JobOwnsStatus,
    ParamConflict,
    RunActive,
    RunDeleted,
    RunNotDeleted,
    RunNotFound,
    StatusConflict,
)
from jupyter_mlws.domain.runs.schemas import (
    DeletePlan,
    IODeclare,
    LogBatch,
    LogReply,
    Run,
    RunEnd,
    RunUpdate,
    StatusHistory,
)
from jupyter_mlws.domain.workspaces.errors import StaleVersion
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.http import ApiHandler, Route, endpoint, if_match


class DeleteQuery(Struct):
    """Into the bin, or (purge) for good; or only tell what would go."""

    purge: bool = False
    dry_run: bool = False


class RunHandler(ApiHandler):
    """One run."""

    @endpoint(Action.READ, summary="Show a run", reply=Run, errors=[RunNotFound])
    async def get(self, run_id: str) -> None:
        """Status, params, latest metrics, tags, note, inputs and outputs."""
        actor = self.actor
        self.reply(await self.db.read(lambda s: service.get_run(s, actor, run_id)))

    @endpoint(Action.LOG, summary="Change a run", body=RunUpdate, reply=Run, errors=[StaleVersion, RunDeleted])
    async def patch(self, run_id: str) -> None:
        """Change what is given. `If-Match: <version>` refuses to overwrite somebody else's change."""
        actor, body, version = self.actor, self.body, if_match(self)
        self.reply(await self.db.write(lambda s: service.update_run(s, actor, run_id, body, version)))

    @endpoint(Action.READ, summary="Delete a run", query=DeleteQuery, reply=DeletePlan, errors=[RunActive, RunNotDeleted])
    async def delete(self, run_id: str) -> None:
        """Into the bin with the runs below it; with `purge=true` for good. `dry_run=true` only tells what would go."""
        actor, q = self.actor, self.query
        self.reply(await delete_run(self.services, self.db, actor, run_id, purge=q.purge, dry_run=q.dry_run))


class RestoreHandler(ApiHandler):
    """Back from the bin."""

    @endpoint(Action.EDIT, summary="Restore a run", reply=Run)
    async def post(self, run_id: str) -> None:
        """Bring a deleted run and the runs below it back."""
        actor = self.actor
        self.reply(await self.db.write(lambda s: service.restore_run(s, actor, run_id)))


class EndHandler(ApiHandler):
    """The end of a run."""

    @endpoint(Action.LOG, summary="End an interactive run", body=RunEnd, reply=Run, errors=[StatusConflict, JobOwnsStatus])
    async def post(self, run_id: str) -> None:
        """Completed, Failed (with an error) or Canceled. Repeating it is harmless."""
        actor, body = self.actor, self.body
        self.reply(await self.db.write(lambda s: service.end_run(s, actor, run_id, body)))


class HistoryHandler(ApiHandler):
    """What became of a run."""

    @endpoint(Action.READ, summary="Status history of a run", reply=StatusHistory)
    async def get(self, run_id: str) -> None:
        """All status changes, oldest first, with who made them."""
        actor = self.actor
        self.reply(await self.db.read(lambda s: service.history(s, actor, run_id)))


class LogHandler(ApiHandler):
    """Logging."""

    @endpoint(
        Action.LOG, summary="Log metrics, params and tags", body=LogBatch, reply=LogReply, errors=[ParamConflict, RunDeleted]
    )
    async def post(self, run_id: str) -> None:
        """All or nothing. The same `batch_id` again stores nothing and answers 0."""
        actor, body = self.actor, self.body
        self.reply(await self.db.write(lambda s: service.log_batch(s, actor, run_id, body), repeatable=True))


class IOHandler(ApiHandler):
    """Inputs and outputs."""

    @endpoint(Action.LOG, summary="Note inputs and outputs of a run", body=IODeclare, reply=Run)
    async def post(self, run_id: str) -> None:
        """Added to those that are noted already; one of the same name is replaced."""
        actor, body = self.actor, self.body
        self.reply(await self.db.write(lambda s: service.declare_io(s, actor, run_id, body)))


class EnvironmentHandler(ApiHandler):
    """What a run ran in."""

    @endpoint(Action.READ, summary="Environment of a run", reply=EnvironmentCapture)
    async def get(self, run_id: str) -> None:
        """Interpreter, platform, packages and git state as captured; empty where nothing was."""
        actor = self.actor
        self.reply(await self.db.read(lambda s: environments.of_run(s, service.open_run(s, actor, Action.READ, run_id).id)))

    @endpoint(Action.LOG, summary="Note the environment of a run", body=EnvironmentCapture, reply=EnvironmentCapture)
    async def put(self, run_id: str) -> None:
        """Replaces what was captured before; credentials in the git remote are removed."""
        actor, body = self.actor, self.body
        self.reply(await self.db.write(lambda s: service.note_environment(s, actor, run_id, body)))

    @endpoint(
        Action.SUBMIT,
        summary="Make an environment of what a run ran in",
        body=EnvironmentFromRun,
        reply=EnvironmentVersion,
        status=201,
        errors=[RunNotFound, NothingCaptured, UnusableDefinition, UnusableEnvironment],
    )
    async def post(self, run_id: str) -> None:
        """Its packages with their versions, for the same Python; of a kernel of another language that kernel. Nothing is built yet."""
        actor, asked = self.actor, self.body
        ref = await self.db.read(lambda s: service.open_run(s, actor, Action.SUBMIT, run_id))
        capture = await self.db.read(lambda s: environments.of_run(s, run_id))
        here: environments.Environments = self.services.environments
        definition = await asyncio.to_thread(here.check, environments.from_run(capture, run_id))
        body = EnvironmentCreate(name=asked.name, definition=definition, description=asked.description, tags=asked.tags)
        made = await self.db.write(lambda s: environments.create(s, actor, ref.workspace, body))
        self.reply(await asyncio.to_thread(here.told, made))


ROUTES = [
    Route("/runs/{run_id}", RunHandler),
    Route("/runs/{run_id}/restore", RestoreHandler),
    Route("/runs/{run_id}/end", EndHandler),
    Route("/runs/{run_id}/history", HistoryHandler),
    Route("/runs/{run_id}/log", LogHandler),
    Route("/runs/{run_id}/io", IOHandler),
    Route("/runs/{run_id}/environment", EnvironmentHandler),
]
