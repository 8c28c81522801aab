"""The text of a YAML file as nodes that know their line. Nothing is built from tags, and what an alias repeats counts each time.

PyYAML's parser gives the events; the nodes are ours, because its own neither keep duplicate keys apart nor have limits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import yaml
from msgspec import Struct

from jupyter_mlws.specs.errors import Problem, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_DEPTH = 20
MAX_NODES = 4_000
FIELD_CHARS = 120
NUMBER_CHARS = 100
"""A longer scalar is text: no number that anybody means is longer, and making one of very many digits takes long."""

_resolver = yaml.resolver.Resolver()
_KINDS = {f"tag:yaml.org,2002:{kind}": kind for kind in ("int", "float", "bool", "null")}


class Place(NamedTuple):
    """Where something stands. Lines and columns count from 1; what was given beside the file has none."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}, line {self.line}"


class Scalar(Struct, frozen=True):
    """A text, number, truth value or nothing."""

    place: Place
    kind: str
    """`text`, `int`, `float`, `bool` or `null`."""
    text: str
    """As it is written, without quotes."""
    value: Any
    source: str
    """As it stands in the file, quotes, line ends and all."""
    plain: bool
    """Written without quotes."""
    weight: int = 1
    depth: int = 0


class Sequence(Struct, frozen=True):
    """A list."""

    place: Place
    items: list[Node]
    weight: int
    depth: int


class Entry(NamedTuple):
    """A key's place, and its value."""

    place: Place
    node: Node


class Mapping(Struct, frozen=True):
    """Values by key."""

    place: Place
    entries: dict[str, Entry]
    weight: int
    depth: int


Node = Scalar | Sequence | Mapping


def compose(text: str, file: str) -> Node:
    """The one document in a file. Raises `Problem`."""
    return _Composer(text, file, field="", lines=True).document()


def compose_value(text: str, name: str, field: str) -> Node:
    """The value of one field, given beside a file: its lines mean nothing. Raises `Problem`."""
    return _Composer(text, name, field=field, lines=False).document()


