"""The kernel's sockets here: what comes on them goes to the kernel over there, and back."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import zmq
import zmq.asyncio
from jupyter_client.session import DELIM, Session

from jupyter_mlws.runner.gateway import note
from jupyter_mlws.runner.gateway.allowance import Allowance, TooMuch
from jupyter_mlws.runner.gateway.errand import Errand
from jupyter_mlws.runner.gateway.frames import Message
from jupyter_mlws.runner.gateway.link import Link, size_of
from jupyter_mlws.runner.gateway.remote import Away, Place, Refused, Remote, Untrusted
from mlws.masking import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_mlws.runner.gateway.link import Asked

REMEMBERED = 10_000
INFO_S = 120.0
START_AWAY_S = 20.0
"""So long a server may be away when the kernel is to start."""
DELETE_S = 8.0
ROUTERS = ("shell", "control", "stdin")


class Settings(NamedTuple):
    """What a bridge is told; the token comes in its environment."""

    url: str
    kernel: str
    target: str = ""
    user: str = ""
    """For whom an Enterprise Gateway is to start it."""
    ca_file: str | None = None
    patience_s: float = 300.0
    """So long the connection may be cut."""
    record: str = ""
    """A file that names the kernel over there as long as it may live; empty: one of its own in the folder `records`, or in that of the
    connection file."""
    records: str = ""
    job: str = ""
    work: str = ""
    """Folders of the job, if it is one's."""
    fetch_limit: int = 0
    """So many bytes the kernel of a job may bring to this machine; 0: as many as come."""
    spools: bool = False
    """What the job logs does not go to this server by itself: it is fetched."""
    variables: list[str] = []  # noqa: RUF012 - a named tuple's default, never changed
    """The names of the variables to pass on."""
    replace: dict[str, str] = {}  # noqa: RUF012 - as above
    """Variables that have another value there."""


