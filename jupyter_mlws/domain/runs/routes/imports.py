"""Routes by which runs of other stores come here: `mlws import` uses them. Metrics and files go over the routes that all runs have."""

from __future__ import annotations

from jupyter_mlws.domain.experiments.errors import ExperimentNotFound
from jupyter_mlws.domain.runs.errors import NotImporting, RunNotFound, RunTaken
from jupyter_mlws.domain.runs.schemas import (
    ImportedRun,
    ImportQuestion,
    ImportStates,
    ParentLinks,
    ParentsLinked,
    RunImport,
    RunImportEnd,
)
from jupyter_mlws.domain.runs.service import importing
from jupyter_mlws.domain.workspaces.errors import WorkspaceNotFound
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.http import ApiHandler, Route, endpoint
from jupyter_mlws.kit.ids import is_id
from jupyter_mlws.kit.paths import BadPath


class KnownHandler(ApiHandler):
    """What is here."""

    @endpoint(
        Action.READ,
        summary="Which runs of another store are here",
        body=ImportQuestion,
        reply=ImportStates,
        errors=[WorkspaceNotFound],
    )
    async def post(self, workspace: str) -> None:
        """The state of each of the runs: missing, begun, complete, unfinished, or taken by another run."""
        actor, body = self.actor, self.body
        self.reply(await self.db.read(lambda s: importing.import_states(s, actor, workspace, body)))


class ImportHandler(ApiHandler):
    """One run of another store."""

    @endpoint(
        Action.EDIT,
        summary="Begin to import a run",
        body=RunImport,
        reply=ImportedRun,
        errors=[ExperimentNotFound, RunTaken],
    )
    async def put(self, workspace: str, run_id: str) -> None:
        """Makes the run under its own id, with its times. One that is here already is left as it is, and its state answered."""
        if not is_id(run_id):
            raise BadPath("A run's id has 32 digits, 0 to 9 and a to f.", field="run_id")
        actor, body = self.actor, self.body
        self.reply(await self.db.write(lambda s: importing.begin_import(s, actor, workspace, run_id, body)))


class FinishHandler(ApiHandler):
    """The end of an import."""

    @endpoint(
        Action.EDIT,
        summary="Finish the import of a run",
        body=RunImportEnd,
        reply=ImportedRun,
        errors=[RunNotFound, NotImporting],
    )
    async def post(self, workspace: str, run_id: str) -> None:
        """All that was logged and all files are here: the run ends as it ended there. Repeating it is harmless."""
        actor, body = self.actor, self.body
        self.reply(await self.db.write(lambda s: importing.finish_import(s, actor, workspace, run_id, body)))


class ParentsHandler(ApiHandler):
    """Families."""

    @endpoint(Action.EDIT, summary="Name the parents of imported runs", body=ParentLinks, reply=ParentsLinked)
    async def post(self, workspace: str) -> None:
        """For runs that came before their parents. Those that have a parent keep it."""
        actor, body = self.actor, self.body
        self.reply(await self.db.write(lambda s: importing.link_parents(s, actor, workspace, body)))


ROUTES = [
    Route("/workspaces/{workspace}/imports/runs", KnownHandler),
    Route("/workspaces/{workspace}/imports/runs/{run_id}", ImportHandler),
    Route("/workspaces/{workspace}/imports/runs/{run_id}/finish", FinishHandler),
    Route("/workspaces/{workspace}/imports/parents", ParentsHandler),
]
