"""Stores a job's output as a terminal would leave it: bytes in, lines out."""

from __future__ import annotations

import os
import re
import time
from typing import Callable

MAX_LINE = 1 << 20
LIVE_EVERY_S = 0.2
# Lookahead instead of a split: what a line held before its last carriage return that something followed.
OVERWRITTEN = re.compile(rb"(?m)^[^\n]*\r(?=[^\r\n])")
LINE_END = re.compile(rb"\r+\n")


class LogFile:
    """The stored log.

    `\\r` returns to the start of the line, and what follows overwrites the line as a whole; `\\r\\n` is a newline. Escape
    sequences stay. The file is: finished lines, which never change again, then the unfinished line as it stood at most 0.2 s
    ago. A line over 1 MiB is broken, never inside a UTF-8 sequence. A full disk costs the lines that did not fit; a line in the
    log says so once there is room.
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
        self._line = bytearray()
        self._returned = False
        self._live_at = 0.0
        self._live_stale = False

    def feed(self, data: bytes) -> None:
        """Take in output."""
        if self._returned:
            data = b"\r" + data
        stripped = data.rstrip(b"\r") if data.endswith(b"\r") else data
        self._returned = stripped is not data
        data = stripped
        if b"\r" in data:
            data = self._overwrite(data)
        newline = data.rfind(b"\n")
        if newline >= 0:
            first = data.find(b"\n")
            if len(self._line) + first > MAX_LINE:
                self._line += data[: first + 1]
                self._break_line()
                data, newline = data[first + 1 :], newline - first - 1
            self._commit(bytes(self._line) + data[: newline + 1])
            self._line = bytearray(data[newline + 1 :])
        else:
            self._line += data
        self._break_line()
        self._live_stale = True

    def _overwrite(self, data: bytes) -> bytes:
        """`data` without carriage returns; the unfinished line is dropped where `data` overwrites it."""
        data = LINE_END.sub(b"\n", data)
        first, newline, rest = data.partition(b"\n")
        overwritten = first.rfind(b"\r")
        if overwritten >= 0:
            self._line.clear()
            first = first[overwritten + 1 :]
        if b"\r" in rest:
            rest = OVERWRITTEN.sub(b"", rest)
        return first + newline + rest

    def _break_line(self) -> None:
        while len(self._line) > MAX_LINE:
            cut = MAX_LINE
            while cut > MAX_LINE - 4 and self._line[cut] & 0xC0 == 0x80:
                cut -= 1
            self._commit(bytes(self._line[:cut]) + b"\n")
            del self._line[:cut]

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
        self._trim()

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

    def _trim(self) -> None:
        """Cut off what is left of an unfinished line that was longer than what now stands there."""
        if self.size > self.end:
            os.ftruncate(self.fd, self.end)
            self.size = self.end

    def show_live(self, *, now: float | None = None) -> None:
        """Put the unfinished line at the end of the file, if it changed and the last time was 0.2 s ago."""
        moment = time.monotonic() if now is None else now
        if not self._live_stale or moment - self._live_at < LIVE_EVERY_S or self.lost or self.dropped:
            return
        self._live_at = moment
        self._live_stale = False
        try:
            written = os.pwrite(self.fd, self._line, self.end) if self._line else 0
            if self.size > self.end + written:
                os.ftruncate(self.fd, self.end + written)
            self.size = self.end + written
        except OSError:
            # A full disk: the line is not lost, it is tried again when it ends.
            self.size = os.fstat(self.fd).st_size

    def close(self) -> None:
        """Store the unfinished line, and wait until everything is on the disk."""
        self._commit(bytes(self._line))
        self._line.clear()
        try:
            self._trim()
            os.fsync(self.fd)
        except OSError as error:
            self.note(f"the log could not be flushed: {error.strerror}")
        os.close(self.fd)
        if self.lost_total:
            self.note(f"{self.lost_total} bytes of the log were lost to a full disk")
        if self.dropped:
            self.note(f"{self.dropped} bytes of the log were over its limit")