class Bridge:
    """Binds the sockets of a connection file, and serves them with a kernel over there."""

    def __init__(self, connection: dict[str, Any], record: Path, settings: Settings, token: str) -> None:
        self.settings = settings
        self.record = record
        self.remote = Remote(Place(settings.url, token, settings.ca_file), self._note)
        self._session = Session(
            key=str(connection["key"]).encode(), signature_scheme=connection.get("signature_scheme", "hmac-sha256")
        )
        self._link = Link(self.remote, self._session, self._take, self._lost, self._cut, patience_s=settings.patience_s)
        self._errand: Errand | None = None
        self._allowance = Allowance(settings.fetch_limit if settings.job else 0)
        self._sockets = _bound(connection)
        self._clients: OrderedDict[str, list[bytes]] = OrderedDict()
        """By request, who asked."""
        self._ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._held: list[tuple[Message, str, str]] | None = []
        """Requests that came before the kernel was ready; None from then on."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._fetches: set[asyncio.Task[None]] = set()
        """Those of them that fetch, and wait for whatever cell is before them."""

    async def run(self) -> str:
        """Serve until the end; why it came, if nobody asked for it, or what is missing."""
        for name in ROUTERS:
            self._begin(self._listen(name))
        self._begin(self._beat())
        self._begin(self._parent())
        self._begin(self._serve())
        why = await self._ended
        return await self._finish() or why

    def end(self, why: str = "") -> None:
        """End, and the kernel over there with it."""
        if not self._ended.done():
            self._ended.set_result(why)

    def _begin(self, work: Any) -> asyncio.Task[None]:
        task = asyncio.ensure_future(self._told(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _told(self, work: Any) -> None:
        """What cannot go on ends the bridge, with the reason."""
        try:
            await work
        except (Away, Refused) as error:
            self.end(str(error))
        except asyncio.TimeoutError:
            self.end(f"The kernel on {self.remote.host} does not answer.")
        except Exception as error:
            self.end(f"The bridge to {self.remote.host} failed: {type(error).__name__}: {error}")
            raise

    # ---- the kernel over there

    async def _serve(self) -> None:
        await self._start()
        await self._link.open()
        self._begin(self._ready())
        await self._link.run()

    async def _start(self) -> None:
        """Start the kernel. A server that is away may come back meanwhile."""
        until = time.monotonic() + START_AWAY_S
        while True:
            try:
                await self.remote.start(self.settings.kernel, self._for_enterprise())
                break
            except Untrusted:
                raise
            except Away:
                if time.monotonic() > until:
                    raise
            except Refused:
                await self.remote.check_kernel(self.settings.kernel)
                raise
            await asyncio.sleep(0.5)

    def _for_enterprise(self) -> dict[str, str]:
        """What an Enterprise Gateway is told of the kernel: variables of the job that begin so, but for secrets, and for whom it is."""
        hidden = self.settings.replace.get(NAMES, "").split(",")
        named = [name for name in self.settings.variables if name.startswith("KERNEL_") and name not in hidden]
        given = {name: os.environ[name] for name in named if name in os.environ}
        return {**given, **({"KERNEL_USERNAME": self.settings.user} if self.settings.user else {})}

    def _note(self) -> None:
        """Note which kernel may live over there."""
        note.write(self.record, self.settings.target, self.remote)

    async def _ready(self) -> None:
        info = await self._link.ask("kernel_info_request", {}, INFO_S)
        await self._link.learn()
        language = str((info.get("language_info") or {}).get("name") or "").lower()
        job, work = (Path(one) if one else None for one in (self.settings.job, self.settings.work))
        self._errand = Errand(self._link, language, job, work, self._allowance)
        given = {name: os.environ[name] for name in self.settings.variables if name in os.environ}
        given.update(self.settings.replace)
        if (given or self.settings.job) and (words := await self._errand.arrive(given)):
            _say(words)
        held, self._held = self._held or [], None
        for message, msg_id, kind in held:
            await self._link.send(message, msg_id, kind)

    async def _fetch(self) -> None:
        """What fails now is fetched at the end."""
        try:
            if self._errand is not None:
                await self._errand.fetch()
        except TooMuch:
            raise
        except (Refused, OSError) as error:
            _say(f"What was logged on {self.remote.host} could not be fetched now: {error}")

    async def _finish(self) -> str:
        """Fetch what is left, end the kernel over there, and let go of everything; what could not be fetched."""
        try:
            if self._errand is not None and self.remote.kernel_id and self._polite:
                for task in self._fetches:  # a kernel that has stopped answering holds up nobody
                    task.cancel()
                await self._errand.fetch(waits=False)  # what was logged comes even where the files are too large
                await self._errand.fetch(ends=True)
        except (Away, Refused, OSError, asyncio.TimeoutError) as error:
            return f"What the job left on {self.remote.host} could not be fetched: {str(error) or 'the kernel does not answer'}"
        else:
            return ""
        finally:
            for task in list(self._tasks):
                task.cancel()
            self._link.close()
            if self.remote.may_live:
                if not self.remote.kernel_id:
                    _say("The start of the kernel is cut short: it ends as soon as it is there.")
                await self._delete()
            for socket in self._sockets.values():
                socket.close(linger=1000)

    _polite = False
    """Whether the kernel was asked to end, and had run all that was asked of it."""

    async def _delete(self) -> None:
        """End the kernel over there. A server that just restarts it answers with an error, and does it a moment later."""
        until = time.monotonic() + DELETE_S
        while True:
            try:
                await asyncio.wait_for(self.remote.delete(), DELETE_S)
            except (Away, Refused, asyncio.TimeoutError) as error:
                if time.monotonic() > until:
                    why = str(error) or "no answer"
                    kernel = self.remote.kernel_id or self.remote.asked
                    return _say(f"The kernel {kernel} on {self.remote.host} could not be ended: {why}")
                await asyncio.sleep(0.5)
            else:
                if self.remote.asked:  # one that may come yet, which the server looks after
                    self.remote.kernel_id = ""
                    return self._note()
                return self.record.unlink(missing_ok=True)

    # ---- from here to there

    async def _listen(self, channel: str) -> None:
        while True:
            frames = await self._sockets[channel].recv_multipart()
            try:
                client, rest = _parted(frames)
                header = self._session.deserialize(rest, content=False)["header"]
            except (ValueError, TypeError, KeyError, IndexError) as error:
                _say(f"A message that is not signed as it should be was left out: {error}")
                continue
            message = Message(channel, rest[1:5], rest[5:])
            await self._asked(client, message, str(header["msg_id"]), str(header["msg_type"]))

    async def _asked(self, client: list[bytes], message: Message, msg_id: str, kind: str) -> None:
        if kind == "interrupt_request":
            await self._interrupted(client, message)
        elif kind == "shutdown_request":
            content = {"status": "ok", "restart": bool(json.loads(message.parts[3]).get("restart"))}
            self._reply(client, message, "shutdown_reply", content)
            self._polite = True
            self.end()
        else:
            self._clients[msg_id] = client
            while len(self._clients) > REMEMBERED:
                self._clients.popitem(last=False)
            if self._held is not None:
                self._held.append((message, msg_id, kind))
            else:
                await self._link.send(message, msg_id, kind)

    async def _interrupted(self, client: list[bytes], message: Message) -> None:
        content: dict[str, Any] = {"status": "ok"}
        try:
            if self.remote.kernel_id:
                await self.remote.interrupt()
        except (Away, Refused) as error:
            content = {"status": "error", "ename": type(error).__name__, "evalue": str(error), "traceback": []}
        self._reply(client, message, "interrupt_reply", content)

    # ---- from there to here

    def _take(self, message: Message, header: dict[str, Any], of: str) -> None:
        client = self._clients.get(of)
        if message.channel == "iopub":
            if not _is_reply_to(message, self._session.session):  # what we asked for ourselves is nobody else's
                self._allowance.take(size_of(message))
                self._publish(str(header.get("msg_type")), message)
        elif client is not None:
            self._allowance.take(size_of(message))
            if header.get("msg_type") == "execute_reply" and self.settings.spools:
                task = self._begin(self._fetch())
                self._fetches.add(task)
                task.add_done_callback(self._fetches.discard)
            self._send(message.channel, client, message.parts, message.buffers)

    def _lost(self, asked: Asked, why: str) -> None:
        """A request was run, and its reply went with the connection; or it does not get through, as `why` says."""
        words = why or f"The connection to {self.remote.host} was cut while this ran, and how it ended is lost."
        if asked.kind != "execute_request":  # no reply of these would be understood
            return _say(words) if why else None
        content = {"ename": "ConnectionLost", "evalue": words, "traceback": [f"ConnectionLost: {words}"]}
        self._publish("error", self._made("error", asked.message, content))
        header = json.loads(asked.message.parts[0])
        client = self._clients.get(str(header["msg_id"]))
        if client is not None:
            self._reply(client, asked.message, "execute_reply", {"status": "error", "execution_count": 0, **content})
        return self._publish("status", self._made("status", asked.message, {"execution_state": "idle"}))

    def _cut(self, at_work: list[Asked], seconds: float) -> None:
        words = (
            f"The connection to {self.remote.host} was cut for {seconds:.1f} s; something of what was printed may be missing.\n"
        )
        _say(words.rstrip())
        for asked in at_work:
            if str(json.loads(asked.message.parts[0])["msg_id"]) in self._clients:
                self._publish("stream", self._made("stream", asked.message, {"name": "stderr", "text": words}))

    # ---- sockets

    def _made(self, kind: str, parent: Message, content: dict[str, Any]) -> Message:
        made = self._session.msg(kind, content)
        return Message("iopub", [self._session.pack(made["header"]), parent.parts[0], b"{}", self._session.pack(content)], [])

    def _reply(self, client: list[bytes], parent: Message, kind: str, content: dict[str, Any]) -> None:
        self._send(parent.channel, client, self._made(kind, parent, content).parts, [])

    def _publish(self, topic: str, message: Message) -> None:
        self._send("iopub", [topic.encode()], message.parts, message.buffers)

    def _send(self, channel: str, idents: list[bytes], parts: list[bytes], buffers: list[bytes]) -> None:
        frames = [*idents, DELIM, self._session.sign(parts), *parts, *buffers]
        self._sockets[channel].send_multipart(frames)  # it is given to the socket at once: nothing limits how much waits there

    async def _beat(self) -> None:
        socket = self._sockets["hb"]
        while True:
            await socket.send(await socket.recv())

    async def _parent(self) -> None:
        """Nobody needs a kernel whose server or runner is gone."""
        parent = os.getppid()
        while os.getppid() == parent:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(1)
        self.end("Who started this kernel is gone.")


def _parted(frames: list[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Who sent a message, and the message. Raises ValueError."""
    at = frames.index(DELIM)
    return frames[:at], frames[at + 1 :]


