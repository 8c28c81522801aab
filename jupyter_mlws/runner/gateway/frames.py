"""Messages of a kernel as they go through the WebSocket of a Jupyter server: in its newer form, and in the older one."""

from __future__ import annotations

import itertools
import json
import struct
from typing import NamedTuple

SUBPROTOCOL = "v1.kernel.websocket.jupyter.org"
PARTS = 4


class Message(NamedTuple):
    """A message. Its parts, each JSON as it was written, are header, parent header, metadata and content."""

    channel: str
    parts: list[bytes]
    buffers: list[bytes]


def pack(message: Message, *, v1: bool) -> str | bytes:
    """What is sent."""
    if v1:
        return _pack_v1(message)
    names = ("header", "parent_header", "metadata", "content")
    body = {name: json.loads(part) for name, part in zip(names, message.parts, strict=True)}
    text = json.dumps({"channel": message.channel, **body, **({} if message.buffers else {"buffers": []})})
    return _with_buffers(text.encode(), message.buffers) if message.buffers else text


def unpack(data: str | bytes, *, v1: bool) -> Message:
    """What came. Raises ValueError where it has neither form."""
    try:
        if v1 and isinstance(data, bytes):
            return _unpack_v1(data)
        text, buffers = (data, []) if isinstance(data, str) else _without_buffers(data)
        body = json.loads(text)
        names = ("header", "parent_header", "metadata", "content")
        parts = [json.dumps(body.get(name) or {}).encode() for name in names]
        return Message(str(body.get("channel") or "iopub"), parts, buffers)
    except (struct.error, UnicodeDecodeError, AttributeError) as error:
        raise ValueError(f"a message that has no known form: {error}") from error


def _pack_v1(message: Message) -> bytes:
    """Number of offsets, the offsets (all 8 bytes, little-endian), then channel, parts and buffers from there on."""
    pieces = [message.channel.encode(), *message.parts, *message.buffers]
    count = len(pieces) + 1
    at = 8 * (count + 1)
    offsets = [at]
    for piece in pieces:
        at += len(piece)
        offsets.append(at)
    return b"".join([struct.pack(f"<{count + 1}Q", count, *offsets), *pieces])


def _unpack_v1(data: bytes) -> Message:
    (count,) = struct.unpack_from("<Q", data)
    if not PARTS + 2 <= count <= len(data) // 8:
        raise ValueError(f"a message with {count} offsets")
    offsets = struct.unpack_from(f"<{count}Q", data, 8)
    pieces = [data[begin:end] for begin, end in itertools.pairwise(offsets)]
    return Message(pieces[0].decode(), pieces[1 : PARTS + 1], pieces[PARTS + 1 :])


def _with_buffers(text: bytes, buffers: list[bytes]) -> bytes:
    """Number of pieces, their offsets (all 4 bytes, big-endian), then the JSON and the buffers."""
    pieces = [text, *buffers]
    at, offsets = 4 * (len(pieces) + 1), []
    for piece in pieces:
        offsets.append(at)
        at += len(piece)
    return b"".join([struct.pack(f"!{len(pieces) + 1}I", len(pieces), *offsets), *pieces])


def _without_buffers(data: bytes) -> tuple[bytes, list[bytes]]:
    (count,) = struct.unpack_from("!I", data)
    if not 1 <= count <= len(data) // 4:
        raise ValueError(f"a message of {count} pieces")
    offsets = [*struct.unpack_from(f"!{count}I", data, 4), len(data)]
    pieces = [data[begin:end] for begin, end in itertools.pairwise(offsets)]
    return pieces[0], pieces[1:]
