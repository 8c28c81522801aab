"""Finding the server: `MLWS_URL` and `MLWS_TOKEN`, else the one that `owner.json` in the data folder names."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from jupyter_mlws.kit.paths import Folders, default_data_dir
from jupyter_mlws.sdk.errors import ServerAway, ServerNotFound

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Server(NamedTuple):
    """Where a server is, and what it is asked with."""

    url: str
    """Ends in `/mlws`."""
    token: str
    source: str
    """Where we know it from, in words."""
    local: bool = False
    """Read from `owner.json`: it runs on this machine, as this user."""
    pid: int | None = None
    headless: bool = False
    kernels: bool = False
    """It started the kernel that this process is."""

    @property
    def is_ours(self) -> bool:
        """Whether the browser that shows our output reaches it by a path alone."""
        return self.kernels or self.is_loopback

    @property
    def is_loopback(self) -> bool:
        """Whether the address is one of this machine (which may be the end of a tunnel)."""
        return urlsplit(self.url).hostname in LOOPBACK


def named_server(url: str, token: str | None, source: str) -> Server:
    """A server that somebody named. Raises `ServerAway` where that is no address."""
    text = url.strip().rstrip("/")
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise ServerAway(f"{source} is {url[:200]!r}, which is no address of a server; it looks like http://127.0.0.1:8888/mlws")
    secret = (token or "").strip()
    if not secret.isascii() or not secret.isprintable():
        raise ServerAway(f"The token that goes with {source} has characters that tokens do not have.")
    return Server(text if text.endswith("/mlws") else f"{text}/mlws", secret, source)


def from_environment() -> Server | None:
    """The server that the environment names."""
    url = os.environ.get("MLWS_URL", "")
    return named_server(url, os.environ.get("MLWS_TOKEN"), "MLWS_URL") if url.strip() else None


def from_owner_file(data_dir: Path | None = None) -> Server | None:
    """The server that owns the data folder now; None where there is none, or it died without a word."""
    path = Folders(data_dir or default_data_dir()).owner
    try:
        owner = msgspec.json.decode(path.read_bytes())
        url, token, pid, host = str(owner["url"]), str(owner["token"]), int(owner["pid"]), owner.get("host")
    except (OSError, ValueError, KeyError, TypeError):  # msgspec's errors are ValueErrors
        return None
    if host != socket.gethostname() or not is_alive(pid):
        return None
    return named_server(url, token, str(path))._replace(local=True, pid=pid, headless=owner.get("headless") is True)


def find_server() -> Server | None:
    """The server to talk to, or None."""
    return from_environment() or from_owner_file()


def locate() -> Server:
    """The server that runs. Raises `ServerNotFound`."""
    found = find_server()
    if found is None:
        raise ServerNotFound(
            f"No server runs on the data folder {default_data_dir()}. Open JupyterLab, or use Workspace.start_or_connect() "
            "(the `mlws` command does), or set MLWS_URL and MLWS_TOKEN."
        )
    return found


def locate_or_start() -> Server:
    """The server that runs, else one that is started now."""
    found = find_server()
    if found is not None:
        return found
    from jupyter_mlws.sdk.launch import start  # noqa: PLC0415 - seldom needed

    return start()


def is_alive(pid: int) -> bool:
    """Whether a process of this machine lives; one that has ended, and whose parent has not noticed, does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True  # it lives, as another user
    try:
        return b") Z " not in Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return True  # no /proc here
