"""When a headless server ends: when nobody needs it, or when a real one asks for the data folder."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import TYPE_CHECKING, Any

from tornado.routing import Matcher, Rule

from jupyter_mlws.domain.jobs import service as jobs
from jupyter_mlws.domain.runs import service as runs

if TYPE_CHECKING:
    from sqlalchemy.orm import Session
    from tornado.httputil import HTTPServerRequest

    from jupyter_mlws.server.runtime import Runtime

log = logging.getLogger(__name__)

CHECK_S = 5.0
FINISH_S = 10.0
ENDLESS = ("/changes/ws", "/changes/stream")


class Activity(Matcher):
    """Sees every request begin (as a rule of the router that matches nothing) and end (as the log function)."""

    def __init__(self, application: Any) -> None:
        self.open = 0
        """Requests that are being answered; streams are not counted, the hub knows them."""
        self.last = time.monotonic()
        self.answered = asyncio.Event()
        """Set while none is open."""
        self.answered.set()
        self._log = application.settings.get("log_function", lambda _handler: None)
        application.settings["log_function"] = self._ended
        application.default_router.rules.insert(0, Rule(self, None))

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Note the request, and leave it to the rules that follow."""
        self._count(0 if _endless(request) else 1)
        return None

    def _ended(self, handler: Any) -> None:
        self._count(0 if _endless(handler.request) else -1)
        self._log(handler)

    def _count(self, change: int) -> None:
        self.last = time.monotonic()
        self.open = max(self.open + change, 0)
        if self.open:
            self.answered.clear()
        else:
            self.answered.set()


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
