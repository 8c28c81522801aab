"""`${{inputs.<name>}}`, `${{outputs.<name>}}` and `$[[…]]` in a command.

A value is put in as it is, as Azure does: the shell sees it, quotes are the file's to write. Where data lies is known when the job
begins, so that its expressions stay.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from jupyter_mlws.domain.jobs.schemas import COMMAND_CHARS
from jupyter_mlws.specs.errors import Problem
from jupyter_mlws.specs.nodes import Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jupyter_mlws.domain.jobs.schemas import JobInput, JobOutput
    from jupyter_mlws.specs.nodes import Scalar

OPEN = "${{"
EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
OPTIONAL = re.compile(r"\$\[\[(?:(?!\]\]).)*?\$\{\{", re.DOTALL)
OPTIONAL_PART = re.compile(r"\$\[\[((?:(?!\]\]).)*?\$\{\{.*?)\]\]", re.DOTALL)
NAMED = re.compile(r"\s*(inputs|outputs)\.([A-Za-z_][A-Za-z0-9_]*)\s*")
SHOWN = 80


class Input(NamedTuple):
    """An input: where it is declared, and the text that stands in for it, or the data; neither of an optional one without value."""

    place: Place
    text: str | None = None
    data: JobInput | None = None

    @property
    def has_value(self) -> bool:
        """Whether anything stands in for it."""
        return self.text is not None or self.data is not None


class Output(NamedTuple):
    """An output: where it is declared, and what it is."""

    place: Place
    data: JobOutput


class Substituted(NamedTuple):
    """A command with its inputs put in, and which inputs and outputs it names, as `inputs.<name>`."""

    command: str
    used: frozenset[str]


class _Part(NamedTuple):
    """A piece of a command: what it says, and how many expressions stand before it."""

    text: str
    before: int
    optional: bool


def substitute(
    field: str, command: Scalar, inputs: Mapping[str, Input], outputs: Mapping[str, Output] = MappingProxyType({})
) -> Substituted:
    """Put the inputs into a command. Raises `Problem` for whatever is neither an input nor an output that is declared."""
    if command.text.count(OPEN) != len(EXPRESSION.findall(command.text)):
        raise Problem(_place(command, 0), field, "each ${{ is closed by }}, and none stands in another.")
    if len(OPTIONAL.findall(command.text)) != len(OPTIONAL_PART.findall(command.text)):
        raise Problem(_place(command, 0), field, "each $[[ around an input is closed by ]].")
    filling = _Filling(field, command, inputs, outputs)
    filled = "".join(filling.part(part) for part in _parts(command.text))
    if not 0 < len(filled) <= COMMAND_CHARS:
        raise Problem(command.place, field, f"with its inputs put in, it has 1 to {COMMAND_CHARS:,} characters.")
    return Substituted(filled, frozenset(filling.used))


def _parts(text: str) -> Iterator[_Part]:
    end = before = 0
    for match in OPTIONAL_PART.finditer(text):
        for piece, optional in ((text[end : match.start()], False), (match[1], True)):
            yield _Part(piece, before, optional)
            before += piece.count(OPEN)
        end = match.end()
    yield _Part(text[end:], before, optional=False)


class _Filling:
    """State of one substitution: which inputs and outputs were named until now."""

    def __init__(self, field: str, command: Scalar, inputs: Mapping[str, Input], outputs: Mapping[str, Output]) -> None:
        self.used: set[str] = set()
        self._field = field
        self._command = command
        self._inputs = inputs
        self._outputs = outputs

    def part(self, part: _Part) -> str:
        """The part with its inputs put in; nothing of an optional one where an input has no value."""
        pieces, end, whole = "", 0, True
        for number, match in enumerate(EXPRESSION.finditer(part.text), part.before):
            value = self._value(number, match[1], optional=part.optional)
            whole = whole and value is not None
            pieces += part.text[end : match.start()] + (value or "")
            end = match.end()
        return pieces + part.text[end:] if whole else ""

    def _value(self, number: int, expression: str, *, optional: bool) -> str | None:
        side, name = self._name(number, expression)
        self.used.add(f"{side}.{name}")
        found = self._inputs.get(name) if side == "inputs" else self._outputs.get(name)
        if found is None:
            there = ", ".join(self._inputs if side == "inputs" else self._outputs) or "none"
            what = "input" if side == "inputs" else "output"
            words = f"there is no {what} {name!r}; declared under `{side}` are: {there}."
            raise Problem(_place(self._command, number), self._field, words)
        if found.data is not None:
            return f"{OPEN}{side}.{name}}}}}"
        text = found.text
        if text is None and not optional:
            words = f"the input {name!r} is optional and has no value; put what names it into $[[…]]."
            raise Problem(_place(self._command, number), self._field, words)
        return text

    def _name(self, number: int, expression: str) -> tuple[str, str]:
        match = NAMED.fullmatch(expression)
        if match is None:
            what = expression.strip()[:SHOWN]
            words = f"the expression {what!r} is not supported; ${{{{inputs.<name>}}}} and ${{{{outputs.<name>}}}} are."
            raise Problem(_place(self._command, number), self._field, words)
        return match[1], match[2]


def _place(command: Scalar, number: int) -> Place:
    """The line of an expression: a command may have many."""
    place = command.place
    written = list(EXPRESSION.finditer(command.source))
    if place.line is None or number >= len(written):
        return place
    above = command.source.count("\n", 0, written[number].start())
    return place if above == 0 else Place(place.file, place.line + above)
