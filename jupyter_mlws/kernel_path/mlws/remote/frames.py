"""Messages over a pipe: 4 bytes length of a JSON object, 4 bytes length of the bytes behind it (both big-endian), then both."""

from __future__ import annotations

import json
import struct
from typing import Any, Dict, Tuple

MARK = b"MLWS-HOST-1\n"
"""Comes first: what a shell's start-up files print before it is passed over."""
HEADER = struct.Struct("!II")
LIMIT = 256 << 20


def packed(head: Dict[str, Any], data: bytes = b"") -> bytes:
    """One message."""
    text = json.dumps(head).encode()
    return HEADER.pack(len(text), len(data)) + text + data


def read(file: Any) -> Tuple[Dict[str, Any], bytes]:
    """The next message. Raises `EOFError` at the end."""
    sizes = HEADER.unpack(_exactly(file, HEADER.size))
    if max(sizes) > LIMIT:
        raise ValueError("a message is larger than any can be")
    head = json.loads(_exactly(file, sizes[0]))
    return head, _exactly(file, sizes[1])


def _exactly(file: Any, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = file.read(size - len(data))
        if not more:
            raise EOFError
        data = more if not data else data + more
    return bytes(data)
