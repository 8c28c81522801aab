"""When a headless server ends: when nobody needs it, or when a real one asks for the data folder."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import TYPE_CHECKING, Any

from tornado.httputil import HTTPMessageDelegate
from tornado.routing import Matcher, Rule

from jupyter_mlws.domain.jobs import service as jobs
from jupyter_mlws.domain.runs import service as runs

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlalchemy.orm import Session
    from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine, ResponseStartLine

    from jupyter_mlws.server.runtime import Runtime

log = logging.getLogger(__name__)

CHECK_S = 5.0
FINISH_S = 10.0
ENDLESS = ("/changes/ws", "/changes/stream")


class Activity(Matcher):
    """Sees every request begin (as a rule of the router that matches nothing) and end: as the log function, or as it breaks off."""

    def __init__(self, application: Any) -> None:
        self.last = time.monotonic()
        self.answered = asyncio.Event()
        """Set while no request is open."""
        self.answered.set()
        self._open: set[Any] = set()
        self._log = application.settings.get("log_function", lambda _handler: None)
        self._start = application.start_request
        application.settings["log_function"] = self._ended
        application.start_request = self._watched
        application.default_router.rules.insert(0, Rule(self, None))

    @property
    def open(self) -> int:
        """Requests that are being answered; streams are not counted, the hub knows them."""
        return len(self._open)

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Note the request, and leave it to the rules that follow."""
        if not _endless(request):
            self._open.add(request.connection)
        self._note()
        return None

    def gone(self, connection: Any) -> None:
        """The connection of a request (each has one of its own) has ended, or nothing will come of it."""
        self._open.discard(connection)
        self._note()

    def _watched(self, server: object, connection: Any) -> HTTPMessageDelegate:
        return Watched(self._start(server, connection), lambda: self.gone(connection))

    def _ended(self, handler: Any) -> None:
        self.gone(handler.request.connection)
        self._log(handler)

    def _note(self) -> None:
        self.last = time.monotonic()
        if self._open:
            self.answered.clear()
        else:
            self.answered.set()


class Watched(HTTPMessageDelegate):
    """Passes a request on. One that breaks off in its body never has a handler, and nobody would note its end."""

    def __init__(self, inner: HTTPMessageDelegate, broke_off: Callable[[], None]) -> None:
        self._inner = inner
        self._broke_off = broke_off

    def headers_received(self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders) -> Awaitable[None] | None:
        """As it is."""
        return self._inner.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """As it is."""
        return self._inner.data_received(chunk)

    def finish(self) -> None:
        """The request is whole: its handler ends it."""
        self._inner.finish()

    def on_connection_close(self) -> None:
        """The client went away before its request was whole."""
        self._broke_off()
        self._inner.on_connection_close()


def _endless(request: HTTPServerRequest) -> bool:
    return request.path.endswith(ENDLESS)


class Leaving:
    """Ends a headless server."""

    def __init__(self, serverapp: Any, runtime: Runtime, idle_s: float) -> None:
        self._serverapp = serverapp
        self._runtime = runtime
        self._idle_s = idle_s
        self._activity = Activity(serverapp.web_app)
        self._asked = asyncio.Event()
        self._task = asyncio.ensure_future(self._mind())

    def leave(self) -> None:
        """End as soon as the requests that are being answered are."""
        self._asked.set()

    async def _mind(self) -> None:
        try:
            if self._runtime.is_owner:
                await self._until_unneeded()
                await self._finish()
            elif self._runtime.failure is not None:
                print(f"mlws: {self._runtime.failure}", flush=True)  # noqa: T201 - its output is the log that the starter reads
                self._serverapp.exit_code = 1
        finally:
            self._serverapp.stop()

    async def _until_unneeded(self) -> None:
        every = min(CHECK_S, max(self._idle_s / 4, 0.1))
        while not self._asked.is_set():
            try:
                await asyncio.wait_for(self._asked.wait(), every)
            except asyncio.TimeoutError:
                if await self._is_idle():
                    return

    async def _is_idle(self) -> bool:
        quiet = time.monotonic() - self._activity.last
        if quiet < self._idle_s or self._activity.open > 0 or self._runtime.services.hub.listeners:
            return False
        return not await self._runtime.db.read(is_needed)

    async def _finish(self) -> None:
        """Send nobody here any more, and answer what was asked before."""
        await asyncio.to_thread(self._runtime.lock.withdraw)
        self._serverapp.http_server.stop()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._activity.answered.wait(), FINISH_S)


def is_needed(session: Session) -> bool:
    """Whether a job waits or runs, or a notebook or script logs to a run."""
    return jobs.any_unfinished(session) or bool(runs.interactive_running(session))
