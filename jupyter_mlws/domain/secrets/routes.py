"""Routes of secrets: names go out, values only come in."""

from __future__ import annotations

import asyncio

from jupyter_mlws.domain.secrets import service
from jupyter_mlws.domain.secrets.errors import KeyMissing, KeyUnusable, SecretNotFound, UnusableSecret
from jupyter_mlws.domain.secrets.schemas import KeyRotation, Secret, SecretList, SecretPut
from jupyter_mlws.domain.workspaces.errors import WorkspaceArchived, WorkspaceNotFound
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.http import ApiHandler, Route, endpoint


class SecretsHandler(ApiHandler):
    """The secrets of a workspace."""

    @endpoint(Action.READ, summary="List secrets, without their values", reply=SecretList, errors=[WorkspaceNotFound])
    async def get(self, workspace: str) -> None:
        """Names, who set them when, and which jobs name them."""
        self.reply(await asyncio.to_thread(service.list_secrets, self.db, self.services.secrets, workspace))


class SecretHandler(ApiHandler):
    """One secret. There is no GET."""

    @endpoint(
        Action.EDIT,
        summary="Set a secret",
        body=SecretPut,
        reply=Secret,
        errors=[WorkspaceNotFound, WorkspaceArchived, UnusableSecret, KeyMissing, KeyUnusable],
    )
    async def put(self, workspace: str, name: str) -> None:
        """Make a secret, or give it another value. Jobs that run keep the value that they were given."""
        value, places = self.body.value, self.services.secrets
        self.reply(await asyncio.to_thread(service.put_secret, self.db, places, self.actor, workspace, name, value))

    @endpoint(Action.EDIT, summary="Delete a secret", status=204, errors=[WorkspaceNotFound, SecretNotFound])
    async def delete(self, workspace: str, name: str) -> None:
        """It is gone at once. Jobs that wait and name it fail when they are to begin."""
        actor = self.actor
        await self.db.write(lambda s: service.delete_secret(s, actor, workspace, name))
        self.set_status(204)


class RotateHandler(ApiHandler):
    """The key of all secrets."""

    @endpoint(Action.ADMIN, summary="Seal all secrets with a new key", reply=KeyRotation, errors=[KeyMissing, KeyUnusable])
    async def post(self) -> None:
        """Of all workspaces. A key that a person gave (MLWS_SECRETS_KEY, a file) is not changed; the answer says what to do."""
        self.reply(await asyncio.to_thread(service.rotate, self.db, self.services.secrets))


ROUTES = [
    Route("/workspaces/{workspace}/secrets", SecretsHandler),
    Route("/workspaces/{workspace}/secrets/{name}", SecretHandler),
    Route("/secrets/rotate-key", RotateHandler),
]
