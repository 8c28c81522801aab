"""What a download is made of: the file, its headers, the range that was asked for, and zip files that are made while they are sent."""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import threading
import time
import zipfile
import zlib
from typing import TYPE_CHECKING
from urllib.parse import quote

from jupyter_mlws.kit.errors import MlwsError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping
    from pathlib import Path

PIECE = 1024 * 1024
SAMPLE = 64 * 1024
INLINE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "text/plain"})
"""What a browser may show. It can run nothing of these; HTML, SVG, XML and PDF are always saved."""
MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]{0,126}")
SHA256 = re.compile(r"[0-9a-f]{64}")
NOFOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
ZIP_FIRST_DAY, ZIP_LAST_DAY = (1980, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 58)


class ContentDamaged(MlwsError):
    """The bytes on disk are not those that were stored; `mlws db check` tells more."""

    status = 410
    code = "content_damaged"


class Download:
    """A file on its way out. `answer` says how; `read` gives the pieces."""

    def __init__(self, descriptor: int, etag: str | None) -> None:
        self._file = os.fdopen(descriptor, "rb", buffering=0)
        self.size = os.fstat(descriptor).st_size
        self.etag = etag
        self._left = self.size
        self._lock = threading.Lock()
        self._digest = hashlib.sha256() if etag is not None and SHA256.fullmatch(etag) else None

    @classmethod
    def open(cls, path: Path, etag: str | None) -> Download:
        """The regular file at `path`. Raises OSError."""
        descriptor = os.open(path, os.O_RDONLY | NOFOLLOW)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise FileNotFoundError(f"{path} is not a regular file")
        return cls(descriptor, etag)

    def answer(self, asked: Mapping[str, str], *, name: str, media_type: str, download: bool) -> tuple[int, dict[str, str]]:
        """Status and headers of the answer to a request with the headers `asked`."""
        kind = media_type if MEDIA_TYPE.fullmatch(media_type) else "application/octet-stream"
        headers = {
            "Content-Type": f"{kind}; charset=utf-8" if kind.startswith("text/") else kind,
            "Content-Disposition": content_disposition(name, inline=kind in INLINE and not download),
            "Content-Security-Policy": "sandbox",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "private, no-cache",
            "Accept-Ranges": "bytes",
        }
        if self.etag is not None:
            headers["Etag"] = f'"{self.etag}"'
            if _names(asked.get("If-None-Match", ""), self.etag):
                return 304, headers
        span = self._span(asked)
        if span is None:
            return 200, {**headers, "Content-Length": str(self.size)}
        first, last = span
        if first >= self.size:
            return 416, {**headers, "Content-Range": f"bytes */{self.size}"}
        self._file.seek(first)
        self._left, self._digest = last - first + 1, None
        return 206, {**headers, "Content-Length": str(self._left), "Content-Range": f"bytes {first}-{last}/{self.size}"}

    def read(self) -> bytes:
        """The next piece; nothing at the end. Raises `ContentDamaged` instead of the last piece if the content is not what it was."""
        with self._lock:
            piece = self._file.read(min(PIECE, self._left))
        self._left -= len(piece)
        if self._digest is not None:
            self._digest.update(piece)
            if self._left == 0 and self._digest.hexdigest() != self.etag:
                raise ContentDamaged("The content of this file is damaged on disk; `mlws db check` lists all that is.")
        if not piece and self._left:
            raise ContentDamaged("The file became shorter while it was sent.")
        return piece

    def close(self) -> None:
        """Let go of the file; waits for a read that another thread still is in."""
        with self._lock:
            self._file.close()

    def _span(self, asked: Mapping[str, str]) -> tuple[int, int] | None:
        """First and last byte of a single range; None for the whole (also where the range is none that we know)."""
        condition = asked.get("If-Range")
        if condition is not None and (self.etag is None or condition.strip() != f'"{self.etag}"'):
            return None
        match = re.fullmatch(r"bytes=([0-9]{0,18})-([0-9]{0,18})", asked.get("Range", "").replace(" ", ""))
        if match is None or match.group(0) == "bytes=-":
            return None
        start, end = match.groups()
        if not start:
            length = int(end)
            return (max(self.size - length, 0), self.size - 1) if length else (self.size, self.size)
        if end and int(end) < int(start):
            return None
        return int(start), min(int(end), self.size - 1) if end else self.size - 1


def _names(header: str, etag: str) -> bool:
    """Whether `If-None-Match` names this content."""
    return header.strip() == "*" or f'"{etag}"' in re.findall(r'"[^"]*"', header)


def content_disposition(name: str, *, inline: bool) -> str:
    """The header for a file of this name, whatever is in the name."""
    last = re.split(r"[/\\]", name)[-1].encode("utf-8", "replace").decode()
    last = "".join(c for c in last if c.isprintable())[:200] or "download"
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", last)
    return f"{'inline' if inline else 'attachment'}; filename=\"{plain}\"; filename*=UTF-8''{quote(last, safe='')}"


class _Outlet(io.RawIOBase):
    """Where zipfile writes to: cannot seek, and is emptied by us."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self.waiting = 0

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(data)  # type: ignore[call-overload]  # any buffer
        self._pieces.append(piece)
        self.waiting += len(piece)
        return len(piece)

    def take(self) -> bytes:
        whole = b"".join(self._pieces)
        self._pieces, self.waiting = [], 0
        return whole


class ZipStream:
    """A zip file of `(path inside it, file on disk)` that is made while it is read."""

    def __init__(self, entries: Iterable[tuple[str, Path]]) -> None:
        self._pieces = _zip_pieces(entries)
        self._lock = threading.Lock()

    def read(self) -> bytes:
        """The next piece, about 1 MB; nothing at the end. Raises OSError for a file that cannot be read."""
        with self._lock:
            return next(self._pieces, b"")

    def close(self) -> None:
        """Let go of the file in hand; waits for a read that another thread still is in."""
        with self._lock:
            self._pieces.close()


def _zip_pieces(entries: Iterable[tuple[str, Path]]) -> Generator[bytes, None, None]:
    outlet = _Outlet()
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        for inside, path in entries:
            with os.fdopen(os.open(path, os.O_RDONLY | NOFOLLOW), "rb", buffering=0) as source:
                data = source.read(PIECE)
                info = _entry(inside, os.fstat(source.fileno()).st_mtime, data[:SAMPLE])
                with archive.open(info, "w", force_zip64=True) as target:
                    while data:
                        target.write(data)
                        if outlet.waiting >= PIECE:
                            yield outlet.take()
                        data = source.read(PIECE)
    yield outlet.take()


def _entry(inside: str, mtime: float, sample: bytes) -> zipfile.ZipInfo:
    day = time.localtime(mtime)[:6]
    info = zipfile.ZipInfo(inside, min(max(day, ZIP_FIRST_DAY), ZIP_LAST_DAY))
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o100644 << 16
    # What does not shrink (images, most weights) is passed through: as deflate of level 0, which every reader takes from a stream.
    level = 1 if len(zlib.compress(sample, 1)) < 0.95 * len(sample) else 0
    setattr(info, "_compresslevel", level)  # noqa: B010 - only newer Pythons have a public name for it
    return info
