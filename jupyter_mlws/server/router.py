"""One rule in Jupyter's router. What stands behind it is imported with the first request or after the port answers, whichever is first."""

from __future__ import annotations

import asyncio
import json
import re
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import JupyterHandler
from tornado import web
from tornado.httputil import HTTPMessageDelegate
from tornado.routing import PathMatches, Router, Rule

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tornado.httputil import HTTPHeaders, HTTPServerRequest
    from tornado.web import Application

SLOW_START_S = 60.0
OF_MLFLOW = re.compile(r"/mlws(/w/[^/]+)?/(ajax-)?api/[23]\.0/")
SIGN_IN = "Sign in to Jupyter first, or send `Authorization: Bearer <token>`."
STARTING = "The workspace is still starting, or could not start (the server's log tells); try again in a moment."
ANSWERS = {
    401: ("unauthenticated", "UNAUTHENTICATED", SIGN_IN),
    403: ("forbidden", "PERMISSION_DENIED", SIGN_IN),
    503: ("unavailable", "TEMPORARILY_UNAVAILABLE", STARTING),
}
"""By status: our code, MLflow's, and the words."""


def add_routes(application: Application) -> None:
    """Add our rule before Jupyter's catch-all."""
    application.settings["mlws_started"] = asyncio.Event()
    base = application.settings["base_url"].rstrip("/")
    application.default_router.rules.insert(-1, Rule(PathMatches(f"{base}/mlws/.*"), LazyRouter(application, base)))


class LazyRouter(Router):
    """Finds the handler of a path below `/mlws/`."""

    def __init__(self, application: Application, base: str) -> None:
        self._application = application
        self._base = base
        self._inner: Any = None

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> HTTPMessageDelegate | None:
        """The delegate that answers. Before the start is complete every request waits in `Starting`, then is routed anew."""
        if self._inner is None:
            if "mlws" not in self._application.settings:
                return self._application.get_handler_delegate(request, Starting)
            self._inner = self._build()
        delegate = self._inner.find_handler(request, **kwargs)
        return self._limited(request, delegate)

    def _limited(self, request: HTTPServerRequest, delegate: Any) -> HTTPMessageDelegate | None:
        """Whatever is no upload is held in memory: its size and its time are limited before the first byte is read."""
        from jupyter_mlws.kit.http import MAX_JSON_BYTES, SLOW_BODY_S  # noqa: PLC0415 - imported by the runtime already

        handler = getattr(delegate, "handler_class", None)
        if handler is None or getattr(handler, "_stream_request_body", False):
            return cast("HTTPMessageDelegate | None", delegate)
        length = request.headers.get("Content-Length", "0")
        announced = int(length[:20]) if length.isascii() and length.isdigit() else None
        if announced is not None and announced > MAX_JSON_BYTES:
            return self._too_large(request, handler)
        connection: Any = request.connection
        if "Transfer-Encoding" in request.headers:
            connection.set_body_timeout(SLOW_BODY_S)
            connection.set_max_body_size(2**62)
            return Counted(delegate, self._too_large(request, handler), MAX_JSON_BYTES)
        if announced is None or announced > _has_come(connection):
            connection.set_body_timeout(SLOW_BODY_S)
        connection.set_max_body_size(MAX_JSON_BYTES)
        return self._quick(request, delegate, handler)

    def _too_large(self, request: HTTPServerRequest, handler: Any) -> HTTPMessageDelegate:
        from jupyter_mlws.kit.refusals import BodyTooLarge  # noqa: PLC0415 - imported by the runtime already

        return self._application.get_handler_delegate(request, getattr(handler, "too_large", BodyTooLarge))

    def _quick(self, request: HTTPServerRequest, delegate: Any, handler: Any) -> HTTPMessageDelegate | None:
        """Past the handler, where there is such a way."""
        call = getattr(handler, "quick", None)
        if call is None:
            return cast("HTTPMessageDelegate | None", delegate)
        from jupyter_mlws.mlflow_api.lane import Lane, Place  # noqa: PLC0415 - imported with the routes already

        return Lane(Place(call, handler, self._application), request, delegate.path_kwargs.get("workspace"), delegate)

    def _build(self) -> Any:
        from tornado.web import _ApplicationRouter  # noqa: PLC0415 - private, but what `add_handlers` uses for sub-routers

        return ByEnd(rules_below(self._base), partial(_ApplicationRouter, self._application))


def _has_come(connection: Any) -> int:
    """Bytes of the body that came with the head; tornado does not tell, and 0 where it has them elsewhere than it does now."""
    return len(getattr(getattr(connection, "stream", None), "_read_buffer", b""))


