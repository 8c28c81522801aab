"""Answering through the owner: a second server on the same data folder passes requests on and streams the answers back."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from tornado.http1connection import HTTP1Connection, HTTP1ConnectionParameters
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, RequestStartLine, ResponseStartLine
from tornado.iostream import StreamClosedError
from tornado.tcpclient import TCPClient

from jupyter_mlws.kit.errors import Unavailable
from jupyter_mlws.kit.http import LOCAL_HEADER
from jupyter_mlws.server.owner import OwnerAddress, read_address

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tornado.iostream import IOStream

    from jupyter_mlws.kit.http import ApiHandler
    from jupyter_mlws.kit.paths import Folders

ACTOR_HEADER = "X-Mlws-Actor"
ROOT_HEADER = "X-Mlws-Root"
PASSED_ON = ("Content-Type", "If-Match", "If-None-Match", "Idempotency-Key", "Range", "Accept", "X-Mlws-Sha256")
NOT_PASSED_BACK = frozenset({"transfer-encoding", "connection", "keep-alive", "server", "date", "set-cookie"})
REPEATABLE = ("GET", "PUT")
PATIENCE_S = 5.0
PAUSE_S = 0.1
PIECE = 64 * 1024
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class OwnerLost(Unavailable):
    """The owner ended in the middle of a request that may not be sent twice: it may have been done."""

    code = "owner_lost"


class Forwarder:
    """Passes requests to the owner of a data folder."""

    def __init__(self, folders: Folders, root: Path) -> None:
        self._folders = folders
        self._root = root

    def address(self) -> OwnerAddress:
        """Where the owner answers now."""
        found = read_address(self._folders)
        if found is None:
            raise Unavailable("The server that owns this workspace is starting or leaving; try again in a moment.")
        return found

    def headers(self, address: OwnerAddress, actor: str, bearer: str | None) -> dict[str, str]:
        """Credentials for the owner: the caller's own token, or ours with the caller's name. And where its paths begin: here."""
        here = {LOCAL_HEADER: address.token, ROOT_HEADER: quote(str(self._root))}
        if bearer is not None:
            return {"Authorization": f"Bearer {bearer}", **here}
        return {"Authorization": f"Bearer {address.token}", ACTOR_HEADER: quote(actor), **here}

    def trust(self, address: OwnerAddress) -> ssl.SSLContext | None:
        """How the owner's certificate is judged. On the loopback device nobody is in between, and certificates name other hosts."""
        parts = urlsplit(address.url)
        if parts.scheme != "https":
            return None
        context = ssl.create_default_context()
        if parts.hostname in LOOPBACK:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    async def forward(self, handler: ApiHandler, actor: str) -> None:
        """Ask the owner and stream its answer. Retried while the owner changes, unless the request may have been done already."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            passage = Passage(handler)
            try:
                address = self.address()
                return await passage.make(address, self.headers(address, actor, handler._token), self.trust(address))
            except (OSError, Unavailable) as error:
                if handler._headers_written or passage.client_gone:
                    passage.break_off()
                    return None
                if passage.sent and not passage.repeatable:
                    raise OwnerLost(
                        "The server that owns this workspace ended while it worked on this; look whether it was done, or send it "
                        "again with the same id or Idempotency-Key."
                    ) from error
                if asyncio.get_running_loop().time() > deadline:
                    raise Unavailable("The server that owns this workspace does not answer; try again in a moment.") from error
                handler.clear()
                await asyncio.sleep(PAUSE_S)

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """A request of this server itself; the decoded answer. Raises `OSError` and `HTTPClientError`."""
        address = self.address()
        request = HTTPRequest(
            f"{address.url}/api/v1{path}",
            method=method,
            headers={**self.headers(address, "", None), "Content-Type": "application/json"},
            body=None if body is None else json.dumps(body),
            allow_nonstandard_methods=True,
            request_timeout=PATIENCE_S,
            ssl_options=self.trust(address),
        )
        answer = await AsyncHTTPClient().fetch(request)
        return json.loads(answer.body) if answer.body else None


class Passage(HTTPMessageDelegate):
    """One request to the owner. Both directions are streamed, and each waits for the slower side."""

    def __init__(self, handler: ApiHandler) -> None:
        self._handler = handler
        self._produce: Callable[[Callable[[bytes], Awaitable[None]]], Awaitable[None]] | None = handler.upload_body()
        self._answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._stream: IOStream | None = None
        self.sent = False
        """The owner may have got it."""

    @property
    def client_gone(self) -> bool:
        """Nobody waits for the answer any more."""
        connection: Any = self._handler.request.connection
        return bool(connection.stream is None or connection.stream.closed())

    @property
    def repeatable(self) -> bool:
        """Whether sending it twice does no harm, and it can be sent twice at all."""
        request = self._handler.request
        return self._produce is None and (request.method in REPEATABLE or "Idempotency-Key" in request.headers)

    async def make(self, address: OwnerAddress, credentials: dict[str, str], trust: ssl.SSLContext | None) -> None:
        """Send the request and pass the answer back. Raises `OSError` where the connection cannot be made, or breaks."""
        parts = urlsplit(address.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        self._stream = await TCPClient().connect(parts.hostname or "127.0.0.1", port, ssl_options=trust, timeout=PATIENCE_S)
        connection = HTTP1Connection(
            self._stream, True, HTTP1ConnectionParameters(no_keep_alive=True, max_body_size=2**62, chunk_size=PIECE)
        )
        self._handler.hung_up = self._close
        sending = asyncio.ensure_future(self._send(connection, parts.path, parts.netloc, credentials))
        reading = asyncio.ensure_future(connection.read_response(self))
        try:
            waiting: set[asyncio.Future[Any]] = {self._answered, reading}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if not self._answered.done():
                raise OSError("the owner did not answer")
            self._answered.result()
            if not self._handler._finished:
                self._handler.finish()
        except asyncio.TimeoutError as error:
            raise OSError("the owner could not be reached") from error
        finally:
            self._handler.hung_up = None
            self._close()
            for task in (sending, reading):
                task.cancel()
            await asyncio.gather(sending, reading, return_exceptions=True)

    def break_off(self) -> None:
        """A part of the answer went out and the rest will not come: the client must see that it is not whole."""
        connection: Any = self._handler.request.connection
        if connection.stream is not None:
            connection.stream.close()
        with contextlib.suppress(StreamClosedError):
            self._handler.finish()

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()

    async def _send(self, connection: HTTP1Connection, root: str, host: str, credentials: dict[str, str]) -> None:
        request = self._handler.request
        base = f"{self._handler.base_url.rstrip('/')}/mlws"
        headers = HTTPHeaders({"Host": host, "Connection": "close", **credentials})
        for name in PASSED_ON:
            if name in request.headers:
                headers[name] = request.headers[name]
        if self._produce is None:
            if request.body or request.method not in ("GET", "DELETE"):
                headers["Content-Length"] = str(len(request.body))
        elif "Content-Length" in request.headers:
            headers["Content-Length"] = request.headers["Content-Length"]
        self.sent = True
        target = root + (request.uri or "").removeprefix(base)
        try:
            await connection.write_headers(RequestStartLine(request.method or "GET", target, "HTTP/1.1"), headers)
            if self._produce is not None:
                await self._produce(connection.write)
            elif request.body:
                await connection.write(request.body)
            connection.finish()
        except StreamClosedError:
            if request._body_future.done() and request._body_future.exception() is not None:
                self._close()  # the client went away; where the owner did, its answer may still be read

    def headers_received(self, start_line: Any, headers: HTTPHeaders) -> None:
        """The owner's answer begins."""
        if not isinstance(start_line, ResponseStartLine) or start_line.code < 200:
            return
        handler = self._handler
        handler.set_status(start_line.code, start_line.reason)
        for name in {name.lower() for name in headers} - NOT_PASSED_BACK:
            handler.clear_header(name)
            for value in headers.get_list(name):
                handler.add_header(name, value)

    async def data_received(self, chunk: bytes) -> None:
        """A piece of the answer. The next is read when the client has taken this one."""
        self._handler.write(chunk)
        try:
            await self._handler.flush()
        except StreamClosedError:
            self._close()

    def finish(self) -> None:
        """The answer is whole."""
        if not self._answered.done():
            self._answered.set_result(None)

    def on_connection_close(self) -> None:
        """The owner hung up."""
        if not self._answered.done():
            self._answered.set_exception(OSError("the owner hung up"))


def actor_named(headers: HTTPHeaders) -> str | None:
    """The name that another server of the same user attached to a request; only to be believed with the local token."""
    name = headers.get(ACTOR_HEADER)
    return unquote(name)[:255] if name else None


def root_named(headers: HTTPHeaders, local_token: str) -> Path | None:
    """The folder of the server that passed a request on; believed with the local token only."""
    named = headers.get(ROOT_HEADER)
    if not named or not hmac.compare_digest(headers.get(LOCAL_HEADER, "").encode(), local_token.encode()):
        return None
    return Path(unquote(named))
