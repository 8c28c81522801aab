"""Fields given beside a file (`--set limits.timeout=600`), which win over those that stand in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_mlws.specs.errors import Problem
from jupyter_mlws.specs.nodes import FIELD_CHARS, MAX_NODES, Entry, Mapping, Place, compose_value, shown

if TYPE_CHECKING:
    from collections.abc import Mapping as Dict

    from jupyter_mlws.specs.nodes import Node

NAME = "set"
"""What messages say instead of the name of the file."""


def overridden(root: Node, changes: Dict[str, str]) -> Mapping:
    """The mapping of a file with the changes in it. A path is a field, or a field and a key of it: `tags.team`."""
    if not isinstance(root, Mapping):
        raise Problem(root.place, "", f"a job file is a mapping, a value for each field, not {shown(root)}.")
    for path, text in changes.items():
        field, dot, key = path.partition(".")
        node = compose_value(text, NAME, path[:FIELD_CHARS])
        root = _with(root, field, _inner(root, field, key, node) if dot else node)
        if root.weight > MAX_NODES:
            raise Problem(Place(NAME), path[:FIELD_CHARS], f"file and changes have more than {MAX_NODES:,} values together.")
    return root


def _inner(root: Mapping, field: str, key: str, node: Node) -> Node:
    """The value of `field`, with one more key."""
    there = root.entries.get(field)
    if there is None:
        return _with(Mapping(Place(NAME), {}, 1, 0), key, node)
    if not isinstance(there.node, Mapping):
        raise Problem(there.node.place, field, f"{NAME} names a key of it, {key[:80]!r}, but it is {shown(there.node)}.")
    return _with(there.node, key, node)


def _with(mapping: Mapping, key: str, node: Node) -> Mapping:
    entries = {**mapping.entries, key: Entry(Place(NAME), node)}
    return Mapping(mapping.place, entries, mapping.weight + node.weight, max(mapping.depth, node.depth + 1))
