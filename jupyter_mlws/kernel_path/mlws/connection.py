"""Finding the server and talking to it: one kept-alive HTTP connection with a bearer token.

The server is named by `MLWS_URL` and `MLWS_TOKEN`; where they are missing, or name a server of this machine that is gone,
`owner.json` in the data folder tells the one that runs now (after a restart it has another port).

The token that a kernel was given opens one workspace; the server exchanges it for that of another one.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import IO, Any, Dict, NamedTuple, Tuple, Union
from urllib.parse import quote, urlencode, urlsplit

from mlws.errors import Rejected, ServerAway

TIMEOUT_S = 10.0
UPLOAD_TIMEOUT_S = 60.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_RETRY_STATUS = (401, 408, 429)
EXCHANGEABLE = ".kernel"
"""How the token ends that a Jupyter server gave to a kernel it started."""

Body = Union[bytes, IO[bytes], None]


_exchanged: Dict[Tuple[str, str], str] = {}
"""Tokens by the one they were exchanged for, and their workspace."""


class Server(NamedTuple):
    """Where the server is: `url` ends in `/mlws`."""

    url: str
    token: str
    source: str
    """`environment`, or the path of the owner file."""
    headless: bool = False
    """Whether it was started without JupyterLab, and has no pages."""

    @property
    def is_ours(self) -> bool:
        """Whether the browser that shows our output reaches it by a path alone: it started this kernel, or runs on this machine."""
        return self.token.endswith(EXCHANGEABLE) or urlsplit(self.url).hostname in _LOOPBACK


def data_folder() -> str:
    """The folder with the server's data: `MLWS_DATA_DIR`, else that of the job this is, else `mlws` in Jupyter's data folder."""
    named = os.environ.get("MLWS_DATA_DIR")
    if named:
        return os.path.abspath(os.path.expanduser(named))
    job = os.environ.get("MLWS_JOB_DIR")
    if job and os.path.basename(os.path.dirname(os.path.abspath(job))) == "jobs":
        return os.path.dirname(os.path.dirname(os.path.abspath(job)))
    return os.path.join(_jupyter_data_folder(), "mlws")


def _jupyter_data_folder() -> str:
    named = os.environ.get("JUPYTER_DATA_DIR")
    if named:
        return named
    if sys.platform == "darwin":
        return os.path.expanduser("~/Library/Jupyter")
    if os.name == "nt":
        return os.path.join(os.environ.get("APPDATA") or os.path.expanduser("~"), "jupyter")
    return os.path.join(os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share"), "jupyter")


def owner_path() -> str:
    """The file in which the running server tells its address."""
    return os.path.join(data_folder(), "owner.json")


def owner_changed() -> int:
    """When that file was written (ns); 0 where there is none. Another one means a server that has just started."""
    try:
        return os.stat(owner_path()).st_mtime_ns
    except OSError:
        return 0


def spool_folder() -> str:
    """Where what is logged waits to be sent: `MLWS_SPOOL_DIR`, else `spool` in the data folder (by host for a remote server)."""
    named = os.environ.get("MLWS_SPOOL_DIR")
    if named:
        return os.path.abspath(os.path.expanduser(named))
    host = urlsplit(os.environ.get("MLWS_URL", "")).hostname
    folder = os.path.join(data_folder(), "spool")
    return folder if host is None or host in _LOOPBACK else os.path.join(folder, quote(host, safe=""))


def workspace() -> str:
    """The workspace that runs go to, if none is named: `MLWS_WORKSPACE`, else `default`."""
    return os.environ.get("MLWS_WORKSPACE", "").strip() or "default"


def from_environment() -> Server | None:
    """The server that the environment names."""
    url = os.environ.get("MLWS_URL", "").strip().rstrip("/")
    return Server(url, os.environ.get("MLWS_TOKEN", ""), "environment") if url else None


def from_owner_file() -> Server | None:
    """The server that runs now on this machine's data folder."""
    path = owner_path()
    try:
        with open(path, encoding="utf-8") as file:
            owner = json.load(file)
        url, token, host = owner["url"].rstrip("/"), str(owner.get("token") or ""), owner.get("host")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # no server, or one that is just writing the file
    if urlsplit(url).hostname in _LOOPBACK and host and host != socket.gethostname():
        return None  # the data folder is shared, and the server runs on another machine
    return Server(url if url.endswith("/mlws") else url + "/mlws", token, path, owner.get("headless") is True)


