"""What is logged lies here until the server has it: append-only files that survive a killed process.

A file `<pid>-<start>-<random>.<number>.wal` is a row of records: 4 bytes length and 4 bytes CRC-32 of the payload, both
big-endian, then the payload, one JSON object in UTF-8:

    {"op": "create|log|artifact|snapshot|environment|io|update|end", "run_id": "<32 hex>", "body": {…}, …}

Each names its `workspace`; `artifact` and `snapshot` have a `path` and, instead of a body, a `blob`: the name of a file beside.
Beside a file may lie `<file>.ack`, a decimal offset: what stands before it was sent. A torn tail is ignored; a damaged record
before it goes to `.rejected`, as one that the server refuses does. A process holds a lock on its own files as long as it lives.
All records are idempotent, so sending one twice does no harm.
"""

from __future__ import annotations

import os
import sys
import zlib
from json import dumps, loads
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Tuple, Union

from mlws.errors import Rejected, ServerAway
from mlws.process import start_time

if sys.platform != "win32":
    import fcntl

Record = Dict[str, Any]

SEGMENT_BYTES = 8 << 20
MAX_RECORD_BYTES = 64 << 20
MAX_REJECTED_BYTES = 64 << 20
_HEADER = 8
PART = ".part"
"""How the name of a content ends that is still being written."""


class Replay(NamedTuple):
    """What `replay` did: records sent, records the server refused, and files that could not be finished."""

    sent: int
    rejected: int
    left: int


def read_records(path: str) -> Iterator[Record]:
    """The records of a spool file that were not acknowledged yet, oldest first; damaged ones are passed over.

    Ends at a torn tail. Raises `OSError` when the file cannot be opened.
    """
    for record, _ in scan(path):
        if isinstance(record, dict):
            yield record


def scan(path: str) -> Iterator[Tuple[Union[Record, bytes], int]]:
    """As `read_records`, with the offset behind each record. The bytes of one that is damaged or no JSON object come as they are."""
    with open(path, "rb") as file:
        position = _acknowledged(path)
        file.seek(position)
        size = os.fstat(file.fileno()).st_size
        while True:
            payload, whole = _read_frame(file.read)
            position += _HEADER + len(payload)
            if not payload or (not whole and position >= size):  # only the last one can be torn
                return
            yield (decoded(payload) or payload) if whole else payload, position


def decoded(payload: bytes) -> Record | None:
    """The record that a payload holds; None where it is no JSON object."""
    try:
        record = loads(payload)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _read_frame(read: Callable[[int], bytes]) -> Tuple[bytes, bool]:
    """The payload of the next frame, and whether all of it is there and undamaged; empty where no frame begins."""
    header = read(_HEADER)
    length = int.from_bytes(header[:4], "big")
    if len(header) < _HEADER or not 0 < length <= MAX_RECORD_BYTES:
        return b"", False
    payload = read(length)
    return payload, len(payload) == length and zlib.crc32(payload) == int.from_bytes(header[4:], "big")


def _acknowledged(path: str) -> int:
    try:
        with open(path + ".ack", "rb") as file:
            return int(file.read(20) or b"0")
    except (OSError, ValueError):
        return 0


def frame(payload: bytes) -> bytes:
    """`payload` with its length and checksum before it."""
    return len(payload).to_bytes(4, "big") + zlib.crc32(payload).to_bytes(4, "big") + payload


def blob_path(wal_path: str, record: Record) -> str | None:
    """Where the content of an artifact or snapshot lies, else None. A name that leads out of the folder is `Rejected`."""
    blob = record.get("blob")
    if blob is None:
        return None
    if not isinstance(blob, str) or os.path.basename(blob) != blob or blob in ("", ".", ".."):
        raise Rejected(f"The spool names a file outside of its folder: {blob!r:.80}.")
    return os.path.join(os.path.dirname(wal_path), blob)


