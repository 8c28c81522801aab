"""Numbers, times, sizes and names as people read them, the same on the command line, in a Python session and in a notebook."""

from __future__ import annotations

import math
import re
import time
from typing import Any

STATUS_MARKS = {"Completed": "✓", "Failed": "✕", "Running": "●", "NotResponding": "!", "Canceled": "–"}
HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Unicode categories that move a cursor, change directions or are no characters at all."""


DIGITS = 4
EXACT_DIGITS = 17
"""So many tell any two floats apart."""
IN_FULL = 1e15
"""Below it a float is told to the ones: no exponent hides a digit before the point."""


def number(value: Any, digits: int = DIGITS) -> str:
    """A number with at least so many significant digits, and none before the point left out; `NaN`, `∞` and `−∞` for what is none."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return {"Infinity": "∞", "-Infinity": "−∞"}.get(str(value), str(value))
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "∞" if value > 0 else "−∞"
    if isinstance(value, int):
        return str(value)
    if 1 <= abs(value) < IN_FULL:
        digits = max(digits, len(f"{abs(value):.0f}"))
    return f"{value:.{digits}g}"


def exact(value: float) -> float | str:
    """A float for CSV and JSON: what they have no number for is a word, the same as in the REST API."""
    if value != value:
        return "NaN"
    return value if abs(value) != float("inf") else "Infinity" if value > 0 else "-Infinity"


def status(word: str) -> str:
    """A status with its mark."""
    return f"{STATUS_MARKS.get(word, '○')} {word}"


def ago(ms: int | None) -> str:
    """How long ago, in words."""
    if ms is None:
        return ""
    seconds = max(time.time() - ms / 1000, 0)
    for amount, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= amount:
            return f"{int(seconds // amount)} {unit} ago"
    return "just now"


def ahead(ms: int) -> str:
    """In how long, in words."""
    seconds = max(ms / 1000 - time.time(), 0)
    for amount, unit in ((3600, "h"), (60, "min")):
        if seconds >= amount:
            return f"in {math.ceil(seconds / amount)} {unit}"
    return f"in {math.ceil(seconds)} s" if seconds else "now"


def moment(ms: int | None) -> str:
    """A time, local."""
    return "" if ms is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(ms / 1000))


def duration(ms: int | None) -> str:
    """A duration."""
    if ms is None:
        return ""
    seconds = ms / 1000
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def size(count: int | None) -> str:
    """A number of bytes."""
    if count is None:
        return ""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def many(count: int, word: str) -> str:
    """`1 run`, `2 runs`."""
    return f"{count} {word}{'' if count == 1 else 's'}"


def printable(text: str) -> str:
    """Text on one line that cannot move the cursor or change colours, whatever somebody named a run."""
    if text.isascii() and text.isprintable():
        return text
    from unicodedata import category  # noqa: PLC0415 - seldom needed

    return "".join(" " if c in "\n\r\t" else c if category(c) not in HIDDEN else "\N{REPLACEMENT CHARACTER}" for c in text)


def width_of(text: str) -> int:
    """Columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width  # noqa: PLC0415 - seldom needed

    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def cut(text: str, width: int) -> str:
    """Text of at most so many columns, its end replaced by `…`."""
    if width_of(text) <= width:
        return text
    kept, used = [], 0
    for c in text:
        used += width_of(c)
        if used > width - 1:
            break
        kept.append(c)
    return "".join(kept) + "…"


def pad(text: str, width: int, *, right: bool = False) -> str:
    """Text filled up to so many columns."""
    space = " " * max(width - width_of(text), 0)
    return space + text if right else text + space


def failure(message: str, cell: int | None) -> str:
    """Why a run failed, with its cell (from 0) named once: messages of notebooks end with it."""
    where = f"cell {cell + 1}" if cell is not None else ""
    return message if re.search(rf"\b{where}\b", message) or not where else f"{where}: {message}"
