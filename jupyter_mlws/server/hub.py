"""The hub: hands hints of changes to the streams of browsers, at most two a second for each object (logs: five)."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from jupyter_mlws.db.outbox import Change
from jupyter_mlws.kit.clock import now_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

QUIET_S = 0.5
"""An object that was told of is told of again after this time at the earliest."""
QUIET_OF_KIND_S = {"log": 0.2}
"""A line must be seen within half a second of its printing, and the hint is but one part of that way."""
PAUSE_S = 0.02
"""Between two rounds, however many changes come."""
QUEUE_LIMIT = 5_000
TOLD_LIMIT = 10_000


class Subscriber:
    """One stream: a queue of hints. One that does not keep up is ended; its client comes again and asks since its last hint."""

    def __init__(self, workspace: str | None) -> None:
        self.workspace = workspace
        self.queue: asyncio.Queue[Change | None] = asyncio.Queue(QUEUE_LIMIT)

    def offer(self, change: Change) -> bool:
        """Hand over a hint; False once the stream has fallen behind, and ends."""
        if self.workspace is not None and change.workspace != self.workspace:
            return True
        try:
            self.queue.put_nowait(change)
        except asyncio.QueueFull:
            while not self.queue.empty():
                self.queue.get_nowait()
            self.queue.put_nowait(None)
            return False
        return True


class Hub:
    """Collects hints from any thread, hands them out on the event loop.

    The `seq` of a hint that is handed out is where its reader begins again after a break: everything up to it was told. It is less
    than the object's own while hints of other objects are held back.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._subscribers: set[Subscriber] = set()
        self._pending: dict[tuple[str, str], Change] = {}
        self._told: dict[tuple[str, str], float] = {}
        self._seen = 0
        self._round_at = 0.0
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

    def publish(self, changes: Sequence[Change]) -> None:
        """Hints to hand out; callable from any thread."""
        if not self._subscribers:  # the loop need not wake up: who comes now reads what was committed before
            self._seen = max(self._seen, *(change.seq for change in changes), 0)
            return
        with contextlib.suppress(RuntimeError):  # the loop is closed: the server has ended
            self._loop.call_soon_threadsafe(self._collect, changes)

    def passing(self, workspace: str, kind: str, object_id: str, parent: str | None = None) -> None:
        """A hint that no table keeps (a log grew); callable from any thread."""
        self.publish([Change(0, workspace, kind, object_id, parent, now_ms())])

    def _collect(self, changes: Sequence[Change]) -> None:
        self._seen = max(self._seen, *(change.seq for change in changes), 0)
        if not self._subscribers:
            return
        for change in changes:
            key = (change.kind, change.id)
            earlier = self._pending.get(key)
            self._pending[key] = change if earlier is None or change.seq >= earlier.seq else earlier
        next_round = self._round_at + PAUSE_S
        if self._loop.time() >= next_round:
            self._hand_out()
        elif self._timer is None or self._timer.when() > next_round:
            self._come_again(next_round)

    def _come_again(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(at, self._hand_out)

    def _hand_out(self) -> None:
        """Tell what may be told now, and come again when the next may be."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._round_at = now = self._loop.time()
        due = {key: self._told.get(key, now - QUIET_S) + QUIET_OF_KIND_S.get(key[0], QUIET_S) for key in self._pending}
        ready = [self._pending.pop(key) for key, at in due.items() if at <= now]
        held = [change.seq for change in self._pending.values() if change.seq]
        cursor = min(held) - 1 if held else self._seen
        for change in ready:
            self._told[change.kind, change.id] = now
            told = change._replace(seq=cursor) if change.seq else change
            self._subscribers = {subscriber for subscriber in self._subscribers if subscriber.offer(told)}
        if len(self._told) > TOLD_LIMIT:
            self._told = {key: at for key, at in self._told.items() if now - at < QUIET_S}
        if self._pending:
            self._come_again(max(min(due[key] for key in self._pending), now + PAUSE_S))
