"""Inputs and outputs of a file: literals, and data by its path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from jupyter_mlws.domain.jobs.schemas import DataType, InputMode, JobInput, JobOutput, OutputMode
from jupyter_mlws.specs.errors import Problem
from jupyter_mlws.specs.expressions import Input, Output
from jupyter_mlws.specs.fields import BY_PATH, Fate
from jupyter_mlws.specs.nodes import Mapping, Scalar, shown
from jupyter_mlws.specs.values import READERS as VALUES
from jupyter_mlws.specs.values import VARIABLE, entries, literal, refuse, text, truth

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_mlws.specs.nodes import Node

DATA_TYPES: tuple[str, ...] = get_args(DataType)
INPUT_MODES: tuple[str, ...] = get_args(InputMode)
OUTPUT_MODES: tuple[str, ...] = get_args(OutputMode)
LITERAL_TYPES = {"string": ("text",), "number": ("int", "float"), "integer": ("int",), "boolean": ("bool",)}
"""Types of literals, and the kinds of scalars that they take."""
NOT_HERE = {
    "eval_mount": "an MLTable is not evaluated here; `ro_mount` gives its folder",
    "eval_download": "an MLTable is not evaluated here; `download` gives its folder",
    "upload": "it is a mode of outputs",
}


def inputs(field: str, node: Node) -> dict[str, Input]:
    """Inputs by name."""
    return {name: _input(f"{field}.{name}", value) for name, value in _named(field, node, "an input")}


def outputs(field: str, node: Node) -> dict[str, Output]:
    """Outputs by name."""
    return {name: _output(f"{field}.{name}", value) for name, value in _named(field, node, "an output")}


def _named(field: str, node: Node, what: str) -> list[tuple[str, Node]]:
    found = entries(field, node)
    for name, value in found:
        if VARIABLE.fullmatch(name) is None:
            words = f"the name of {what} has letters, digits and _, and begins with no digit."
            raise Problem(value.place, f"{field}.{name[:80]}", words)
    return found


def _input(field: str, node: Node) -> Input:
    if not isinstance(node, Mapping):
        return Input(node.place, text=literal(field, node))
    found = _fields("inputs", field, node, "an input is a literal value, or has it as `value`, or names data by `path`.")
    given = {name: node.entries[name].node for name in found}
    if found.get("type") in LITERAL_TYPES or (found.keys() & {"value", "default"} and "path" not in found):
        return Input(node.place, text=_literal(field, given))
    if other := found.keys() & {"value", "default"}:
        raise Problem(node.place, f"{field}.{min(other)}", "data has a `path`, a literal has a value; an input is one of them.")
    if "path" not in found:
        if found.get("optional"):
            return Input(node.place)
        raise Problem(node.place, field, "a value is needed, and there is none: a literal has `value`, data has `path`.")
    chosen = {name: found[name] for name in ("path", "type", "mode") if name in found}
    return Input(node.place, data=JobInput(**chosen))


def _literal(field: str, given: dict[str, Node]) -> str | None:
    for name in ("path", "mode"):
        if name in given:
            raise Problem(given[name].place, f"{field}.{name}", "a literal has none; it is for data.")
    name = "value" if "value" in given else "default"
    if name not in given:
        if "optional" in given and truth(f"{field}.optional", given["optional"]):
            return None
        raise Problem(given["type"].place, field, "a value is needed, and there is none.")
    node = given[name]
    wanted = text(f"{field}.type", given["type"]) if "type" in given else None
    if wanted in LITERAL_TYPES and not (isinstance(node, Scalar) and node.kind in LITERAL_TYPES[wanted]):
        raise Problem(node.place, f"{field}.{name}", f"the type says {wanted}, and this is {shown(node)}.")
    return literal(f"{field}.{name}", node)


def _output(field: str, node: Node) -> Output:
    if isinstance(node, Scalar) and node.kind == "null":
        return Output(node.place, JobOutput())
    if not isinstance(node, Mapping):
        raise refuse(field, node, "a mapping, or nothing,")
    found = _fields("outputs", field, node, "an output has type, path and mode.")
    if found.get("mode") == "direct" and "path" not in found:
        raise Problem(node.place, f"{field}.mode", "what is written directly needs a `path`.")
    return Output(node.place, JobOutput(**{name: found[name] for name in ("path", "type", "mode") if name in found}))


def _fields(side: str, field: str, node: Mapping, has: str) -> dict[str, Any]:
    """The values of an input or output by the table of fields."""
    found = {}
    for name, entry in node.entries.items():
        row, path = BY_PATH.get(f"{side}.<name>.{name}"), f"{field}.{name[:80]}"
        if row is None:
            raise Problem(entry.place, path, f"there is no such field; {has}")
        if row.fate is Fate.REFUSED:
            raise Problem(entry.place, path, row.about)
        found[name] = READERS[row.shape](path, entry.node)
    return found


def data_path(field: str, node: Node) -> str:
    """Where data lies: on this disk or elsewhere."""
    found = text(field, node)
    if not 0 < len(found) <= 4096 or not found.isprintable():
        raise refuse(field, node, "a path, an address or a reference")
    return found


def _one_of(choices: tuple[str, ...]) -> Callable[[str, Node], str]:
    def read(field: str, node: Node) -> str:
        found = text(field, node)
        if found not in choices:
            more = NOT_HERE.get(found)
            raise (
                refuse(field, node, f"one of {', '.join(choices)}")
                if more is None
                else Problem(node.place, field, f"{found}: {more}.")
            )
        return found

    return read


READERS: dict[str, Callable[[str, Node], Any]] = {
    **VALUES,
    "data_path": data_path,
    "data_type": _one_of(DATA_TYPES),
    "input_mode": _one_of(INPUT_MODES),
    "input_type": _one_of((*DATA_TYPES, *LITERAL_TYPES)),
    "inputs": inputs,
    "output_mode": _one_of(OUTPUT_MODES),
    "outputs": outputs,
}
"""How the values of all fields are read, by the `shape` of their row."""
