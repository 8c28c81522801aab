"""HTTP by the standard library: kept-alive connections, whole answers, bodies in and out piece by piece.

`http.client` instead of a larger client: a command line is over before such a one is imported (`bench/cli.py`).
"""

from __future__ import annotations

import contextlib
import http.client
import select
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

CHUNK = 1 << 20
PORTS = {"http": 80, "https": 443}


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    content: bytes

    @property
    def ok(self) -> bool:
        """Whether it is a success."""
        return 200 <= self.status < 300


class NoAnswer(Exception):
    """There was none, or only a part of one. `never_sent`: no connection was made. `slow`: the time was over."""

    def __init__(self, words: str, *, never_sent: bool = False, slow: bool = False) -> None:
        super().__init__(words)
        self.never_sent = never_sent
        self.slow = slow


class Unsendable(Exception):
    """A text or a file that cannot be sent as it is."""


class Connections:
    """The connections to one server; each is used by one request at a time, so threads do not disturb each other."""

    def __init__(self, url: str, *, direct: bool, timeout: float) -> None:
        """`direct`: nobody stands in between (the loopback device), so no proxy, and no certificate that could name the host."""
        self._parts = urlsplit(url)
        self._direct = direct
        self._timeout = timeout
        self._idle: list[http.client.HTTPConnection] = []
        self._prefix = ""
        self._extra: dict[str, str] = {}

    def close(self) -> None:
        """Close what is open; the next request opens a new one."""
        while self._idle:
            self._idle.pop().close()

    def ask(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | Iterable[bytes] | None, timeout: float
    ) -> Answer:
        """Send a request and read the whole answer. `target` is path and query. Raises `NoAnswer`, `Unsendable`."""
        connection = self._ready(timeout)
        with _breaking(connection):
            response = self._exchange(connection, method, target, headers, body)
            answer = Answer(response.status, response.headers, response.read())
        self._done(connection, response)
        return answer

    def stream(self, target: str, headers: Mapping[str, str]) -> Iterator[Answer | bytes]:
        """GET: first the answer (its content only where it is no success), then its content, piece by piece."""
        connection = self._ready(self._timeout)
        with _breaking(connection):
            response = self._exchange(connection, "GET", target, headers, None)
            good = 200 <= response.status < 300
            yield Answer(response.status, response.headers, b"" if good else response.read())
            while piece := response.read(CHUNK):
                yield piece
            if response.length:  # closed before its end
                raise http.client.IncompleteRead(b"", response.length)
        self._done(connection, response)

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | Iterable[bytes] | None,
    ) -> http.client.HTTPResponse:
        refused = False
        try:
            connection.request(method, self._prefix + target, body=body, headers={**self._extra, **headers})
        except (BrokenPipeError, ConnectionResetError):
            # A server that refuses a large body answers before its end, and hangs up. What it said may still be read.
            if body is None:
                raise
            refused = True
        response = connection.getresponse()
        response.will_close = response.will_close or refused
        return response

    def _ready(self, timeout: float) -> http.client.HTTPConnection:
        """A connection that stands."""
        while self._idle:
            connection = self._idle.pop()
            if connection.sock is not None and not _closed(connection):
                connection.sock.settimeout(timeout)
                return connection
            connection.close()
        connection = self._made(timeout)
        try:
            connection.connect()
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            connection.close()
            raise NoAnswer(_words(error), never_sent=True) from error
        return connection

    def _done(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
        if response.will_close:
            connection.close()
        else:
            self._idle.append(connection)

    def _made(self, timeout: float) -> http.client.HTTPConnection:
        parts = self._parts
        host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
        proxy = None if self._direct else _proxy_of(parts.scheme, host, port)
        if parts.scheme == "https":
            return self._secure(host, port, proxy, timeout)
        if proxy is None:
            return http.client.HTTPConnection(host, port, timeout=timeout)
        self._prefix = f"http://{parts.netloc.rpartition('@')[2]}"
        self._extra = _credentials(proxy)
        return http.client.HTTPConnection(proxy.hostname or "", proxy.port or 80, timeout=timeout)

    def _secure(self, host: str, port: int, proxy: SplitResult | None, timeout: float) -> http.client.HTTPConnection:
        import ssl  # noqa: PLC0415 - only https needs it

        context = ssl.create_default_context()
        if self._direct:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if proxy is None:
            return http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
        connection = http.client.HTTPSConnection(proxy.hostname or "", proxy.port or 80, timeout=timeout, context=context)
        connection.set_tunnel(host, port, headers=_credentials(proxy))
        return connection


def _closed(connection: http.client.HTTPConnection) -> bool:
    """Whether the server has hung up: then there is something to read, the end, though nothing was asked."""
    if not hasattr(select, "poll"):
        return bool(select.select([connection.sock], [], [], 0)[0])
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))


def _proxy_of(scheme: str, host: str, port: int) -> SplitResult | None:
    """The proxy that the environment names for a host."""
    import urllib.request  # noqa: PLC0415 - only for other machines; slow to load

    if urllib.request.proxy_bypass(f"{host}:{port}"):
        return None
    proxies = urllib.request.getproxies()
    named = proxies.get(scheme) or proxies.get("all")
    if not named:
        return None
    parts = urlsplit(named if "://" in named else f"http://{named}")
    if parts.scheme != "http" or not parts.hostname:
        raise NoAnswer(f"a proxy of the kind {parts.scheme!r} cannot be used; http://host:port can", never_sent=True)
    return parts


def _credentials(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    import base64  # noqa: PLC0415 - rarely needed

    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


@contextlib.contextmanager
def _breaking(connection: http.client.HTTPConnection) -> Iterator[None]:
    """What breaks off takes the connection along, and is told in our words."""
    try:
        yield
    except (http.client.InvalidURL, UnicodeEncodeError) as error:
        connection.close()
        raise Unsendable(str(error)) from error
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        raise NoAnswer(_words(error), slow=isinstance(error, TimeoutError)) from error
    except BaseException:
        connection.close()
        raise


def _words(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
