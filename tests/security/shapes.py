"""Requests made from the OpenAPI document: the least valid body of a route, each of its fields, and values that hypothesis draws."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

from hypothesis import strategies as st

from jupyter_mlws.kit.http import Contract, Route
from jupyter_mlws.kit.openapi import contracts_of
from jupyter_mlws.server.info import document
from jupyter_mlws.server.routes import all_routes

Schema = dict[str, Any]
DOCUMENT = document()
COMPONENTS: dict[str, Schema] = DOCUMENT["components"]["schemas"]


class Verb(NamedTuple):
    """One method of one route."""

    method: str
    path: str
    contract: Contract
    operation: dict[str, Any]

    @property
    def name(self) -> str:
        """As tests are called."""
        return f"{self.method} {self.path}"

    @property
    def body(self) -> Schema | None:
        """The schema of its JSON body."""
        content = self.operation.get("requestBody", {}).get("content", {})
        found: Schema | None = content.get("application/json", {}).get("schema")
        return found

    @property
    def query(self) -> list[dict[str, Any]]:
        """Its query parameters."""
        return [parameter for parameter in self.operation["parameters"] if parameter["in"] == "query"]


def verbs() -> list[Verb]:
    """Every method of every route."""
    found = []
    for route in all_routes():
        found += [_verb(route, method, contract) for method, contract in contracts_of(route)]
    return found


def _verb(route: Route, method: str, contract: Contract) -> Verb:
    return Verb(method.upper(), route.path, contract, DOCUMENT["paths"][route.path][method])


VERBS = verbs()
BODIES = [verb for verb in VERBS if verb.body is not None]
STREAMS = "text/event-stream"


def resolved(schema: Schema) -> Schema:
    """A schema, with a reference followed."""
    while "$ref" in schema:
        schema = COMPONENTS[schema["$ref"].rsplit("/", 1)[1]]
    return schema


def example(schema: Schema, name: str = "") -> Any:
    """A valid value, with what is required only."""
    schema = resolved(schema)
    if name in EXAMPLES and schema.get("type") != "array":
        return copy.deepcopy(EXAMPLES[name])
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return example(schema[choice][-1], name)
    kind = schema.get("type")
    if kind == "object":
        required = schema.get("required", [])
        return {key: example(value, key) for key, value in schema.get("properties", {}).items() if key in required}
    if kind == "array":
        return [example(schema["items"], name) for _ in range(schema.get("minItems", 0))]
    plain: dict[Any, Any] = {"string": "some-text", "number": 0.5, "boolean": True, None: "anything", "null": None}
    plain["integer"] = max(1, schema.get("minimum", 1))
    return plain[kind]


EXAMPLES: dict[str, Any] = {
    "definition": {"kind": "kernel", "kernel": "python3"},
    "batch_id": "a-batch-of-mine",
    "spec": {"kind": "command", "command": "true"},
    "sha256": "0" * 64,
    "id": "1" * 32,
    "parent_id": "2" * 32,
    "started_at": 1_700_000_000_000,
    "ended_at": 1_700_000_000_001,
    "target": "nowhere",
    "env": {"NAME": "value"},
    "timeout_s": 5,
    "text": "command: 'true'\ncompute: nowhere\n",
    "set": {"display_name": "named"},
    "folder": "",
}
"""Values of fields whose schema alone does not make a sensible one. No body names a target that there is: nothing runs."""


def full(schema: Schema, name: str = "") -> Any:
    """A valid value with every field that there is."""
    schema = resolved(schema)
    if name in EXAMPLES and schema.get("type") != "array":
        return copy.deepcopy(EXAMPLES[name])
    if schema.get("type") == "object" and "properties" in schema:
        return {key: full(value, key) for key, value in schema["properties"].items()}
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return {"a-key": full(schema["additionalProperties"])}
    if schema.get("type") == "array":
        return [full(schema["items"], name)]
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return full(schema[choice][0], name)
    return example(schema, name)


Place = tuple[str | int, ...]


def leaves(value: Any, at: Place = ()) -> Iterator[Place]:
    """Where the values of a body stand, inner nodes too."""
    if at:
        yield at
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*at, key))
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            yield from leaves(inner, (*at, n))


def changed(value: Any, place: Place, new: Any) -> Any:
    """A copy of `value` with `new` at one place."""
    made = copy.deepcopy(value)
    inner = made
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = new
    return made


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def drawn(schema: Schema, name: str = "") -> st.SearchStrategy[Any]:
    """Values that are mostly valid, and now and then anything."""
    if name == "spec":
        return st.sampled_from([EXAMPLES["spec"], {"kind": "notebook", "notebook": "no such.ipynb"}]) | ANY
    if name == "text":
        return st.sampled_from([EXAMPLES["text"], "type: notebook\nnotebook: no such.ipynb\ncompute: nowhere\n"]) | ANY
    if name == "target":
        return st.just("nowhere") | ANY.filter(lambda value: value != "local")
    return st.one_of(*[_valid(schema, name)] * 6, ANY)


def _valid(schema: Schema, name: str) -> st.SearchStrategy[Any]:
    schema = resolved(schema)
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return st.one_of(*[_valid(one, name) for one in schema[choice]])
    if "enum" in schema or "const" in schema:
        return st.sampled_from(schema.get("enum", [schema.get("const")]))
    kind = schema.get("type")
    if kind == "object":
        return _objects(schema)
    if kind == "array":
        few = min(schema.get("maxItems", 3), 3)
        return st.lists(drawn(schema.get("items", {})), min_size=schema.get("minItems", 0), max_size=few)
    if kind == "string":
        if "pattern" in schema:
            return st.from_regex(schema["pattern"].replace("$(?!\\n)", "\\Z"))
        return st.text(min_size=schema.get("minLength", 0), max_size=min(schema.get("maxLength", 60), 60))
    if kind == "integer":
        return st.integers(schema.get("minimum"), schema.get("maximum"))
    if kind == "number":
        return st.floats(allow_nan=False, allow_infinity=False)
    return {"boolean": st.booleans(), "null": st.none()}.get(str(kind), ANY)


def _objects(schema: Schema) -> st.SearchStrategy[Any]:
    if "properties" not in schema:
        inner = schema.get("additionalProperties", {})
        values = drawn(inner) if isinstance(inner, dict) else ANY
        return st.dictionaries(st.text(min_size=1, max_size=20), values, max_size=3)
    fields = {key: drawn(value, key) for key, value in schema["properties"].items()}
    required = schema.get("required", [])
    return st.fixed_dictionaries(
        {key: value for key, value in fields.items() if key in required},
        optional={key: value for key, value in fields.items() if key not in required},
    )
