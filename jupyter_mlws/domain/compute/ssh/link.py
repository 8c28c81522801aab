"""A connection to a host: opened when needed, opened again after a cut, one question at a time. Lives in the thread of `loop`."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from jupyter_mlws.domain.compute.errors import (
    ExtraMissing,
    HostFull,
    HostKeyWrong,
    HostUnfit,
    HostUnreachable,
    LoginRefused,
)
from jupyter_mlws.domain.compute.ssh.bootstrap import LEAST_PYTHON, command, package
from jupyter_mlws.domain.compute.ssh.facts import of_host
from jupyter_mlws.kit import surrogates
from mlws.remote import frames

if TYPE_CHECKING:
    from collections.abc import Callable

    import asyncssh

log = logging.getLogger(__name__)

CONNECT_S = 10.0
ANSWER_S = 60.0
KEEPALIVE_S = 5.0
FIRST_PAUSE_S = 0.2
LAST_PAUSE_S = 15.0
NOISE = 256 * 1024
"""So many bytes may a shell's start-up files print before the far end speaks."""


class Place(NamedTuple):
    """Where a host is, and how to get in."""

    host: str
    port: int
    user: str
    folder: str
    python: str
    host_key: str
    """Its public key: `ssh-ed25519 AAAA…`."""

    @property
    def words(self) -> str:
        """`ada@host`, with the port where it is another one."""
        at = f"{self.user}@{self.host}"
        return at if self.port == 22 else f"{at} (port {self.port})"


class Refused(Exception):
    """The far end could not do what was asked."""

    def __init__(self, message: str, number: int | None) -> None:
        super().__init__(message)
        self.errno = number


def library() -> Any:
    """asyncssh. Raises `ExtraMissing`."""
    try:
        import asyncssh  # noqa: PLC0415 - an extra, and 100 ms
    except ImportError:
        raise ExtraMissing(
            "Targets of the kind ssh need the package asyncssh, which is not installed here. Install the extra: "
            "`pip install 'jupyter_mlws[ssh]'`, and restart the server."
        ) from None
    logging.getLogger("asyncssh").setLevel(logging.WARNING)
    return asyncssh