class _Segment:
    """One file of a spool."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_CLOEXEC", 0), 0o600)
        self.ack_file = -1
        self.size = self.read = 0
        _lock(self.file)

    def append(self, data: bytes) -> None:
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self.file, view) :]
        except OSError:
            os.ftruncate(self.file, self.size)  # a full disk may have taken a part
            raise
        self.size += len(data)

    def peek(self) -> bytes | None:
        if self.read >= self.size:
            return None
        os.lseek(self.file, self.read, os.SEEK_SET)
        payload, whole = _read_frame(lambda n: os.read(self.file, n))
        return payload if whole else None

    def ack(self, length: int) -> None:
        self.read += _HEADER + length
        done = self.read >= self.size
        try:
            self._note_read(0 if done else self.read)
        except OSError:  # a full disk: after a crash these records are sent again, which does no harm
            return
        if done:
            os.ftruncate(self.file, 0)
            self.read = self.size = 0

    def _note_read(self, offset: int) -> None:
        if self.ack_file < 0:
            self.ack_file = os.open(self.path + ".ack", os.O_WRONLY | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        os.lseek(self.ack_file, 0, os.SEEK_SET)
        os.write(self.ack_file, b"%020d" % offset)

    def close(self, remove: bool) -> None:
        for file in (self.file, self.ack_file):
            if file >= 0:
                os.close(file)
        if remove:
            _remove(self.path)


class Wal:
    """The spool of one process: a queue on disk. Not thread-safe; the sender holds a lock around each call.

    `append` raises `OSError` when the disk (or `limit` bytes) is full, and then nothing of the record is stored.
    """

    def __init__(self, folder: str, limit: int = 4 << 30) -> None:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self.folder = folder
        self.limit = limit
        self.stem = os.path.join(folder, f"{os.getpid()}-{start_time() or 0}-{os.urandom(4).hex()}")
        self._segments: List[_Segment] = []
        self._made = self._blobs = 0

    @property
    def size(self) -> int:
        """Bytes on disk that are not sent yet."""
        return sum(segment.size - segment.read for segment in self._segments)

    def append(self, payload: bytes) -> None:
        """Store one record."""
        data = frame(payload)
        if self.size + len(data) > self.limit:
            raise OSError(f"the spool has reached its limit of {self.limit >> 20} MB")
        if not self._segments or self._segments[-1].size >= SEGMENT_BYTES:
            self._segments.append(_Segment(f"{self.stem}.{self._made:06d}.wal"))
            self._made += 1
        self._segments[-1].append(data)

    def peek(self) -> bytes | None:
        """The payload of the oldest record, or None when all are sent."""
        return self._segments[0].peek() if self._segments else None

    def ack(self, length: int) -> None:
        """The oldest record, whose payload has `length` bytes, is dealt with."""
        head = self._segments[0]
        head.ack(length)
        if not head.size and len(self._segments) > 1:
            head.close(remove=True)
            del self._segments[0]

    def new_blob(self) -> str:
        """The path of a file, not made yet, for the content of an artifact."""
        self._blobs += 1
        return f"{self.stem}.{self._blobs:06d}.blob"

    def close(self) -> None:
        """Close the files; those in which nothing waits are removed."""
        for segment in self._segments:
            segment.close(remove=segment.read >= segment.size)
        self._segments = []

    def abandon(self) -> None:
        """In a forked child: let go of the parent's files without touching them."""
        for segment in self._segments:
            segment.close(remove=False)
        self._segments = []


def reject(wal_path: str, record: Union[Record, bytes], why: Rejected) -> None:
    """Keep a record that the server refused, with the reason, in `<name>.rejected` beside: one JSON object a line.

    The bytes of a record that cannot be read are kept as text, what is no UTF-8 in them as `\\x…`.
    """
    kept = record.decode("utf-8", "backslashreplace") if isinstance(record, bytes) else record
    line = dumps({"status": why.status, "code": why.code, "message": str(why), "record": kept})
    path = wal_path[: -len(".wal")] + ".rejected" if wal_path.endswith(".wal") else wal_path + ".rejected"
    try:
        with open(path, "a", encoding="utf-8") as file:
            if file.tell() < MAX_REJECTED_BYTES:
                file.write(line + "\n")
    except OSError:  # a full disk: the warning on stderr has named the record
        return


def waiting(folder: str) -> List[str]:
    """The spool files in `folder`, oldest first."""
    try:
        names = [name for name in os.listdir(folder) if name.endswith(".wal")]
    except OSError:
        return []
    paths = [os.path.join(folder, name) for name in sorted(names)]
    return sorted(paths, key=_made_at)


def _made_at(path: str) -> Tuple[int, str]:
    try:
        stamp = os.stat(path).st_mtime_ns
    except OSError:
        stamp = 0
    return stamp, path


def replay(folder: str, send: Callable[[Record, str | None], None]) -> Replay:
    """Send what dead processes left in `folder`; files of living ones are passed over.

    `send(record, blob path or None)` returns when the server has the record, raises `Rejected` when it never will (the
    record then goes to a `.rejected` file), and `ServerAway` to stop, which leaves the rest for
    later; other exceptions pass through and leave the rest, too. A file that is done is removed, with its blobs.
    """
    sent = rejected = 0
    paths = waiting(folder)
    for number, path in enumerate(paths):
        try:
            file = os.open(path, os.O_RDWR)
        except OSError:
            continue
        try:
            if not _lock(file):
                continue
            one = _replay_file(path, send)
        finally:
            os.close(file)
        sent, rejected = sent + one.sent, rejected + one.rejected
        if one.left:
            return Replay(sent, rejected, len(paths) - number)
    return Replay(sent, rejected, 0)


def _replay_file(path: str, send: Callable[[Record, str | None], None]) -> Replay:
    sent = rejected = 0
    for record, end in scan(path):
        try:
            send_record(path, record, send)
            sent += 1
        except Rejected as why:
            reject(path, record, why)
            rejected += 1
        except ServerAway:
            return Replay(sent, rejected, 1)
        acknowledge(path, end)
    _remove(path)
    return Replay(sent, rejected, 0)


def acknowledge(path: str, end: int) -> None:
    """What stands in a file before `end` is dealt with."""
    with open(path + ".ack", "wb") as file:
        file.write(b"%020d" % end)


def send_record(path: str, record: Union[Record, bytes], send: Callable[[Record, str | None], None]) -> None:
    """Hand on one record of a file, and remove the content that lay beside. Raises what `send` raises, and `Rejected` for a damaged one."""
    if isinstance(record, bytes):
        raise Rejected("The record is damaged, or no JSON object.", 400, "unreadable")
    blob = blob_path(path, record)
    send(record, blob)
    if blob is not None:
        _remove(blob)


def _lock(file: int) -> bool:
    """Lock a file for this process; False when a living process has it."""
    if sys.platform != "win32":  # there, open files cannot be removed, which is lock enough
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # a file system without locks: records are idempotent, so go on
            return True
    return True


def _remove(path: str) -> None:
    for each in (path, path + ".ack"):
        try:
            os.unlink(each)
        except OSError:
            continue
