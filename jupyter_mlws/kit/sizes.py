"""Sizes of memory as people write them: `4GiB`, `512 MB`; and as they read them: `4.1 GiB`."""

from __future__ import annotations

import re

_SIZE = re.compile(r"\s*(\d{1,18}(?:\.\d{1,6})?)\s*(?:([kmgtp])(i?)b?|b)?\s*", re.ASCII | re.IGNORECASE)
_UNITS = "kmgtp"
HOW = "write bytes or a number with its unit, as 4GiB, 512MB or 1.5G"


def parse_size(text: str) -> int:
    """Bytes. `GiB` is 2^30, `GB` 10^9; `G` alone, as schedulers write it, 2^30. Raises ValueError, with a sentence."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:80]!r} is no size; {HOW}.")
    number, unit, binary = match[1], (match[2] or "").lower(), bool(match[3])
    base = 1024 if binary or not text.strip().lower().endswith("b") else 1000
    return round(float(number) * base ** (_UNITS.index(unit) + 1)) if unit else int(float(number))


def size_text(count: int) -> str:
    """A number of bytes in binary units, one decimal below 100."""
    amount, units = float(count), ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
    while amount >= 1023.95 and len(units) > 1:
        amount /= 1024
        units.pop(0)
    unit = units[0]
    digits = f"{amount:.0f}" if unit == "B" or amount >= 100 else f"{amount:.1f}".removesuffix(".0")
    return f"{digits} {unit}"
