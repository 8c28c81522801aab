"""Failures of job files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_mlws.kit.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyter_mlws.specs.nodes import Place

SHOWN_PROBLEMS = 20


class JobFileInvalid(BadInput):
    """The job file is no YAML, or a field of it is unknown, not supported, or has a wrong value."""

    code = "job_file_invalid"


class Problem(Exception):
    """One thing that is wrong, with one field or (an empty `field`) with the whole; all of a file make one `JobFileInvalid`."""

    def __init__(self, place: Place, field: str, words: str) -> None:
        super().__init__(words)
        self.place = place
        self.field = field
        self.words = words

    def __str__(self) -> str:
        if self.field:
            return f"{self.place}, {printable(self.field)}: {self.words}"
        column = f", column {self.place.column}" if self.place.column is not None else ""
        return f"{self.place}{column}: {self.words}"


def printable(text: str) -> str:
    """Text of a file as messages may show it: what could command a terminal stands as an escape."""
    return text if text.isprintable() else repr(text)[1:-1]


def invalid(problems: Sequence[Problem]) -> JobFileInvalid:
    """The error that tells of all of them, a line each, in the order of the file."""
    ordered = sorted(problems, key=lambda problem: problem.place.line or 0)
    lines = [str(problem) for problem in ordered[:SHOWN_PROBLEMS]]
    if len(ordered) > SHOWN_PROBLEMS:
        lines.append(f"{ordered[0].place.file}: {len(ordered) - SHOWN_PROBLEMS} more fields are wrong.")
    return JobFileInvalid("\n".join(lines), field=ordered[0].field or "text")
