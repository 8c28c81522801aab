"""Asking the server: kept-alive connections, patience while a server changes, and errors in one tree."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from jupyter_mlws.sdk.connection import Answer, Connections, NoAnswer, Unsendable
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


def segment(text: str) -> str:
    """One segment of a path, whatever is in it."""
    if text in ("", ".", ".."):
        raise BadInput(f"{text!r} is no name and no id.", status=400, code="bad_input")
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


class Transport:
    """Requests to one server, found when it is needed. Close it, or use it as a context manager."""

    def __init__(self, locate: Callable[[], Server], *, patience: float = PATIENCE_S, timeout: float = TIMEOUT_S) -> None:
        """`timeout`: seconds until the server has connected, and then until it has sent or taken something."""
        self.locate = locate
        self._patience = patience
        self._timeout = timeout
        self._server: Server | None = None
        self._open: Connections | None = None

    @property
    def server(self) -> Server:
        """Where the server is. Raises `ServerNotFound`."""
        if self._server is None:
            self._server = self.locate()
        return self._server

    def copy(self) -> Transport:
        """Another connection to the same server."""
        return Transport(self.locate, patience=self._patience, timeout=self._timeout)

    def close(self) -> None:
        """Close the connection; the next request opens another, and looks for the server anew."""
        if self._open is not None:
            self._open.close()
        self._open = self._server = None

    def ask(
        self,
        method: str,
        path: str,
        reply: type[T],
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> T:
        """Send a request with a JSON body and give back the answer as `reply`. `query` values that are None are left out."""
        content = None if body is None else _encode(body)
        sent = {**(headers or {}), **({} if content is None else {"Content-Type": "application/json"})}
        answer = self._send(method, path, query=query, content=content, headers=sent, timeout=timeout or self._timeout)
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
        self._checked(self._once("PUT", path, content=_exactly(content, size), headers=headers, timeout=SUBMIT_TIMEOUT_S))

    def download(self, path: str, query: Mapping[str, Any]) -> Iterator[bytes]:
        """The bytes of a file, piece by piece."""
        try:
            for piece in self._connections().stream(self._target(path, query), self._headers()):
                if isinstance(piece, Answer):
                    self._checked(piece)
                else:
                    yield piece
        except NoAnswer as error:
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
    ) -> Answer:
        deadline = time.monotonic() + self._patience
        repeatable = method in IDEMPOTENT or "Idempotency-Key" in headers
        while True:
            try:
                answer = self._once(method, path, query=query, content=content, headers=headers, timeout=timeout)
            except ServerAway as away:
                never_sent = isinstance(away.__cause__, NoAnswer) and away.__cause__.never_sent
                if time.monotonic() > deadline or not (never_sent or repeatable) or not self._found_again(away):
                    raise
            else:
                # `owner_lost`: the server that did the work ended; only what may be done twice is sent again.
                again = answer.status in (429, 503) and (repeatable or b'"owner_lost"' not in answer.content)
                if not again or time.monotonic() > deadline:
                    return self._checked(answer)
                time.sleep(_retry_after(answer))

    def _found_again(self, away: ServerAway) -> bool:
        """Whether there is a server to try: another one, or the same, whose successor may be on its way."""
        failed = self._server
        if failed is None or not failed.local or (isinstance(away.__cause__, NoAnswer) and away.__cause__.slow):
            return False
        self.close()
        time.sleep(0.1)
        try:
            self._server = self.locate()
        except ConnectionFailed:
            return False
        return True

    def _once(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        content: bytes | Iterable[bytes] | None,
        headers: Mapping[str, str],
        timeout: float,
    ) -> Answer:
        try:
            target = self._target(path, query)
            return self._connections().ask(method, target, {**self._headers(), **headers}, content, timeout)
        except NoAnswer as error:
            raise self._away(error) from error
        except (Unsendable, UnicodeEncodeError) as error:
            raise BadInput(f"This text cannot be sent: {error}", status=400, code="bad_input") from error

    def _connections(self) -> Connections:
        if self._open is None:
            self._open = Connections(self.server.url, direct=self.server.is_loopback, timeout=self._timeout)
        return self._open

    def _target(self, path: str, query: Mapping[str, Any] | None) -> str:
        """Path and query as they stand in the request."""
        params = _params(query or {})
        return f"{urlsplit(self.server.url).path}/api/v1{path}" + (f"?{urlencode(params, doseq=True)}" if params else "")

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.server.token}"} if self.server.token else {}

    def _away(self, error: NoAnswer) -> ServerAway:
        server = self.server
        what = "did not answer in time" if error.slow and not error.never_sent else f"cannot be reached ({error})"
        hint = "" if server.local else " Is it running, and is the address right?"
        return ServerAway(f"The server at {server.url} (from {server.source}) {what}.{hint}")

    def _checked(self, answer: Answer) -> Answer:
        if answer.ok:
            return answer
        try:
            error = msgspec.json.decode(answer.content)["error"]
            code, message, field = str(error["code"]), str(error["message"]), error.get("field")
        except (msgspec.MsgspecError, KeyError, TypeError, AttributeError, UnicodeDecodeError):
            if answer.status >= 500:
                raise ServerFailed(
                    f"{self.server.url} answered {answer.status}.", status=answer.status, code="internal_error"
                ) from None
            raise ServerAway(
                f"Something that is no ML workspace answers at {self.server.url} (HTTP {answer.status}); "
                "is jupyter_mlws installed and enabled there?"
            ) from None
        if answer.status == 401:
            message = self._unknown_token()
        raise api_error(answer.status, code=code, message=message, field=field)

    def _unknown_token(self) -> str:
        """What to do where the server does not know the token; it speaks to browsers, and this is none."""
        server = self.server
        if server.local:
            return f"The server at {server.url} does not know the token in {server.source}; it has just changed, or is of another user."
        name = "MLWS_TOKEN" if server.source == "MLWS_URL" else "`token`"
        what = f"does not know the token in {name}" if server.token else f"asks for a token, and {name} is empty"
        return f"The server at {server.url} {what}. `jupyter server list`, on its machine, shows the right one."


def _encode(body: Any) -> bytes:
    try:
        return msgspec.json.encode(body)
    except (UnicodeEncodeError, TypeError, OverflowError, RecursionError) as error:
        raise BadInput(f"This cannot be written as JSON: {error}", status=400, code="bad_input") from error


def _params(query: Mapping[str, Any]) -> dict[str, Any]:
    """Query parameters without those that are None; booleans as the server reads them."""
    return {k: ("true" if v else "false") if isinstance(v, bool) else v for k, v in query.items() if v is not None}


def _exactly(content: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The content, which must have the size that was announced. Raises `BadInput`."""
    sent = 0
    for piece in content:
        sent += len(piece)
        if sent <= size:
            yield piece
    if sent != size:
        raise BadInput("A file changed while it was being sent; try again.", status=400, code="file_changed")


def _retry_after(answer: Answer) -> float:
    text = answer.headers.get("Retry-After", "")
    return min(float(text), 2.0) if text.isascii() and text.isdigit() else 0.5
