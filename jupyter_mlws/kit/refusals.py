"""Handlers that answer instead of others: a body that is too large, an address that is none."""

from __future__ import annotations

import asyncio
from typing import Any

from tornado import web

from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.errors import TooLarge
from jupyter_mlws.kit.http import LINGER_BYTES, MAX_JSON_BYTES, ApiHandler, Contract


@web.stream_request_body
class BodyTooLarge(ApiHandler):
    """Answers instead of a handler whose JSON body is too large: what comes of it for a moment is let pass, and nothing is held."""

    _passed = 0
    _enough: asyncio.Future[None] | None = None

    def contract(self) -> Contract:
        """Any method."""
        return Contract(Action.READ, "", None, None, None, 413, "application/json", raw_body=False, errors=())

    async def prepare(self, *, _redirect_to_login: bool = True) -> None:
        """Authenticated callers get 413, others 401; a token is looked up, too.

        Not so on a server that follows another: only the owner knows tokens, and asking it is not worth the one word that a stranger
        learns.
        """
        connection: Any = self.request.connection
        connection.set_max_body_size(2**62)
        await self._authenticate()
        self._enough = asyncio.get_running_loop().create_future()
        await self._drain(self._enough)
        await self.runtime.ready()
        if self.runtime.is_owner:
            await self._identify()
        announced = self.request.headers.get("Content-Length", "")
        size = f"has {int(announced):,} bytes" if announced.isdigit() else "is too large"
        raise TooLarge(f"The body {size}; at most {MAX_JSON_BYTES:,} bytes are allowed here. Send it in parts.")

    def data_received(self, chunk: bytes) -> None:
        """Dropped."""
        self._passed += len(chunk)
        if self._passed > LINGER_BYTES and self._enough is not None and not self._enough.done():
            self._enough.set_result(None)

    get = post = put = patch = delete = ApiHandler.tell_closing  # never called: `prepare` has answered


class NotHere(ApiHandler):
    """Whatever else is asked under the API's root."""

    def contract(self) -> Contract:
        """Any method of an unknown address needs a sign-in before it learns that nothing is there."""
        return Contract(Action.READ, "", None, None, None, 404, "application/json", raw_body=False, errors=())

    async def prepare(self, *, _redirect_to_login: bool = True) -> None:
        """Authenticated callers get 404, others 401; a token is looked up, too."""
        await super().prepare(_redirect_to_login=_redirect_to_login)
        if not self._finished:
            raise web.HTTPError(404)

    def _parse_query(self, _contract: Contract) -> None:
        """Nothing of it is looked at."""
