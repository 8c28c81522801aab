"""From nodes to the values of fields. A reader takes the field's name and its node; what does not fit is a `Problem`."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from jupyter_mlws.kit.addresses import is_elsewhere
from jupyter_mlws.kit.sizes import read_bytes
from jupyter_mlws.specs.errors import Problem
from jupyter_mlws.specs.expressions import OPEN
from jupyter_mlws.specs.fields import KINDS, OTHER_KINDS
from jupyter_mlws.specs.nodes import Mapping, Scalar, Sequence, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_mlws.specs.nodes import Node

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
EXPONENT = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+")


def refuse(field: str, node: Node, wanted: str) -> Problem:
    """What to say of a value that is another than the one that is wanted."""
    if isinstance(node, Scalar) and node.kind == "null":
        return Problem(node.place, field, f"{wanted} is needed, and there is nothing. Leave the field out if it is not meant.")
    return Problem(node.place, field, f"{wanted} is needed, not {shown(node)}.")


def _scalar(field: str, node: Node, wanted: str) -> Scalar:
    if not isinstance(node, Scalar) or node.kind == "null":
        raise refuse(field, node, wanted)
    return node


def prose(field: str, node: Node) -> str:
    """A text, whatever is in it. Beside a file (`set`) a number or truth value is the text that was given."""
    scalar = _scalar(field, node, "a text")
    if scalar.kind != "text" and scalar.place.line is not None:
        raise Problem(node.place, field, f'a text is needed, not {shown(node)}; put it in quotes: "{shown(node)}".')
    return scalar.text


def text(field: str, node: Node) -> str:
    """A text without expressions."""
    found = prose(field, node)
    if OPEN in found:
        raise Problem(node.place, field, "an expression, ${{…}}, stands in `command` only.")
    return found


def texts(field: str, node: Node) -> dict[str, str]:
    """Texts by name."""
    return {name: text(f"{field}.{name}", value) for name, value in entries(field, node)}


def variables(field: str, node: Node) -> dict[str, str]:
    """Environment variables by name."""
    for name, value in entries(field, node):
        if VARIABLE.fullmatch(name) is None:
            raise Problem(
                value.place, f"{field}.{name[:80]}", "the name of a variable has letters, digits and _, and begins with no digit."
            )
    return texts(field, node)


def entries(field: str, node: Node) -> list[tuple[str, Node]]:
    """Keys and values of a mapping."""
    if not isinstance(node, Mapping):
        raise refuse(field, node, "a mapping, a value for each name,")
    return [(name, entry.node) for name, entry in node.entries.items()]


def seconds(field: str, node: Node) -> int:
    """A whole number of seconds."""
    if not isinstance(node, Scalar) or node.kind != "int":
        raise refuse(field, node, "a whole number of seconds")
    found: int = node.value
    return found


def whole(field: str, node: Node) -> int:
    """A whole number."""
    if not isinstance(node, Scalar) or node.kind != "int":
        raise refuse(field, node, "a whole number")
    found: int = node.value
    return found


def number(field: str, node: Node) -> float:
    """A number."""
    if not isinstance(node, Scalar) or node.kind not in ("int", "float") or not math.isfinite(node.value):
        raise refuse(field, node, "a number")
    return float(node.value)


def size(field: str, node: Node) -> int:
    """A number of bytes, or one with its unit."""
    found = read_bytes(node.text) if isinstance(node, Scalar) and node.kind in ("int", "text") else None
    if found is None:
        raise refuse(field, node, "a size (4GiB, 512 MB, or bytes)")
    return found


def truth(field: str, node: Node) -> bool:
    """`true` or `false`."""
    if not isinstance(node, Scalar) or node.kind != "bool":
        raise refuse(field, node, "true or false")
    return bool(node.value)


def kind(field: str, node: Node) -> str:
    """The type of the job."""
    found = text(field, node)
    if found in OTHER_KINDS:
        raise Problem(node.place, field, f"{found} jobs are not supported; supported are {' and '.join(KINDS)} jobs.")
    if found not in KINDS:
        raise refuse(field, node, " or ".join(f'"{one}"' for one in KINDS))
    return found


def target(field: str, node: Node) -> str:
    """The name of a compute target."""
    found = text(field, node).removeprefix("azureml:")
    if not found:
        raise refuse(field, node, "the name of a compute target")
    return found


def environment(field: str, node: Node) -> str:
    """What names an environment; a definition in its place is refused."""
    if isinstance(node, Mapping):
        if "conda_file" in node.entries and "image" not in node.entries and "build" not in node.entries:
            words = "an environment is named here, not defined: `mlws environment create NAME --conda FILE` makes one of the conda file."
        else:
            words = (
                "an environment is named here, not defined, and a job is no container: no image is used. `mlws environment create NAME` "
                "makes an environment of a conda file (--conda), a requirements.txt (--requirements) or an interpreter (--python)."
            )
        raise Problem(node.place, field, words)
    return text(field, node)


def path(field: str, node: Node) -> str:
    """A path on a disk."""
    found = text(field, node)
    if not found or is_elsewhere(found):
        raise refuse(field, node, "a path on this disk")
    return found


def literal(field: str, node: Node) -> str:
    """A number, text or truth value as the text that stands in the command; numbers and truth values as Python writes them."""
    if isinstance(node, Scalar) and node.kind == "text":
        return text(field, node)
    return str(_scalar(field, node, "a number, a text or a truth value").value)


def json(field: str, node: Node) -> dict[str, Any]:
    """Values of any JSON type by name."""
    return {name: _json(f"{field}.{name}", value) for name, value in entries(field, node)}


def _json(field: str, node: Node) -> Any:
    if isinstance(node, Mapping):
        return json(field, node)
    if isinstance(node, Sequence):
        return [_json(f"{field}[{n}]", item) for n, item in enumerate(node.items)]
    # YAML 1.1 takes 1e-3 for a text. Nobody means that.
    exponent = node.kind == "text" and node.plain and EXPONENT.fullmatch(node.text) is not None
    value = float(node.text) if exponent else text(field, node) if node.kind == "text" else node.value
    if isinstance(value, float) and not math.isfinite(value):
        raise Problem(node.place, field, f"{node.text} is no number that JSON has; put it in quotes if a text is meant.")
    return value


READERS: dict[str, Callable[[str, Node], Any]] = {
    "command": prose,
    "environment": environment,
    "file": path,
    "folder": path,
    "json": json,
    "kind": kind,
    "literal": literal,
    "prose": prose,
    "number": number,
    "seconds": seconds,
    "size": size,
    "target": target,
    "text": text,
    "texts": texts,
    "truth": truth,
    "variables": variables,
    "whole": whole,
}
