"""Sizes of memory as people write them: `4GiB`, `512 MB`; and as they read them: `4.1 GiB`."""

from __future__ import annotations

import re

_SIZE = re.compile(r"\s*(\d{1,15}(?:\.\d{1,6})?)\s*([KMGT]i?)?B?\s*", re.ASCII | re.IGNORECASE)
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30, "ti": 1 << 40}


def read_bytes(text: str) -> int | None:
    """`4GiB`, `512 MB` or a bare number as bytes; None for what is no size."""
    match = _SIZE.fullmatch(text)
    return None if match is None else int(float(match[1]) * _UNITS[(match[2] or "").lower()])


def size_text(count: int) -> str:
    """A number of bytes in binary units, one decimal below 100."""
    amount, units = float(count), ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
    while amount >= 1023.95 and len(units) > 1:
        amount /= 1024
        units.pop(0)
    unit = units[0]
    digits = f"{amount:.0f}" if unit == "B" or amount >= 100 else f"{amount:.1f}".removesuffix(".0")
    return f"{digits} {unit}"
