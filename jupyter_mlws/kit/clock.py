"""Time on the wire and in the database: whole milliseconds since the epoch, UTC."""

from __future__ import annotations

import time


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
