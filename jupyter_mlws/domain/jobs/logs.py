"""Reading a job's log and its growing notebook by byte offset, while the job runs and after."""

from __future__ import annotations

import json
import os
import stat
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from jupyter_mlws.domain.jobs.schemas import CellDelta, LogSlice, NotebookDeltas

if TYPE_CHECKING:
    from pathlib import Path

LOG_LIMIT = 512 * 1024
DELTA_LIMIT = 2 * 1024 * 1024
LINE_LIMIT = 256 * 1024 * 1024


def _opened(path: Path) -> BinaryIO:
    """The regular file at `path`. The folder is the job's own: a link or pipe in its place is none of ours, and must not hold us."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileNotFoundError(path)
    return os.fdopen(descriptor, "rb")


def read_log(path: Path, offset: int, limit: int, *, ended: bool, tail: int | None = None) -> LogSlice:
    """Whole lines from `offset` on, at most `limit` bytes of them; the unfinished last line apart.

    With `tail` the reading begins that many bytes before the end, at the next beginning of a line.
    """
    try:
        file = _opened(path)
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
    partial = data[end:] if at_end else b""
    return LogSlice(
        text=data[:end].decode("utf-8", "replace"),
        partial=partial.decode("utf-8", "replace"),
        offset=start,
        next_offset=start + end,
        size=size,
        done=ended and at_end,
    )


def _whole_characters(data: bytes) -> int:
    """Length of `data` without a UTF-8 character that was cut at its end."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 != 0x80:
            length = 1 if byte < 0x80 else 2 if byte >> 5 == 6 else 3 if byte >> 4 == 14 else 4
            return len(data) - back if length > back else len(data)
    return len(data)


def read_deltas(path: Path, offset: int, *, ended: bool) -> NotebookDeltas:
    """Changes of the output notebook from `offset` on: at least one if there is one, and about 2 MB at most."""
    deltas: list[CellDelta] = []
    position = offset
    finished = False
    try:
        file = _opened(path)
    except OSError:
        return NotebookDeltas(deltas=[], next_offset=offset, done=ended)
    with file:
        size = file.seek(0, 2)
        file.seek(min(offset, size))
        while position - offset < DELTA_LIMIT:
            line = file.readline(LINE_LIMIT)
            if not line.endswith(b"\n"):
                break
            position += len(line)
            try:
                delta = msgspec.convert(json.loads(line), CellDelta)
            except (ValueError, msgspec.ValidationError):
                continue  # a line torn by a crash of the runner
            untrust(delta)
            deltas.append(delta)
            finished = finished or delta.op == "done"
    return NotebookDeltas(deltas=deltas, next_offset=position, done=finished or (ended and position >= size))


def untrust(delta: CellDelta) -> None:
    """Notebook outputs are shown untrusted: whatever the notebook says of itself."""
    if delta.notebook is None:
        return
    for part in [delta.notebook, *[cell for cell in delta.notebook.get("cells", []) if isinstance(cell, dict)]]:
        metadata = part.get("metadata")
        if isinstance(metadata, dict):
            metadata.pop("trusted", None)
