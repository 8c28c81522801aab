"""How far a command is that takes long, in one line on standard error."""

from __future__ import annotations

import shutil
import sys
import time

from jupyter_mlws.cli.failures import tell
from jupyter_mlws.sdk import text

CLEAR = "\r\033[K"
DRAWN_EVERY_S = 0.1
TOLD_EVERY_S = 10.0


class ProgressLine:
    """Drawn again and again on a terminal; elsewhere told every ten seconds, so that a log stays short."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._every = DRAWN_EVERY_S if self._live else TOLD_EVERY_S
        self._at = 0.0 if self._live else time.monotonic()
        self._what = ""
        self._since = time.monotonic()

    def tell(self, what: str, done: int, total: int | None) -> None:
        """`done` of `total` is done; where that is not known the time that it takes is told."""
        now = time.monotonic()
        if what != self._what:
            self._what, self._since = what, now
        if now - self._at < self._every:
            return
        self._at = now
        line = f"{what}: {done * 100 // total} %" if total else f"{what} ({text.duration(int((now - self._since) * 1000))})"
        if not self._live:
            tell(line)
            return
        sys.stderr.write(CLEAR + text.cut(line, shutil.get_terminal_size().columns - 1))
        sys.stderr.flush()

    def close(self) -> None:
        """Take the line away."""
        if self._live:
            sys.stderr.write(CLEAR)
            sys.stderr.flush()
