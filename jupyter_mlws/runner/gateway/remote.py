"""One kernel of another Jupyter server, over its REST and WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.httputil import HTTPHeaders
from tornado.simple_httpclient import HTTPTimeoutError
from tornado.websocket import WebSocketClientConnection, WebSocketError, websocket_connect

from jupyter_mlws.runner.gateway.frames import SUBPROTOCOL
from mlws import certificates

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CONNECT_S = 10.0
ANSWER_S = 30.0
START_S = 120.0
"""A gateway that starts kernels on a cluster takes its time."""
PING_S = 10.0
MOST_BYTES = 1 << 31
SHOWN = 300
REMEDY = "the target names the file of who made it by `mlws compute update NAME --ca-file FILE`"


class Away(Exception):
    """The server cannot be reached now; it may be later."""


class Unsent(Away):
    """It was not even reached: what was to be asked did not arrive."""


class Untrusted(Unsent):
    """Its certificate is not taken. Somebody may mend that while a kernel runs, and not within seconds."""


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

    def __init__(self, place: Place, note: Callable[[], None] = lambda: None) -> None:
        """`note` is called before a kernel is asked for, and when it is known."""
        self.place = place
        self.kernel_id = ""
        self.asked: list[str] = []
        """Under these names kernels were asked for, and no answer came: each may be there, or come yet."""
        self._note = note
        self.host = urlsplit(place.url).netloc
        self._starting: asyncio.Future[None] | None = None

    async def get(self, path: str) -> Any:
        """The JSON that it answers."""
        return await self._ask("GET", path)

    async def start(self, kernel: str, env: Mapping[str, str] | None = None) -> str:
        """Start a kernel; its id. Who does not wait for it to the end can still end the kernel. `env` goes to an Enterprise Gateway."""
        self._starting = asyncio.ensure_future(self._start(kernel, dict(env or {})))
        await asyncio.shield(self._starting)
        return self.kernel_id

    async def _start(self, kernel: str, env: dict[str, str]) -> None:
        """One whose answer was cut is taken if it is there: the id is ours, where the server knows of that."""
        for kernel_id in self.asked:
            with contextlib.suppress(KernelGone):
                await self._ask("GET", self._kernel(kernel_id))
                return self._is_there(kernel_id)
        kernel_id = str(uuid.uuid4())
        body: dict[str, Any] = {"name": kernel, "kernel_id": kernel_id}
        if await self._is_enterprise():
            body["env"] = {**env, "KERNEL_ID": kernel_id}
        self.asked.append(kernel_id)
        self._note()
        try:
            told = await self._ask("POST", "/api/kernels", body, patience=START_S)
        except (Unsent, Refused):
            self.asked.remove(kernel_id)
            raise
        self.asked.remove(kernel_id)
        if not isinstance(told, dict) or not told.get("id"):
            raise Refused(f"{self.host} does not tell which kernel it has started: it is no Jupyter server.")
        return self._is_there(str(told["id"]))

    def _is_there(self, kernel_id: str) -> None:
        self.kernel_id = kernel_id
        self.asked = [one for one in self.asked if one != kernel_id]
        self._note()

    async def _is_enterprise(self) -> bool:
        """Whether it is an Enterprise Gateway, which reads what a kernel is to be from variables."""
        try:
            if "gateway_version" not in (await self.get("/api") or {}):
                return False
            told = await self.get("/api/swagger.json")
        except Refused:
            return False
        return "enterprise" in str(((told or {}).get("info") or {}).get("title")).lower()

    @property
    def may_live(self) -> bool:
        """Whether there is a kernel to end, or one is just being started."""
        return bool(self.kernel_id or self.asked) or (self._starting is not None and not self._starting.done())

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
            await self._ask("GET", self._kernel(self.kernel_id))
        except KernelGone:
            raise KernelGone(f"The kernel on {self.host} is gone: it was shut down there, or its server was restarted.") from None

    async def interrupt(self) -> None:
        """Interrupt what runs in it."""
        await self._ask("POST", f"{self._kernel(self.kernel_id)}/interrupt", {})

    async def delete(self) -> None:
        """End it, also if its start is not over; one that is gone is ended. What stays in `asked` may come yet."""
        if not self.kernel_id and self._starting is not None:
            with contextlib.suppress(Away, Refused):  # then there is none, or nobody knows
                await asyncio.shield(self._starting)
        for kernel_id in [self.kernel_id, *self.asked] if self.kernel_id else list(self.asked):
            try:
                await self._ask("DELETE", self._kernel(kernel_id))
            except KernelGone:
                continue
            self.asked = [one for one in self.asked if one != kernel_id]

    async def connect(self, session: str) -> WebSocketClientConnection:
        """Its channels. With the same `session` the server hands on what came while nobody was connected."""
        url = f"{self.place.url}{self._kernel(self.kernel_id)}/channels?session_id={quote(session)}"
        request = self._request("GET", url.replace("http", "ws", 1), patience=ANSWER_S)
        try:
            return await websocket_connect(
                request, subprotocols=[SUBPROTOCOL], ping_interval=PING_S, ping_timeout=PING_S, max_message_size=MOST_BYTES
            )
        except HTTPClientError as error:
            raise self._failed(error) from None
        except OSError as error:
            raise Away(f"{self.host} cannot be reached: {words_of(error)}.") from None
        except WebSocketError:  # a page, where a proxy between knows nothing of WebSockets
            raise Refused(f"{self.host} opens no WebSocket to the kernel: they must come through any proxy between.") from None

    def _kernel(self, kernel_id: str) -> str:
        return f"/api/kernels/{quote(kernel_id, safe='')}"

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
        except OSError as error:
            raise _unsent(error)(f"{self.host} cannot be reached: {words_of(error)}.") from None
        except ValueError:
            raise Refused(f"{self.host} answers {path} with something that is no JSON: it is no Jupyter server.") from None

    def _failed(self, error: HTTPClientError) -> Exception:
        """What an answer means that is no success."""
        if isinstance(error, HTTPTimeoutError) or error.code == 599:
            return Away(f"{self.host} does not answer in time.")
        said = _said(error)
        if error.code == 403 and (words := _why_not(said)):
            return Refused(f"{self.host} {words} (HTTP 403: {said}).")
        if error.code in (401, 403):
            return Refused(f"{self.host} does not take the token (HTTP {error.code}).")
        if error.code == 404:
            return KernelGone(f"{self.host} has nothing at that address (HTTP 404).")
        if 300 <= error.code < 400:
            there = error.response.headers.get("Location", "") if error.response is not None else ""
            return Refused(f"{self.host} sends elsewhere ({there[:SHOWN]}): give the address of the Jupyter server itself.")
        more = f": {said}" if said else ""
        if error.code in (429, 502, 503, 504):
            return Away(f"{self.host} is busy or not up (HTTP {error.code}){more}.")
        return Refused(f"{self.host} answers HTTP {error.code}{more}.")


def _why_not(said: str) -> str:
    """What a gateway means that takes the token, and starts no kernel."""
    if said == "Resource Limit" or "max kernels" in said:
        return "has as many kernels as it allows"
    if "KERNEL_USERNAME" in said:
        return "does not start kernels for this user: name another by `mlws compute update NAME --kernel-user USER`"
    return "" if said.lower() in ("", "forbidden") else "refuses"


def _said(error: HTTPClientError) -> str:
    """The words of an answer, if there are any."""
    try:
        body = json.loads(error.response.body) if error.response is not None else None
    except ValueError:
        return ""
    said = (body.get("message") or body.get("reason")) if isinstance(body, dict) else None
    return " ".join(str(said).split())[:SHOWN] if said else ""


def _unsent(error: OSError) -> type[Away]:
    """Whether it is certain that nothing was sent: a connection may also break under an answer."""
    if isinstance(error, ssl.SSLError):
        return Untrusted
    return Unsent if isinstance(error, (ConnectionRefusedError, socket.gaierror)) else Away


def words_of(error: OSError) -> str:
    """A failure to connect, for a person."""
    if isinstance(error, ssl.SSLError):
        return certificates.why(error, REMEDY)
    if isinstance(error, socket.gaierror):
        return "its name is not known"
    return (error.strerror or str(error) or type(error).__name__).rstrip(".").lower()
