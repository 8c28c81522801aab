"""Routes of workspaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from msgspec import Struct

from jupyter_mlws.domain.workspaces import service
from jupyter_mlws.domain.workspaces.deletion import delete_workspace
from jupyter_mlws.domain.workspaces.errors import DefaultWorkspace, NotArchived, StaleVersion, WorkspaceExists, WorkspaceNotFound
from jupyter_mlws.domain.workspaces.resources import resources_of
from jupyter_mlws.domain.workspaces.schemas import (
    ResourceList,
    Workspace,
    WorkspaceCreate,
    WorkspaceDeletion,
    WorkspaceList,
    WorkspaceUpdate,
)
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.http import ApiHandler, Route, endpoint, if_match

if TYPE_CHECKING:
    from jupyter_mlws.db.database import Database


class ListQuery(Struct):
    """Which workspaces: those in use, or those in the archive."""

    archived: bool = False


class DeleteQuery(Struct):
    """Whether to delete, or only to tell what would go."""

    dry_run: bool = False


class WorkspacesHandler(ApiHandler):
    """All workspaces."""

    @endpoint(Action.READ, summary="List workspaces", query=ListQuery, reply=WorkspaceList)
    async def get(self) -> None:
        """The workspaces that the caller may see, with the number of their experiments and runs."""
        actor, archived = self.actor, self.query.archived
        self.reply(await self.db.read(lambda s: service.list_workspaces(s, actor, archived=archived)))

    @endpoint(
        Action.ADMIN, summary="Create a workspace", body=WorkspaceCreate, reply=Workspace, status=201, errors=[WorkspaceExists]
    )
    async def post(self) -> None:
        """Make a workspace; it answers at its address at once."""
        actor, body = self.actor, self.body
        self.reply(await self.db.write(lambda s: service.create_workspace(s, actor, body)))


class WorkspaceHandler(ApiHandler):
    """One workspace."""

    @endpoint(Action.READ, summary="Show a workspace", reply=Workspace, errors=[WorkspaceNotFound])
    async def get(self, workspace: str) -> None:
        """The workspace of this name."""
        self.reply(await self.db.read(lambda s: service.get_workspace(s, workspace)))

    @endpoint(
        Action.ADMIN, summary="Rename or describe a workspace", body=WorkspaceUpdate, reply=Workspace, errors=[StaleVersion]
    )
    async def patch(self, workspace: str) -> None:
        """Change what is given. `If-Match: <version>` refuses to overwrite somebody else's change."""
        body, version = self.body, if_match(self)
        changed = await self.db.write(lambda s: service.update_workspace(s, workspace, body, version))
        self.runtime.forget_tokens()  # they are remembered with the name of their workspace
        self.reply(changed)

    @endpoint(
        Action.ADMIN,
        summary="Delete a workspace",
        query=DeleteQuery,
        reply=WorkspaceDeletion,
        errors=[NotArchived, DefaultWorkspace],
    )
    async def delete(self, workspace: str) -> None:
        """Delete an archived workspace with all it holds. With `dry_run=true` nothing is deleted and the answer tells what would be."""
        dry_run = self.query.dry_run
        plan = await delete_workspace(self.services, self.db, workspace, dry_run=dry_run)
        self.runtime.forget_tokens()
        self.reply(plan)


class ArchiveHandler(ApiHandler):
    """Out of sight."""

    @endpoint(Action.ADMIN, summary="Archive a workspace", reply=Workspace, errors=[DefaultWorkspace])
    async def post(self, workspace: str) -> None:
        """Hide the workspace; nothing is lost."""
        self.reply(await self.db.write(lambda s: service.set_archived(s, workspace, archived=True)))


class RestoreHandler(ApiHandler):
    """Back in sight."""

    @endpoint(Action.ADMIN, summary="Restore a workspace", reply=Workspace)
    async def post(self, workspace: str) -> None:
        """Bring an archived workspace back."""
        self.reply(await self.db.write(lambda s: service.set_archived(s, workspace, archived=False)))


class ResourcesHandler(ApiHandler):
    """What a workspace stands on."""

    @endpoint(Action.READ, summary="Associated resources of a workspace", reply=ResourceList)
    async def get(self, workspace: str) -> None:
        """Database, artifact store, jobs folder and secret store, with path, size and health as checked just now."""
        found = await self.db.read(lambda s: service.find(s, workspace))
        self.reply(await resources_of(cast("Database", self.db), self.services, found))


ROUTES = [
    Route("/workspaces", WorkspacesHandler),
    Route("/workspaces/{workspace}", WorkspaceHandler),
    Route("/workspaces/{workspace}/archive", ArchiveHandler),
    Route("/workspaces/{workspace}/restore", RestoreHandler),
    Route("/workspaces/{workspace}/resources", ResourcesHandler),
]
