"""What may be logged: keys, numbers, steps, times, texts and paths are checked here, where the caller still sees the line.

Limits are those of the server. What is too long but harmless (a param, a tag, a note) is cut and marked with `…`;
what has no meaning (an empty key, a text as a metric) is refused with a `ValueError` or `TypeError`.
"""

from __future__ import annotations

import operator
from json.encoder import encode_basestring_ascii as quote
from typing import Any, Dict

MAX_KEY = 250
MAX_PARAM = 6000
MAX_TAG = 8000
MAX_NAME = 500
MAX_NOTE = 100_000
MAX_PATH = 1000
MAX_TRACEBACK = 64_000
MAX_TIME = 253_402_300_799_999

_INFINITY = float("inf")
_quoted: Dict[str, str] = {}


def check_key(key: object, what: str = "key") -> str:
    """A key of a metric, param or tag: 1 to 250 characters, none of them a control character."""
    if not isinstance(key, str):
        raise TypeError(f"The {what} must be a text, not {type(key).__name__}: {key!r:.80}.")
    if not key.strip():
        raise ValueError(f"The {what} is empty.")
    if len(key) > MAX_KEY:
        raise ValueError(f"The {what} {key[:40]!r}… has {len(key)} characters; at most {MAX_KEY} are allowed.")
    if not key.isprintable() and any(ord(c) < 32 or ord(c) == 127 or 0xD800 <= ord(c) <= 0xDFFF for c in key):
        raise ValueError(f"The {what} {key!r} has a control character or a broken surrogate in it.")
    return key


def number(key: object, value: object) -> float:
    """`value` as a float: numbers, bools, Decimals, numpy scalars and tensors with one element.

    Raises `TypeError` for what is no single number, texts among it.
    """
    if isinstance(value, (str, bytes, bytearray)):
        raise TypeError(f"Metric {key!r:.80} got the text {value!r:.80}; a metric is a number, a text is a param or tag.")
    single: Any = value
    if hasattr(single, "detach"):  # a tensor that requires grad warns when it is converted
        single = single.detach()
    if getattr(single, "ndim", 0) and hasattr(single, "item"):
        if getattr(single, "size", None) != 1 and not _has_one_element(single):
            raise TypeError(f"Metric {key!r:.80} got an array of shape {tuple(single.shape)}; log one number, such as its mean.")
        single = single.item()
    try:
        return float(single)
    except OverflowError:
        raise ValueError(f"Metric {key!r:.80} got an integer too large for a float.") from None
    except (TypeError, ValueError):
        raise TypeError(f"Metric {key!r:.80} got {value!r:.80} ({type(value).__name__}); a metric is a number.") from None


def _has_one_element(array: Any) -> bool:
    return callable(getattr(array, "numel", None)) and array.numel() == 1


def check_step(step: object) -> int:
    """`step` as an int within 64 bits; a float that is whole is taken too."""
    if isinstance(step, float) and step.is_integer():
        step = int(step)
    try:
        # The TypeError is the check. Before Python 3.10, `index` gives bools and enums back as they are.
        whole = int(operator.index(step))  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"step must be a whole number, not {step!r:.80} ({type(step).__name__}).") from None
    if not -(2**63) <= whole < 2**63:
        raise ValueError(f"step {whole} does not fit in 64 bits.")
    return whole


def check_time(time: object) -> int:
    """`time` as whole milliseconds since the epoch (UTC); an aware or local `datetime` is taken too."""
    stamp = getattr(time, "timestamp", None)
    ms: Any = stamp() * 1000 if callable(stamp) else time
    if isinstance(ms, str):
        raise TypeError(f"time must be milliseconds since the epoch or a datetime, not the text {ms!r:.80}.")
    try:
        whole = int(ms)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"time must be milliseconds since the epoch or a datetime, not {time!r:.80}.") from None
    if not 0 <= whole <= MAX_TIME:
        raise ValueError(f"time {whole} is no number of milliseconds between the years 1970 and 9999.")
    return int(whole)


def text(value: object, limit: int) -> str:
    """`value` as a text of at most `limit` characters that UTF-8 can hold."""
    result = value if isinstance(value, str) else str(value)
    if len(result) > limit:
        result = result[: limit - 1] + "…"
    return result.encode("utf-8", "replace").decode("utf-8")


def name(value: object, what: str) -> str:
    """A name of a run or an experiment: a text that is not empty, of at most 500 characters."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"The {what} must be a text that is not empty, not {value!r:.80}.")
    if len(value) > MAX_NAME:
        raise ValueError(f"The {what} {value[:40]!r}… has {len(value)} characters; at most {MAX_NAME} are allowed.")
    return text(value, MAX_NAME)


def run_id(value: object) -> str:
    """A run's id: 32 hex digits, in lower case."""
    if not isinstance(value, str) or len(value) != 32 or value.strip("0123456789abcdef"):
        raise ValueError(f"A run id is 32 hex digits, not {value!r:.80}.")
    return value


def artifact_path(path: object, what: str = "artifact path") -> str:
    """A relative path with `/` between its parts and no way out of the run's folder."""
    import os

    given = os.fspath(path) if isinstance(path, os.PathLike) else path
    if not isinstance(given, str):
        raise TypeError(f"The {what} must be a text, not {type(path).__name__}.")
    if os.sep == "\\":
        given = given.replace("\\", "/")
    parts = [part for part in given.split("/") if part not in ("", ".")]
    if given.startswith("/") or not parts or ".." in parts:
        raise ValueError(f"The {what} {given[:80]!r} must be relative, name a file, and have no '..' in it.")
    if any(ord(c) < 32 or ord(c) == 127 or 0xD800 <= ord(c) <= 0xDFFF for c in given) or len(given) > MAX_PATH:
        raise ValueError(f"The {what} {given[:80]!r} has a control character in it or is longer than {MAX_PATH} characters.")
    return "/".join(parts)


def point_json(key: str, value: float, step: int, time_ms: int) -> str:
    """One metric point as JSON; what JSON has no number for becomes `"NaN"`, `"Infinity"` or `"-Infinity"`."""
    quoted = _quoted.get(key)
    if quoted is None:
        if len(_quoted) > 10_000:
            _quoted.clear()
        quoted = _quoted[key] = quote(key)
    if value - value == 0.0:
        return f'{{"key":{quoted},"value":{value!r},"step":{step},"time":{time_ms}}}'
    word = "Infinity" if value == _INFINITY else "-Infinity" if value == -_INFINITY else "NaN"
    return f'{{"key":{quoted},"value":"{word}","step":{step},"time":{time_ms}}}'
