"""The spool with a way out: when the disk is full, or the folder cannot be written, records wait in memory, up to a limit."""

from __future__ import annotations

import os
import shlex
import stat
import tempfile
from collections import deque
from typing import TYPE_CHECKING, Any, Deque, Dict

from mlws.process import say
from mlws.spool import Wal, blob_path

if TYPE_CHECKING:
    from mlws.errors import ServerAway

MEMORY_LIMIT = 64 << 20


class Outbox:
    """Records that wait to be sent, oldest first. Not thread-safe; the sender holds a lock around each call."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.dropped = 0
        self._wal: Wal | None = None
        self._memory: Deque[bytes] = deque()
        self._memory_bytes = 0
        self._said_full = False

    @property
    def path(self) -> str:
        """A name in the spool for what lies beside it."""
        return (self._wal.stem if self._wal else os.path.join(self.folder, "mlws")) + ".wal"

    @property
    def rejected_path(self) -> str:
        """Where refused records are kept."""
        return self.path[: -len(".wal")] + ".rejected"

    def append(self, payload: bytes) -> int:
        """Store one record: 1, or 0 where there is no room for it anywhere (said once on stderr)."""
        if not self._memory:  # else the order would be lost
            try:
                self._open().append(payload)
            except OSError as error:
                why = error.strerror or error
                self._say_full(f"the spool in {self.folder} cannot be written ({why}); records are kept in memory")
            else:
                return 1
        if self._memory_bytes + len(payload) > MEMORY_LIMIT:
            self.dropped += 1
            if self.dropped == 1:
                say(f"there is no room left to keep records in {self.folder} nor in memory: what is logged now is lost")
            return 0
        self._memory.append(payload)
        self._memory_bytes += len(payload)
        return 1

    def peek(self) -> bytes | None:
        """The payload of the oldest record, or None."""
        payload = self._wal.peek() if self._wal else None
        if payload is None and self._memory:
            return self._memory[0]
        return payload

    def ack(self, payload: bytes) -> None:
        """`payload`, the oldest record, is dealt with."""
        if self._memory and self._memory[0] is payload:
            self._memory.popleft()
            self._memory_bytes -= len(payload)
        elif self._wal:
            self._wal.ack(len(payload))

    def new_blob(self) -> str:
        """The path of a file for the content of an artifact. Raises `OSError` when no folder can be made."""
        return self._open().new_blob()

    def blob(self, record: Dict[str, Any]) -> str | None:
        """The file that holds a record's content, or None for a record without."""
        return blob_path(self.path, record)

    def close(self) -> None:
        """Close the files, and remove those that are done with."""
        if self._wal:
            self._wal.close()

    def abandon(self) -> None:
        """In a forked child: let go of the parent's files."""
        if self._wal:
            self._wal.abandon()

    def _open(self) -> Wal:
        if self._wal is None:
            try:
                self._wal = Wal(self.folder)
            except OSError:
                self.folder = _private_folder()
                self._wal = Wal(self.folder)
        return self._wal

    def _say_full(self, message: str) -> None:
        if not self._said_full:
            self._said_full = True
            say(message)


def makeshift_folder() -> str:
    """Where records are kept if the data folder cannot be made. Other users can write beside it, and know its name."""
    return os.path.join(tempfile.gettempdir(), f"mlws-spool-{os.getuid() if hasattr(os, 'getuid') else 'user'}")


def is_private(folder: str) -> bool:
    """Whether this is a folder, no link to one, that belongs to this user and that nobody else can open."""
    try:
        found = os.lstat(folder)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and (os.name == "nt" or (found.st_uid == os.getuid() and not found.st_mode & 0o077))


def _private_folder() -> str:
    """The makeshift folder; a new one of another name where somebody else has taken that. Raises `OSError`."""
    folder = makeshift_folder()
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        if not is_private(folder):
            return tempfile.mkdtemp(prefix="mlws-spool-")
    return folder


def how_to_sync(folder: str) -> str:
    """The command that sends what is kept in a folder, whatever the environment of the terminal says."""
    return f"`python -m mlws sync {shlex.quote(folder)}`"


def away_in_words(failure: ServerAway, folder: str) -> str:
    """What becomes of what is logged while no server takes it."""
    kept = f"what you log is kept in {folder}"
    if failure.no_server:
        return f"no server was found; {kept}. Start one with `jupyter lab`: it is sent then, or later by {how_to_sync(folder)}"
    return f"the server is away ({failure}); {kept} and will be sent when it is back"
