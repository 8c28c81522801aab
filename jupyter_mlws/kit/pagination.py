"""Keyset pages: a cursor is the sort key of the last row, as URL-safe base64 of JSON. Never an OFFSET."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from jupyter_mlws.kit.errors import BadInput

Limit = Annotated[int, Meta(ge=1, le=1000)]


def encode_cursor(*key: Any) -> str:
    """The opaque cursor that stands for a sort key."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def decode_cursor(text: str, length: int, *, whole: bool = False) -> list[Any]:
    """The sort key in a cursor made by `encode_cursor`, of whole numbers only if `whole`. Raises `BadInput` for anything else."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        key = msgspec.json.decode(raw, type=list[Any])
    except (binascii.Error, ValueError, msgspec.DecodeError, RecursionError):
        key = []
    if len(key) != length or any(_strange(value) or (whole and type(value) is not int) for value in key):
        raise BadInput("This cursor was not made by this server for this list; ask for the first page again.", field="cursor")
    return key


def _strange(value: Any) -> bool:
    """Whether no database has such a value."""
    if isinstance(value, str):
        return "\0" in value
    return isinstance(value, int) and not -(2**63) <= value < 2**63
