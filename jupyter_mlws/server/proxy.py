"""Answering through the owner: a second server on the same data folder passes requests on and streams the answers back."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, unquote

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.iostream import StreamClosedError

from jupyter_mlws.kit.errors import Unavailable
from jupyter_mlws.server.owner import OwnerAddress, read_address

if TYPE_CHECKING:
    from tornado.httputil import HTTPHeaders

    from jupyter_mlws.kit.http import ApiHandler
    from jupyter_mlws.kit.paths import Folders

log = logging.getLogger(__name__)

ACTOR_HEADER = "X-Mlws-Actor"
PASSED_ON = ("Content-Type", "If-Match", "If-None-Match", "Idempotency-Key", "Range", "Accept", "X-Mlws-Sha256")
NOT_PASSED_BACK = frozenset({"content-length", "transfer-encoding", "connection", "server", "date", "set-cookie"})
PATIENCE_S = 5.0
LONG_S = 24 * 3600.0


class Forwarder:
    """Passes requests to the owner of a data folder."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self._client = AsyncHTTPClient(force_instance=True, max_clients=200)

    def address(self) -> OwnerAddress:
        """Where the owner answers now."""
        found = read_address(self._folders)
        if found is None:
            raise Unavailable("The server that owns this workspace is starting or leaving; try again in a moment.")
        return found

    def headers(self, address: OwnerAddress, actor: str, bearer: str | None) -> dict[str, str]:
        """Credentials for the owner: the caller's own token, or ours with the caller's name."""
        if bearer is not None:
            return {"Authorization": f"Bearer {bearer}"}
        return {"Authorization": f"Bearer {address.token}", ACTOR_HEADER: quote(actor)}

    async def forward(self, handler: ApiHandler, actor: str) -> None:
        """Ask the owner and stream its answer. Retried while the owner changes, unless part of an answer went out already."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            try:
                await self._once(handler, actor)
            except (OSError, HTTPClientError, StreamClosedError, Unavailable) as error:
                if handler._headers_written:
                    return
                if asyncio.get_running_loop().time() > deadline:
                    raise Unavailable("The server that owns this workspace does not answer; try again in a moment.") from error
                await asyncio.sleep(0.25)
            else:
                return

    async def _once(self, handler: ApiHandler, actor: str) -> None:
        address = self.address()
        request = handler.request
        _, _, tail = request.uri.partition("/mlws/") if request.uri else ("", "", "")
        headers = self.headers(address, actor, handler._token)
        headers.update({name: request.headers[name] for name in PASSED_ON if name in request.headers})
        started = False

        def head(line: str) -> None:
            nonlocal started
            if line.startswith("HTTP/"):
                handler.set_status(int(line.split(" ", 2)[1]))
            elif ":" in line:
                name, _, value = line.partition(":")
                if name.strip().lower() not in NOT_PASSED_BACK:
                    handler.set_header(name.strip(), value.strip())
            started = True

        def chunk(data: bytes) -> None:
            handler.write(data)
            if not handler._finished:
                handler.flush()

        body = handler.upload_body()
        response = await self._client.fetch(
            HTTPRequest(
                f"{address.url}/{tail}",
                method=request.method or "GET",
                headers=headers,
                body=request.body if body is None and request.method not in ("GET", "DELETE") else None,
                body_producer=cast("Any", body),  # tornado awaits what it returns; its types say Future only
                allow_nonstandard_methods=True,
                header_callback=head,
                streaming_callback=chunk,
                request_timeout=LONG_S,
                connect_timeout=PATIENCE_S,
                follow_redirects=False,
            ),
            raise_error=False,
        )
        if response.code == 599 and not started:
            raise OSError("the owner did not answer")
        if not handler._finished:
            await handler.finish()


def actor_named(headers: HTTPHeaders) -> str | None:
    """The name that another server of the same user attached to a request; only to be believed with the local token."""
    name = headers.get(ACTOR_HEADER)
    return unquote(name) if name else None
