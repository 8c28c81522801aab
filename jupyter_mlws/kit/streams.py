"""Large bodies over HTTP, in and out, at a few megabytes of memory each. Disk and hashing stand in threads, never on the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from tornado import web
from tornado.iostream import StreamClosedError

from jupyter_mlws.kit.downloads import ContentDamaged, Download, ZipStream, content_disposition
from jupyter_mlws.kit.errors import BadInput, MlwsError, NotFound, TooLarge
from jupyter_mlws.kit.http import LINGER_S, ApiHandler
from jupyter_mlws.kit.sinks import Sink, StoredBlob

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

__all__ = ["ContentDamaged", "StoredBlob", "UploadHandler", "csv_cell", "in_thread", "send_file", "send_zip"]

P = ParamSpec("P")
T = TypeVar("T")
log = logging.getLogger(__name__)

PIECE = 1024 * 1024
MAX_UPLOAD_BYTES = 256 * 2**30
IDLE_S = 300.0
"""A client that sends nothing for so long is gone."""
_POOL = ThreadPoolExecutor(8, thread_name_prefix="mlws-stream")


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `function`, which must not take long, in one of a few threads that all streams share."""
    return await asyncio.get_running_loop().run_in_executor(_POOL, functools.partial(function, *args, **kwargs))


@web.stream_request_body
class UploadHandler(ApiHandler):
    """Base of handlers that take a raw body, streamed to disk.

    A verb with `raw_body=True` awaits `receive()`, which calls `stored(blob)` once the body is whole and on disk. Before its first
    byte is read the caller is authenticated and authorized, and `admit()` may refuse. `X-Mlws-Sha256` is checked where it is given.
    """

    _taking = False
    """Whether the body is wanted: from when it is admitted until it is stored or given up."""
    _sink: Sink | None = None
    """Opened with the first piece that goes to disk: a small body goes there as a whole, in one step of a thread."""
    _writing: asyncio.Future[None] | None = None
    _failure: Exception | None = None
    _queue: asyncio.Queue[bytes] | None = None
    _sent_on = False
    _size = 0
    _heard = 0.0

    async def stored(self, blob: StoredBlob) -> None:
        """The body is on disk: note it and reply."""
        raise NotImplementedError

    async def admit(self) -> None:
        """Raise what speaks against this upload, before its body is read."""

    def open_sink(self) -> Sink:
        """Where the body goes; called in a thread."""
        sink: Sink = self.services.blobs.writer()
        return sink

    def max_bytes(self) -> int:
        """The largest body taken: the setting `max_upload_bytes`, where the server has it."""
        return int(getattr(self.services.settings, "max_upload_bytes", None) or MAX_UPLOAD_BYTES)

    async def prepare(self, *, _redirect_to_login: bool = True) -> None:
        """As for other handlers; then make ready for the body."""
        if not self.contract().raw_body:
            await super().prepare()
            return
        # The server's own limit is meant for bodies in memory; ours is checked here and while the body comes.
        self._connection().set_max_body_size(2**62)
        try:
            await super().prepare()
            if self._finished:
                return
            self._check_length()
            await self.admit()
        except Exception:
            await self._drain()
            raise
        self._buffer: list[bytes] = []
        self._buffered = 0
        self._taking = True
        self._heard = asyncio.get_running_loop().time()
        self._watch()

    async def receive(self, *, expected_sha256: str | None = None) -> None:
        """Finish the upload: all of the body has come. Its hash must be the expected one, and the one in `X-Mlws-Sha256`."""
        await self._settle()
        if self._failure is not None:
            raise self._failure
        if not self._taking:
            raise BadInput("This upload was given up.")
        announced = self.request.headers.get("X-Mlws-Sha256")
        expected = {text.lower() for text in (announced, expected_sha256) if text is not None}
        if len(expected) > 1 or any(re.fullmatch(r"[0-9a-f]{64}", text) is None for text in expected):
            raise BadInput("X-Mlws-Sha256 takes the hash of the body, 64 hex digits.", field="X-Mlws-Sha256")
        sink, self._sink = self._sink, None  # from here on it minds itself, even if the client goes
        self._taking = False
        await self.stored(await in_thread(self._keep, sink, b"".join(self._buffer), *expected))

    async def data_received(self, chunk: bytes) -> None:
        """A piece of the body. Waits while the disk is behind, and so makes the client wait."""
        self._heard = asyncio.get_running_loop().time()
        if self._queue is not None:
            if not self._finished:
                await self._queue.put(chunk)
            return
        if not self._taking or self._failure is not None:
            return
        self._size += len(chunk)
        if self._size > self.max_bytes():
            self._fail(self._too_large())
            return
        self._buffer.append(chunk)
        self._buffered += len(chunk)
        if self._buffered >= PIECE:
            await self._spill()

    def upload_body(self) -> Callable[[Callable[[bytes], Awaitable[None]]], Awaitable[None]] | None:
        """Hand the body on to another server while it comes in."""
        if not self.contract().raw_body:
            return None
        self._check_length()
        if self._queue is None:
            self._queue = asyncio.Queue(8)
            self._let_body_in()
        return self._send_on

    def on_connection_close(self) -> None:
        """The client went away: leave nothing."""
        super().on_connection_close()
        self._forget()

    def on_finish(self) -> None:
        """Whatever the answer was, what was not committed goes."""
        super().on_finish()
        self._forget()
        while self._queue is not None and not self._queue.empty():
            self._queue.get_nowait()

    def _connection(self) -> Any:
        return self.request.connection

    def _check_length(self) -> None:
        declared = self.request.headers.get("Content-Length", "")
        if declared.isascii() and declared.isdigit() and int(declared[:30]) > self.max_bytes():
            raise self._too_large()

    def _too_large(self) -> TooLarge:
        return TooLarge(f"The body is too large; at most {self.max_bytes():,} bytes are taken here.")

    async def _spill(self) -> None:
        """Begin to write what has gathered, once the write before is done."""
        await self._settle()
        if self._taking and self._failure is None:
            data = b"".join(self._buffer)
            self._buffer, self._buffered = [], 0
            self._writing = asyncio.get_running_loop().run_in_executor(_POOL, self._write, data)

    def _write(self, data: bytes) -> None:
        if self._sink is None:
            self._sink = self.open_sink()
        self._sink.write(data)

    def _keep(self, sink: Sink | None, rest: bytes, *expected: str) -> StoredBlob:
        """Write what has gathered since the last piece, and commit."""
        if sink is None:
            sink = self.open_sink()
        try:
            if rest:
                sink.write(rest)
            return sink.commit(*expected)
        finally:
            sink.abort()  # after a commit this does nothing

    async def _settle(self) -> None:
        writing, self._writing = self._writing, None
        if writing is not None:
            try:
                await writing
            except (MlwsError, OSError) as error:
                self._fail(error)

    def _fail(self, error: Exception) -> None:
        """Take no more, and answer when the body ends or is still not at its end after a moment."""
        if self._failure is None:
            self._failure = error
            self._forget()
            asyncio.get_running_loop().call_later(LINGER_S, self._answer_now)

    def _answer_now(self) -> None:
        if not self._finished and not self.request._body_future.done():
            error = self._failure
            super().on_connection_close()  # lets tornado's own task, which waits for the body, end
            self.send_error(getattr(error, "status", 500), exc_info=(type(error), error, None))

    def _forget(self) -> None:
        self._taking = False

        def abort(_: object = None) -> None:
            sink, self._sink = self._sink, None
            if sink is not None:
                _POOL.submit(sink.abort)

        if self._writing is None or self._writing.done():
            abort()
        else:  # it may be the one that opens the sink
            self._writing.add_done_callback(abort)

    def _watch(self) -> None:
        """Hang up on a client that sends nothing any more."""
        loop = asyncio.get_running_loop()
        if self._finished or self.request._body_future.done():
            return
        if loop.time() - self._heard >= IDLE_S:
            self._connection().stream.close()
        else:
            loop.call_later(IDLE_S / 10, self._watch)

    async def _send_on(self, write: Callable[[bytes], Awaitable[None]]) -> None:
        queue = self._queue
        if queue is None or self._sent_on:
            raise OSError("a streamed body can be sent on only once")
        ended: asyncio.Future[Any] = self.request._body_future
        while True:
            if not queue.empty():
                self._sent_on = True
                await write(queue.get_nowait())
            elif ended.done():
                ended.result()  # raises StreamClosedError if the client went away
                return
            else:
                getting: asyncio.Future[Any] = asyncio.ensure_future(queue.get())
                await asyncio.wait({getting, ended}, return_when=asyncio.FIRST_COMPLETED)
                if getting.done():
                    self._sent_on = True
                    await write(getting.result())
                else:
                    getting.cancel()


