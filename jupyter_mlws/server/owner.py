"""One owner per data folder: who holds `owner.lock` alone writes; `owner.json` tells the others where it answers."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import secrets
import socket
from typing import IO, TYPE_CHECKING, Any

from msgspec import Struct

from jupyter_mlws.kit.actors import TOKEN_PREFIX
from jupyter_mlws.kit.clock import now_ms

if TYPE_CHECKING:
    from jupyter_mlws.kit.paths import Folders


class OwnerAddress(Struct, frozen=True, kw_only=True):
    """What stands in `owner.json`: whoever can read it is the same operating-system user."""

    url: str
    """`http://127.0.0.1:<port><base>/mlws`, without a slash at the end."""
    token: str
    pid: int
    host: str
    started_at: int
    headless: bool = False


class OwnerLock:
    """The lock on a data folder, held while the process lives."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self._file: IO[str] | None = None
        self.local_token = TOKEN_PREFIX + secrets.token_urlsafe(32)

    @property
    def held(self) -> bool:
        """Whether this process owns the folder."""
        return self._file is not None

    def try_acquire(self) -> bool:
        """Take the lock if nobody holds it."""
        if self._file is not None:
            return True
        handle = self._folders.lock.open("a+", encoding="utf-8")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            handle.close()
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                return False
            raise
        self._file = handle
        return True

    def announce(self, url: str, *, headless: bool) -> None:
        """Write `owner.json`, whole or not at all, readable by this user alone."""
        address = OwnerAddress(
            url=url, token=self.local_token, pid=os.getpid(), host=socket.gethostname(), started_at=now_ms(), headless=headless
        )
        temp = self._folders.owner.with_name(f".owner.{os.getpid()}.tmp")
        descriptor = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({name: getattr(address, name) for name in address.__struct_fields__}, file)
            file.flush()
            os.fsync(file.fileno())
        temp.replace(self._folders.owner)

    def release(self) -> None:
        """Let go; the address goes first, so that nobody is sent to a server that is leaving."""
        if self._file is None:
            return
        with contextlib.suppress(OSError):
            self._folders.owner.unlink()
        self._file.close()
        self._file = None


def read_address(folders: Folders) -> OwnerAddress | None:
    """The owner's address, or None when there is none to read."""
    try:
        raw: Any = json.loads(folders.owner.read_text(encoding="utf-8"))
        return OwnerAddress(**{name: raw[name] for name in OwnerAddress.__struct_fields__ if name in raw})
    except (OSError, ValueError, TypeError, KeyError):
        return None
