"""Routes of experiments."""

from __future__ import annotations

from msgspec import Struct

from jupyter_mlws.domain.experiments import service
from jupyter_mlws.domain.experiments.deletion import delete_experiment
from jupyter_mlws.domain.experiments.errors import ExperimentExists, ExperimentInUse, ExperimentNotFound
from jupyter_mlws.domain.experiments.importing import import_experiment
from jupyter_mlws.domain.experiments.schemas import (
    Experiment,
    ExperimentCreate,
    ExperimentDeletion,
    ExperimentImport,
    ExperimentPage,
    ExperimentUpdate,
    ImportedExperiment,
)
from jupyter_mlws.domain.workspaces.errors import StaleVersion, WorkspaceNotFound
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.fields import SearchText
from jupyter_mlws.kit.http import ApiHandler, Route, endpoint, if_match
from jupyter_mlws.kit.pagination import Limit


class ListQuery(Struct):
    """Which experiments: those whose name contains `q`; archived ones instead of the others."""

    q: SearchText = ""
    archived: bool = False
    limit: Limit = 100
    cursor: str | None = None


class DeleteQuery(Struct):
    """Whether to delete, or only to tell what would go."""

    dry_run: bool = False


class ExperimentsHandler(ApiHandler):
    """The experiments of a workspace."""

    @endpoint(Action.READ, summary="List experiments", query=ListQuery, reply=ExperimentPage, errors=[WorkspaceNotFound])
    async def get(self, workspace: str) -> None:
        """The most recently used first."""
        q = self.query
        page = await self.db.read(
            lambda s: service.list_experiments(s, workspace, text=q.q, archived=q.archived, cursor=q.cursor, limit=q.limit)
        )
        self.reply(page)

    @endpoint(
        Action.CREATE,
        summary="Create an experiment",
        body=ExperimentCreate,
        reply=Experiment,
        status=201,
        errors=[ExperimentExists],
    )
    async def post(self, workspace: str) -> None:
        """Make an experiment. Submitting a job or logging a run under a new name makes it too."""
        body = self.body
        self.reply(await self.db.write(lambda s: service.create_experiment(s, workspace, body)))


class ExperimentHandler(ApiHandler):
    """One experiment."""

    @endpoint(Action.READ, summary="Show an experiment", reply=Experiment, errors=[ExperimentNotFound])
    async def get(self, experiment_id: str) -> None:
        """With the number of its runs by status, and its best run."""
        actor = self.actor
        self.reply(await self.db.read(lambda s: service.get_experiment(s, actor, experiment_id)))

    @endpoint(
        Action.EDIT,
        summary="Change an experiment",
        body=ExperimentUpdate,
        reply=Experiment,
        errors=[StaleVersion, ExperimentExists],
    )
    async def patch(self, experiment_id: str) -> None:
        """Change what is given. `If-Match: <version>` refuses to overwrite somebody else's change."""
        actor, body, version = self.actor, self.body, if_match(self)
        self.reply(await self.db.write(lambda s: service.update_experiment(s, actor, experiment_id, body, version)))

    @endpoint(Action.READ, summary="Delete an experiment", query=DeleteQuery, reply=ExperimentDeletion, errors=[ExperimentInUse])
    async def delete(self, experiment_id: str) -> None:
        """Delete an archived experiment with all its runs. With `dry_run=true` nothing is deleted and the answer tells what would be."""
        actor, dry_run = self.actor, self.query.dry_run
        self.reply(await delete_experiment(self.services, self.db, actor, experiment_id, dry_run=dry_run))


class ArchiveHandler(ApiHandler):
    """Out of sight."""

    @endpoint(Action.EDIT, summary="Archive an experiment", reply=Experiment)
    async def post(self, experiment_id: str) -> None:
        """Hide the experiment; its runs stay."""
        actor = self.actor
        self.reply(await self.db.write(lambda s: service.set_archived(s, actor, experiment_id, archived=True)))


class RestoreHandler(ApiHandler):
    """Back in sight."""

    @endpoint(Action.EDIT, summary="Restore an experiment", reply=Experiment)
    async def post(self, experiment_id: str) -> None:
        """Bring an archived experiment back."""
        actor = self.actor
        self.reply(await self.db.write(lambda s: service.set_archived(s, actor, experiment_id, archived=False)))


class ImportHandler(ApiHandler):
    """Experiments of other stores."""

    @endpoint(
        Action.EDIT,
        summary="Import an experiment",
        body=ExperimentImport,
        reply=ImportedExperiment,
        errors=[WorkspaceNotFound],
    )
    async def put(self, workspace: str) -> None:
        """Made with its tags and times if there is none of its name; one that is there stays as it is, and takes the runs."""
        body = self.body
        self.reply(await self.db.write(lambda s: import_experiment(s, workspace, body)))


ROUTES = [
    Route("/workspaces/{workspace}/experiments", ExperimentsHandler),
    Route("/workspaces/{workspace}/imports/experiments", ImportHandler),
    Route("/experiments/{experiment_id}", ExperimentHandler),
    Route("/experiments/{experiment_id}/archive", ArchiveHandler),
    Route("/experiments/{experiment_id}/restore", RestoreHandler),
]