class Link:
    """One host. `keys` gives the private keys to show, and may block; `changed` is told whenever the host comes or goes."""

    def __init__(self, place: Place, keys: Callable[[], list[Any]], changed: Callable[[], None]) -> None:
        self.place = place
        self.problem = ""
        """Why there is no connection now, in a sentence; empty while there is one, or none was needed yet."""
        self.facts: dict[str, Any] = {}
        """What the host said of itself."""
        self.met = 0
        """How often a connection was made."""
        self._keys = keys
        self._changed = changed
        self._connection: asyncssh.SSHClientConnection | None = None
        self._process: Any = None
        self._lock = asyncio.Lock()
        self._failure: Exception | None = None
        self._tries = 0
        self._again_at = 0.0
        self._closed = False

    @property
    def is_open(self) -> bool:
        """Whether there is a connection, as far as is known."""
        return self._process is not None

    @property
    def may_come_back(self) -> bool:
        """Whether what is wrong may pass by itself."""
        return isinstance(self._failure, HostUnreachable)

    def try_anew(self) -> None:
        """Somebody wants a job to begin: what does not pass by itself may have been put right since, and is not told from memory."""
        if not self.may_come_back:
            self._again_at = 0.0

    async def ask(
        self, question: str, data: bytes = b"", *, patience: float = ANSWER_S, **more: Any
    ) -> tuple[dict[str, Any], bytes]:
        """One question, with its answer. Raises `Refused`, and what `open` raises."""
        async with self._lock:
            await self.open()
            try:
                self._process.stdin.write(frames.packed({"ask": question, **more}, data))
                await asyncio.wait_for(self._process.stdin.drain(), patience)
                head, body = await asyncio.wait_for(self._answer(), patience)
            except (OSError, EOFError, ValueError, RecursionError, asyncio.TimeoutError, library().Error) as error:
                self._drop(HostUnreachable(f"The connection to {self.place.words} was cut: {_reason(error)}."))
                assert self._failure is not None  # noqa: S101 - just told
                raise self._failure from error
        if "error" in head:
            if head.get("errno") in (errno.ENOSPC, errno.EDQUOT):
                raise HostFull(f"The disk of {self.place.words} is full: {head['error']}.")
            raise Refused(str(head["error"]), head.get("errno"))
        return head, body

    async def open(self) -> None:
        """Connect, unless that just failed: then it is not tried again before a pause is over.

        Raises `HostUnreachable`, `HostKeyWrong`, `LoginRefused`, `HostUnfit` and `ExtraMissing`.
        """
        if self._process is not None:
            if not self._process.is_closing():
                return
            self._let_go()  # it was cut while nobody asked
        if self._failure is not None and time.monotonic() < self._again_at:
            raise self._failure
        if self._closed:
            raise HostUnreachable(f"The connection to {self.place.words} is closed.")
        try:
            await asyncio.wait_for(self._connect(), CONNECT_S * 3)
        except (HostUnreachable, HostKeyWrong, LoginRefused, HostUnfit, ExtraMissing) as error:
            self._drop(error)
            raise
        except (asyncio.TimeoutError, OSError, EOFError, ValueError, RecursionError, KeyError, TypeError) as error:
            self._drop(HostUnreachable(f"{self.place.words} cannot be reached: {_reason(error)}."))
            assert self._failure is not None  # noqa: S101 - just told
            raise self._failure from error
        self._tries, self._failure, self.problem = 0, None, ""
        self.met += 1
        self._changed()

    async def _connect(self) -> None:
        self._connection = await connected(self.place, await asyncio.to_thread(self._keys))
        line = command(self.place.python, self.place.folder)
        self._process = await self._connection.create_process(line, encoding=None, stderr=library().PIPE)
        await self._greet()
        head, _ = await self._first("hello")
        self.facts = of_host(head)

    async def _greet(self) -> None:
        """Pass over what shells print, and send the supervisor where it is not there yet."""
        try:
            await self._process.stdout.readuntil(frames.MARK)
        except (EOFError, ValueError, asyncio.IncompleteReadError):
            words = (await self._process.stderr.read(2000)).decode("utf-8", "replace").strip()
            raise HostUnfit(
                f"{self.place.python} could not be started on {self.place.words}: {words or 'it said nothing'}. A host needs Python "
                "3.8 or newer; `--python` says where it is."
            ) from None
        about, _ = await self._answer()
        if tuple(about.get("version", LEAST_PYTHON)) < LEAST_PYTHON:
            there = ".".join(map(str, about["version"]))
            raise HostUnfit(f"{self.place.python} on {self.place.words} is Python {there}; 3.8 or newer is needed.")
        if "error" not in about and not about.get("have"):
            self._process.stdin.write(frames.packed(dict(package().files)))
            about, _ = await self._answer()
        if "error" in about:
            raise HostUnfit(f"The folder {self.place.folder} on {self.place.words} cannot be used: {about['error']}.")

    async def _first(self, question: str) -> tuple[dict[str, Any], bytes]:
        self._process.stdin.write(frames.packed({"ask": question}))
        head, body = await self._answer()
        if "error" in head:
            raise HostUnfit(f"The folder {self.place.folder} on {self.place.words} cannot be used: {head['error']}.")
        return head, body

    async def _answer(self) -> tuple[dict[str, Any], bytes]:
        first, second = frames.HEADER.unpack(await self._process.stdout.readexactly(frames.HEADER.size))
        if max(first, second) > frames.LIMIT:
            raise ValueError("what came is no answer")
        head = surrogates.loads(await self._process.stdout.readexactly(first))
        if not isinstance(head, dict):
            raise ValueError("what came is no answer")  # noqa: TRY004 - as other broken answers
        return head, await self._process.stdout.readexactly(second)

    def _drop(self, failure: Exception) -> None:
        """There is no connection any more."""
        self._let_go()
        self._failure = failure
        self._again_at = time.monotonic() + min(FIRST_PAUSE_S * 2.0 ** min(self._tries, 10), LAST_PAUSE_S)
        self._tries += 1
        words = str(failure)
        if words != self.problem:
            log.warning("%s", words)
            self.problem = words
            self._changed()

    def _let_go(self) -> None:
        process, connection = self._process, self._connection
        self._process = self._connection = None
        if process is None and connection is None:
            return
        with contextlib.suppress(OSError, library().Error):
            if process is not None:
                process.close()
            if connection is not None:
                connection.abort()

    async def close(self) -> None:
        """Let go of the connection, for good."""
        self._closed = True
        if self._process is not None:
            self._let_go()


