"""Reading a job's log by byte offset, while the job runs and after."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jupyter_mlws.domain.jobs.schemas import LogMatches, LogSlice
from jupyter_mlws.kit.paths import open_regular
from mlws.jobdir import NEXT_LINE

if TYPE_CHECKING:
    from pathlib import Path

LOG_LIMIT = 512 * 1024
SEARCH_LIMIT = 32 * 1024 * 1024
"""Bytes that are searched for one answer."""
SEARCH_BLOCK = 1024 * 1024
SEARCH_MATCHES = 1_000
LINE_LIMIT = 4 * 1024 * 1024
LINE = re.compile(rb"[^\n]*\n|[^\n]+")
ESCAPE = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]")


def read_log(path: Path, offset: int, limit: int, *, ended: bool, tail: int | None = None) -> LogSlice:
    """Whole lines from `offset` on, at most `limit` bytes of them; the unfinished last lines apart.

    With `tail` the reading begins that many bytes before the end, at the next beginning of a line.
    """
    try:
        file = open_regular(path, follow=False)
    except OSError:
        return LogSlice(text="", partial="", offset=0, next_offset=0, size=0, done=ended)
    with file:
        size = file.seek(0, 2)
        start = min(offset, size)
        if tail is not None:
            start = max(0, size - tail)
            file.seek(start)
            if start > 0:
                start += len(file.readline(limit))
        file.seek(start)
        data = file.read(limit)
    end = data.rfind(b"\n") + 1
    at_end = start + len(data) >= size
    if end == 0 and len(data) == limit:
        end = _whole_characters(data)
    if at_end and ended:
        end = len(data)
    # Unfinished lines stand on one line of the file, so that nothing before its last newline ever changes.
    text = data[:end].replace(NEXT_LINE, b"\n") if ended else data[:end]
    partial = data[end:].replace(NEXT_LINE, b"\n") if at_end else b""
    return LogSlice(
        text=text.decode("utf-8", "replace"),
        partial=partial.decode("utf-8", "replace"),
        offset=start,
        next_offset=start + end,
        size=size,
        done=ended and at_end,
    )


def read_log_before(path: Path, before: int, limit: int) -> LogSlice:
    """The whole lines that end at offset `before`, at most `limit` bytes of them; of a longer line its last part."""
    try:
        file = open_regular(path, follow=False)
    except OSError:
        return LogSlice(text="", partial="", offset=0, next_offset=0, size=0, done=False)
    with file:
        size = file.seek(0, 2)
        stop = min(before, size)
        start = max(0, stop - limit)
        file.seek(start)
        data = file.read(stop - start)
    if start > 0:
        cut = data.find(b"\n") + 1
        if cut in (0, len(data)):
            cut = next((n for n, byte in enumerate(data[:4]) if byte & 0xC0 != 0x80), 0)
        start, data = start + cut, data[cut:]
    text = data.decode("utf-8", "replace")
    return LogSlice(text=text, partial="", offset=start, next_offset=stop, size=size, done=False)


def search_log(path: Path, words: str, offset: int) -> LogMatches:
    """Finished lines from `offset` on that hold `words`, in any case, whatever their colours. Reads at most 32 MB."""
    found: list[int] = []
    position = offset
    try:
        file = open_regular(path, follow=False)
    except OSError:
        return LogMatches(offsets=[], next_offset=0, more=False)
    with file:
        file.seek(offset)
        while position - offset < SEARCH_LIMIT:
            block = file.read(SEARCH_BLOCK)
            if not block.endswith(b"\n"):
                block += file.readline(LINE_LIMIT)
            block = block[: block.rfind(b"\n") + 1] or (block if len(block) > LINE_LIMIT else b"")
            if not block:
                return LogMatches(offsets=found, next_offset=position, more=False)
            if not _holds(block, words):
                position += len(block)
                continue
            for line in LINE.findall(block):
                if _holds(line, words):
                    found.append(position)
                position += len(line)
                if len(found) == SEARCH_MATCHES:
                    return LogMatches(offsets=found, next_offset=position, more=True)
            file.seek(position)
    return LogMatches(offsets=found, next_offset=position, more=True)


def _holds(data: bytes, words: str) -> bool:
    """Whether some text, without its escape sequences, holds `words` in any case."""
    if b"\x1b" in data:
        data = ESCAPE.sub(b"", data)
    if words.isascii():
        return words.lower().encode() in data.lower()
    return words.lower() in data.decode("utf-8", "replace").lower()


def _whole_characters(data: bytes) -> int:
    """Length of `data` without a UTF-8 character that was cut at its end."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 != 0x80:
            length = 1 if byte < 0x80 else 2 if byte >> 5 == 6 else 3 if byte >> 4 == 14 else 4
            return len(data) - back if length > back else len(data)
    return len(data)
