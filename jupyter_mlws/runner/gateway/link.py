"""The connection to the kernel on the other server: it comes back after a cut, and no request is run twice or forgotten."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import uuid
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from tornado.websocket import WebSocketClosedError

from jupyter_mlws.runner.gateway.frames import SUBPROTOCOL, Message, pack, unpack
from jupyter_mlws.runner.gateway.remote import Away, KernelGone, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_client.session import Session
    from tornado.websocket import WebSocketClientConnection

    from jupyter_mlws.runner.gateway.remote import Remote

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 5.0
NO_REPLY = ("comm_open", "comm_msg", "comm_close")
"""Nobody answers these: they are over when the kernel is idle again."""
ONCE_ONLY = ("execute_request", *NO_REPLY)
"""Requests that change something: of these none is sent a second time that may have arrived."""
ANSWER_S = 60.0
MOST_TRIES = 3
LARGE = 1 << 20
"""A request of more bytes that cuts the connection each time does not get through."""
GONE_STATES = ("restarting", "dead")
SILENT = {
    "code": "",
    "silent": True,
    "store_history": False,
    "allow_stdin": False,
    "stop_on_error": False,
    "user_expressions": {},
}
"""Runs nothing, and is told how many cells have run."""


class Asked:
    """A request that has no reply yet."""

    def __init__(self, message: Message, kind: str) -> None:
        self.message = message
        self.kind = kind
        self.is_cell = kind == "execute_request" and _is_counted(message)
        """The kernel counts it; of what it does not count nobody can tell whether it ran."""
        self.sent = False
        self.tries = 0
        """So often it was sent, and the connection was cut with no word of it."""
        self.begun = False
        """The kernel has said that it works on it."""
        self.counted = False
        """It has said as which of its cells."""
        self._again = 0

    def call_back(self) -> None:
        """It goes once more, and differs from what went before: a kernel that has got a message does not look at it a second time."""
        if self.sent:
            self.sent, self._again = False, self._again + 1
            metadata = {**json.loads(self.message.parts[2]), "mlws_again": self._again}
            parts = [*self.message.parts]
            parts[2] = json.dumps(metadata).encode()
            self.message = self.message._replace(parts=parts)


class Link:
    """Sends requests, and hands on what comes; `take` gets each message with the id of the request that it belongs to."""

    def __init__(
        self,
        remote: Remote,
        session: Session,
        take: Callable[[Message, dict[str, Any], str], None],
        lost: Callable[[Asked, str], None],
        cut: Callable[[list[Asked], float], None],
        *,
        patience_s: float,
    ) -> None:
        """`lost`: a request may have run, and its reply is lost, or it does not get through, as the words say; `cut`: these were at work
        while there was no connection for so many seconds."""
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
        self._counts = False
        """The fence is the one that tells how many cells have run."""
        self._settled = 0
        """Up to the cell of this number it is known of each whose it was, if only that its word is lost."""
        self._heard: set[int] = set()
        """The numbers of cells beyond it that the kernel has told of."""
        self._before: int | None = None
        """What it says to a request that counts for no cell, beyond the number of the last one."""
        self._away_since: float | None = None
        """Since when nothing was heard of the kernel, after a cut."""
        self._pause = FIRST_PAUSE_S

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

    async def learn(self) -> None:
        """Know how the kernel counts cells, before it has run any."""
        await self.ask("execute_request", SILENT, ANSWER_S)

    def _made(self, kind: str, content: dict[str, Any]) -> tuple[str, Message]:
        made = self._session.msg(kind, content)
        packed = [self._session.pack(made[part]) for part in ("header", "parent_header", "metadata", "content")]
        return str(made["header"]["msg_id"]), Message("shell", packed, [])

    async def _write(self, message: Message) -> bool:
        """Whether it may have arrived."""
        if self._socket is None:
            return False
        try:
            writing = self._socket.write_message(pack(message, v1=self._v1), binary=self._v1 or bool(message.buffers))
        except WebSocketClosedError:
            return False
        with contextlib.suppress(WebSocketClosedError):  # cut while it went
            await writing
        return True

    # ---- what comes

    async def _came(self, message: Message) -> None:
        header, parent = json.loads(message.parts[0]), json.loads(message.parts[1])
        kind, of = str(header.get("msg_type")), str((parent or {}).get("msg_id") or "")
        state = json.loads(message.parts[3]).get("execution_state") if kind == "status" else None
        if state in GONE_STATES and not of:
            raise KernelGone(f"The kernel on {self.remote.host} died (most often its memory ran out).")
        self._away_since, self._pause = None, FIRST_PAUSE_S
        asked = self._asked.get(of)
        if asked is not None:
            asked.begun = True
        if self._fence is not None and of == self._fence[0]:
            await self._fenced(message, "idle" if state == "idle" else "reply" if kind.endswith("_reply") else "")
            return
        if kind in ("execute_input", "execute_reply"):
            told = kind == "execute_input" or (asked is not None and asked.is_cell)
            self._count(asked, json.loads(message.parts[3]), own=of in self._own, told=told)
        if kind.endswith("_reply") and message.channel != "stdin":
            self._asked.pop(of, None)
            future = self._own.get(of)
            if future is not None and not future.done():
                future.set_result(json.loads(message.parts[3]))
        elif asked is not None and asked.kind in NO_REPLY and state == "idle":
            self._asked.pop(of, None)
        self._take(message, header, of)

    def _count(self, asked: Asked | None, content: dict[str, Any], *, own: bool, told: bool) -> None:
        number = content.get("execution_count")
        if not isinstance(number, int):
            return
        if own:
            self._before = number - max(self._heard, default=0) if self._before is None else self._before
        elif told:
            self._heard.add(number)
            if asked is not None:
                asked.counted = True

    # ---- after a cut

    async def _again(self) -> None:
        """Connect again. What was asked before is asked of the kernel first: its queue is in order, so what it has not begun by then it
        never got, or its word of it is lost."""
        self._socket, began = None, time.monotonic()
        since = self._away_since = self._away_since or began
        self._fence, self._counts = ("", set()), False  # nothing goes past those that may have to go again
        if since != began:  # a server that cuts each connection is not asked without end
            await self._wait(since, f"{self.remote.host} cuts each connection")
        while True:
            try:
                await self.remote.look()
                await self.open()
                break
            except Away as error:
                await self._wait(since, str(error))
        self._cut([one for one in self._asked.values() if one.begun and one.kind == "execute_request"], time.monotonic() - began)
        answers, self._answers = self._answers, []
        for answer in answers:
            await self._write(answer)
        for asked in self._asked.values():
            if asked.message.channel == "control":
                asked.call_back()
                asked.sent = await self._write(asked.message)
        await self._ask_fence("kernel_info_request", {})

    async def _wait(self, since: float, why: str) -> None:
        if time.monotonic() - since > self.patience_s:
            raise Away(f"{why.rstrip('.')}, for {self.patience_s:.0f} s now: the kernel there is given up.") from None
        await asyncio.sleep(self._pause)
        self._pause = min(LONGEST_PAUSE_S, self._pause * 2)

    async def _ask_fence(self, kind: str, content: dict[str, Any]) -> None:
        msg_id, fence = self._made(kind, content)
        self._fence = (msg_id, set())
        await self._write(fence)

    async def _fenced(self, message: Message, what: str) -> None:
        """Something came of the request that tells. Where cells may have run of which no word came, the kernel's count of them tells."""
        assert self._fence is not None  # noqa: S101 - the caller looked
        self._fence[1].add(what)
        if what == "reply" and self._counts:
            number = json.loads(message.parts[3]).get("execution_count")
            self._fence[1].add(str(number) if isinstance(number, int) else "")
        if not {"idle", "reply"} <= self._fence[1]:
            return
        doubtful = [one for one in self._sent_once() if one.is_cell and not one.counted]
        if doubtful and not self._counts:
            self._counts = True
            await self._ask_fence("execute_request", SILENT)
            return
        told = next((int(one) for one in self._fence[1] if one.lstrip("-").isdigit()), None)
        unheard = len(doubtful)
        if told is not None and self._before is not None:
            last = told - self._before
            unheard = last - self._settled - sum(self._settled < one <= last for one in self._heard)
            self._settled, self._heard = last, {one for one in self._heard if one > last}
        await self._settle(unheard - sum(one.begun for one in doubtful))

    def _sent_once(self) -> list[Asked]:
        return [one for msg_id, one in self._asked.items() if one.sent and one.kind in ONCE_ONLY and msg_id not in self._own]

    async def _settle(self, unheard: int) -> None:
        """The kernel has answered all that it had got. So many cells that it has not told of it has run: the first ones."""
        for msg_id, asked in list(self._asked.items()):
            if asked.message.channel == "control":
                continue
            if asked.sent and asked.kind in ONCE_ONLY and msg_id not in self._own:  # ours may all be asked twice
                ran = asked.begun or not asked.is_cell
                if not ran and unheard > 0:
                    ran, unheard = True, unheard - 1
                if ran:
                    del self._asked[msg_id]
                    self._lost(asked, "")
                    continue
            if asked.sent and not asked.begun:
                asked.tries += 1
            if asked.tries >= MOST_TRIES and (size := size_of(asked.message)) > LARGE:
                self._give_up(msg_id, asked, size)
                continue
            asked.begun = False
            asked.call_back()
        while (waits := self._next()) is not None:  # more may come meanwhile, and goes behind
            waits.sent = await self._write(waits.message)
            if not waits.sent:
                return  # cut again
        self._fence = None

    def _next(self) -> Asked | None:
        return next((one for one in self._asked.values() if not one.sent and one.message.channel != "control"), None)

    def _give_up(self, msg_id: str, asked: Asked, size: int) -> None:
        """A request does not get through."""
        del self._asked[msg_id]
        words = (
            f"A message of {size / 2**20:.1f} MB does not get through to {self.remote.host}, which cuts the connection each time. Jupyter "
            "Server takes 10 MB, or what its setting websocket_max_message_size says."
        )
        future = self._own.get(msg_id)
        if future is None:
            self._lost(asked, words)
        elif not future.done():
            future.set_exception(Refused(words))


def size_of(message: Message) -> int:
    """Bytes of a message."""
    return sum(map(len, [*message.parts, *message.buffers]))


def _is_counted(message: Message) -> bool:
    content = json.loads(message.parts[3])
    return not content.get("silent") and content.get("store_history") is not False
