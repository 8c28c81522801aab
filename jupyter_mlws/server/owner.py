"""One owner per data folder: who holds `owner.lock` alone writes; `owner.json` tells the others where it answers.

The lock is held on the file and on the folder that it lies in: while the folder stands, nobody else becomes the owner, though the
file were removed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import socket
from typing import IO, TYPE_CHECKING

import msgspec
from msgspec import Struct

from jupyter_mlws.kit.actors import TOKEN_PREFIX
from jupyter_mlws.kit.clock import now_ms

if TYPE_CHECKING:
    from pathlib import Path

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
        self._folder: int | None = None
        """Descriptor of the locked folder; None where folders cannot be locked."""
        self._address: OwnerAddress | None = None
        self.local_token = TOKEN_PREFIX + secrets.token_urlsafe(32)

    @property
    def held(self) -> bool:
        """Whether this process owns the folder."""
        return self._file is not None

    def try_acquire(self) -> bool:
        """Take the lock if nobody holds it."""
        if self._file is not None:
            return True
        with contextlib.suppress(BlockingIOError), contextlib.ExitStack() as undo:
            folder = _lock_folder(self._folders.root)
            if folder is not None:
                undo.callback(os.close, folder)
            handle = undo.enter_context(self._folders.lock.open("a+", encoding="utf-8"))
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not self._is_the_lock(handle):  # somebody removed the file between opening and locking
                return False
            undo.pop_all()
            self._file, self._folder = handle, folder
        return self._file is not None

    def keep(self) -> bool:
        """Mend what was removed or damaged by hand: the lock file, the address. False: another server took the folder meanwhile."""
        if self._file is None:
            return False
        if not self._is_the_lock(self._file) and not self._take_again():
            return False
        if self._address is not None and read_address(self._folders) != self._address:
            self._write(self._address)
        return True

    def _take_again(self) -> bool:
        """Lock the files that stand where ours were."""
        removed, folder = self._file, self._folder
        if folder is not None and _same(folder, self._folders.root):
            # No other server comes so far: the folder is ours.
            handle = self._folders.lock.open("a+", encoding="utf-8")
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._file = handle
        else:
            self._file = self._folder = None
            if not self.try_acquire():
                self._file, self._folder = removed, folder
                return False
            if folder is not None:
                os.close(folder)
        if removed is not None:
            removed.close()
        return True

    def announce(self, url: str, *, headless: bool) -> None:
        """Write `owner.json`, whole or not at all, readable by this user alone. A server without a URL of its own writes none."""
        if not url:
            self._folders.owner.unlink(missing_ok=True)
            return
        self._address = OwnerAddress(
            url=url, token=self.local_token, pid=os.getpid(), host=socket.gethostname(), started_at=now_ms(), headless=headless
        )
        self._write(self._address)

    def withdraw(self) -> None:
        """Take the address away, so that nobody is sent to a server that is leaving."""
        if self._file is not None and self._is_the_lock(self._file):
            with contextlib.suppress(OSError):
                self._folders.owner.unlink()
        self._address = None

    def release(self) -> None:
        """Let go; the address goes first."""
        if self._file is None:
            return
        self.withdraw()
        self._file.close()
        if self._folder is not None:
            os.close(self._folder)
        self._file = self._folder = None

    def _is_the_lock(self, handle: IO[str]) -> bool:
        """Whether the locked file is the one that others see."""
        return _same(handle.fileno(), self._folders.lock)

    def _write(self, address: OwnerAddress) -> None:
        temp = self._folders.owner.with_name(f".owner.{os.getpid()}.tmp")
        temp.unlink(missing_ok=True)
        descriptor = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(address))
            file.flush()
            os.fsync(file.fileno())
        temp.replace(self._folders.owner)


def _lock_folder(folder: Path) -> int | None:
    """A locked descriptor of the folder, None where the file system locks no folders. Raises BlockingIOError if another has it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _same(descriptor: int, path: Path) -> bool:
    """Whether an open file is the one that stands at this path."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def read_address(folders: Folders) -> OwnerAddress | None:
    """The owner's address, or None when there is none to read."""
    try:
        return msgspec.json.decode(folders.owner.read_bytes(), type=OwnerAddress)
    except (OSError, ValueError):
        return None
