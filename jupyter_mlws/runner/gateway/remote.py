"""One kernel of another Jupyter server, over its REST and WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.httputil import HTTPHeaders
from tornado.simple_httpclient import HTTPTimeoutError
from tornado.websocket import WebSocketClientConnection, websocket_connect

from jupyter_mlws.runner.gateway.frames import SUBPROTOCOL

CONNECT_S = 10.0
ANSWER_S = 30.0
START_S = 120.0
"""A gateway that starts kernels on a cluster takes its time."""
PING_S = 10.0
MOST_BYTES = 1 << 31
SHOWN = 300


class Away(Exception):
    """The server cannot be reached now; it may be later."""


class Refused(Exception):
    """The server answers, and will not do it: trying again changes nothing."""


class KernelGone(Refused):
    """The kernel is not there any more."""


class Place(NamedTuple):
    """Where a server is, and how to get in."""

    url: str
    token: str
    ca_file: str | None = None


class Remote:
    """A Jupyter server, and the kernel there, once it was started."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.kernel_id = ""
        self.host = urlsplit(place.url).netloc
        self._starting: asyncio.Future[None] | None = None

    async def get(self, path: str) -> Any:
        """The JSON that it answers."""
        return await self._ask("GET", path)

    async def start(self, kernel: str) -> str:
        """Start a kernel; its id. Who does not wait for it to the end can still end the kernel."""
        self._starting = asyncio.ensure_future(self._start(kernel))
        await asyncio.shield(self._starting)
        return self.kernel_id

    async def _start(self, kernel: str) -> None:
        told = await self._ask("POST", "/api/kernels", {"name": kernel}, patience=START_S)
        self.kernel_id = str(told["id"])

    @property
    def may_live(self) -> bool:
        """Whether there is a kernel to end, or one is just being started."""
        return bool(self.kernel_id) or (self._starting is not None and not self._starting.done())

    async def kernels(self) -> dict[str, Any]:
        """The kernels that are installed there: name -> specification."""
        found = (await self.get("/api/kernelspecs") or {}).get("kernelspecs")
        return {str(name): (told or {}).get("spec") or {} for name, told in found.items()} if isinstance(found, dict) else {}

    async def check_kernel(self, name: str) -> None:
        """Raise `Refused` if no kernel of this name is installed there."""
        there = await self.kernels()
        if name not in there:
            words = ", ".join(sorted(there)) or "none"
            raise Refused(f"The kernel {name!r} is not installed on {self.host}. Installed are: {words}.")

    async def look(self) -> None:
        """Raise `KernelGone` if it is not there any more."""
        try:
            await self._ask("GET", self._kernel())
        except KernelGone:
            raise KernelGone(f"The kernel on {self.host} is gone: it was shut down there, or its server was restarted.") from None

    async def interrupt(self) -> None:
        """Interrupt what runs in it."""
        await self._ask("POST", f"{self._kernel()}/interrupt", {})

    async def delete(self) -> None:
        """End it, also if its start is not over; one that is gone is ended."""
        if not self.kernel_id and self._starting is not None:
            with contextlib.suppress(Away, Refused):  # then there is none
                await asyncio.shield(self._starting)
        if not self.kernel_id:
            return
        try:
            await self._ask("DELETE", self._kernel())
        except KernelGone:
            return

    async def connect(self, session: str) -> WebSocketClientConnection:
        """Its channels. With the same `session` the server hands on what came while nobody was connected."""
        url = f"{self.place.url}{self._kernel()}/channels?session_id={quote(session)}"
        request = self._request("GET", url.replace("http", "ws", 1), patience=ANSWER_S)
        try:
            return await websocket_connect(
                request, subprotocols=[SUBPROTOCOL], ping_interval=PING_S, ping_timeout=PING_S, max_message_size=MOST_BYTES
            )
        except HTTPClientError as error:
            raise self._failed(error) from None
        except (OSError, ssl.SSLError) as error:
            raise Away(f"{self.host} cannot be reached: {words_of(error)}.") from None

    def _kernel(self) -> str:
        return f"/api/kernels/{quote(self.kernel_id, safe='')}"

    def _request(self, method: str, url: str, body: Any = None, *, patience: float) -> HTTPRequest:
        headers = HTTPHeaders({"Content-Type": "application/json"})
        if self.place.token:
            headers["Authorization"] = f"token {self.place.token}"
        return HTTPRequest(
            url,
            method,
            headers=headers,
            body=None if body is None else json.dumps(body),
            connect_timeout=CONNECT_S,
            request_timeout=patience,
            follow_redirects=False,  # the token is for this address alone
            validate_cert=True,
            ca_certs=self.place.ca_file,
            allow_nonstandard_methods=True,
        )

    async def _ask(self, method: str, path: str, body: Any = None, *, patience: float = ANSWER_S) -> Any:
        request = self._request(method, f"{self.place.url}{path}", body, patience=patience)
        try:
            answer = await AsyncHTTPClient().fetch(request)
            return json.loads(answer.body) if answer.body else None
        except HTTPClientError as error:
            raise self._failed(error) from None
        except (OSError, ssl.SSLError) as error:
            raise Away(f"{self.host} cannot be reached: {words_of(error)}.") from None
        except ValueError:
            raise Refused(f"{self.host} answers {path} with something that is no JSON: it is no Jupyter server.") from None

    def _failed(self, error: HTTPClientError) -> Exception:
        """What an answer means that is no success."""
        if isinstance(error, HTTPTimeoutError) or error.code == 599:
            return Away(f"{self.host} does not answer in time.")
        if error.code in (401, 403):
            return Refused(f"{self.host} does not take the token (HTTP {error.code}).")
        if error.code == 404:
            return KernelGone(f"{self.host} has nothing at that address (HTTP 404).")
        if 300 <= error.code < 400:
            there = error.response.headers.get("Location", "") if error.response is not None else ""
            return Refused(f"{self.host} sends elsewhere ({there[:SHOWN]}): give the address of the Jupyter server itself.")
        said = _said(error)
        more = f": {said}" if said else ""
        if error.code in (429, 502, 503, 504):
            return Away(f"{self.host} is busy or not up (HTTP {error.code}){more}.")
        return Refused(f"{self.host} answers HTTP {error.code}{more}.")


def _said(error: HTTPClientError) -> str:
    """The words of an answer, if there are any."""
    try:
        body = json.loads(error.response.body) if error.response is not None else None
    except ValueError:
        return ""
    said = (body.get("message") or body.get("reason")) if isinstance(body, dict) else None
    return " ".join(str(said).split())[:SHOWN] if said else ""


def words_of(error: OSError) -> str:
    """A failure to connect, for a person."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, socket.gaierror):
        return "its name is not known"
    return (error.strerror or str(error) or type(error).__name__).rstrip(".").lower()
