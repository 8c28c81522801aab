"""Reading requests as MLflow's server does: lenient in form (numbers as text, camelCase, null for nothing, JSON in a GET), with its errors.

A request is a `Request` struct. All fields are optional in its type, for the protocol knows no other; `REQUIRED` names those that
must be there (neither null nor empty text), in the order in which their lack is told.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any, ClassVar, TypeVar

import msgspec
from msgspec import Struct

from jupyter_mlws.kit.decoding import NUL
from jupyter_mlws.mlflow_api.errors import InvalidParameter, missing, wrong_type


class Request(Struct, kw_only=True):
    """Base of all requests; unknown fields are ignored."""

    REQUIRED: ClassVar[tuple[str, ...]] = ()
    INSTEAD: ClassVar[dict[str, str]] = {}
    """Fields that must be there, each with another one that will do."""


RequestT = TypeVar("RequestT", bound=Request)
NO_NUL = "A text in this request has a NUL character; leave it out."


def parse_body(raw: bytes, shape: type[RequestT]) -> RequestT:
    """A JSON body. What is of the protocol's types is read at once; all else is read again, slowly, for MLflow's answers."""
    try:
        request = msgspec.json.decode(raw, type=shape, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _slowly(_object(raw), shape)
    if b"\\u0000" in raw and NUL.search(raw) is not None:
        raise InvalidParameter(NO_NUL)
    if any(name in raw for name in _camel_bytes(shape)):
        return _slowly(_object(raw), shape)
    return check_required(request)


def parse_query(arguments: dict[str, list[bytes]], shape: type[RequestT]) -> RequestT:
    """The fields of a query string; of a single one that is given twice the first counts."""
    lists = {name for name, kind in _kinds(shape).items() if "list[" in str(kind)}
    given: dict[str, Any] = {}
    for name, values in arguments.items():
        try:
            texts = [value.decode() for value in values]
        except UnicodeDecodeError:
            raise InvalidParameter(f"The query parameter '{name}' is not UTF-8.", field=name) from None
        if any("\0" in text for text in texts):
            raise InvalidParameter(f"The query parameter '{name}' has a NUL character; leave it out.", field=name)
        given[name] = texts if name in lists else texts[0]
    return _slowly(given, shape)


def check_required(request: RequestT) -> RequestT:
    """The request, if nothing is missing that must be there."""
    for name in request.REQUIRED:
        if getattr(request, name) in (None, "") and getattr(request, request.INSTEAD.get(name, name)) in (None, ""):
            raise missing(name)
    return request


def _object(raw: bytes) -> dict[str, Any]:
    """The fields of a body. Nothing, null and a text that holds JSON are read as MLflow does."""
    try:
        value = json.loads(raw) if raw.strip() else {}
        if isinstance(value, str):
            value = json.loads(value)
    except (ValueError, RecursionError):
        value = {}
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidParameter("The body of this request is a JSON object, with the request's parameters as its fields.")
    return value


def _slowly(given: dict[str, Any], shape: type[RequestT]) -> RequestT:
    for camel, name in _camel(shape).items():
        if camel in given:
            if name in given:
                raise InvalidParameter(f"Request specifies both '{name}' and '{camel}'; provide only one of them.", field=name)
            given[name] = given[camel]
    for name in shape.REQUIRED:
        if given.get(name) in (None, "") and given.get(shape.INSTEAD.get(name, name)) in (None, ""):
            raise missing(name)
    read = {}
    for name, kind in _kinds(shape).items():
        value = given.get(name)
        if value is None:
            continue
        try:
            read[name] = msgspec.convert(value, kind, strict=False)
        except (msgspec.ValidationError, RecursionError):
            if value in ("true", "false", "True", "False") and "bool" in str(kind):
                read[name] = value.lower() == "true"
                continue
            raise wrong_type(name, value) from None
    _refuse_nul(read)
    return shape(**read)


def _refuse_nul(value: Any) -> None:
    """PostgreSQL keeps no NUL in a text, and no half of a surrogate pair."""
    try:
        raw = msgspec.json.encode(value)
    except UnicodeEncodeError:
        raise InvalidParameter("A text in this request is not Unicode: it has half of a surrogate pair.") from None
    if b"\\u0000" in raw and NUL.search(raw) is not None:
        raise InvalidParameter(NO_NUL)


@cache
def _kinds(shape: type[Request]) -> dict[str, Any]:
    """Types of the fields by name; to read the annotations takes as long as to read a request."""
    return {field.name: field.type for field in msgspec.structs.fields(shape)}


@cache
def _camel(shape: type[Request]) -> dict[str, str]:
    """Fields of more than one word by their lowerCamelCase, which protobuf's JSON takes as well."""
    names = [name for name in _kinds(shape) if "_" in name]
    return {name.split("_")[0] + "".join(part.title() for part in name.split("_")[1:]): name for name in names}


@cache
def _camel_bytes(shape: type[Request]) -> list[bytes]:
    return [f'"{name}"'.encode() for name in _camel(shape)]


__all__ = ["Request", "check_required", "parse_body", "parse_query"]
