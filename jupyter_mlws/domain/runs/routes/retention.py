"""Routes of retention: of an experiment, and of a workspace for those of its experiments that have no rule of their own."""

from __future__ import annotations

from jupyter_mlws.domain.experiments import service as experiments
from jupyter_mlws.domain.experiments.errors import ExperimentNotFound
from jupyter_mlws.domain.runs.retention import apply_rule
from jupyter_mlws.domain.runs.schemas import Retention, RetentionApply, RetentionPlan, RetentionState
from jupyter_mlws.domain.runs.service import retention
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.domain.workspaces.errors import WorkspaceNotFound
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.errors import BadInput
from jupyter_mlws.kit.http import ApiHandler, Route, endpoint


class ExperimentRetentionHandler(ApiHandler):
    """Which runs of an experiment are kept."""

    async def _set(self, experiment_id: str, rule: Retention | None) -> None:
        actor = self.actor
        place = await self.db.read(lambda s: experiments.place(s, actor, Action.ADMIN, experiment_id))
        self.reply(await self.db.write(lambda s: retention.set_rule(s, *place, rule)))

    @endpoint(Action.READ, summary="Show the retention of an experiment", reply=RetentionState, errors=[ExperimentNotFound])
    async def get(self, experiment_id: str) -> None:
        """Its own rule, else that of its workspace; and what went last."""
        actor = self.actor
        place = await self.db.read(lambda s: experiments.place(s, actor, Action.READ, experiment_id))
        self.reply(await self.db.read(lambda s: retention.state(s, *place)))

    @endpoint(
        Action.ADMIN,
        summary="Set the retention of an experiment",
        body=Retention,
        reply=RetentionState,
        errors=[ExperimentNotFound],
    )
    async def put(self, experiment_id: str) -> None:
        """The rule is applied within the hour, and then every hour; `apply` with `dry_run` tells before what would go."""
        await self._set(experiment_id, self.body)

    @endpoint(Action.ADMIN, summary="Take the retention of an experiment away", reply=RetentionState, errors=[ExperimentNotFound])
    async def delete(self, experiment_id: str) -> None:
        """That of the workspace counts then, if there is one."""
        await self._set(experiment_id, None)


class ApplyHandler(ApiHandler):
    """A rule, now."""

    @endpoint(
        Action.ADMIN,
        summary="Apply a rule of retention now",
        body=RetentionApply,
        reply=RetentionPlan,
        errors=[ExperimentNotFound],
    )
    async def post(self, experiment_id: str) -> None:
        """The rule that is set, or another one this once. With `dry_run` nothing goes and the answer tells what would."""
        actor, body = self.actor, self.body
        workspace_id, number = await self.db.read(lambda s: experiments.place(s, actor, Action.ADMIN, experiment_id))
        rule = body.rule or (await self.db.read(lambda s: retention.state(s, workspace_id, number))).rule
        if rule is None:
            raise BadInput("This experiment has no rule of retention; give one, or set one.", field="rule")
        retention.check_rule(rule)
        self.reply(await apply_rule(self.services, self.db, workspace_id, number, rule, dry_run=body.dry_run))


class WorkspaceRetentionHandler(ApiHandler):
    """The rule of all experiments of a workspace that have none of their own."""

    async def _set(self, workspace: str, rule: Retention | None) -> None:
        space = await self.db.read(lambda s: workspaces.find(s, workspace))
        self.reply(await self.db.write(lambda s: retention.set_rule(s, space.id, retention.DEFAULT, rule)))

    @endpoint(Action.READ, summary="Show the retention of a workspace", reply=RetentionState, errors=[WorkspaceNotFound])
    async def get(self, workspace: str) -> None:
        """Its rule."""
        space = await self.db.read(lambda s: workspaces.find(s, workspace))
        self.reply(await self.db.read(lambda s: retention.state(s, space.id, retention.DEFAULT)))

    @endpoint(
        Action.ADMIN, summary="Set the retention of a workspace", body=Retention, reply=RetentionState, errors=[WorkspaceNotFound]
    )
    async def put(self, workspace: str) -> None:
        """For each experiment that has no rule of its own, by itself: `keep_last` keeps so many runs of each."""
        await self._set(workspace, self.body)

    @endpoint(Action.ADMIN, summary="Take the retention of a workspace away", reply=RetentionState, errors=[WorkspaceNotFound])
    async def delete(self, workspace: str) -> None:
        """Experiments with a rule of their own keep it."""
        await self._set(workspace, None)


ROUTES = [
    Route("/experiments/{experiment_id}/retention", ExperimentRetentionHandler),
    Route("/experiments/{experiment_id}/retention/apply", ApplyHandler),
    Route("/workspaces/{workspace}/retention", WorkspaceRetentionHandler),
]
