"""Live updates: hints over a WebSocket (browsers), server-sent events (terminals), and polling (everything else).

A hint says that an object is different now; the data comes over ordinary, authorized requests.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Annotated, Any, cast

import msgspec
from jupyter_server.auth.decorator import ws_authenticated
from jupyter_server.auth.identity import User
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from msgspec import Meta, Struct
from tornado import web
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError, WebSocketHandler, websocket_connect

from jupyter_mlws.db import outbox
from jupyter_mlws.kit.actors import TOKEN_PREFIX, Action
from jupyter_mlws.kit.errors import MlwsError
from jupyter_mlws.kit.http import SETTINGS_KEY, ApiHandler, Route, endpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tornado.httputil import HTTPHeaders

    from jupyter_mlws.db.outbox import Change
    from jupyter_mlws.kit.actors import Actor
    from jupyter_mlws.server.hub import Subscriber
    from jupyter_mlws.server.runtime import Runtime

log = logging.getLogger(__name__)

COMMENT_S = 15.0
CATCH_UP = 1000
"""Rows read at once."""
SLOW_S = 20.0
"""A reader that takes nothing for so long is hung up on."""

Seq = Annotated[int, Meta(ge=0, le=2**53)]


class ChangeHint(Struct, kw_only=True):
    """An object that changed; `parent` is a run's experiment. `seq`: what to give as `since` or `after` to go on from here.

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


async def missed(runtime: Runtime, since: int, workspace: str | None) -> AsyncIterator[Change]:
    """All objects that changed after `since`, however many."""
    while True:
        start = since
        rows = await runtime.db.read(lambda s: outbox.changes_after(s, start, CATCH_UP, workspace))  # noqa: B023 - awaited at once
        for row in rows:
            yield row
        if len(rows) < CATCH_UP:
            return
        since = rows[-1].seq


async def still_counts(runtime: Runtime, token: str | None, headers: HTTPHeaders, actor: Actor) -> bool:
    """Whether the token that opened a stream is still good, for a workspace of the same name."""
    if token is None:
        return True
    now = await runtime.actor_of_token(token, headers)
    return now is not None and now.workspace == actor.workspace


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
            await self._push()
            if self.query.since is not None:
                async for row in missed(cast("Runtime", self.runtime), self.query.since, self.actor.workspace):
                    self._event(row)
                    await self._push()
            await self._follow(subscriber)
        except StreamClosedError:
            pass
        except asyncio.TimeoutError:
            connection: Any = self.request.connection
            connection.stream.close()
        finally:
            hub.unsubscribe(subscriber)

    async def _push(self) -> None:
        await asyncio.wait_for(self.flush(), SLOW_S)

    async def _follow(self, subscriber: Subscriber) -> None:
        while True:
            try:
                change = await asyncio.wait_for(subscriber.queue.get(), COMMENT_S)
            except asyncio.TimeoutError:
                self.write(": still here\n\n")
            else:
                if change is None:
                    return
                if not await still_counts(cast("Runtime", self.runtime), self._token, self.request.headers, self.actor):
                    return
                self._event(change)
            await self._push()

    def _event(self, change: Change) -> None:
        name = f"id: {change.seq}\n" if change.seq else ""
        self.write(f"{name}event: change\ndata: {msgspec.json.encode(hint(change)).decode()}\n\n")


class ChangesSocket(WebSocketMixin, WebSocketHandler, JupyterHandler):
    """One WebSocket a browser tab. On a server that does not own the data folder it is bridged to the owner."""

    _task: asyncio.Task[None] | None = None
    _actor: Actor | None = None
    _bearer: str | None = None

    @property
    def runtime(self) -> Runtime:
        """The server's runtime."""
        return cast("Runtime", self.settings[SETTINGS_KEY])

    async def prepare(self, *args: Any, **kwargs: Any) -> None:
        """Our tokens are resolved here, or by the owner; everybody else is Jupyter's."""
        scheme, _, credentials = self.request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not credentials.startswith(TOKEN_PREFIX):
            await super().prepare(*args, **kwargs)
            return
        if not self.check_host():
            raise web.HTTPError(403)
        with answering():
            await self.runtime.ready()
            if self.runtime.is_owner:
                self._actor = await self.runtime.actor_of_token(credentials, self.request.headers)
                if self._actor is None:
                    raise web.HTTPError(401)
        self._bearer = credentials
        self.current_user = self._jupyter_current_user = User("mlws-token")
        self._token_authenticated = True

    @ws_authenticated
    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Open the socket."""
        with answering():
            await self.runtime.ready()
        if self._bearer is None:
            self._actor = self.runtime.actor_of_user(cast("User", self.current_user))
        await super().get(*args, **kwargs)

    def open(self, *args: Any, **kwargs: Any) -> None:
        """Begin to send."""
        super().open(*args, **kwargs)
        since = self.get_argument("since", "")
        start = int(since) if since.isascii() and since.isdigit() and len(since) < 17 else None
        self._task = asyncio.create_task(self._run(start))

    async def _run(self, since: int | None) -> None:
        try:
            if self.runtime.is_owner:
                await self._serve(since)
            else:
                await self._bridge(since)
        except (WebSocketClosedError, asyncio.TimeoutError, HTTPClientError, MlwsError, OSError) as error:
            log.debug("A stream of changes ended: %s", error)
        except Exception:
            log.exception("A stream of changes broke off")
        self.close(1001, "reconnect")

    async def _send(self, text: str | bytes) -> None:
        await asyncio.wait_for(self.write_message(text), SLOW_S)

    async def _serve(self, since: int | None) -> None:
        runtime = self.runtime
        if self._actor is None:
            return  # came while another server was the owner, and was not yet known here
        workspace = self._actor.workspace
        subscriber = runtime.services.hub.subscribe(workspace)
        try:
            if since is not None:
                async for row in missed(runtime, since, workspace):
                    await self._send(msgspec.json.encode(hint(row)).decode())
            while (change := await subscriber.queue.get()) is not None:
                if not await still_counts(runtime, self._bearer, self.request.headers, self._actor):
                    return
                await self._send(msgspec.json.encode(hint(change)).decode())
        finally:
            runtime.services.hub.unsubscribe(subscriber)

    async def _bridge(self, since: int | None) -> None:
        forwarder = self.runtime.forwarder
        if forwarder is None:
            return
        address = forwarder.address()
        query = "" if since is None else f"?since={since}"
        name = self._actor.name if self._actor is not None else ""
        request = HTTPRequest(
            f"{address.url}/api/v1/changes/ws{query}".replace("http", "ws", 1),
            headers=forwarder.headers(address, name, self._bearer),
            ssl_options=forwarder.trust(address),
        )
        connection = await websocket_connect(request)
        try:
            while (message := await connection.read_message()) is not None:
                await self._send(message)
        finally:
            connection.close()

    def on_message(self, message: str | bytes) -> None:
        """Nothing is expected from browsers."""

    def on_close(self) -> None:
        """Stop sending."""
        if self._task is not None:
            self._task.cancel()
        super().on_close()


@contextlib.contextmanager
def answering() -> Iterator[None]:
    """Failures of ours as answers to the opening of a WebSocket."""
    try:
        yield
    except MlwsError as error:
        raise web.HTTPError(error.status, error.message.replace("%", "%%")) from error


ROUTES = [Route("/changes", ChangesHandler), Route("/changes/stream", StreamHandler)]
