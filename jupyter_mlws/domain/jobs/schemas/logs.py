"""What a job prints, and its notebook as it grows."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct


class LogSlice(Struct, kw_only=True):
    """A piece of a log. Whole lines stand in `text`; the unfinished last ones (several, where a program moves its bars) stand in
    `partial` and are not counted in `next_offset`."""

    text: str
    partial: str
    offset: int
    """Byte offset where `text` begins."""
    next_offset: int
    size: int
    done: bool
    """The log is complete and `text` reaches its end."""


class LogMatches(Struct, kw_only=True):
    """Lines of a log that a search found."""

    offsets: list[int]
    """Byte offsets of the beginnings of these lines; at most 1,000."""
    next_offset: int
    """The lines before it are searched."""
    more: bool
    """Lines behind it can be searched at once."""


class HeldOutput(Struct, kw_only=True, omit_defaults=True):
    """What an answer left out of an output because of its size (`hold_over`). Asked without `hold_over`, the same place gives all."""

    bytes: int
    """Of the whole output, as JSON."""
    types: list[str]
    """Its MIME types; of a stream and of an error `text/plain` alone."""
    lines: int | None = None
    """Lines of its text."""
    tail: str | None = None
    """The last lines of its text; the first ones stand in the output itself."""
    width: int | None = None
    """Of an image, in pixels."""
    height: int | None = None


class CellDelta(Struct, kw_only=True, omit_defaults=True):
    """One change of the growing output notebook. `op` tells which fields count.

    `base`: `notebook` is the whole notebook before the first cell ran. `start`: cell `cell` runs. `output`: `output` is
    appended to the cell (stream text continues the last output of the same name, after its last `back` lines were taken
    away; the unfinished one counts). `clear`: the outputs go. `update`: the outputs with `display_id` become `output`.
    `end`: the cell ended with `ok`. `done`: no more deltas come.
    """

    op: Literal["base", "start", "output", "clear", "update", "end", "done"]
    cell: int | None = None
    at: int | None = None
    output: dict[str, Any] | None = None
    display_id: str | None = None
    back: int = 0
    ok: bool | None = None
    execution_count: int | None = None
    notebook: dict[str, Any] | None = None
    place: int | None = None
    """The offset that gives this delta again; in answers only."""
    held: HeldOutput | None = None
    """Only the beginning of `output` is here; in answers only."""


class NotebookDeltas(Struct, kw_only=True):
    """Deltas from an offset on, about 1 MB of them at once; ask again from `next_offset` while there is `more`, and until `done`."""

    deltas: list[CellDelta]
    next_offset: int
    more: bool
    """More can be read at once."""
    done: bool
