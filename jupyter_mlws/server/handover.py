"""A headless server yields the data folder to a real one, or to whoever wants it stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from msgspec import Struct

from jupyter_mlws.kit.actors import Action, ActorKind
from jupyter_mlws.kit.errors import Conflict, Forbidden
from jupyter_mlws.kit.http import ApiHandler, Route, endpoint

if TYPE_CHECKING:
    from jupyter_mlws.server.runtime import Runtime


class NotHeadless(Conflict):
    """The server that owns the data folder is not one of the command line: somebody works in it."""

    code = "not_headless"


class Handover(Struct):
    """The server ends, once it has answered what was asked before."""

    leaving: bool


class YieldHandler(ApiHandler):
    """The end of a headless server."""

    @endpoint(Action.ADMIN, summary="Ask a headless server to leave", reply=Handover, errors=[NotHeadless])
    async def post(self) -> None:
        """It lets go of the data folder and ends; jobs go on, and the next server follows them."""
        if self.actor.kind is not ActorKind.LOCAL:
            raise Forbidden("Only processes of this user on this machine may ask for this.")
        leave = cast("Runtime", self.runtime).leave
        if leave is None:
            raise NotHeadless("A JupyterLab or Jupyter server owns this data folder; stop it where it was started.")
        self.reply(Handover(leaving=True))
        leave()


ROUTES = [Route("/owner/yield", YieldHandler)]
