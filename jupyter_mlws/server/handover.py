"""A headless server yields the data folder to a real one, or to whoever wants it stopped."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, cast

from msgspec import Struct
from tornado.httpclient import HTTPClientError

from jupyter_mlws.kit.actors import Action, ActorKind
from jupyter_mlws.kit.errors import Conflict, Forbidden, Unavailable
from jupyter_mlws.kit.http import ApiHandler, Route, endpoint
from jupyter_mlws.server.owner import read_address

if TYPE_CHECKING:
    from jupyter_mlws.kit.paths import Folders
    from jupyter_mlws.server.proxy import Forwarder
    from jupyter_mlws.server.runtime import Runtime

log = logging.getLogger(__name__)


class Asking:
    """A real server asks the headless owner of its data folder, once, to let go."""

    def __init__(self, folders: Folders, forwarder: Forwarder) -> None:
        self._folders = folders
        self._forwarder = forwarder
        self._asked: int | None = None

    async def ask(self) -> None:
        """Ask, if the owner is a server that the command line started and was not asked yet."""
        address = read_address(self._folders)
        if address is None or not address.headless or address.started_at == self._asked:
            return
        try:
            await self._forwarder.call("POST", "/owner/yield", {})
        except (OSError, HTTPClientError, Unavailable) as error:
            log.debug("The headless server did not answer; asking again: %s", error)
        else:
            self._asked = address.started_at


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