class _Composer:
    """State of one reading."""

    def __init__(self, text: str, file: str, *, field: str, lines: bool) -> None:
        self._text = text
        self._file = file
        self._field = field
        self._lines = lines
        self._anchors: dict[str, Node] = {}
        self._events = self._parsed()

    def _parsed(self) -> Iterator[Any]:
        try:
            yield from yaml.parse(self._text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = Place(self._file) if mark is None else self._place_of(mark.line, mark.column)
            words = error.problem or error.context or "it ends too early"
            raise Problem(place, self._field, f"this is not YAML: {words}.") from None
        except yaml.reader.ReaderError as error:
            place = self._place_of(self._text.count("\n", 0, error.position), None)
            raise Problem(place, self._field, f"YAML has no character U+{error.character:04X}; leave it out.") from None
        except (ValueError, OverflowError):  # escapes that are no character, versions that are no number
            words = "this is not YAML: an escape or a directive has a number out of range."
            raise Problem(Place(self._file), self._field, words) from None

    def _place_of(self, line: int, column: int | None) -> Place:
        return Place(self._file, line + 1, None if column is None else column + 1) if self._lines else Place(self._file)

    def _place(self, event: Any) -> Place:
        return self._place_of(event.start_mark.line, event.start_mark.column)

    def document(self) -> Node:
        """The only document."""
        event = self._next()
        while isinstance(event, (yaml.StreamStartEvent, yaml.DocumentStartEvent)):
            event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            raise Problem(Place(self._file), self._field, "there is nothing in it.")
        node = self._node(event, self._field, 0)
        event = self._next()
        while not isinstance(event, yaml.StreamEndEvent):
            if isinstance(event, yaml.DocumentStartEvent):
                raise Problem(self._place(event), self._field, "a second document begins here, and there may be only one.")
            event = self._next()
        return node

    def _next(self) -> Any:
        return next(self._events)

    def _node(self, event: Any, field: str, above: int) -> Node:
        """The node that begins with `event`, the value of `field`, `above` nodes deep."""
        place = self._place(event)
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise Problem(place, field, f"nothing above has the anchor &{event.anchor[:80]}.")
            return self._checked(self._anchors[event.anchor], field, above, place)
        if event.tag is not None:
            tag = printable(event.tag[:80].replace("tag:yaml.org,2002:", "!!"))
            raise Problem(place, field, f"the tag {tag} is not supported; a text that looks like a number goes in quotes.")
        if above > MAX_DEPTH:
            raise Problem(place, field, f"it is nested more than {MAX_DEPTH} deep here.")
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event, field, place)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._sequence(field, place, above)
        else:
            node = self._mapping(field, place, above)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return self._checked(node, field, above, place)

    @staticmethod
    def _checked(node: Node, field: str, above: int, place: Place) -> Node:
        if above + node.depth > MAX_DEPTH:
            raise Problem(place, field, f"it is nested more than {MAX_DEPTH} deep here.")
        return node

    def _scalar(self, event: Any, field: str, place: Place) -> Scalar:
        text: str = event.value
        bad = next((char for char in text if char == "\0" or "\ud800" <= char <= "\udfff"), None)
        if bad is not None:
            raise Problem(place, field, f"an escape stands for U+{ord(bad):04X}, which no text may have.")
        kind, value = _resolved(text) if event.implicit[0] else ("text", text)
        source = self._text[event.start_mark.index : event.end_mark.index]
        return Scalar(place, kind, text, value, source, event.style is None)

    def _sequence(self, field: str, place: Place, above: int) -> Sequence:
        items: list[Node] = []
        weight, depth = 1, 0
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            item = self._node(event, field, above + 1)
            items.append(item)
            weight, depth = self._grown(weight, depth, item, field, self._place(event))
        return Sequence(place, items, weight, depth)

    def _mapping(self, field: str, place: Place, above: int) -> Mapping:
        entries: dict[str, Entry] = {}
        weight, depth = 1, 0
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._key(self._node(event, field, above + 1), field)
            below = f"{field}.{key.text}"[-FIELD_CHARS:] if field else key.text[:FIELD_CHARS]
            if key.text in entries:
                raise Problem(key.place, below, f"this key stands twice; first in {entries[key.text].place}.")
            node = self._node(self._next(), below, above + 1)
            entries[key.text] = Entry(key.place, node)
            weight, depth = self._grown(weight + 1, depth, node, below, key.place)
        return Mapping(place, entries, weight, depth)

    @staticmethod
    def _grown(weight: int, depth: int, inner: Node, field: str, place: Place) -> tuple[int, int]:
        """Weight and depth of a container that also holds `inner`; too many values are told of before more are read."""
        if weight + inner.weight > MAX_NODES:
            raise Problem(place, field, f"more than {MAX_NODES:,} values, those of aliases counted each time.")
        return weight + inner.weight, max(depth, inner.depth + 1)

    @staticmethod
    def _key(node: Node, field: str) -> Scalar:
        if not isinstance(node, Scalar) or node.kind != "text":
            raise Problem(node.place, field, f"a key is text, not {shown(node)}; put it in quotes.")
        if node.plain and node.text == "<<":
            raise Problem(node.place, field, "merging with << is not supported; write the keys out.")
        return node


def _resolved(text: str) -> tuple[str, Any]:
    """(kind, value) of a scalar without quotes, by the rules of YAML 1.1, as Azure's tools read it."""
    if len(text) > NUMBER_CHARS:
        return "text", text
    kind = _KINDS.get(_resolver.resolve(yaml.ScalarNode, text, (True, False)))
    if kind is None:
        return "text", text
    try:
        return kind, yaml.safe_load(text)
    except ValueError:  # `0x_` and the like have the form of a number, and no digits
        return "text", text


def shown(node: Node) -> str:
    """A value in the words of a message."""
    if isinstance(node, Sequence):
        return "a list"
    if isinstance(node, Mapping):
        return "a mapping"
    if node.kind == "null":
        return "nothing"
    text = printable(node.text if len(node.text) <= 80 else f"{node.text[:79]}…")
    return f'"{text}"' if node.kind == "text" else text
