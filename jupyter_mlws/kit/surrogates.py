"""Halves of surrogate pairs: Python's JSON takes them, JavaScript makes them of an emoji cut in two, and nothing can store or send them."""

from __future__ import annotations

import json
import re
from typing import Any

REPLACEMENT = "\ufffd"
_HALF = re.compile("[\ud800-\udfff]")
_ESCAPED_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_ESCAPES = re.compile(
    r"\\(?:(?P<pair>u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)"
)


def whole_text(text: str) -> str:
    """The text with U+FFFD in the place of each half."""
    return _HALF.sub(REPLACEMENT, text)


def loads(data: bytes) -> Any:
    """As `json.loads`, in whose errors the places stay, with all texts and keys whole."""
    text = whole_text(data.decode(json.detect_encoding(data), "surrogatepass"))
    if _ESCAPED_HALF.search(text) is not None:
        text = _ESCAPES.sub(lambda found: r"\ufffd" if found["half"] else found[0], text)
    return json.loads(text)