def find_server() -> Server | None:
    """The server to talk to first, or None where there is none."""
    return from_environment() or from_owner_file()


def open_link(kind: str, name: str) -> str:
    """Where a link in a notebook leads to open a page (`runs`, an id) in JupyterLab.

    A path without scheme and host, which holds behind a hub, a proxy or a tunnel; for a server elsewhere the whole address.
    """
    server = find_server()
    if server is not None and not server.is_ours:
        return open_url(kind, name)
    base = urlsplit(server.url).path if server else "/mlws"
    return f"{base}/open/{quote(kind)}/{quote(name)}"


def open_url(kind: str, name: str) -> str:
    """As `open_link`, with scheme and host, for a terminal; empty where the server has no pages."""
    server = find_server()
    if server is not None and server.headless:
        return ""
    return f"{server.url if server else '/mlws'}/open/{quote(kind)}/{quote(name)}"


class Connection:
    """A connection to the server, opened when needed and again after a failure. For one thread at a time.

    `request` raises `ServerAway` where the same request may succeed later (no server, no answer, 5xx, 408, 429, 401, or an answer
    that is not ours) and `Rejected` for every other 4xx.
    """

    def __init__(self, timeout: float = TIMEOUT_S) -> None:
        self.timeout = timeout
        self.server: Server | None = None
        self._http: HTTPConnection | None = None

    def close(self) -> None:
        """Close the socket; the next request opens another."""
        if self._http is not None:
            self._http.close()
            self._http = None

    def request(
        self, method: str, path: str, body: Body = None, query: Dict[str, Any] | None = None, workspace: str | None = None
    ) -> Any:
        """Send one request under `<url>/api/v1` and give back the decoded JSON answer (None for an empty one).

        workspace: the one that it is about, where that is known; it decides on the token.
        """
        server = self.server or find_server()
        if server is None:
            raise ServerAway("no server was found", no_server=True)
        target = path + ("?" + urlencode(query) if query else "")
        try:
            return self._on(server, method, target, body, workspace)
        except ServerAway as away:
            if away.status not in (None, 401, 404):
                raise
            other = self._other(server)
            if other is None:
                self.server = None
                raise
        if body is not None and not isinstance(body, bytes):
            body.seek(0)
        return self._on(other, method, target, body, workspace)

    def json(
        self,
        method: str,
        path: str,
        body: Dict[str, Any] | None = None,
        query: Dict[str, Any] | None = None,
        workspace: str | None = None,
    ) -> Any:
        """As `request`, with a body to encode as JSON."""
        return self.request(method, path, None if body is None else json.dumps(body).encode(), query, workspace)

    def _other(self, failed: Server) -> Server | None:
        """The server that runs now, when it is not the one that just failed and may stand in for it."""
        named = from_environment()
        if named is not None and urlsplit(named.url).hostname not in _LOOPBACK:
            return None  # a remote server that someone named is never replaced by a local one
        owner = from_owner_file()
        if owner is not None and owner[:2] != failed[:2]:
            return owner
        return named if named is not None and named[:2] != failed[:2] else None

    def _on(self, server: Server, method: str, target: str, body: Body, workspace: str | None) -> Any:
        if self.server != server:
            self.close()
            self.server = server
        url = server.url + "/api/v1" + target
        try:
            token = self._token(server, workspace)
            status, data = self._asked(server, token, method, urlsplit(url).path + _query_of(url), body)
        except (OSError, HTTPException) as error:
            self.close()
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
            raise ServerAway(f"{reason} at {server.url}") from error
        if 200 <= status < 300:
            return _decoded(data) if data else None
        if status == 401 and workspace is not None:
            _exchanged.pop((server.token, workspace), None)
        raise self._failure(server, status, data)

    def _token(self, server: Server, workspace: str | None) -> str:
        """The token for a workspace. Where there is no such workspace it is our own, and the server's answer will say so."""
        if workspace is None or not server.token.endswith(EXCHANGEABLE):
            return server.token
        known = _exchanged.get((server.token, workspace))
        if known is not None:
            return known
        path = urlsplit(server.url).path + "/api/v1/tokens/exchange"
        status, data = self._asked(server, server.token, "POST", path, json.dumps({"workspace": workspace}).encode())
        if status == 404:
            return server.token
        answer = _decoded(data)
        if not (200 <= status < 300 and isinstance(answer, dict)):
            raise self._failure(server, status, data)
        known = _exchanged[server.token, workspace] = str(answer.get("secret"))
        return known

    def _asked(self, server: Server, token: str, method: str, target: str, body: Body) -> Tuple[int, bytes]:
        """One request; once more on a new socket when the server had closed the kept one."""
        fresh = self._http is None
        try:
            return self._once(server, token, method, target, body)
        except (ConnectionError, HTTPException):
            self.close()
            if fresh:
                raise
            if body is not None and not isinstance(body, bytes):
                body.seek(0)
        return self._once(server, token, method, target, body)

    def _once(self, server: Server, token: str, method: str, target: str, body: Body) -> Tuple[int, bytes]:
        http = self._http or self._connect(server)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if body is not None:
            plain = isinstance(body, bytes)
            headers["Content-Type"] = "application/json" if plain else "application/octet-stream"
            headers["Content-Length"] = str(len(body) if isinstance(body, bytes) else os.fstat(body.fileno()).st_size)
            if http.sock is not None:
                http.sock.settimeout(self.timeout if plain else max(self.timeout, UPLOAD_TIMEOUT_S))
        try:
            http.request(method, target, body, headers)
        except (BrokenPipeError, ConnectionResetError):
            if isinstance(body, bytes) or body is None:
                raise
            # A server that refuses an upload answers before it has read all of it: the answer is worth reading.
            answer = http.getresponse()
            data = answer.read()
            self.close()
            return answer.status, data
        answer = http.getresponse()
        data = answer.read()
        if answer.will_close:
            self.close()
        return answer.status, data

    def _connect(self, server: Server) -> HTTPConnection:
        parts = urlsplit(server.url)
        host = parts.hostname or "127.0.0.1"
        http: HTTPConnection
        if parts.scheme == "https":
            http = HTTPSConnection(host, parts.port, timeout=self.timeout, blocksize=1 << 18, context=_trust(host))
        else:
            http = HTTPConnection(host, parts.port, timeout=self.timeout, blocksize=1 << 18)
        http.connect()
        if http.sock is not None:
            http.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._http = http
        return http

    def _failure(self, server: Server, status: int, data: bytes) -> Exception:
        if status >= 500 or status in _RETRY_STATUS:
            why = "it does not know this process's token (401)" if status == 401 else f"it answered {status}"
            return ServerAway(f"{why} at {server.url}", status)
        answer = _decoded(data)
        error = answer.get("error") if isinstance(answer, dict) else None
        if isinstance(error, dict):
            return Rejected(str(error.get("message") or f"HTTP {status}"), status, str(error.get("code") or "rejected"))
        if status >= 400 and self._is_ours(server):
            return Rejected(f"HTTP {status}", status, "rejected")
        return ServerAway(f"something that is no ML workspace answered {status} at {server.url}", 404)

    def _is_ours(self, server: Server) -> bool:
        """Whether it is our server behind the address at all, and not another that took the port."""
        try:
            status, data = self._once(server, server.token, "GET", urlsplit(server.url).path + "/api/v1/health", None)
        except (OSError, HTTPException):
            self.close()
            return False
        answer = _decoded(data)
        return status == 200 and isinstance(answer, dict) and answer.get("status") == "ok"


def _trust(host: str) -> Any:
    """How a server's certificate is judged. Nobody stands in between on the loopback device, where certificates name other hosts."""
    import ssl

    context = ssl.create_default_context()
    if host in _LOOPBACK:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _query_of(url: str) -> str:
    query = urlsplit(url).query
    return "?" + query if query else ""


def _decoded(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None