def rules_below(base: str) -> list[tuple[str, Any]]:
    """All that answers below `<base>/mlws/`, as (regular expression of the path, handler)."""
    from jupyter_mlws.kit.http import API  # noqa: PLC0415 - imported by the runtime already
    from jupyter_mlws.kit.refusals import NotHere  # noqa: PLC0415
    from jupyter_mlws.mlflow_api.routes import mlflow_routes  # noqa: PLC0415
    from jupyter_mlws.server.changes import ChangesSocket  # noqa: PLC0415
    from jupyter_mlws.server.pages import PAGES  # noqa: PLC0415
    from jupyter_mlws.server.routes import all_routes  # noqa: PLC0415

    rules: list[tuple[str, Any]] = [(f"{base}{API}/changes/ws", ChangesSocket)]
    rules += [(f"{base}{API}{route.pattern}", route.handler) for route in all_routes()]
    rules += [(f"{base}/mlws{pattern}", handler) for pattern, handler in [*PAGES, *mlflow_routes()]]
    rules.append((f"{base}/mlws/.*", NotHere))
    return rules


_LITERAL = re.compile(r"[\w-]+")


class ByEnd(Router):
    """Asks only the rules that can match, in their order: those that end in the path's last part, and those that end in any."""

    def __init__(self, rules: list[tuple[str, Any]], make: Callable[[list[tuple[str, Any]]], Router]) -> None:
        ends = [pattern.rpartition("/")[2] for pattern, _ in rules]
        fixed = {end for end in ends if _LITERAL.fullmatch(end)}
        self._rest = make([rule for rule, end in zip(rules, ends, strict=True) if end not in fixed])
        self._by_end = {
            name: make([rule for rule, end in zip(rules, ends, strict=True) if end == name or end not in fixed]) for name in fixed
        }

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> HTTPMessageDelegate | None:
        """The delegate of the first rule that matches."""
        return self._by_end.get(request.path.rpartition("/")[2], self._rest).find_handler(request, **kwargs)


class Counted(HTTPMessageDelegate):
    """Hands a body without an announced length to the delegate it is for; to another one as soon as it is too large."""

    def __init__(self, inner: HTTPMessageDelegate, too_large: HTTPMessageDelegate, most: int) -> None:
        self._inner = inner
        self._too_large: HTTPMessageDelegate | None = too_large
        self._left = most
        self._head: tuple[Any, HTTPHeaders]

    def headers_received(self, start_line: Any, headers: HTTPHeaders) -> Awaitable[None] | None:
        """The request begins."""
        self._head = start_line, headers
        return self._inner.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """A piece of the body."""
        self._left -= len(chunk)
        if self._left >= 0 or self._too_large is None:
            return self._inner.data_received(chunk)
        self._inner, self._too_large = self._too_large, None
        return self._inner.headers_received(*self._head)

    def finish(self) -> None:
        """The body is whole."""
        self._inner.finish()

    def on_connection_close(self) -> None:
        """The client went away."""
        self._inner.on_connection_close()


class Starting(JupyterHandler):
    """Answers in the first moments: 503 with Retry-After, after a sign-in check."""

    SUPPORTED_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

    async def prepare(self, **_kwargs: Any) -> None:
        """Wait for the start, then ask the client to come again: its request was not read."""
        await super().prepare(_redirect_to_login=False)
        if self.current_user is None and not self.request.headers.get("Authorization", "").startswith("Bearer mlws_"):
            raise web.HTTPError(401)
        started: asyncio.Event = self.settings["mlws_started"]
        try:
            await asyncio.wait_for(started.wait(), SLOW_START_S)
        except asyncio.TimeoutError:
            raise web.HTTPError(503) from None
        if "mlws" not in self.settings:
            raise web.HTTPError(503)
        if self.request.method == "GET":
            self.redirect(self.request.uri or "")
        else:
            self.send_error(503)

    def write_error(self, status_code: int, **_kwargs: Any) -> None:
        """The shape of all our errors, or MLflow's where one of its clients asked."""
        self.set_header("Content-Type", "application/json")
        if status_code == 503:
            self.set_header("Retry-After", "1")
        code, mlflow_code, words = ANSWERS.get(status_code, ANSWERS[403])
        if OF_MLFLOW.search(self.request.path):
            self.finish(json.dumps({"error_code": mlflow_code, "message": words}))
        else:
            self.finish(json.dumps({"error": {"code": code, "message": words}}))

    @allow_unauthenticated
    def get(self) -> None:
        """Answered in `prepare`."""

    post = put = patch = delete = get
