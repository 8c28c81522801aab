"""Large outputs of notebooks: what stands for them until somebody asks for the whole. Pure.

A page must not choke on an output of 50 MB, nor hold what nobody looks at. So an answer may leave out the content of an output over
a size: its text keeps its first and last lines, an image its measures, and `HeldOutput` tells what there is.
"""

from __future__ import annotations

import base64
import binascii
import struct
from typing import TYPE_CHECKING, Any

from jupyter_mlws.domain.jobs.schemas import HeldOutput

if TYPE_CHECKING:
    from jupyter_mlws.domain.jobs.schemas import CellDelta

HEAD = 2_000
TAIL = 1_000
IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")
"""Images that a browser may load by an address of their own: it can run nothing of them."""
IMAGE_SHARE = 4
"""An image is held from this fraction of the size on: its address costs nothing and shows the same."""
METADATA_LIMIT = 4_000
_MEASURED = 64 * 1024
"""Characters of an image that are searched for its measures."""


def hold(delta: CellDelta, size: int, hold_over: int) -> None:
    """Shorten the output of `delta`, which takes `size` bytes as JSON, if that is over `hold_over`."""
    output = delta.output
    if output is None or size <= hold_over // (IMAGE_SHARE if _image_type(output) else 1):
        return
    if output.get("output_type") == "stream":
        delta.output, delta.held = _short_stream(output, size)
    elif output.get("output_type") == "error":
        delta.output, delta.held = _short_error(output, size)
    elif isinstance(output.get("data"), dict):
        delta.output, delta.held = _short_bundle(output, size)


def image_of(output: dict[str, Any] | None) -> tuple[str, bytes] | None:
    """(media type, bytes) of the image in an output; None if there is none that a browser may load."""
    kind = _image_type(output or {})
    if output is None or kind is None:
        return None
    try:
        return kind, base64.b64decode(text_of(output["data"][kind]))
    except binascii.Error:
        return None


def text_of(value: Any) -> str:
    """Text that notebooks keep as it is, or as a list of its lines."""
    if isinstance(value, list):
        return "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""


def _image_type(output: dict[str, Any]) -> str | None:
    data = output.get("data")
    return next((kind for kind in IMAGES if kind in data), None) if isinstance(data, dict) else None


def _short_stream(output: dict[str, Any], size: int) -> tuple[dict[str, Any], HeldOutput]:
    text = text_of(output.get("text"))
    return {**output, "text": _head(text)}, _held_text(text, size, ["text/plain"])


def _short_error(output: dict[str, Any], size: int) -> tuple[dict[str, Any], HeldOutput]:
    trace = "\n".join(line for line in output.get("traceback") or [] if isinstance(line, str))
    name, value = (str(output.get(field, ""))[:HEAD] for field in ("ename", "evalue"))
    short = {"output_type": "error", "ename": name, "evalue": value, "traceback": [_head(trace)]}
    return short, _held_text(trace, size, ["text/plain"])


def _short_bundle(output: dict[str, Any], size: int) -> tuple[dict[str, Any], HeldOutput]:
    data = output["data"]
    text = text_of(data.get("text/plain"))
    metadata = output.get("metadata")
    short = {**output, "data": {"text/plain": _head(text)} if text else {}, "metadata": {}}
    if isinstance(metadata, dict) and len(str(metadata)) <= METADATA_LIMIT:
        short["metadata"] = metadata
    held = _held_text(text, size, [str(kind) for kind in data])
    kind = _image_type(output)
    measures = _measures(text_of(data[kind])) if kind else None
    if measures:
        held.width, held.height = measures
    return short, held


def _held_text(text: str, size: int, types: list[str]) -> HeldOutput:
    held = HeldOutput(bytes=size, types=types)
    if text:
        held.lines = text.count("\n") + (not text.endswith("\n"))
    start = max(len(_head(text)), len(text) - TAIL)
    if start < len(text):
        # A line that would begin in its middle is left out, unless it is the last.
        whole = text[start - 1] == "\n"
        held.tail = text[start:] if whole else text[start:].partition("\n")[2] or text[start:]
    return held


def _head(text: str) -> str:
    """The first lines of a text; of a line without end its beginning."""
    if len(text) <= HEAD:
        return text
    end = text.rfind("\n", 0, HEAD)
    return text[: end + 1] if end >= 0 else text[:HEAD]


def _measures(encoded: str) -> tuple[int, int] | None:
    """(width, height) of an image, read from its beginning: the page keeps its place free until it is there."""
    try:
        start = encoded[:_MEASURED].replace("\n", "")
        data = base64.b64decode(start[: len(start) // 4 * 4])
        if data[:8] == b"\x89PNG\r\n\x1a\n":
            width, height = struct.unpack_from(">II", data, 16)
            return width, height
        if data[:4] == b"GIF8":
            width, height = struct.unpack_from("<HH", data, 6)
            return width, height
        return _jpeg_measures(data) if data[:2] == b"\xff\xd8" else None
    except (binascii.Error, struct.error):
        return None


def _jpeg_measures(data: bytes) -> tuple[int, int] | None:
    """From the first frame header."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], struct.unpack_from(">H", data, at + 2)[0]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        at += 2 + length
    return None
