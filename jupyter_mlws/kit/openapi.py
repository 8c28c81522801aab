"""The OpenAPI 3.1 document, made from the routes and their contracts."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_mlws.kit.errors import BadInput, Forbidden, MlwsError, NotFound, Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyter_mlws.kit.http import Contract, Route

METHODS = ("get", "post", "put", "patch", "delete")
REF = "#/components/schemas/{name}"
ERROR_SCHEMA = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}, "field": {"type": "string"}},
        }
    },
}


def contracts_of(route: Route) -> list[tuple[str, Contract]]:
    """The declared verbs of a route's handler."""
    found = []
    for method in METHODS:
        contract = getattr(getattr(route.handler, method, None), "contract", None)
        if contract is not None:
            found.append((method, contract))
    return found


def build(routes: Sequence[Route], *, title: str, version: str, base: str) -> dict[str, Any]:
    """The document for `routes`, whose paths stand under `base`."""
    all_contracts = [(route, method, contract) for route in routes for method, contract in contracts_of(route)]
    shapes: list[Any] = []
    for _, _, contract in all_contracts:
        shapes += [shape for shape in (contract.reply, contract.body) if shape is not None]
        if contract.query is not None:
            shapes += [field.type for field in msgspec.structs.fields(contract.query)]
    unique = list({repr(shape): shape for shape in shapes}.values())
    schemas, components = msgspec.json.schema_components(unique, ref_template=REF)
    by_shape = dict(zip((repr(shape) for shape in unique), schemas, strict=True))
    components = {**components, "Error": ERROR_SCHEMA}
    paths: dict[str, dict[str, Any]] = {}
    for route, method, contract in all_contracts:
        operation = _operation(route, method, contract, by_shape)
        paths.setdefault(route.path, {})[method] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "license": {"name": "BSD-3-Clause", "identifier": "BSD-3-Clause"}},
        "servers": [{"url": base}],
        "security": [{"token": []}],
        "tags": sorted(({"name": tag} for tag in {_tag(route) for route in routes}), key=lambda tag: tag["name"]),
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _tag(route: Route) -> str:
    parts = route.handler.__module__.split(".")
    return parts[-2] if parts[-1] == "routes" else parts[-1]


def _operation(route: Route, method: str, contract: Contract, by_shape: dict[str, Any]) -> dict[str, Any]:
    handler = route.handler.__name__.removesuffix("Handler")
    operation: dict[str, Any] = {
        "operationId": f"{_tag(route)}_{method}_{handler}",
        "tags": [_tag(route)],
        "summary": contract.summary,
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in re.findall(r"\{(\w+)\}", route.path)
        ],
        "responses": _responses(contract, by_shape),
    }
    doc = inspect.getdoc(getattr(route.handler, method))
    if doc:
        operation["description"] = doc
    if contract.query is not None:
        operation["parameters"] += [_query_parameter(field, by_shape) for field in msgspec.structs.fields(contract.query)]
    if contract.body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": by_shape[repr(contract.body)]}}}
    elif contract.raw_body:
        binary = {"type": "string", "format": "binary"}
        operation["requestBody"] = {"required": True, "content": {"application/octet-stream": {"schema": binary}}}
    return operation


def _query_parameter(field: Any, by_shape: dict[str, Any]) -> dict[str, Any]:
    return {"name": field.encode_name, "in": "query", "required": field.required, "schema": by_shape[repr(field.type)]}


def _responses(contract: Contract, by_shape: dict[str, Any]) -> dict[str, Any]:
    if contract.reply is not None:
        content: dict[str, Any] | None = {"application/json": {"schema": by_shape[repr(contract.reply)]}}
    elif contract.media_type != "application/json":
        content = {contract.media_type: {"schema": {"type": "string", "format": "binary"}}}
    else:
        content = None
    good: dict[str, Any] = {"description": "Success"}
    if content is not None:
        good["content"] = content
    responses = {str(contract.status): good}
    errors: dict[type[MlwsError], None] = dict.fromkeys((*contract.errors, BadInput, Unauthenticated, Forbidden, NotFound))
    for error in errors:
        responses.setdefault(
            str(error.status),
            {
                "description": (inspect.getdoc(error) or error.code),
                "content": {"application/json": {"schema": {"$ref": REF.format(name="Error")}}},
            },
        )
    return dict(sorted(responses.items()))
