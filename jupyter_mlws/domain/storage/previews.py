"""A safe look at a stored file: bounded in time and memory, decided by its bytes, and never by running anything in it."""

from __future__ import annotations

import codecs
import csv
import io
import re
from pathlib import Path, PurePosixPath
from typing import Literal

import msgspec

from jupyter_mlws.domain.storage.errors import BlobMissing
from jupyter_mlws.domain.storage.schemas import Preview

Kind = Literal["text", "json", "table", "image", "notebook", "binary", "too_large"]

TEXT_BYTES = 512_000
TABLE_BYTES = 4_000_000
IMAGE_BYTES = 32_000_000
ROWS, COLUMNS, CELL = 200, 100, 1000
JSON_DEPTH = 32
SNIFF = 8192
BINARY = "application/octet-stream"
PLAIN = "text/plain"

TEXT_SUFFIXES = (  # each is served as plain text, whatever it is the source of
    *("bat", "c", "cc", "cfg", "conf", "cpp", "cu", "diff", "dockerfile", "env", "err", "go", "h", "hpp", "ini", "java", "jl"),
    *("jsonl", "lock", "log", "lua", "md", "ndjson", "out", "patch", "pl", "properties", "proto", "py", "pyi", "pyx", "r", "rb"),
    *("rmd", "rs", "rst", "sbatch", "scala", "sh", "sql", "tex", "toml", "ts", "tsx", "txt", "yaml", "yml"),
)
MEDIA_TYPES = {
    ".avif": "image/avif",
    ".bmp": "image/bmp",
    ".css": "text/css",
    ".csv": "text/csv",
    ".gif": "image/gif",
    ".gz": "application/gzip",
    ".htm": "text/html",
    ".html": "text/html",
    ".ipynb": "application/x-ipynb+json",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript",
    ".json": "application/json",
    ".mjs": "text/javascript",
    ".mp4": "video/mp4",
    ".onnx": BINARY,
    ".parquet": "application/vnd.apache.parquet",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".svgz": "image/svg+xml",
    ".tar": "application/x-tar",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".tsv": "text/tab-separated-values",
    ".webp": "image/webp",
    ".xht": "application/xhtml+xml",
    ".xhtml": "application/xhtml+xml",
    ".xml": "application/xml",
    ".zip": "application/zip",
    **dict.fromkeys((f".{name}" for name in TEXT_SUFFIXES), PLAIN),
}

MAGIC = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
)
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def media_type_of(name: str) -> str:
    """The media type of a file by its name, from our own table (never from the machine's or from the uploader)."""
    return MEDIA_TYPES.get(PurePosixPath(name).suffix.lower(), BINARY)


def content_of(path: Path, most: int = -1) -> bytes:
    """Content of the store, the first `most` bytes of it. Raises `BlobMissing`."""
    try:
        with path.open("rb") as file:
            return file.read(most)
    except OSError as error:
        raise BlobMissing("The content of this file is not on disk any more; `mlws db check` lists what is missing.") from error


def make_preview(path: Path, name: str, size: int) -> Preview:
    """A preview of the file on disk at `path`, called `name`. Reads at most 4 MB of it. Raises `BlobMissing`."""
    suffix = PurePosixPath(name).suffix.lower()
    table = suffix in (".csv", ".tsv")
    head = content_of(path, TABLE_BYTES if table else TEXT_BYTES)
    for pattern, media_type in MAGIC:
        if pattern.match(head):
            return _preview(name, size, "image" if size <= IMAGE_BYTES else "too_large", media_type)
    known = media_type_of(name)
    media_type = PLAIN if known == BINARY else known
    if suffix == ".ipynb":
        return _preview(name, size, "notebook", media_type)
    if table and (rows := _rows(_decode(head, cut=size > len(head)), suffix, cut=size > len(head))) is not None:
        return _preview(name, size, "table", media_type, rows=rows[0], truncated=rows[1])
    if _is_binary(head):
        return _preview(name, size, "binary", known)
    cut = size > len(head) or len(head) > TEXT_BYTES
    text = _decode(head[:TEXT_BYTES], cut=cut)
    if suffix == ".json" and not cut and (pretty := _pretty(head)) is not None:
        return _preview(name, size, "json", media_type, text=pretty)
    return _preview(name, size, "text", media_type, text=text, truncated=cut)


def _preview(
    name: str,
    size: int,
    kind: Kind,
    media_type: str,
    *,
    text: str | None = None,
    rows: list[list[str]] | None = None,
    truncated: bool = False,
) -> Preview:
    return Preview(
        path=name,
        kind=kind,
        media_type=media_type,
        size=size,
        text=text,
        columns=None if rows is None else rows[0] if rows else [],
        rows=None if rows is None else rows[1:],
        truncated=truncated,
    )


def _encoding(head: bytes) -> str:
    return next((encoding for bom, encoding in BOMS if head.startswith(bom)), "utf-8")


def _decode(data: bytes, *, cut: bool) -> str:
    """Text, with marks for what is none. A character cut in half at the end is left out."""
    decoder = codecs.getincrementaldecoder(_encoding(data))("replace")
    return decoder.decode(data, final=not cut)


def _is_binary(head: bytes) -> bool:
    sample = head[:SNIFF]
    if _encoding(sample) == "utf-16":
        return False
    if b"\0" in sample:
        return True
    text = _decode(sample, cut=len(head) > SNIFF)
    odd = sum(1 for c in text if c == "\ufffd" or (c < " " and c not in "\t\n\r\f\b\x1b"))
    return odd > len(text) * 0.1


def _pretty(data: bytes) -> str | None:
    """JSON laid out, its numbers and keys as they were written; None if it is none, is nested too deeply, or grows too long."""
    if _depth(data) > JSON_DEPTH:
        return None
    try:
        pretty = msgspec.json.format(data.removeprefix(codecs.BOM_UTF8), indent=2)
        return pretty.decode() if len(pretty) <= TEXT_BYTES else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _depth(data: bytes) -> int:
    """How deeply brackets are nested, strings left out."""
    depth = deepest = 0
    for bracket in re.findall(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{\]}]', data, re.DOTALL):
        if bracket in (b"[", b"{"):
            depth += 1
            deepest = max(deepest, depth)
        elif bracket in (b"]", b"}"):
            depth -= 1
    return deepest


def _rows(text: str, suffix: str, *, cut: bool) -> tuple[list[list[str]], bool] | None:
    """Header and rows of a table, and whether there is more; None if it cannot be read as one."""
    text = text.replace("\0", "")
    first = text[:SNIFF].partition("\n")[0]
    delimiter = "\t" if suffix == ".tsv" else max(",;\t", key=first.count)
    rows: list[list[str]] = []
    truncated = cut
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if len(rows) > ROWS:
                truncated = True
                break
            truncated = truncated or len(row) > COLUMNS or any(len(cell) > CELL for cell in row)
            rows.append([cell[:CELL] for cell in row[:COLUMNS]])
        else:
            if cut and rows:
                rows.pop()  # the last row may be half a row
    except csv.Error:  # a cell longer than the reader allows
        if not rows:
            return None
        truncated = True
    return rows, truncated
