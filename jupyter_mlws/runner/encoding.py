"""JSON as bytes, quickly where msgspec is there: on other hosts papermill and a kernel are all that a notebook needs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def _encoder() -> Callable[[Any], bytes]:
    try:
        import msgspec
    except ImportError:
        return lambda value: json.dumps(value, default=str, separators=(",", ":")).encode()
    return msgspec.json.Encoder(enc_hook=str).encode


encode = _encoder()
"""What JSON has no form for becomes a text."""