async def send_file(
    handler: ApiHandler, path: Path, *, name: str, media_type: str, download: bool = False, etag: str | None = None
) -> None:
    """Answer with the file on disk at `path`, called `name`; ranges and `If-None-Match` are honoured.

    `etag`: the content's SHA-256. A whole download is checked against it; where it fails, the answer breaks off.
    Raises NotFound, ContentDamaged.
    """
    try:
        source = await in_thread(Download.open, path, etag)
    except OSError as error:
        raise NotFound("The content of this file is not on disk any more; `mlws db check` lists what is missing.") from error
    try:
        status, headers = source.answer(handler.request.headers, name=name, media_type=media_type, download=download)
        handler.set_status(status)
        for header, value in headers.items():
            handler.set_header(header, value)
        if status in (200, 206):
            with contextlib.suppress(StreamClosedError):
                await _pump(handler, source.read)
    finally:
        source.close()
    if not handler._finished:
        handler.finish()


async def send_zip(handler: ApiHandler, entries: Sequence[tuple[str, Path]], *, name: str) -> None:
    """Answer with a zip file of `(path inside it, file on disk)`, made while it is sent. Raises NotFound if a file is missing."""
    if missing := await in_thread(lambda: [inside for inside, path in entries if not path.is_file()]):
        raise NotFound(f"{len(missing)} of these files are not on disk any more, {missing[0][:200]!r} first.")
    handler.set_header("Content-Type", "application/zip")
    handler.set_header("Content-Disposition", content_disposition(name, inline=False))
    handler.set_header("Content-Security-Policy", "sandbox")
    handler.set_header("X-Content-Type-Options", "nosniff")
    handler.set_header("Cache-Control", "no-store")
    source = ZipStream(entries)
    try:
        await _pump(handler, source.read)
    except StreamClosedError:
        return
    finally:
        source.close()
    if not handler._finished:
        handler.finish()


async def _pump(handler: ApiHandler, read: Callable[[], bytes]) -> None:
    """Send what `read` gives until it gives nothing. What goes wrong after the first piece breaks the connection off."""
    while True:
        try:
            piece = await in_thread(read)
        except (OSError, MlwsError) as error:
            if not handler._headers_written:
                raise
            log.warning("A download broke off: %s", error)
            connection: Any = handler.request.connection
            connection.stream.close()
            raise StreamClosedError(error) from error
        if not piece:
            return
        handler.write(piece)
        await handler.flush()


NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|infinity|nan)", re.IGNORECASE | re.ASCII)


def csv_cell(text: str) -> str:
    """`text` for a cell of a CSV file, so that no spreadsheet takes it for a formula. Numbers stay as they are."""
    if text[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") and NUMBER.fullmatch(text) is None:
        return "'" + text
    return text
