"""Answers on the screen: tables for people, JSON and CSV for programs."""

from __future__ import annotations

import json
import shutil
import sys
import time
import unicodedata
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from jupyter_mlws.cli.context import colored

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 80
LEAST = 6
STATUS_COLORS = {
    "Running": "blue",
    "Completed": "green",
    "Failed": "red",
    "NotResponding": "red",
    "Canceled": "bright_black",
    "Queued": "bright_black",
}
STATUS_MARKS = {"Completed": "✓", "Failed": "✕", "Running": "●", "NotResponding": "!", "Canceled": "–"}


class Column(NamedTuple):
    """A column of a table. `shrinks`: it gives way first where the terminal is narrow."""

    title: str
    right: bool = False
    shrinks: bool = False


def printable(text: str) -> str:
    """Text on one line that cannot move the cursor or change colours, whatever somebody named a run."""
    return "".join(
        " "
        if c in "\n\r\t"
        else c
        if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
        else "\N{REPLACEMENT CHARACTER}"
        for c in text
    )


def width_of(text: str) -> int:
    """Columns that a text takes on a terminal."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


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


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], *, empty: str) -> None:
    """Print a table. On a terminal it fits the width; into a file or pipe nothing is cut."""
    if not rows:
        click.echo(empty, err=True)
        return
    shown = [[printable(cell) for cell in row] for row in rows]
    widths = [max(width_of(row[i]) for row in [[c.title for c in columns], *shown]) for i in range(len(columns))]
    if sys.stdout.isatty():
        widths = _fitted(columns, widths, shutil.get_terminal_size((WIDTH, 24)).columns)
    color = colored()
    head = [_pad(cut(c.title, w), w, right=c.right) for c, w in zip(columns, widths, strict=True)]
    click.echo(_style("  ".join(head).rstrip(), color, bold=True))
    for row in shown:
        cells = []
        for column, cell, width in zip(columns, row, widths, strict=True):
            padded = _pad(cut(cell, width), width, right=column.right)
            word = cell.rpartition(" ")[2]
            cells.append(_style(padded, color, fg=STATUS_COLORS.get(word)) if column.title == "STATUS" else padded)
        click.echo("  ".join(cells).rstrip())


def _fitted(columns: Sequence[Column], widths: list[int], available: int) -> list[int]:
    """Widths that fit: the widest of the columns that shrink gives way, column by column."""
    widths = list(widths)
    room = available - 2 * (len(widths) - 1)
    while sum(widths) > room:
        candidates = [i for i, c in enumerate(columns) if c.shrinks and widths[i] > LEAST]
        if not candidates:
            break
        widest = max(candidates, key=lambda i: widths[i])
        widths[widest] -= 1
    return widths


def _pad(text: str, width: int, *, right: bool) -> str:
    space = " " * max(width - width_of(text), 0)
    return space + text if right else text + space


def _style(text: str, color: bool, **style: Any) -> str:
    return click.style(text, **style) if color and any(style.values()) else text


def fields(rows: Sequence[tuple[str, str]]) -> None:
    """Print names and values, one a line."""
    color = colored()
    width = max((width_of(name) for name, _ in rows), default=0)
    for name, value in rows:
        lines = [printable(line) for line in value.splitlines()] or [""]
        click.echo(f"{_style(_pad(name, width, right=False), color, bold=True)}  {lines[0]}".rstrip())
        for line in lines[1:]:
            click.echo(f"{' ' * width}  {line}")


def as_json(value: Any) -> None:
    """Print JSON; numbers that JSON does not have are the strings NaN, Infinity and -Infinity."""
    click.echo(json.dumps(_finite(value), indent=2, ensure_ascii=not _unicode()))


def _unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def _finite(value: Any) -> Any:
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(inner) for inner in value]
    return value


def as_csv(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print CSV."""
    from jupyter_mlws.sdk.runs import csv_text  # noqa: PLC0415 - only CSV needs it

    click.echo(csv_text(columns, rows).replace("\r\n", "\n"), nl=False)


def number(value: Any) -> str:
    """A metric with four significant digits."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return {"Infinity": "∞", "-Infinity": "-∞"}.get(str(value), str(value))
    if value in (float("inf"), float("-inf")):
        return "∞" if value > 0 else "-∞"
    return str(value) if isinstance(value, int) else f"{value:.4g}"


def status(word: str) -> str:
    """A status with its mark."""
    return f"{STATUS_MARKS.get(word, '○')} {word}"


def ago(ms: int | None) -> str:
    """How long ago, in words."""
    if ms is None:
        return ""
    seconds = max(time.time() - ms / 1000, 0)
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return "just now"


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
