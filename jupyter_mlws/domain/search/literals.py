"""Values as people write them: numbers, points in time and lengths of time. Each function gives None for what it cannot read."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta, timezone

MAX_NUMBER_LENGTH = 400
"""No number needs more digits; and reading a number of n digits takes n² steps."""

_WORDS = {"nan": math.nan, "inf": math.inf, "infinity": math.inf}
_ISO = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?\s?(Z|z|[+-]\d{2}:?\d{2})?)?", re.ASCII
)
_DURATION = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s?(ms|s|m|h|d)\s?", re.ASCII)
_UNIT_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def read_number(written: str) -> float | None:
    """A decimal number, or `nan`, `inf`, `infinity` in any case, with or without a sign. None beyond a float's range."""
    if len(written) > MAX_NUMBER_LENGTH:
        return None
    word = _WORDS.get(written.lstrip("+-").casefold())
    if word is not None:
        return -word if written.startswith("-") else word
    value = float(written)
    return value if math.isfinite(value) else None


def read_milliseconds(written: str) -> int | float | None:
    """A finite number of milliseconds; whole where it is written so or has no fraction, so that not a millisecond is lost."""
    value = read_number(written)
    if value is None or not math.isfinite(value):
        return None
    if written.lstrip("+-").isdecimal():
        return int(written)
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def read_time(written: str) -> int | None:
    """Milliseconds since the epoch of an ISO date (its midnight) or date and time; UTC unless it says otherwise."""
    match = _ISO.fullmatch(written.strip()) if len(written) <= 64 else None
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    try:
        moment = datetime(  # noqa: DTZ001  the zone is applied below
            int(year),
            int(month),
            int(day),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            int((fraction or "").ljust(6, "0")),
        ).replace(tzinfo=_zone(offset))
        return (moment - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        return None


def _zone(offset: str | None) -> timezone:
    """The time zone of `Z`, `+02:00` or `+0200`; UTC where there is none."""
    if offset is None or offset in "Zz":
        return timezone.utc
    distance = timedelta(hours=int(offset[1:3]), minutes=int(offset[-2:]))
    return timezone(-distance if offset[0] == "-" else distance)


def read_duration(written: str) -> int | float | None:
    """Milliseconds of `90s`, `1.5h`, `1h 30m`, `250ms` or `2d`."""
    text, at, total = written.strip(), 0, 0.0
    if not text or len(text) > 64:
        return None
    while at < len(text):
        match = _DURATION.match(text, at)
        if match is None:
            return None
        total += float(match[1]) * _UNIT_MS[match[2]]
        at = match.end()
    return int(total) if total.is_integer() else total