def _is_reply_to(message: Message, session: str) -> bool:
    return bool((json.loads(message.parts[1]) or {}).get("session") == session)


def _bound(connection: dict[str, Any]) -> dict[str, Any]:
    """The sockets that the connection file names."""
    context = zmq.asyncio.Context.instance()
    kinds = {"shell": zmq.ROUTER, "control": zmq.ROUTER, "stdin": zmq.ROUTER, "iopub": zmq.PUB, "hb": zmq.REP}
    between = "-" if connection["transport"] == "ipc" else ":"
    made = {}
    for name, kind in kinds.items():
        socket = context.socket(kind)
        socket.setsockopt(zmq.SNDHWM, 0)
        socket.setsockopt(zmq.RCVHWM, 0)
        if kind == zmq.ROUTER:
            socket.setsockopt(zmq.ROUTER_HANDOVER, 1)
        socket.bind(f"{connection['transport']}://{connection['ip']}{between}{connection[f'{name}_port']}")
        made[name] = socket
    return made


def _say(words: str) -> None:
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()


def main(connection_file: Path, settings: Settings, token: str, on_signal: Callable[[Any, Any], None]) -> int:
    """Run a bridge; the exit code."""
    connection = json.loads(connection_file.read_bytes())
    record = Path(settings.record) if settings.record else connection_file.with_suffix(".gateway")
    if settings.records and not settings.record:  # a bridge that was started anew must not hide what one before has left
        record = Path(settings.records) / f"{connection_file.stem}-{os.getpid()}.json"
        record.parent.mkdir(parents=True, exist_ok=True, mode=0o700)

    async def serve() -> str:
        bridge = Bridge(connection, record, settings, token)
        on_signal(asyncio.get_running_loop(), bridge.end)
        return await bridge.run()

    why = asyncio.run(serve())
    if why:
        with contextlib.suppress(OSError):
            _say(why)
    return 1 if why else 0
