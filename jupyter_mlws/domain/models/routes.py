"""Routes by which models of other stores come here: `mlws import` uses them. All else of models goes over MLflow's protocol."""

from __future__ import annotations

from jupyter_mlws.domain.experiments.errors import ExperimentNotFound
from jupyter_mlws.domain.models import service
from jupyter_mlws.domain.models.errors import BadSource, LoggedModelNotFound, ModelTaken
from jupyter_mlws.domain.models.schemas import (
    ImportedLoggedModel,
    ImportedModel,
    LoggedModelImport,
    LoggedModelImportEnd,
    LoggedModelPoints,
    ModelImport,
)
from jupyter_mlws.domain.models.service.logged import ID
from jupyter_mlws.domain.runs.schemas import ImportQuestion, ImportStates
from jupyter_mlws.domain.workspaces.errors import WorkspaceNotFound
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.http import ApiHandler, Route, endpoint
from jupyter_mlws.kit.paths import BadPath


class LoggedKnownHandler(ApiHandler):
    """What is here."""

    @endpoint(
        Action.READ,
        summary="Which logged models of another store are here",
        body=ImportQuestion,
        reply=ImportStates,
        errors=[WorkspaceNotFound],
    )
    async def post(self, workspace: str) -> None:
        """The state of each of the logged models: missing, begun, complete, or taken by another one."""
        actor, body = self.actor, self.body
        self.reply(await self.db.read(lambda s: service.logged_states(s, actor, workspace, body)))


class LoggedImportHandler(ApiHandler):
    """One logged model of another store."""

    @endpoint(
        Action.EDIT,
        summary="Begin to import a logged model",
        body=LoggedModelImport,
        reply=ImportedLoggedModel,
        errors=[ExperimentNotFound, ModelTaken],
    )
    async def put(self, workspace: str, model_id: str) -> None:
        """Makes it under its own id. One that is here already is left as it is, and its state answered."""
        if ID.fullmatch(model_id) is None:
            raise BadPath("A logged model's id is `m-` and 32 digits, 0 to 9 and a to f.", field="model_id")
        actor, body = self.actor, self.body
        place = f"mlflow-artifacts:/{body.experiment_id}/models/{model_id}/artifacts"
        self.reply(await self.db.write(lambda s: service.begin_logged_import(s, actor, workspace, model_id, body, place)))


class PointsHandler(ApiHandler):
    """What was measured of it."""

    @endpoint(
        Action.EDIT,
        summary="Import points of a logged model",
        body=LoggedModelPoints,
        reply=ImportedLoggedModel,
        errors=[LoggedModelNotFound, ModelTaken],
    )
    async def post(self, workspace: str, model_id: str) -> None:
        """Points of metrics that runs measured of it. The same again change nothing."""
        actor, body = self.actor, self.body
        self.reply(await self.db.write(lambda s: service.import_points(s, actor, workspace, model_id, body)))


class LoggedFinishHandler(ApiHandler):
    """The end of an import."""

    @endpoint(
        Action.EDIT,
        summary="Finish the import of a logged model",
        body=LoggedModelImportEnd,
        reply=ImportedLoggedModel,
        errors=[LoggedModelNotFound, ModelTaken],
    )
    async def post(self, workspace: str, model_id: str) -> None:
        """All of it is here. Repeating it is harmless."""
        actor, body = self.actor, self.body
        self.reply(await self.db.write(lambda s: service.finish_logged_import(s, actor, workspace, model_id, body)))


class ModelImportHandler(ApiHandler):
    """Registered models of other stores."""

    @endpoint(
        Action.EDIT,
        summary="Import a registered model",
        body=ModelImport,
        reply=ImportedModel,
        errors=[ModelTaken, BadSource],
    )
    async def put(self, workspace: str) -> None:
        """Versions under their numbers, with stages, tags and aliases; what is here already stays as it is."""
        actor, body = self.actor, self.body
        self.reply(await self.db.write(lambda s: service.import_model(s, actor, workspace, body)))


ROUTES = [
    Route("/workspaces/{workspace}/imports/logged-models", LoggedKnownHandler),
    Route("/workspaces/{workspace}/imports/logged-models/{model_id}", LoggedImportHandler),
    Route("/workspaces/{workspace}/imports/logged-models/{model_id}/points", PointsHandler),
    Route("/workspaces/{workspace}/imports/logged-models/{model_id}/finish", LoggedFinishHandler),
    Route("/workspaces/{workspace}/imports/models", ModelImportHandler),
]
