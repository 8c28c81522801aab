"""From bytes and texts of a request to wire types. Whatever cannot be read is a `BadInput` in words for a person."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_mlws.kit.errors import BadInput, TooLarge
from jupyter_mlws.kit.fields import PATTERN_RULES

if TYPE_CHECKING:
    from collections.abc import Iterator

LENGTHS = {"str": ("character", "characters"), "array": ("entry", "entries"), "object": ("entry", "entries")}
TYPES = {"`str`": "text", "`int`": "a whole number", "`float`": "a number", "`bool`": "true or false", "`array`": "a list"}
NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def is_list(annotation: Any) -> bool:
    """Whether a query parameter may be repeated."""
    return "list" in str(annotation)


def convert(given: Any, shape: Any, *, strict: bool) -> Any:
    """`given` as `shape`, or a `BadInput` that names the field."""
    try:
        return msgspec.convert(given, shape, strict=strict)
    except msgspec.ValidationError as error:
        raise bad_input(error) from None


def decode_json(raw: bytes, shape: Any) -> Any:
    """A JSON body as `shape`. Not JSON, NaN, numbers out of range, too deep, unknown fields and NUL are all `BadInput`."""
    if not raw:
        raise BadInput("The body is empty; this address takes a JSON object.")
    try:
        decoded = msgspec.json.decode(raw, type=shape)
    except msgspec.ValidationError as error:
        raise bad_input(error) from None
    except msgspec.DecodeError as error:
        words = str(error).removeprefix("JSON is malformed: ")
        raise BadInput(f"The body is not valid JSON: {words[:1].lower()}{words[1:]}.") from None
    except UnicodeDecodeError as error:
        raise BadInput(f"The body is not UTF-8, at byte {error.start} of a text; JSON always is.") from None
    except RecursionError:
        raise BadInput("The body is nested too deeply; no list or object of this API needs that.") from None
    # Of the databases PostgreSQL keeps no NUL in a text.
    if b"\\u0000" in raw and NUL.search(raw) is not None:
        raise BadInput("The body has a NUL character (\\u0000) in a text; leave it out.")
    return decoded


def clean_text(raw: bytes, what: str, *, field: str | None = None) -> str:
    """The text in a part of an address."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise BadInput(f"{what} is not UTF-8.", field=field) from None
    if "\0" in text:
        raise BadInput(f"{what} has a NUL character; leave it out.", field=field)
    return text


def bad_input(error: Exception) -> BadInput:
    """A `BadInput` from msgspec's words, with the field's path apart."""
    text, _, where = str(error).partition(" - at `")
    path = where.removeprefix("key` in `").rstrip("`").removeprefix("$").removeprefix(".")
    if not path:
        named = re.search(r"(?:field|unknown field) `([^`]+)`", text)
        path = named.group(1) if named else ""
    for pattern, rule in PATTERN_RULES.items():
        if text.endswith(f" matching regex {pattern!r}"):
            return BadInput(f"{rule}.", field=path or None)
    text = re.sub(r"`(str|array|object)` of length ([<>]=) (\d+)", _length, text)
    text = re.sub(r"(`int`|`float`) ([<>]=) (\S+)", lambda m: f"{m[1]} of at {'least' if m[2] == '>=' else 'most'} {m[3]}", text)
    for name, words in TYPES.items():
        text = text.replace(name, words)
    text = text.replace("`object`", "an object").replace("`null`", "null").replace(r"$(?!\\n)", "$")
    return BadInput(f"{text}{f' (at {path})' if where else ''}.", field=path or None)


def _length(match: re.Match[str]) -> str:
    kind, number = match[1], int(match[3])
    if match[2] == ">=" and number == 1:
        return f"`{kind}` that is not empty"
    return f"`{kind}` of at {'least' if match[2] == '>=' else 'most'} {number:,} {LENGTHS[kind][number != 1]}"


def check_values(value: Any, field: str) -> None:
    """`BadInput` for a value of any shape that JSON on our disk could not carry: whole numbers beyond 64 bits, deep nesting.

    `TooLarge` for one that takes more than a megabyte. That may be asked of millions of values: call it in a thread.
    """
    size = 0
    stack: list[Iterator[Any]] = [iter((value,))]
    while stack:
        item = next(stack[-1], stack)
        if item is stack:
            stack.pop()
            continue
        size += 2 + (len(item) if isinstance(item, str) else 0)  # at least so many bytes, with the comma
        if size > MAX_VALUES_BYTES:
            raise _too_large(field)
        if isinstance(item, int) and not -(2**63) <= item < 2**64:
            raise BadInput(f"{field} has a whole number beyond 64 bits; give it as text.", field=field)
        if isinstance(item, (dict, list)):
            if len(stack) > MAX_DEPTH and item:
                raise BadInput(f"{field} is nested more than {MAX_DEPTH} deep; give a path to a file instead.", field=field)
            stack.append(iter(item.values() if isinstance(item, dict) else item))
    if len(msgspec.json.encode(value)) > MAX_VALUES_BYTES:
        raise _too_large(field)


def _too_large(field: str) -> TooLarge:
    return TooLarge(f"{field} takes more than {MAX_VALUES_BYTES:,} bytes; give a path to a file instead.", field=field)


MAX_DEPTH = 50
MAX_VALUES_BYTES = 1_000_000
