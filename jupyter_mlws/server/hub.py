"""The hub: hands hints of changes to the streams of browsers, at most two a second for each object."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from jupyter_mlws.db.outbox import Change
from jupyter_mlws.kit.clock import now_ms

if TYPE_CHECKING:
    from collections.abc import Iterable

INTERVAL_S = 0.1
QUIET_S = 0.5
"""An object that was told of is told of again after this time at the earliest."""
QUEUE_LIMIT = 5_000


class Subscriber:
    """One stream: a queue of hints. When it overflows the stream is told to start over."""

    def __init__(self, workspace: str | None) -> None:
        self.workspace = workspace
        self.queue: asyncio.Queue[Change | None] = asyncio.Queue(QUEUE_LIMIT)

    def offer(self, change: Change) -> None:
        """Hand over a hint; a stream that does not keep up is ended (its client reconnects and asks since its last one)."""
        if self.workspace is not None and change.workspace != self.workspace:
            return
        try:
            self.queue.put_nowait(change)
        except asyncio.QueueFull:
            while not self.queue.empty():
                self.queue.get_nowait()
            self.queue.put_nowait(None)


class Hub:
    """Collects hints from any thread, hands them out on the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._subscribers: set[Subscriber] = set()
        self._pending: dict[tuple[str, str], Change] = {}
        self._told: dict[tuple[str, str], float] = {}
        self._timer: asyncio.TimerHandle | None = None

    @property
    def listeners(self) -> int:
        """Number of open streams."""
        return len(self._subscribers)

    def subscribe(self, workspace: str | None) -> Subscriber:
        """A new stream, of one workspace or of all."""
        subscriber = Subscriber(workspace)
        self._subscribers.add(subscriber)
        return subscriber

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """The stream ended."""
        self._subscribers.discard(subscriber)

    def publish(self, changes: Iterable[Change]) -> None:
        """Hints to hand out; callable from any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._collect, list(changes))

    def passing(self, workspace: str, kind: str, object_id: str, parent: str | None = None) -> None:
        """A hint that no table keeps (a log grew); callable from any thread."""
        self.publish([Change(0, workspace, kind, object_id, parent, now_ms())])

    def _collect(self, changes: list[Change]) -> None:
        if not self._subscribers:
            return
        for change in changes:
            key = (change.kind, change.id)
            earlier = self._pending.get(key)
            self._pending[key] = change if earlier is None or change.seq >= earlier.seq else earlier
        if self._timer is None:
            self._hand_out()

    def _hand_out(self) -> None:
        self._timer = None
        now = self._loop.time()
        for key, change in list(self._pending.items()):
            if now - self._told.get(key, -QUIET_S) >= QUIET_S:
                del self._pending[key]
                self._told[key] = now
                for subscriber in self._subscribers:
                    subscriber.offer(change)
        if len(self._told) > 10_000:
            self._told = {key: at for key, at in self._told.items() if now - at < QUIET_S}
        if self._pending:
            self._timer = self._loop.call_later(INTERVAL_S, self._hand_out)
