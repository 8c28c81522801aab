"""Answers on the screen: tables for people, JSON and CSV for programs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from jupyter_mlws.cli.context import colored
from jupyter_mlws.sdk import text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyter_mlws.sdk.table import Column

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


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], *, empty: str) -> None:
    """Print a table. On a terminal it fits the width; into a file or pipe nothing is cut."""
    if not rows:
        click.echo(empty, err=True)
        return
    shown = [[text.printable(cell) for cell in row] for row in rows]
    titles = [text.printable(column.title if column.own else column.title.upper()) for column in columns]
    widths = [max(text.width_of(row[i]) for row in [titles, *shown]) for i in range(len(columns))]
    if sys.stdout.isatty():
        widths = _fitted(columns, widths, terminal_width())
    color = colored()
    head = [text.pad(text.cut(title, w), w, right=c.right) for title, c, w in zip(titles, columns, widths, strict=True)]
    click.echo(_style("  ".join(head).rstrip(), color, bold=True))
    for row in shown:
        cells = []
        for title, column, cell, width in zip(titles, columns, row, widths, strict=True):
            padded = text.pad(text.cut(cell, width), width, right=column.right)
            word = cell.rpartition(" ")[2]
            cells.append(_style(padded, color, fg=STATUS_COLORS.get(word)) if title == "STATUS" else padded)
        click.echo("  ".join(cells).rstrip())


def terminal_width() -> int:
    """Columns of the terminal."""
    import shutil  # noqa: PLC0415 - only terminals need it

    return shutil.get_terminal_size((WIDTH, 24)).columns


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


def _style(words: str, color: bool, **style: Any) -> str:
    return click.style(words, **style) if color and any(style.values()) else words


def fields(rows: Sequence[tuple[str, str]]) -> None:
    """Print names and values, one a line."""
    color = colored()
    width = max((text.width_of(name) for name, _ in rows), default=0)
    for name, value in rows:
        lines = [text.printable(line) for line in value.splitlines()] or [""]
        click.echo(f"{_style(text.pad(name, width), color, bold=True)}  {lines[0]}".rstrip())
        for line in lines[1:]:
            click.echo(f"{' ' * width}  {line}")


def as_json(value: Any) -> None:
    """Print JSON; numbers that JSON does not have are the strings NaN, Infinity and -Infinity."""
    import json  # noqa: PLC0415 - only JSON needs it

    click.echo(json.dumps(_finite(value), indent=2, ensure_ascii=not _unicode()))


def _unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return text.exact(value)
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(inner) for inner in value]
    return value


def as_csv(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print CSV."""
    from jupyter_mlws.sdk.table import csv_text  # noqa: PLC0415 - only CSV needs it

    click.echo(csv_text(columns, rows).replace("\r\n", "\n"), nl=False)
