"""A JSON schema of job files for editors, made from the table of fields.

It is for completion and the quick look while one types: what it lets pass may still be refused when the file is read.
"""

from __future__ import annotations

from typing import Any

from jupyter_mlws.specs.data import DATA_TYPES, INPUT_MODES, LITERAL_TYPES, OUTPUT_MODES
from jupyter_mlws.specs.fields import FIELDS, KINDS, Fate, Field

TEXT = {"type": "string"}
NAME = "^[A-Za-z_][A-Za-z0-9_]*$"
LITERAL = {"type": ["string", "number", "boolean"]}
SHAPES: dict[str, dict[str, Any]] = {
    "command": TEXT,
    "data_path": TEXT,
    "data_type": {"enum": [*DATA_TYPES]},
    "file": TEXT,
    "folder": TEXT,
    "input_mode": {"enum": [*INPUT_MODES]},
    "input_type": {"enum": [*DATA_TYPES, *LITERAL_TYPES]},
    "json": {"type": "object"},
    "kind": {"enum": [*KINDS]},
    "literal": LITERAL,
    "number": {"type": "number"},
    "output_mode": {"enum": [*OUTPUT_MODES]},
    "prose": TEXT,
    "seconds": {"type": "integer", "minimum": 1},
    "size": {"type": ["integer", "string"]},
    "target": TEXT,
    "environment": TEXT,
    "text": TEXT,
    "texts": {"type": "object", "additionalProperties": TEXT},
    "truth": {"type": "boolean"},
    "variables": {"type": "object", "propertyNames": {"pattern": NAME}, "additionalProperties": TEXT},
    "whole": {"type": "integer", "minimum": 0},
}
"""What a field takes, by the `shape` of its row; of `inputs` and `outputs` see `_named`."""


def json_schema() -> dict[str, Any]:
    """The schema of a job file (draft 7, which editors know)."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Job file",
        "type": "object",
        "properties": _properties(""),
        "additionalProperties": False,
        "if": {"properties": {"type": {"const": "notebook"}}, "required": ["type"]},
        "then": _only("notebook"),
        "else": _only("command"),
    }


def _only(kind: str) -> dict[str, Any]:
    """What a type of jobs needs, and which fields it does not have."""
    others = sorted({field.path.partition(".")[0] for field in FIELDS if kind not in field.kinds})
    return {"required": [kind], "properties": dict.fromkeys(others, False)}


def _properties(prefix: str) -> dict[str, Any]:
    """The fields directly below a path (empty: of the file)."""
    found: dict[str, Any] = {}
    for field in FIELDS:
        name, dot, rest = field.path.removeprefix(prefix).partition(".")
        if not field.path.startswith(prefix) or (prefix and "." in field.path.removeprefix(prefix)) or field.fate is Fate.REFUSED:
            continue
        if not dot:
            found[name] = _described(field, SHAPES.get(field.shape, {}))
        elif rest == "<name>":
            found[name] = _described(field, _named(name))
        elif "<name>" not in rest:
            inner = found.setdefault(name, {"type": "object", "properties": {}, "additionalProperties": False})
            inner["properties"][rest] = _described(field, SHAPES.get(field.shape, {}))
    return found


def _named(side: str) -> dict[str, Any]:
    """`inputs` or `outputs`: values by name, each a mapping or (an input) a literal, or (an output) nothing."""
    mapping = {"type": "object", "properties": _properties(f"{side}.<name>."), "additionalProperties": False}
    other = LITERAL if side == "inputs" else {"type": "null"}
    return {"type": "object", "propertyNames": {"pattern": NAME}, "additionalProperties": {"anyOf": [other, mapping]}}


def _described(field: Field, shape: dict[str, Any]) -> dict[str, Any]:
    about = field.about if field.fate is Fate.HONOURED else f"Accepted with a warning. {field.about}"
    return {**shape, "description": about}
