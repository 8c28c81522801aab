"""What the server itself asks of another Jupyter server."""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlsplit

from jupyter_mlws.domain.compute.errors import HostUnfit, HostUnreachable, LoginRefused
from mlws import certificates

if TYPE_CHECKING:
    from email.message import Message

MOST_BYTES = 16 << 20
SHOWN = 300
REMEDY = "the target names the file of who made it by `mlws compute update NAME --ca-file FILE`"
AT_ONCE = 1 << 16
MOST_KERNELS = 500
KERNEL = re.compile(r"[A-Za-z0-9._-]{1,200}")
"""As Jupyter has names of kernels."""


class Server(NamedTuple):
    """A Jupyter server, and how to get in."""

    url: str
    token: str
    ca_file: str | None

    @property
    def host(self) -> str:
        """As messages call it."""
        return urlsplit(self.url).netloc


class Absent(HostUnfit):
    """The server has nothing at that address."""


class _Stay(urllib.request.HTTPRedirectHandler):
    """The token is for one address alone."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow nobody."""


def ask(server: Server, method: str, path: str, patience: float) -> Any:
    """The JSON that it answers. Raises `HostUnreachable`, `LoginRefused`, `Absent`, `HostUnfit`."""
    request = urllib.request.Request(f"{server.url}{path}", method=method)  # noqa: S310 - it is checked where the target is made
    if server.token:
        request.add_unredirected_header("Authorization", f"token {server.token}")
    try:
        with _opener(server).open(request, timeout=patience) as answer:
            body = _read(answer, time.monotonic() + patience)
        return json.loads(body) if body else None
    except urllib.error.HTTPError as error:
        with error:
            raise _failed(server, error.code, error.headers) from None
    except urllib.error.URLError as error:
        raise HostUnreachable(f"{server.host} cannot be reached: {_words(server, error.reason)}.") from None
    except (OSError, http.client.HTTPException) as error:
        raise HostUnreachable(f"{server.host} cannot be reached: {_words(server, error)}.") from None
    except (ValueError, RecursionError):
        raise HostUnfit(f"{server.host} answers {path} with something that is no JSON: it is no Jupyter server.") from None


def kernelspecs(server: Server, patience: float) -> dict[str, dict[str, str]]:
    """The kernels that are installed there: name -> specification. Raises as `ask`."""
    told = ask(server, "GET", "/api/kernelspecs", patience)
    found = told.get("kernelspecs") if isinstance(told, dict) else None
    if not isinstance(found, dict):
        raise HostUnfit(f"{server.host} does not say which kernels it has: it is no Jupyter server.")
    specs = [(name, _spec(one)) for name, one in sorted(found.items()) if KERNEL.fullmatch(name)]
    return dict([(name, spec) for name, spec in specs if spec is not None][:MOST_KERNELS])


def _spec(told: Any) -> dict[str, str] | None:
    """What is used of a specification; its words are another machine's, and go to screens here."""
    spec = told.get("spec") if isinstance(told, dict) else None
    if not isinstance(spec, dict):
        return None
    return {name: line(spec.get(name)) for name in ("display_name", "language")}


def line(said: Any) -> str:
    """Words of another machine, fit to be shown here."""
    return "".join(one if one.isprintable() else " " for one in str(said or "")[:SHOWN]).strip()


def _read(answer: http.client.HTTPResponse, until: float) -> bytes:
    """The body. Who sends a byte now and then does not hold up the server. Raises `TimeoutError`."""
    parts, left = [], MOST_BYTES
    while left > 0 and (part := answer.read1(min(AT_ONCE, left))):
        parts.append(part)
        left -= len(part)
        if time.monotonic() > until:
            raise TimeoutError("it does not come to the end of its answer")
    if left > 0 and answer.length:
        raise http.client.IncompleteRead(b"", answer.length)
    return b"".join(parts)


def delete_kernel(server: Server, kernel_id: str, patience: float) -> bool:
    """End a kernel there; False if there is none of this id. Raises as `ask`."""
    try:
        ask(server, "DELETE", f"/api/kernels/{quote(kernel_id, safe='')}", patience)
    except Absent:
        return False
    return True


def trusted(ca_file: str | None) -> ssl.SSLContext:
    """Whose certificates count. Raises `HostUnfit` for a file that has none."""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise HostUnfit(f"{ca_file} has no certificates that can be used: {error.strerror or error}.") from None


def _opener(server: Server) -> urllib.request.OpenerDirector:
    handlers: list[Any] = [_Stay(), urllib.request.ProxyHandler({})]
    if server.url.startswith("https:"):
        handlers.append(urllib.request.HTTPSHandler(context=trusted(server.ca_file)))
    return urllib.request.build_opener(*handlers)


def _failed(server: Server, code: int, headers: Message) -> Exception:
    if code in (401, 403):
        asked = "does not take the token" if server.token else "asks for a token"
        return LoginRefused(f"{server.host} {asked} (HTTP {code}).")
    if code == 404:
        return Absent(f"{server.host} has nothing at that address (HTTP 404): is the base URL right?")
    if 300 <= code < 400:
        return HostUnfit(
            f"{server.host} sends elsewhere ({line(headers.get('Location'))}): give the address of the Jupyter server itself."
        )
    if code in (429, 502, 503, 504):
        return HostUnreachable(f"{server.host} is busy or not up (HTTP {code}).")
    return HostUnfit(f"{server.host} answers HTTP {code}.")


def _words(server: Server, error: Any) -> str:
    if isinstance(error, ssl.SSLError):
        return certificates.why(error, REMEDY)
    if isinstance(error, TimeoutError) and "handshake" in str(error):
        return certificates.NO_ENCRYPTION
    if isinstance(error, ConnectionResetError) and server.url.startswith("http:"):
        return "it ends the connection without an answer: is its address one with https://?"
    if isinstance(error, socket.gaierror):
        return "its name is not known"
    return str(getattr(error, "strerror", None) or error or type(error).__name__).rstrip(".").lower()
