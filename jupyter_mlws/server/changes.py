"""Live updates: hints over a WebSocket (browsers), server-sent events (terminals), and polling (everything else).

A hint says that an object is different now; the data comes over ordinary, authorized requests.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Annotated, Any, cast

import msgspec
from jupyter_server.auth.decorator import ws_authenticated
from jupyter_server.auth.identity import User
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from msgspec import Meta, Struct
from tornado.httpclient import HTTPRequest
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError, WebSocketHandler, websocket_connect

from jupyter_mlws.db import outbox
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.http import SETTINGS_KEY, ApiHandler, Route, endpoint

if TYPE_CHECKING:
    from jupyter_mlws.db.outbox import Change
    from jupyter_mlws.server.hub import Subscriber
    from jupyter_mlws.server.runtime import Runtime

COMMENT_S = 15.0
CATCH_UP = 1000

Seq = Annotated[int, Meta(ge=0, le=2**53)]


class ChangeHint(Struct, kw_only=True):
    """An object that changed; `parent` is a run's experiment.

    `kind` is workspace, experiment, run, metrics, artifacts, log, notebook or compute.
    """

    seq: int
    workspace: str
    kind: str
    id: str
    parent: str | None
    at: int


class ChangeList(Struct, kw_only=True):
    """Changes after a sequence number, oldest first, each object once; ask again with `after=seq`."""

    changes: list[ChangeHint]
    seq: int


class PollQuery(Struct):
    """From where, and how many at most."""

    after: Seq = 0
    limit: Annotated[int, Meta(ge=1, le=1000)] = 500


class StreamQuery(Struct):
    """From where; from now on if left out."""

    since: Seq | None = None


def hint(change: Change) -> ChangeHint:
    """A change as the wire has it."""
    return ChangeHint(
        seq=change.seq, workspace=change.workspace, kind=change.kind, id=change.id, parent=change.parent, at=change.at
    )


class ChangesHandler(ApiHandler):
    """Polling."""

    @endpoint(Action.READ, summary="Changes since a sequence number", query=PollQuery, reply=ChangeList)
    async def get(self) -> None:
        """Every object that changed after `after`, once, with its latest sequence number."""
        query, workspace = self.query, self.actor.workspace
        rows = await self.db.read(lambda s: outbox.changes_after(s, query.after, query.limit, workspace))
        seq = rows[-1].seq if len(rows) == query.limit else max(self.db.seq, query.after)
        self.reply(ChangeList(changes=[hint(row) for row in rows], seq=seq))


class StreamHandler(ApiHandler):
    """Server-sent events."""

    @endpoint(Action.READ, summary="Changes as server-sent events", query=StreamQuery, media_type="text/event-stream")
    async def get(self) -> None:
        """The same rows as polling, as they happen; a comment every 15 s keeps proxies from closing the stream."""
        hub = self.services.hub
        subscriber = hub.subscribe(self.actor.workspace)
        self.set_header("Content-Type", "text/event-stream; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Accel-Buffering", "no")
        try:
            self.write(": connected\n\n")
            await self.flush()
            await self._catch_up()
            await self._follow(subscriber)
        except StreamClosedError:
            pass
        finally:
            hub.unsubscribe(subscriber)

    async def _catch_up(self) -> None:
        if self.query.since is not None:
            since, workspace = self.query.since, self.actor.workspace
            for row in await self.db.read(lambda s: outbox.changes_after(s, since, CATCH_UP, workspace)):
                self._event(row)
            await self.flush()

    async def _follow(self, subscriber: Subscriber) -> None:
        while True:
            try:
                change = await asyncio.wait_for(subscriber.queue.get(), COMMENT_S)
            except asyncio.TimeoutError:
                self.write(": still here\n\n")
            else:
                if change is None:
                    return
                self._event(change)
            await self.flush()

    def _event(self, change: Change) -> None:
        name = f"id: {change.seq}\n" if change.seq else ""
        self.write(f"{name}event: change\ndata: {msgspec.json.encode(hint(change)).decode()}\n\n")


class ChangesSocket(WebSocketMixin, WebSocketHandler, JupyterHandler):
    """One WebSocket a browser tab. On a server that does not own the data folder it is bridged to the owner."""

    _task: asyncio.Task[None] | None = None

    @property
    def runtime(self) -> Runtime:
        """The server's runtime."""
        return cast("Runtime", self.settings[SETTINGS_KEY])

    @ws_authenticated
    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Open the socket."""
        await self.runtime.ready()
        await super().get(*args, **kwargs)

    def open(self, *args: Any, **kwargs: Any) -> None:
        """Begin to send."""
        super().open(*args, **kwargs)
        since = self.get_argument("since", "")
        start = int(since) if since.isascii() and since.isdigit() and len(since) < 17 else None
        self._task = asyncio.create_task(self._run(start))

    async def _run(self, since: int | None) -> None:
        with contextlib.suppress(WebSocketClosedError, OSError):
            if self.runtime.is_owner:
                await self._serve(since)
            else:
                await self._bridge(since)
        self.close(1001, "reconnect")

    async def _serve(self, since: int | None) -> None:
        runtime = self.runtime
        subscriber = runtime.services.hub.subscribe(None)
        try:
            if since is not None:
                for row in await runtime.db.read(lambda s: outbox.changes_after(s, since, CATCH_UP)):
                    await self.write_message(msgspec.json.encode(hint(row)).decode())
            while (change := await subscriber.queue.get()) is not None:
                await self.write_message(msgspec.json.encode(hint(change)).decode())
        finally:
            runtime.services.hub.unsubscribe(subscriber)

    async def _bridge(self, since: int | None) -> None:
        forwarder = self.runtime.forwarder
        if forwarder is None:
            return
        address = forwarder.address()
        query = "" if since is None else f"?since={since}"
        url = f"{address.url}/api/v1/changes/ws{query}".replace("http", "ws", 1)
        request = HTTPRequest(url, headers=forwarder.headers(address, "bridge", None))
        connection = await websocket_connect(request)
        try:
            while (message := await connection.read_message()) is not None:
                await self.write_message(message)
        finally:
            connection.close()

    async def prepare(self, *args: Any, **kwargs: Any) -> None:
        """Another server of the same user comes with the local token; everybody else is Jupyter's."""
        header = self.request.headers.get("Authorization", "")
        if header.startswith("Bearer mlws_") and self.check_host():
            actor = await self.runtime.actor_of_token(header.removeprefix("Bearer "), self.request.headers)
            if actor is not None and actor.workspace is None:
                self.current_user = self._jupyter_current_user = User(actor.name)
                self._token_authenticated = True
                return
        await super().prepare(*args, **kwargs)

    def on_message(self, message: str | bytes) -> None:
        """Nothing is expected from browsers."""

    def on_close(self) -> None:
        """Stop sending."""
        if self._task is not None:
            self._task.cancel()
        super().on_close()


ROUTES = [Route("/changes", ChangesHandler), Route("/changes/stream", StreamHandler)]
