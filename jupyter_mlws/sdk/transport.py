"""Asking the server: one kept-alive client, patience while a server changes, and errors in one tree."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from jupyter_mlws.sdk.errors import BadInput, ConnectionFailed, ServerAway, ServerFailed, api_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from jupyter_mlws.sdk.discovery import Server

T = TypeVar("T")

TIMEOUT_S = 30.0
SUBMIT_TIMEOUT_S = 600.0
PATIENCE_S = 8.0
"""How long a server may be starting, busy or changing hands before that is an error."""
IDEMPOTENT = frozenset({"GET", "PUT", "DELETE", "PATCH"})
CHUNK = 1 << 20


def segment(text: str) -> str:
    """One segment of a path, whatever is in it."""
    if text in ("", ".", ".."):
        raise BadInput(f"{text!r} is no name and no id.", status=400, code="bad_input")
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


class Transport:
    """Requests to one server, found when it is needed. Close it, or use it as a context manager."""

    def __init__(self, locate: Callable[[], Server]) -> None:
        self._locate = locate
        self._server: Server | None = None
        self._http: httpx.Client | None = None

    @property
    def server(self) -> Server:
        """Where the server is. Raises `ServerNotFound`."""
        if self._server is None:
            self._server = self._locate()
        return self._server

    def copy(self) -> Transport:
        """Another connection to the same server."""
        return Transport(self._locate)

    def close(self) -> None:
        """Close the connection; the next request opens another, and looks for the server anew."""
        if self._http is not None:
            self._http.close()
        self._http = self._server = None

    def ask(
        self,
        method: str,
        path: str,
        reply: type[T],
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = TIMEOUT_S,
    ) -> T:
        """Send a request with a JSON body and give back the answer as `reply`. `query` values that are None are left out."""
        content = None if body is None else _encode(body)
        sent = {**(headers or {}), **({} if content is None else {"Content-Type": "application/json"})}
        answer = self._send(method, path, query=query, content=content, headers=sent, timeout=timeout)
        if reply is type(None):
            return None
        try:
            return msgspec.json.decode(answer.content, type=reply)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise ServerAway(
                f"{self.server.url} answered in a form that this client does not know ({error}): their versions differ."
            ) from error

    def upload(self, path: str, content: Iterable[bytes], size: int) -> None:
        """Send a file."""
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        self._checked(self._once("PUT", path, content=content, headers=headers, timeout=SUBMIT_TIMEOUT_S))

    def download(self, path: str, query: Mapping[str, Any]) -> Iterator[bytes]:
        """The bytes of a file, piece by piece."""
        try:
            with self._client().stream("GET", self._url(path), params=_params(query), headers=self._headers()) as answer:
                if answer.status_code >= 400:
                    answer.read()
                self._checked(answer)
                yield from answer.iter_bytes(CHUNK)
        except httpx.TransportError as error:
            raise self._away(error) from error

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None,
        content: bytes | None,
        headers: Mapping[str, str],
        timeout: float,
    ) -> httpx.Response:
        deadline = time.monotonic() + PATIENCE_S
        repeatable = method in IDEMPOTENT or "Idempotency-Key" in headers
        while True:
            try:
                answer = self._once(method, path, params=_params(query or {}), content=content, headers=headers, timeout=timeout)
            except ServerAway as away:
                never_sent = isinstance(away.__cause__, (httpx.ConnectError, httpx.ConnectTimeout))
                if time.monotonic() > deadline or not (never_sent or repeatable) or not self._found_again(away):
                    raise
            else:
                # `owner_lost`: the server that did the work ended; only what may be done twice is sent again.
                again = answer.status_code in (429, 503) and (repeatable or b'"owner_lost"' not in answer.content)
                if not again or time.monotonic() > deadline:
                    return self._checked(answer)
                time.sleep(_retry_after(answer))

    def _found_again(self, away: ServerAway) -> bool:
        """Whether there is a server to try: another one, or the same, whose successor may be on its way."""
        failed = self._server
        if failed is None or not failed.local or isinstance(away.__cause__, httpx.TimeoutException):
            return False
        self.close()
        time.sleep(0.1)
        try:
            self._server = self._locate()
        except ConnectionFailed:
            return False
        return True

    def _once(self, method: str, path: str, *, headers: Mapping[str, str], **options: Any) -> httpx.Response:
        try:
            return self._client().request(method, self._url(path), headers={**self._headers(), **headers}, **options)
        except httpx.TransportError as error:
            raise self._away(error) from error
        except (httpx.InvalidURL, UnicodeEncodeError) as error:
            raise BadInput(f"This text cannot be sent: {error}", status=400, code="bad_input") from error

    def _client(self) -> httpx.Client:
        if self._http is None:
            # Proxies and certificates matter only on the way to another machine, and take 50 ms to read.
            # (Nobody stands in between on the loopback device, where certificates name other hosts.)
            away = not self.server.is_loopback
            self._http = httpx.Client(verify=away, trust_env=away, timeout=TIMEOUT_S)
        return self._http

    def _url(self, path: str) -> str:
        return f"{self.server.url}/api/v1{path}"

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.server.token}"} if self.server.token else {}

    def _away(self, error: httpx.TransportError) -> ServerAway:
        server = self.server
        slow = isinstance(error, (httpx.ReadTimeout, httpx.WriteTimeout, httpx.PoolTimeout))
        what = "did not answer in time" if slow else f"cannot be reached ({str(error) or type(error).__name__})"
        hint = "" if server.local else " Is it running, and is the address right?"
        return ServerAway(f"The server at {server.url} (from {server.source}) {what}.{hint}")

    def _checked(self, answer: httpx.Response) -> httpx.Response:
        if answer.is_success:
            return answer
        try:
            error = msgspec.json.decode(answer.content)["error"]
            code, message, field = str(error["code"]), str(error["message"]), error.get("field")
        except (msgspec.MsgspecError, KeyError, TypeError, AttributeError, UnicodeDecodeError):
            if answer.status_code >= 500:
                raise ServerFailed(
                    f"{self.server.url} answered {answer.status_code}.", status=answer.status_code, code="internal_error"
                ) from None
            raise ServerAway(
                f"Something that is no ML workspace answers at {self.server.url} (HTTP {answer.status_code}); "
                "is jupyter_mlws installed and enabled there?"
            ) from None
        if answer.status_code == 401:
            message = f"{message} (the token came from {self.server.source.replace('MLWS_URL', 'MLWS_TOKEN')})"
        raise api_error(answer.status_code, code=code, message=message, field=field)


def _encode(body: Any) -> bytes:
    try:
        return msgspec.json.encode(body)
    except (UnicodeEncodeError, TypeError, OverflowError, RecursionError) as error:
        raise BadInput(f"This cannot be written as JSON: {error}", status=400, code="bad_input") from error


def _params(query: Mapping[str, Any]) -> dict[str, Any]:
    """Query parameters without those that are None; booleans as the server reads them."""
    return {k: ("true" if v else "false") if isinstance(v, bool) else v for k, v in query.items() if v is not None}


def _retry_after(answer: httpx.Response) -> float:
    text = answer.headers.get("Retry-After", "")
    return min(float(text), 2.0) if text.isascii() and text.isdigit() else 0.5
