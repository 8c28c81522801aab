"""The connection to the kernel on the other server: it comes back after a cut, and no request is run twice or forgotten."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from tornado.websocket import WebSocketClosedError

from jupyter_mlws.runner.gateway.frames import SUBPROTOCOL, Message, pack, unpack
from jupyter_mlws.runner.gateway.remote import Away, KernelGone

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_client.session import Session
    from tornado.websocket import WebSocketClientConnection

    from jupyter_mlws.runner.gateway.remote import Remote

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 5.0
ONCE_ONLY = ("execute_request",)
"""Requests that change something: of these none is sent a second time that may have arrived."""
GONE_STATES = ("restarting", "dead")


class Asked:
    """A request that has no reply yet."""

    def __init__(self, message: Message, kind: str) -> None:
        self.message = message
        self.kind = kind
        self.sent = False
        self.begun = False
        """The kernel has said that it works on it."""


class Link:
    """Sends requests, and hands on what comes; `take` gets each message with the id of the request that it belongs to."""

    def __init__(
        self,
        remote: Remote,
        session: Session,
        take: Callable[[Message, dict[str, Any], str], None],
        lost: Callable[[Asked], None],
        cut: Callable[[list[Asked], float], None],
        *,
        patience_s: float,
    ) -> None:
        """`lost`: a request was run, and its reply is lost; `cut`: these were at work while there was no connection for so many seconds."""
        self.remote = remote
        self.patience_s = patience_s
        self._session = session
        self._take, self._lost, self._cut = take, lost, cut
        self._key = uuid.uuid4().hex
        self._socket: WebSocketClientConnection | None = None
        self._asked: OrderedDict[str, Asked] = OrderedDict()
        self._own: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._answers: list[Message] = []
        """Answers to `input()` that could not be sent."""
        self._fence: tuple[str, set[str]] | None = None
        """While it is not known what of the requests arrived: the request that tells, and what of it has come."""

    async def open(self) -> None:
        """Connect. Raises `Away`, `Refused`."""
        self._socket = await self.remote.connect(self._key)

    def close(self) -> None:
        """Let go of it."""
        if self._socket is not None:
            self._socket.close()

    async def run(self) -> None:
        """Hand on what comes. Raises `KernelGone`, `Refused`, and `Away` where the server stays away."""
        while True:
            assert self._socket is not None  # noqa: S101 - it is opened first
            data = await self._socket.read_message()
            if data is not None:
                await self._came(unpack(data, v1=self._v1))
            else:
                await self._again()

    @property
    def _v1(self) -> bool:
        return self._socket is not None and self._socket.selected_subprotocol == SUBPROTOCOL

    # ---- what is sent

    async def send(self, message: Message, msg_id: str, kind: str) -> None:
        """A request of a client, or its answer to a question."""
        if message.channel == "stdin":
            if not await self._write(message):
                self._answers.append(message)
            return
        asked = self._asked[msg_id] = Asked(message, kind)
        if self._fence is None or message.channel == "control":
            asked.sent = await self._write(message)

    async def ask(self, kind: str, content: dict[str, Any], patience: float | None) -> dict[str, Any]:
        """The content of the reply to a request of our own. Raises `asyncio.TimeoutError`."""
        msg_id, message = self._made(kind, content)
        future = self._own[msg_id] = asyncio.get_running_loop().create_future()
        try:
            await self.send(message, msg_id, kind)
            return await asyncio.wait_for(future, patience)
        finally:
            self._own.pop(msg_id, None)

    def _made(self, kind: str, content: dict[str, Any]) -> tuple[str, Message]:
        made = self._session.msg(kind, content)
        packed = [self._session.pack(made[part]) for part in ("header", "parent_header", "metadata", "content")]
        return str(made["header"]["msg_id"]), Message("shell", packed, [])

    async def _write(self, message: Message) -> bool:
        if self._socket is None:
            return False
        try:
            await self._socket.write_message(pack(message, v1=self._v1), binary=self._v1 or bool(message.buffers))
        except WebSocketClosedError:
            return False
        return True

    # ---- what comes

    async def _came(self, message: Message) -> None:
        header, parent = json.loads(message.parts[0]), json.loads(message.parts[1])
        kind, of = str(header.get("msg_type")), str((parent or {}).get("msg_id") or "")
        state = json.loads(message.parts[3]).get("execution_state") if kind == "status" else None
        if state in GONE_STATES and not of:
            raise KernelGone(f"The kernel on {self.remote.host} died (most often its memory ran out).")
        asked = self._asked.get(of)
        if asked is not None:
            asked.begun = True
        if self._fence is not None and of == self._fence[0]:
            self._fence[1].add("idle" if state == "idle" else "reply" if kind.endswith("_reply") else "")
            if {"idle", "reply"} <= self._fence[1]:
                self._fence = None
                await self._settle()
            return
        if kind.endswith("_reply") and message.channel != "stdin":
            self._asked.pop(of, None)
            future = self._own.get(of)
            if future is not None and not future.done():
                future.set_result(json.loads(message.parts[3]))
        self._take(message, header, of)

    # ---- after a cut

    async def _again(self) -> None:
        """Connect again. What was asked before is asked of the kernel first: its queue is in order, so what it has not begun by then it
        never got."""
        self._socket, began = None, time.monotonic()
        self._fence, pause = ("", set()), FIRST_PAUSE_S  # nothing goes past those that may have to go again
        while True:
            try:
                await self.remote.look()
                await self.open()
                break
            except Away as error:
                if time.monotonic() - began > self.patience_s:
                    raise Away(
                        f"{str(error).rstrip('.')}, for {self.patience_s:.0f} s now: the kernel there is given up."
                    ) from None
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE_S, pause * 2)
        self._cut([one for one in self._asked.values() if one.begun and one.kind in ONCE_ONLY], time.monotonic() - began)
        answers, self._answers = self._answers, []
        for answer in answers:
            await self._write(answer)
        for asked in self._asked.values():
            if asked.message.channel == "control":
                asked.sent = await self._write(asked.message)
        msg_id, fence = self._made("kernel_info_request", {})
        self._fence = (msg_id, set())
        await self._write(fence)

    async def _settle(self) -> None:
        """The kernel has answered all that it had got."""
        for msg_id, asked in list(self._asked.items()):
            if asked.message.channel == "control":
                continue
            if asked.sent and asked.begun and asked.kind in ONCE_ONLY and msg_id not in self._own:  # ours may all be asked twice
                del self._asked[msg_id]
                self._lost(asked)
                continue
            asked.begun, asked.sent = False, await self._write(asked.message)
