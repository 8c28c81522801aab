"""Stores a job's output as a terminal would leave it: bytes in, lines out."""

from __future__ import annotations

import os
import time
from typing import Callable

from mlws.jobdir import NEXT_LINE
from mlws.terminal import Screen

MAX_LINE = 1 << 20
LIVE_EVERY_S = 0.2


class LogFile:
    """The stored log.

    `\\r` returns to the start of the line, and what follows overwrites the line as a whole; `\\r\\n` is a newline; `\\x1b[A` goes up
    to lines that are not finished yet (`mlws.terminal`). Other escape sequences stay. The file is: finished lines, which never
    change again, then the unfinished ones as they stood at most 0.2 s ago, with `jobdir.NEXT_LINE` between them. A line over 1 MiB is
    broken, never inside a UTF-8 sequence. A full disk costs the lines that did not fit; a line in the log says so once there is
    room.
    """

    def __init__(self, path: str, note: Callable[[str], None], limit: int | None = None) -> None:
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        self.note = note
        self.limit = limit
        self.size = self.end = os.fstat(self.fd).st_size
        self.lost = 0
        self.lost_total = 0
        self.dropped = 0
        self.at_line_start = True
        self._screen = Screen()
        self._live_at = 0.0
        self._live_stale = False

    def feed(self, data: bytes, *, now: float | None = None) -> None:
        """Take in output."""
        moment = time.monotonic() if now is None else now
        self._commit(_broken(self._screen.feed(data, moment)))
        self._commit(self._screen.break_line(MAX_LINE))
        self._live_stale = True

    def _commit(self, data: bytes) -> None:
        if not data:
            return
        if self.limit is not None and self.end + len(data) > self.limit:
            data = self._within_limit(data, self.limit)
        if self.lost:
            told = b"[mlws] %d bytes of this log are missing here: the disk was full\n" % self.lost
            if not self.at_line_start:
                told = b"\n" + told
            # A separate write: should it not fit, nothing more will, and the count goes on.
            if not self._write(told):
                self.lost += len(data)
                self.lost_total += len(data)
                return
            self.lost = 0
        self._write(data, count=True)
        # At once: between the two the unfinished lines would be gone for those who read.
        self._write_live()

    def _within_limit(self, data: bytes, limit: int) -> bytes:
        """What still fits; says once, in the log, that the rest is not kept."""
        first = not self.dropped
        self.dropped += len(data)
        if not first:
            return b""
        self.note(f"the log reached its limit of {limit} bytes")
        return (
            data[: max(0, limit - self.end)]
            + b"\n[mlws] this log reached its limit of %d bytes; what follows is not kept\n" % limit
        )

    def _write(self, data: bytes, *, count: bool = False) -> bool:
        view = memoryview(data)
        try:
            while view:
                written = os.pwrite(self.fd, view, self.end)
                self.end += written
                self.at_line_start = bytes(view[written - 1 : written]) == b"\n"
                view = view[written:]
        except OSError as error:
            if count:
                if not self.lost:
                    self.note(f"the log could not be written: {error.strerror}; lines are being lost")
                self.lost += len(view)
                self.lost_total += len(view)
            return False
        finally:
            self.size = max(self.size, self.end)
        return True

    def show_live(self, *, now: float | None = None) -> None:
        """Put the unfinished lines at the end of the file, if they changed and the last time was 0.2 s ago."""
        moment = time.monotonic() if now is None else now
        if self._screen.waits:
            self._commit(self._screen.finish(moment))
        if self._live_stale and moment - self._live_at >= LIVE_EVERY_S:
            self._live_at = moment
            self._live_stale = False
            self._write_live()

    def _write_live(self) -> None:
        live = b"" if self.lost or self.dropped else NEXT_LINE.join(self._screen.live)
        try:
            written = os.pwrite(self.fd, live, self.end) if live else 0
            if self.size > self.end + written:
                os.ftruncate(self.fd, self.end + written)
            self.size = self.end + written
        except OSError:
            # A full disk: the lines are not lost, they are tried again when they end.
            self.size = os.fstat(self.fd).st_size

    def close(self) -> None:
        """Store the unfinished lines, and wait until everything is on the disk."""
        self._commit(_broken(self._screen.end()))
        try:
            self._write_live()
            os.fsync(self.fd)
        except OSError as error:
            self.note(f"the log could not be flushed: {error.strerror}")
        os.close(self.fd)
        if self.lost_total:
            self.note(f"{self.lost_total} bytes of the log were lost to a full disk")
        if self.dropped:
            self.note(f"{self.dropped} bytes of the log were over its limit")


def _broken(data: bytes) -> bytes:
    """Finished lines, those over 1 MiB broken; never inside a UTF-8 sequence."""
    parts, start = [], 0
    while len(data) - start > MAX_LINE:
        end = data.rfind(b"\n", start, start + MAX_LINE + 1) + 1
        if end == 0:
            end = start + MAX_LINE
            while end > start + MAX_LINE - 4 and data[end] & 0xC0 == 0x80:
                end -= 1
            parts += [data[start:end], b"\n"]
        else:
            parts.append(data[start:end])
        start = end
    return b"".join([*parts, data[start:]]) if parts else data