async def connected(place: Place, keys: list[Any]) -> Any:
    """An SSH connection to a host whose key is the right one."""
    ssh = library()
    trusted = ssh.import_public_key(place.host_key)
    shown: list[Any] = []

    class Client(ssh.SSHClient):  # type: ignore[misc,name-defined]
        """Takes the one key of the host and no other, whatever files of known hosts say."""

        def validate_host_public_key(self, host: str, addr: str, port: int, key: Any) -> bool:
            del host, addr, port
            shown.append(key)
            return bool(key.public_data == trusted.public_data)

    try:
        return await ssh.connect(
            place.host,
            place.port,
            username=place.user,
            client_factory=Client,
            known_hosts=([], [], []),
            server_host_key_algs=algorithms(trusted),
            client_keys=keys,
            agent_path=None,
            config=None,
            preferred_auth="publickey",
            gss_host=None,
            compression_algs=None,
            connect_timeout=CONNECT_S,
            login_timeout=CONNECT_S,
            keepalive_interval=KEEPALIVE_S,
            keepalive_count_max=3,
        )
    except ssh.HostKeyNotVerifiable as error:
        raise _wrong_key(place, trusted, shown) from error
    except ssh.KeyExchangeFailed as error:
        others = await _other_keys(place)
        if others:
            raise _wrong_key(place, trusted, others) from error
        raise HostUnreachable(f"{place.words} cannot be reached: {error.reason}.") from error
    except ssh.PermissionDenied as error:
        raise LoginRefused(
            f"{place.words} does not let this server in: {error.reason}. Put the public key into ~/.ssh/authorized_keys there, or name "
            "another key."
        ) from error
    except ssh.Error as error:
        raise HostUnreachable(f"{place.words} cannot be reached: {_reason(error)}.") from error


def _wrong_key(place: Place, trusted: Any, shown: list[Any]) -> HostKeyWrong:
    found = ", ".join(f"{key.get_fingerprint()} ({key.algorithm.decode()})" for key in shown) or "none of this kind"
    return HostKeyWrong(
        f"THE KEY OF {place.host} HAS CHANGED, nothing was sent to it. Expected: {trusted.get_fingerprint()} "
        f"({trusted.algorithm.decode()}). Shown: {found}. Somebody may listen in between, or the host was set up anew: ask who runs it. "
        "If the new key is right, set it: `mlws compute update NAME --host-key FINGERPRINT`."
    )


def algorithms(key: Any) -> list[str]:
    """How a key of this type may sign."""
    name = key.algorithm.decode()
    return ["rsa-sha2-512", "rsa-sha2-256"] if name == "ssh-rsa" else [name]


TYPES = (
    ["ssh-ed25519"],
    ["ecdsa-sha2-nistp256"],
    ["ecdsa-sha2-nistp384"],
    ["ecdsa-sha2-nistp521"],
    ["rsa-sha2-512", "rsa-sha2-256"],
)


async def host_keys(host: str, port: int) -> list[Any]:
    """The keys that a host shows, one a type. Raises `HostUnreachable`."""
    ssh, found, failure = library(), [], None
    for names in TYPES:
        try:
            key = await asyncio.wait_for(ssh.get_server_host_key(host, port, server_host_key_algs=names, config=None), CONNECT_S)
        except ssh.KeyExchangeFailed:
            continue
        except (OSError, asyncio.TimeoutError, ssh.Error) as error:
            failure = error
            break
        if key is not None:
            found.append(key)
    if not found:
        raise HostUnreachable(f"{host} (port {port}) cannot be reached: {_reason(failure) if failure else 'it shows no key'}.")
    return found


async def _other_keys(place: Place) -> list[Any]:
    try:
        return await host_keys(place.host, place.port)
    except HostUnreachable:
        return []


def _reason(error: BaseException) -> str:
    if isinstance(error, (asyncio.TimeoutError, TimeoutError)):
        return "it did not answer in time"
    if isinstance(error, (asyncio.IncompleteReadError, EOFError)):
        return "it ended"
    if isinstance(error, OSError) and error.errno and error.errno > 0:
        return os.strerror(error.errno).lower()
    return str(error).rstrip(".") or type(error).__name__
