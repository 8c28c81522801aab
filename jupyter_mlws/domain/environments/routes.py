"""Routes of environments and of the alias table."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_mlws.domain.environments import references, service
from jupyter_mlws.domain.environments.errors import EnvironmentNotFound, NothingToBuild, UnusableDefinition, UnusableEnvironment
from jupyter_mlws.domain.environments.schemas import (
    AliasList,
    AliasUpdate,
    BuildLog,
    BuildLogQuery,
    Environment,
    EnvironmentBuild,
    EnvironmentCreate,
    EnvironmentList,
    EnvironmentQuery,
    EnvironmentVersion,
    EnvironmentVersions,
    VersionQuery,
)
from jupyter_mlws.domain.workspaces.errors import WorkspaceArchived, WorkspaceNotFound
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.errors import BadInput
from jupyter_mlws.kit.http import ApiHandler, Route, endpoint

if TYPE_CHECKING:
    from jupyter_mlws.domain.environments.service import Environments


class EnvironmentHandler(ApiHandler):
    """What all of these share."""

    @property
    def environments(self) -> Environments:
        """Builds on this machine."""
        found: Environments = self.services.environments
        return found

    async def version(self, action: Action, workspace: str, name: str, version: str) -> EnvironmentVersion:
        """A version that the caller may do this with."""
        actor = self.actor
        return await self.db.read(lambda s: service.get_version(s, actor, action, workspace, name, version))

    async def tell(self, found: Any) -> None:
        """Answer, with how far each environment is built."""
        self.reply(await asyncio.to_thread(self.environments.told, found))


class EnvironmentsHandler(EnvironmentHandler):
    """The environments of a workspace."""

    @endpoint(Action.READ, summary="List environments", query=EnvironmentQuery, reply=EnvironmentList, errors=[WorkspaceNotFound])
    async def get(self, workspace: str) -> None:
        """By name, each with its newest version and how far that is built."""
        actor, q = self.actor, self.query
        await self.tell(
            await self.db.read(
                lambda s: service.list_environments(s, actor, workspace, archived=q.archived, cursor=q.cursor, limit=q.limit)
            )
        )

    @endpoint(
        Action.SUBMIT,
        summary="Make an environment or a version of one",
        body=EnvironmentCreate,
        reply=EnvironmentVersion,
        status=201,
        errors=[WorkspaceNotFound, WorkspaceArchived, UnusableDefinition, UnusableEnvironment],
    )
    async def post(self, workspace: str) -> None:
        """The same definition again answers the version that has it. Nothing is built yet; an archived one comes back."""
        actor = self.actor
        definition = await asyncio.to_thread(self.environments.check, self.body.definition)
        body = msgspec.structs.replace(self.body, definition=definition)
        await self.tell(await self.db.write(lambda s: service.create(s, actor, workspace, body)))


class VersionsHandler(EnvironmentHandler):
    """One environment."""

    @endpoint(
        Action.READ,
        summary="Versions of an environment",
        query=VersionQuery,
        reply=EnvironmentVersions,
        errors=[WorkspaceNotFound, EnvironmentNotFound],
    )
    async def get(self, workspace: str, name: str) -> None:
        """The newest first."""
        actor, q = self.actor, self.query
        await self.tell(
            await self.db.read(lambda s: service.list_versions(s, actor, workspace, name, cursor=q.cursor, limit=q.limit))
        )


class VersionHandler(EnvironmentHandler):
    """One version."""

    @endpoint(Action.READ, summary="A version of an environment", reply=EnvironmentVersion, errors=[EnvironmentNotFound])
    async def get(self, workspace: str, name: str, version: str) -> None:
        """By its number, or `latest`."""
        await self.tell(await self.version(Action.READ, workspace, name, version))


class ArchiveHandler(EnvironmentHandler):
    """Out of the way."""

    @endpoint(Action.EDIT, summary="Archive an environment", reply=Environment, errors=[EnvironmentNotFound])
    async def post(self, workspace: str, name: str) -> None:
        """New jobs cannot name it any more; jobs that have it keep it."""
        actor = self.actor
        await self.tell(await self.db.write(lambda s: service.set_archived(s, actor, workspace, name, archived=True)))


class RestoreHandler(EnvironmentHandler):
    """Back again."""

    @endpoint(Action.EDIT, summary="Restore an environment", reply=Environment, errors=[EnvironmentNotFound])
    async def post(self, workspace: str, name: str) -> None:
        """From the archive."""
        actor = self.actor
        await self.tell(await self.db.write(lambda s: service.set_archived(s, actor, workspace, name, archived=False)))


class BuildHandler(EnvironmentHandler):
    """The build of a version."""

    @endpoint(
        Action.SUBMIT,
        summary="Build an environment",
        reply=EnvironmentBuild,
        errors=[EnvironmentNotFound, NothingToBuild, UnusableEnvironment],
    )
    async def post(self, workspace: str, name: str, version: str) -> None:
        """Begins it, also after one that failed, and answers at once. What is Ready or being built stays as it is."""
        found = await self.version(Action.SUBMIT, workspace, name, version)
        whose = service.Whose(workspace, found.name)
        self.reply(await asyncio.to_thread(self.environments.build, found.definition, whose))
        self.services.hub.passing(workspace, "environment", f"{workspace}/{found.name}")


class CancelBuildHandler(EnvironmentHandler):
    """The end of a build, asked for."""

    @endpoint(Action.SUBMIT, summary="Cancel a build", reply=EnvironmentBuild, errors=[EnvironmentNotFound, NothingToBuild])
    async def post(self, workspace: str, name: str, version: str) -> None:
        """All its processes are ended. Jobs that wait for it fail."""
        found = await self.version(Action.SUBMIT, workspace, name, version)
        self.reply(await asyncio.to_thread(self.environments.cancel, found.definition))


class BuildLogHandler(EnvironmentHandler):
    """What a build says."""

    @endpoint(Action.READ, summary="Log of a build", query=BuildLogQuery, reply=BuildLog, errors=[EnvironmentNotFound])
    async def get(self, workspace: str, name: str, version: str) -> None:
        """Of the last one, in whole lines from a byte offset on."""
        found, q = await self.version(Action.READ, workspace, name, version), self.query
        self.reply(await asyncio.to_thread(self.environments.log, found.definition, q.offset, q.limit))


class AliasesHandler(EnvironmentHandler):
    """The alias table of this server."""

    @endpoint(Action.READ, summary="The alias table of environments", reply=AliasList)
    async def get(self) -> None:
        """What job files of elsewhere call environments, and what that means here."""
        self.reply(await asyncio.to_thread(self.services.aliases.listed))

    @endpoint(Action.ADMIN, summary="Change the alias table", body=AliasUpdate, reply=AliasList)
    async def patch(self) -> None:
        """Sets aliases, or (null) removes them. It counts for all workspaces of this server, for jobs submitted from now on."""
        aliases, changes = self.services.aliases, self.body.aliases
        fixed = [one for one, name in changes.items() if name is None and aliases.in_settings(one)]
        if fixed:
            raise BadInput(
                f"The alias {fixed[0]!r} stands in the server's settings (MlwsApp.environment_aliases) and is removed there.",
                field="aliases",
            )
        for one, name in changes.items():
            if name is not None and references.read(name) is None:
                words = f"The alias {one[:200]!r} can mean an environment (`name`, `name:version`, `name@latest`), not {name[:200]!r}."
                raise BadInput(words, field="aliases")
        self.reply(await asyncio.to_thread(aliases.change, changes))


ROUTES = [
    Route("/workspaces/{workspace}/environments", EnvironmentsHandler),
    Route("/workspaces/{workspace}/environments/{name}", VersionsHandler),
    Route("/workspaces/{workspace}/environments/{name}/archive", ArchiveHandler),
    Route("/workspaces/{workspace}/environments/{name}/restore", RestoreHandler),
    Route("/workspaces/{workspace}/environments/{name}/versions/{version}", VersionHandler),
    Route("/workspaces/{workspace}/environments/{name}/versions/{version}/build", BuildHandler),
    Route("/workspaces/{workspace}/environments/{name}/versions/{version}/build/cancel", CancelBuildHandler),
    Route("/workspaces/{workspace}/environments/{name}/versions/{version}/build/log", BuildLogHandler),
    Route("/environment-aliases", AliasesHandler),
]
