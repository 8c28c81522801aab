"""Spans of time and sizes as people write them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click import Context, Parameter

DEFAULT = "default"
_SPAN = re.compile(r"\s*(\d{1,9}(?:\.\d{1,3})?)\s*([smhd]?)\s*", re.ASCII)
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


class Span(click.ParamType):  # type: ignore[type-arg]  # generic for type checkers alone
    """Seconds, or a number with its unit: `90`, `90s`, `45m`, `2h`, `1d`. `whole` gives an integer."""

    name = "span"

    def __init__(self, *, whole: bool = False) -> None:
        self.whole = whole

    def convert(self, value: Any, param: Parameter | None, ctx: Context | None) -> float:
        """Seconds."""
        if isinstance(value, (int, float)):
            return value
        match = _SPAN.fullmatch(value)
        if match is None:
            self.fail(f"{value[:80]!r} is no span of time; write 90, 90s, 45m, 2h or 1d.", param, ctx)
        seconds = float(match[1]) * _SECONDS[match[2]]
        return int(seconds) if self.whole else seconds


class Limit(click.ParamType):  # type: ignore[type-arg]  # generic for type checkers alone
    """A limit: what `of` reads, or `default` for what the server's settings say (None)."""

    name = "limit"

    def __init__(self, of: click.ParamType) -> None:  # type: ignore[type-arg]
        self.of = of

    def convert(self, value: Any, param: Parameter | None, ctx: Context | None) -> Any:
        """The limit; `DEFAULT` for that of the settings."""
        return DEFAULT if value == DEFAULT else self.of.convert(value, param, ctx)


class Size(click.ParamType):  # type: ignore[type-arg]
    """Bytes, or a number with its unit: `4GiB`, `512 MB`."""

    name = "size"

    def convert(self, value: Any, param: Parameter | None, ctx: Context | None) -> int:
        """Bytes."""
        from jupyter_mlws.kit.sizes import read_bytes  # noqa: PLC0415 - few verbs need it

        found = value if isinstance(value, int) else read_bytes(value)
        if found is None:
            self.fail(f"{value[:80]!r} is no size; write 4GiB, 512 MB, or a number of bytes.", param, ctx)
        return found
