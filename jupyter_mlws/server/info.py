"""Health, the server's own description, and its OpenAPI document."""

from __future__ import annotations

import functools
from typing import Any

from msgspec import Struct

from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.http import API, ApiHandler, Route, endpoint


class Health(Struct):
    """The database answers."""

    status: str


class Caller(Struct):
    """Who the server takes the caller for."""

    name: str
    kind: str
    workspace: str | None


class Info(Struct):
    """This server."""

    version: str
    api: str
    data_dir: str
    actor: Caller
    seq: int
    """Sequence number of the last change: where to begin to follow `changes`."""


class HealthHandler(ApiHandler):
    """Whether the server works."""

    @endpoint(Action.READ, summary="Health", reply=Health)
    async def get(self) -> None:
        """Answers once the database does."""
        await self.db.read(lambda s: s.connection().exec_driver_sql("SELECT 1").scalar())
        self.reply(Health("ok"))


class InfoHandler(ApiHandler):
    """What this server is."""

    @endpoint(Action.READ, summary="This server", reply=Info)
    async def get(self) -> None:
        """Version, data folder, the caller, and where the stream of changes stands."""
        from jupyter_mlws import __version__  # noqa: PLC0415 - read from the package's metadata when asked

        caller = Caller(self.actor.name, self.actor.kind.value, self.actor.workspace)
        self.reply(Info(__version__, "v1", str(self.services.folders.root), caller, self.db.seq))


class OpenApiHandler(ApiHandler):
    """The API's description of itself."""

    @endpoint(Action.READ, summary="OpenAPI 3.1 document", reply=dict[str, Any])
    async def get(self) -> None:
        """Generated from the routes of this very server."""
        self.reply(document())


@functools.cache
def document() -> dict[str, Any]:
    """The OpenAPI document of all routes."""
    from jupyter_mlws import __version__  # noqa: PLC0415 - read from the package's metadata when asked
    from jupyter_mlws.kit.openapi import build  # noqa: PLC0415 - needed on request only
    from jupyter_mlws.server.routes import all_routes  # noqa: PLC0415 - the routes contain this module

    return build(all_routes(), title="Jupyter ML Workspace", version=__version__, base=API)


ROUTES = [Route("/health", HealthHandler), Route("/info", InfoHandler), Route("/openapi.json", OpenApiHandler)]
