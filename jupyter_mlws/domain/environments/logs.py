"""Reading the log of a build: by byte offset, while it grows and after, and what it says of a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_mlws.domain.environments.schemas import BuildLog
from jupyter_mlws.kit.paths import open_regular
from mlws.jobdir import NEXT_LINE

if TYPE_CHECKING:
    from pathlib import Path

CAUSES = ("cause:", "╰─▶")
"""How uv begins the line behind an error that says why."""
TAIL_BYTES = 8192


def read_build_log(path: Path | None, offset: int, limit: int, *, ended: bool) -> BuildLog:
    """Whole lines from `offset` on, at most `limit` bytes of them; of a log that has ended all that is left."""
    try:
        if path is None:
            raise FileNotFoundError
        file = open_regular(path, follow=False)
    except OSError:
        return BuildLog(text="", offset=0, next_offset=0, size=0, done=ended)
    with file:
        size = file.seek(0, 2)
        start = min(offset, size)
        file.seek(start)
        data = file.read(limit)
    last = start + len(data) >= size
    end = len(data) if (last and ended) or (b"\n" not in data[-limit:] and len(data) == limit) else data.rfind(b"\n") + 1
    text = data[:end].replace(NEXT_LINE, b"\n").decode("utf-8", "replace")
    return BuildLog(text=text, offset=start, next_offset=start + end, size=size, done=ended and last)


def last_words(path: Path) -> str:
    """The line of a log that says best what went wrong."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - TAIL_BYTES))
            lines = [line.strip() for line in file.read().decode("utf-8", "replace").splitlines() if line.strip()]
    except OSError:
        return ""
    said = [n for n, line in enumerate(lines) if line.lower().startswith(("error", "× ", "x "))]
    if not said:
        return (lines or [""])[-1][:500]
    causes = [
        line.removeprefix("cause:").removeprefix("╰─▶").strip() for line in lines[said[-1] + 1 :] if line.startswith(CAUSES)
    ]
    return ": ".join([lines[said[-1]].rstrip("."), *causes[:1]])[:500]
