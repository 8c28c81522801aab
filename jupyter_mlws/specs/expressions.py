"""`${{inputs.<name>}}` in a command. The value is put in as it is, as Azure does: the shell sees it, quotes are the file's to write."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from jupyter_mlws.domain.jobs.schemas import COMMAND_CHARS
from jupyter_mlws.specs.errors import Problem
from jupyter_mlws.specs.nodes import Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_mlws.specs.nodes import Scalar

OPEN = "${{"
EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
OPTIONAL = re.compile(r"\$\[\[[^\]]*\$\{\{")
INPUT = re.compile(r"\s*inputs\.([A-Za-z_][A-Za-z0-9_]*)\s*")
SHOWN = 80


class Input(NamedTuple):
    """An input: where it is declared, and the text that stands in for it."""

    place: Place
    text: str


class Substituted(NamedTuple):
    """A command with its inputs put in, and the names of those that it used."""

    command: str
    used: frozenset[str]


def substitute(field: str, command: Scalar, inputs: Mapping[str, Input]) -> Substituted:
    """Put the inputs into a command. Raises `Problem` for whatever is not an input that is declared."""
    found = list(EXPRESSION.finditer(command.text))
    if command.text.count(OPEN) != len(found):
        raise Problem(_place(command, 0), field, "each ${{ is closed by }}, and none stands in another.")
    if OPTIONAL.search(command.text) is not None:
        raise Problem(_place(command, 0), field, "an optional part, $[[…]], is for components and not supported.")
    pieces, end, used = [], 0, set()
    for number, match in enumerate(found):
        name = _name(field, command, number, match[1])
        if name not in inputs:
            there = ", ".join(inputs) or "none"
            raise Problem(_place(command, number), field, f"there is no input {name!r}; declared under `inputs` are: {there}.")
        pieces += [command.text[end : match.start()], inputs[name].text]
        end = match.end()
        used.add(name)
    pieces.append(command.text[end:])
    if not 0 < sum(map(len, pieces)) <= COMMAND_CHARS:
        raise Problem(command.place, field, f"with its inputs put in, it has 1 to {COMMAND_CHARS:,} characters.")
    return Substituted("".join(pieces), frozenset(used))


def _name(field: str, command: Scalar, number: int, expression: str) -> str:
    match = INPUT.fullmatch(expression)
    if match is None:
        what = expression.strip()[:SHOWN]
        raise Problem(_place(command, number), field, f"the expression {what!r} is not supported; ${{{{inputs.<name>}}}} is.")
    return match[1]


def _place(command: Scalar, number: int) -> Place:
    """The line of an expression: a command may have many."""
    place = command.place
    written = list(EXPRESSION.finditer(command.source))
    if place.line is None or number >= len(written):
        return place
    above = command.source.count("\n", 0, written[number].start())
    return place if above == 0 else Place(place.file, place.line + above)
