"""The quick lane: a call that training makes again and again is answered without a handler and its coroutines.

It knows the one case that is common: a token that was looked up a moment ago, to a Host that was let in, with a plain JSON body, for a
call that may be repeated. All else is left to the handler, before anything was done. Only what went well is answered here.
"""

from __future__ import annotations

import time
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import tornado
from jupyter_server.auth.identity import User
from jupyter_server.base.handlers import log
from jupyter_server.prometheus.metrics import HTTP_REQUEST_DURATION_SECONDS
from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, ResponseStartLine, format_timestamp

from jupyter_mlws.kit.actors import TOKEN_PREFIX, Action
from jupyter_mlws.kit.http import LOCAL_HEADER, SETTINGS_KEY
from jupyter_mlws.kit.request_log import counts_requests, nobody_reads_of
from jupyter_mlws.mlflow_api.http import MlflowHandler, context_of, encoded, json_of
from jupyter_mlws.mlflow_api.parsing import parse_body

if TYPE_CHECKING:
    import asyncio

    from tornado.httputil import HTTPServerRequest
    from tornado.web import Application

    from jupyter_mlws.kit.http import Runtime
    from jupyter_mlws.mlflow_api.http import Call, Context

BEARER = f"Bearer {TOKEN_PREFIX}"
FOR_HANDLERS = (LOCAL_HEADER, "Content-Encoding", "Cookie", "Origin", "Expect")
"""Whoever sends one of these headers is answered by the handler."""
OK = ResponseStartLine("", 200, "OK")


class Place(NamedTuple):
    """What a request is for."""

    call: Call
    handler: type[MlflowHandler]
    application: Application


class Lane(HTTPMessageDelegate):
    """Takes the body of a request, then answers it, or hands it on to the delegate of its handler."""

    def __init__(self, place: Place, request: HTTPServerRequest, workspace: bytes | None, handler: HTTPMessageDelegate) -> None:
        self._place = place
        self._request = request
        self._workspace = workspace
        self._handler = handler
        self._pieces: list[bytes] = []

    def headers_received(self, start_line: Any, headers: HTTPHeaders) -> None:
        """The request begins."""

    def data_received(self, chunk: bytes) -> None:
        """A piece of the body; it comes in one as a rule."""
        self._pieces.append(chunk)

    def finish(self) -> None:
        """The body is whole."""
        if not self._begun():
            for piece in self._pieces:
                self._handler.data_received(piece)
            self._handler.finish()

    def on_connection_close(self) -> None:
        """The client went away before its request was whole."""
        self._handler.on_connection_close()

    def _begun(self) -> bool:
        """Whether the write was handed to the database. It has not been where anything is unusual, or wrong."""
        context = self._context()
        if context is None:
            return False
        call = self._place.call
        runtime: Runtime = self._place.application.settings[SETTINGS_KEY]
        try:
            masker = runtime.known_masker(context.actor)
            body = b"".join(self._pieces)
            request = parse_body(body if masker is None else masker.json(body), call.request)
            shortcut = None if call.shortcut is None else call.shortcut(context, request)
            run = partial(encoded, call.run, context, request)
            written = runtime.db.begin_write(run, repeatable=call.repeatable, shortcut=shortcut)
        except Exception:  # noqa: BLE001 - the handler finds the same, and says so
            return False
        written.add_done_callback(self._written)
        return True

    def _context(self) -> Context | None:
        """Who calls, and where, if that is known and the caller may do this."""
        request, settings = self._request, self._place.application.settings
        headers = request.headers
        runtime: Runtime = settings[SETTINGS_KEY]
        authorization = headers.get("Authorization", "")
        if (
            request.method != self._place.call.method
            or request.query
            or not authorization.startswith(BEARER)
            or headers.get("Content-Type") != "application/json"
            or any(name in headers for name in FOR_HANDLERS)
            or not (runtime.lets_in(request.host) or settings.get("allow_remote_access", False))
            or not nobody_reads_of(settings, log())
        ):
            return None
        named = None
        if self._workspace is not None:
            if not self._workspace.isalnum():
                return None
            named = self._workspace.decode("ascii")
        actor = runtime.known_actor(authorization[len("Bearer ") :].strip(), headers)
        if actor is None or not all(runtime.may(actor, action, named) for action in (Action.READ, self._place.call.action)):
            return None
        return context_of(actor, named)

    def _written(self, written: asyncio.Future[Any]) -> None:
        error = written.exception()
        if error is not None:
            self._refuse(error)
            return
        body = json_of(written.result())
        headers = HTTPHeaders(
            {
                "Server": f"TornadoServer/{tornado.version}",
                "Content-Type": "application/json",
                "Date": _date(int(time.time())),
                "X-Content-Type-Options": "nosniff",
                "Cache-Control": "no-store",
                "Content-Length": str(len(body)),
            }
        )
        connection: Any = self._request.connection
        connection.write_headers(OK, headers, body)
        connection.finish()
        if counts_requests(self._place.application.settings):
            handler = self._place.handler
            _metric(f"{handler.__module__}.{handler.__name__}", str(self._request.method)).observe(self._request.request_time())

    def _refuse(self, error: BaseException) -> None:
        """What a handler says whose write failed. It is not written anew: what failed may be stored all the same."""
        delegate = self._place.application.get_handler_delegate(self._request, Failed, target_kwargs={"error": error})
        delegate.finish()


class Failed(MlflowHandler):
    """Answers that a write failed."""

    def initialize(self, error: BaseException) -> None:
        """`error`: why."""
        self._error = error

    async def prepare(self, **_kwargs: Any) -> None:
        """The caller was let in before."""
        self.current_user = self._jupyter_current_user = User("mlws-token")
        raise self._error

    post = MlflowHandler.tell_closing  # never called: `prepare` has answered


@lru_cache(maxsize=2)
def _date(second: int) -> str:
    return format_timestamp(second)


@lru_cache(maxsize=100)
def _metric(handler: str, method: str) -> Any:
    """Jupyter's metric of requests that this handler answered, or would have."""
    return HTTP_REQUEST_DURATION_SECONDS.labels(method=method, handler=handler, status_code=200)
