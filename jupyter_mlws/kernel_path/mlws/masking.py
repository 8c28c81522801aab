"""Hides secrets in what a job prints and logs: `***` stands where a value was, in each of the forms in which values are usually written.

Standard library only: supervisor, runner, clients and server all hide by the same rules. What cannot be known is not hidden: a value
that is printed letter by letter on lines of its own, encrypted, or compressed.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any, AnyStr, Dict, Generic, Iterable, List, Mapping, Pattern, Set
from urllib.parse import quote, quote_plus

NAMES = "MLWS_SECRETS"
"""The variable that names those variables of a job that are secrets, with commas between."""
MASK = "***"
LEAST = 4
"""Shorter texts are not looked for: they stand everywhere."""
LEAST_LINE = 8


def forms(value: str) -> Set[str]:
    """A value, and how programs write it: in JSON, in Python's `repr`, in HTML, in an address, in base64; of several lines each line."""
    import html  # here, for most processes have no secrets

    stripped = value.strip()
    found = {value, stripped}
    for text in (value, stripped):
        found |= {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1], ascii(text)[1:-1]}
        found |= {html.escape(text), html.escape(text, quote=False), quote(text), quote(text, safe=""), quote_plus(text)}
        found |= _base64(text.encode("utf-8", "surrogatepass"))
    lines = [line.strip() for line in value.splitlines()]
    if len(lines) > 1:
        found.update(line for line in lines if len(line) >= LEAST_LINE)
    return {form for form in found if len(form) >= LEAST}


def _base64(data: bytes) -> Set[str]:
    """What of `data` is the same in base64 whatever stands before and behind it, for each of the three ways it may lie."""
    import base64

    found = set()
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + data).decode().rstrip("=")
        inner = whole[(before * 8 + 5) // 6 : (before + len(data)) * 8 // 6]
        if len(inner) >= LEAST_LINE:
            found |= {inner, inner.replace("+", "-").replace("/", "_")}
    return found


class Masker:
    """Hides some values. Cheap where there are none."""

    def __init__(self, values: Iterable[str]) -> None:
        needles: Set[str] = set()
        for value in values:
            needles |= forms(value)
        # The longest first: of two values one may begin with the other.
        self.needles: List[str] = sorted(needles, key=lambda needle: (-len(needle), needle))
        self._pattern = re.compile("|".join(map(re.escape, self.needles))) if needles else None

    def __bool__(self) -> bool:
        return self._pattern is not None

    def text(self, text: str) -> str:
        """A text without the values."""
        return text if self._pattern is None else self._pattern.sub(MASK, text)

    def value(self, value: Any) -> Any:
        """Nested dicts and lists with each of their texts, names too, without the values; what has none stays the object it is."""
        if self._pattern is None:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            made: Any = {self.value(name): self.value(inner) for name, inner in value.items()}
            return made if made != value else value
        if isinstance(value, (list, tuple)):
            made = [self.value(inner) for inner in value]
            return made if made != list(value) else value
        return value

    def json(self, data: bytes) -> bytes:
        """JSON without the values, however its texts are escaped. What cannot be read stays as it is, for whoever refuses it."""
        if self._pattern is None:
            return data
        try:
            read = json.loads(data)
            hidden = self.value(read)
        except (ValueError, RecursionError):
            return data
        return data if hidden is read else bytes(json.dumps(hidden, separators=(",", ":")).encode())

    def of_bytes(self) -> Stream[bytes]:
        """Hides in a stream of bytes."""
        needles = [needle.encode("utf-8", "surrogatepass") for needle in self.needles]
        return Stream(needles, b"|".join(map(re.escape, needles)), MASK.encode(), b"")

    def of_text(self) -> Stream[str]:
        """Hides in a stream of text."""
        return Stream(self.needles, "|".join(map(re.escape, self.needles)), MASK, "")


class Stream(Generic[AnyStr]):
    """Hides in what comes in pieces: an end that may be the beginning of a value is kept back until it is known what follows."""

    def __init__(self, needles: List[AnyStr], either: AnyStr, mask: AnyStr, empty: AnyStr) -> None:
        self._longest = max(map(len, needles), default=0)
        self._by_head: Dict[AnyStr, List[AnyStr]] = {}
        """Values by their first letter, their first two, and so on."""
        for needle in needles:
            for size in range(1, LEAST + 1):
                self._by_head.setdefault(needle[:size], []).append(needle)
        self._mask: AnyStr = mask
        self._empty: AnyStr = empty
        self._held: AnyStr = empty
        self._pattern: Pattern[AnyStr] | None = re.compile(either) if needles else None

    def feed(self, data: AnyStr) -> AnyStr:
        """What may be shown now."""
        if self._pattern is None:
            return data
        data = self._held + data
        parts: List[AnyStr] = []
        at = 0
        keep = self._beginning(data, at)
        for match in self._pattern.finditer(data):
            if match.start() >= keep:
                break  # it is, or lies in, what may be the beginning of a longer value
            parts += [data[at : match.start()], self._mask]
            at = match.end()
            if at > keep:
                keep = self._beginning(data, at)
        parts.append(data[at:keep])
        self._held = data[keep:]
        return self._empty.join(parts)

    def end(self) -> AnyStr:
        """What was kept back; nothing follows."""
        rest, self._held = self._held, self._empty
        return rest if self._pattern is None else self._pattern.sub(lambda _: self._mask, rest)

    def _beginning(self, data: AnyStr, at: int) -> int:
        """Where the longest end of `data[at:]` begins with which a value begins, and goes on."""
        end = len(data)
        for place in range(max(at, end - self._longest + 1), end):
            for needle in self._by_head.get(data[place : place + LEAST], ()):
                if len(needle) > end - place and needle.startswith(data[place:]):
                    return place
        return end


def of_environment(environment: Mapping[str, str] | Dict[str, str] | None = None) -> Masker:
    """Hides what the job's environment says is secret; nothing outside of a job."""
    given = os.environ if environment is None else environment
    return Masker(given[name] for name in given.get(NAMES, "").split(",") if given.get(name))
