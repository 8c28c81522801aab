"""Uploads and downloads over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from jupyter_mlws.domain.storage.blobs import BlobStore
from jupyter_mlws.domain.storage.disk import disk
from jupyter_mlws.kit import streams
from jupyter_mlws.kit.downloads import content_disposition
from jupyter_mlws.kit.streams import csv_cell
from tests.kit.stream_app import HEADERS, TOKEN, FakeRuntime, make_app

MB = 1024 * 1024
LIMIT = 8 * MB


class Site:
    """A running server in this process."""

    def __init__(self, root: Path, limit: int | None = LIMIT) -> None:
        self.app = make_app(root, limit)
        self.runtime: FakeRuntime = self.app.settings["mlws"]
        self.blobs: BlobStore = self.runtime.services.blobs
        self.server = HTTPServer(self.app, max_body_size=64 * 1024)
        sockets = bind_sockets(0, "127.0.0.1")
        self.port = sockets[0].getsockname()[1]
        self.server.add_sockets(sockets)
        self.client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", headers=HEADERS, timeout=20)

    async def put(self, content: Any, **options: Any) -> httpx.Response:
        return await self.client.put("/upload", content=content, **options)

    def files(self) -> list[str]:
        return [p.name for p in self.blobs.root.rglob("*") if p.is_file()]

    async def nothing_left(self) -> bool:
        for _ in range(100):
            if not self.files():
                return True
            await asyncio.sleep(0.02)
        return False


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    running = Site(tmp_path / "objects")
    yield running
    await running.client.aclose()
    running.server.stop()
    await running.server.close_all_connections()


async def test_upload_then_download(site: Site) -> None:
    data = os.urandom(3 * MB + 17)
    sha = hashlib.sha256(data).hexdigest()
    answer = await site.put(data, headers={"X-Mlws-Sha256": sha.upper()})
    assert (answer.status_code, answer.json()) == (200, {"sha256": sha, "size": len(data)})
    assert (await site.client.get(f"/file/{sha}")).content == data
    assert (await site.put(b"")).json()["size"] == 0


async def test_chunked_upload_and_same_content_twice(site: Site) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 50_000

    first, second = await asyncio.gather(site.put(pieces()), site.put(pieces()))
    assert first.json() == second.json() == {"sha256": hashlib.sha256(b"x" * 2_000_000).hexdigest(), "size": 2_000_000}
    assert len(site.files()) == 1


@pytest.mark.parametrize("header", ["0" * 64, "zz", ""])
async def test_wrong_hash_stores_nothing(site: Site, header: str) -> None:
    answer = await site.put(b"abc", headers={"X-Mlws-Sha256": header})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] in ("hash_mismatch", "bad_input")
    assert await site.nothing_left()
    assert (await site.put(b"abc", params={"expected": "1" * 64})).status_code == 400
    assert (await site.put(b"abc", params={"expected": "1" * 64}, headers={"X-Mlws-Sha256": "2" * 64})).status_code == 400
    assert site.runtime.services.stored == []


async def test_too_large_is_refused_by_length_and_while_it_comes(site: Site) -> None:
    declared = await site.put(b"x" * (LIMIT + 1))

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(LIMIT // MB + 2):
            yield b"x" * MB

    for answer in (declared, await site.put(pieces())):
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert await site.nothing_left()
    assert (await site.put(b"x" * LIMIT)).status_code == 200


async def test_endless_body_is_cut_off(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "LINGER_S", 0.2)

    def flood() -> bytes:
        with socket.create_connection(("127.0.0.1", site.port), timeout=5) as client:
            client.sendall(head("Transfer-Encoding: chunked"))
            with contextlib.suppress(ConnectionError):
                while True:
                    client.sendall(b"100000\r\n" + b"x" * MB + b"\r\n")
            return client.recv(100)

    assert b" 413 " in await asyncio.to_thread(flood)
    assert await site.nothing_left()


async def test_is_authorized_before_the_body_is_read(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer comes although only the head of the request was sent, and no file is ever opened."""
    opened = []
    monkeypatch.setattr(BlobStore, "writer", lambda self: opened.append(1))
    wait = b"Content-Length: 1000\r\nExpect: 100-continue"
    assert b" 401 " in await first_line(site, head(wait.decode(), token="mlws_wrong"))
    assert b" 403 " in await first_line(site, head(wait.decode(), query="?refuse=true"))
    assert (await site.put(b"x" * 10_000, headers={"Authorization": "Bearer mlws_wrong"})).status_code == 401
    assert (await site.put(b"x" * 5 * MB, params={"refuse": "true"})).status_code == 403
    assert opened == []


async def test_client_that_leaves_or_lies_about_the_length_leaves_nothing(site: Site) -> None:
    for length in (10 * MB // 2, 100):
        _, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(head(f"Content-Length: {length}") + b"x" * (length - 1))
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.close()
    assert await site.nothing_left()
    assert site.runtime.services.stored == []


async def test_silent_client_is_hung_up_on(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "IDLE_S", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(head("Content-Length: 1000") + b"x")
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()
    assert await site.nothing_left()


async def test_client_that_leaves_while_its_first_piece_is_written_leaves_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = threading.Event()
    writer_of = BlobStore.writer

    def slow(store: BlobStore) -> Any:
        began.set()
        time.sleep(0.3)
        return writer_of(store)

    monkeypatch.setattr(BlobStore, "writer", slow)
    _, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(head(f"Content-Length: {4 * MB}") + b"x" * 2 * MB)
    await writer.drain()
    assert await asyncio.to_thread(began.wait, 5)
    writer.close()
    await asyncio.sleep(0.5)
    assert await site.nothing_left()
    assert site.runtime.services.stored == []


@pytest.mark.parametrize("size", [100, 3 * MB])
async def test_full_disk_is_said_plainly(site: Site, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    def write(self: object, data: bytes) -> None:
        with disk():
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("jupyter_mlws.domain.storage.blobs.BlobWriter.write", write)
    answer = await site.put(b"x" * size)
    assert (answer.status_code, answer.json()["error"]["code"]) == (507, "storage_full")
    assert await site.nothing_left()


async def test_event_loop_stays_free(site: Site) -> None:
    site.runtime.services.settings.max_upload_bytes = None
    gaps, stop = [0.0], asyncio.Event()

    async def beat() -> None:
        while not stop.is_set():
            before = time.monotonic()
            await asyncio.sleep(0.005)
            gaps.append(time.monotonic() - before)

    beating = asyncio.ensure_future(beat())
    code = "import sys,httpx; print(httpx.put(sys.argv[1], content=bytes(100<<20), headers=eval(sys.argv[2]), timeout=60).status_code)"
    url = f"http://127.0.0.1:{site.port}/upload"
    command = [sys.executable, "-c", code, url, repr(HEADERS)]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, timeout=60)
    stop.set()
    await beating
    assert done.stdout.strip() == b"200"
    assert sorted(gaps)[-2] < 0.25


async def test_upload_is_sent_on_to_another_server(site: Site, tmp_path: Path) -> None:
    """A server that does not own the folder hands the body on while it comes, and the client's leaving, too."""
    owner = Site(tmp_path / "owner")

    async def forward(handler: Any) -> bool:
        body = handler.upload_body()

        async def pieces() -> AsyncIterator[bytes]:
            queue: asyncio.Queue[bytes | None] = asyncio.Queue(1)

            async def run() -> None:
                try:
                    await body(queue.put)
                finally:
                    await queue.put(None)

            running = asyncio.ensure_future(run())
            while (piece := await queue.get()) is not None:
                yield piece
            await running

        answer = await owner.put(pieces())
        handler.set_status(answer.status_code)
        await handler.finish(answer.content)
        return True

    site.runtime.forwarder = forward
    data = os.urandom(4 * MB)
    assert (await site.put(data)).json() == {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    assert owner.blobs.exists(hashlib.sha256(data).hexdigest())
    assert (await site.put(b"x" * (LIMIT + 1))).status_code == 413
    assert site.files() == []
    await owner.client.aclose()
    owner.server.stop()


async def test_download_ranges_and_conditions(site: Site) -> None:
    data = os.urandom(2 * MB)
    sha = site.blobs.put_bytes(data).sha256
    size = len(data)

    async def ask(**headers: str) -> httpx.Response:
        return await site.client.get(f"/file/{sha}", headers={k.replace("_", "-"): v for k, v in headers.items()})

    whole = await ask()
    assert (whole.status_code, whole.headers["Content-Length"], whole.headers["Etag"]) == (200, str(size), f'"{sha}"')
    for text, first, last in (("0-0", 0, 0), ("5-9", 5, 9), (f"{size - 3}-", size - 3, size - 1), ("-4", size - 4, size - 1)):
        part = await ask(Range=f"bytes={text}")
        assert (part.status_code, part.content) == (206, data[first : last + 1])
        assert part.headers["Content-Range"] == f"bytes {first}-{last}/{size}"
    assert (await ask(Range=f"bytes=7-{size * 9}")).content == data[7:]
    for text in ("bytes=9-5", "bytes=0-1,5-6", "bytes=-", "lines=1-2", "bytes=a-b", "bytes=" + "9" * 40 + "-"):
        assert (await ask(Range=text)).status_code == 200
    for text in (f"bytes={size}-", "bytes=-0"):
        refused = await ask(Range=text)
        assert (refused.status_code, refused.headers["Content-Range"]) == (416, f"bytes */{size}")
    assert (await ask(If_None_Match=f'W/"{sha}"')).status_code == 304
    assert (await ask(If_None_Match="*")).content == b""
    assert (await ask(If_None_Match='"other"')).status_code == 200
    assert (await ask(Range="bytes=0-0", If_Range='"other"')).content == data
    assert (await ask(Range="bytes=0-0", If_Range=f'"{sha}"')).content == data[:1]


SHOWN = ("image/png", "image/jpeg", "image/gif", "image/webp", "text/plain")
SAVED = ("text/html", "image/svg+xml", "application/pdf", "application/xml", "text/xml", "application/xhtml+xml", "text/javascript",
         "application/octet-stream", "text/html\r\nX-Evil: 1", "TEXT/HTML", "", "text/plain;x=<script>")  # fmt: skip


@pytest.mark.parametrize("media_type", [*SHOWN, *SAVED])
async def test_download_headers_are_safe(site: Site, media_type: str) -> None:
    sha = site.blobs.put_bytes(b"<script>alert(1)</script>").sha256
    for download in ("false", "true"):
        params = {"media_type": media_type, "download": download, "name": "a.html"}
        headers = (await site.client.get(f"/file/{sha}", params=params)).headers
        shown = media_type in SHOWN and download == "false"
        assert headers["Content-Disposition"].startswith("inline" if shown else "attachment")
        assert headers["Content-Security-Policy"] == "sandbox"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "X-Evil" not in headers


@pytest.mark.parametrize(
    "name", ['a"b.txt', "a\r\nX-Evil: 1", "../../etc/passwd", "C:\\x\\y.txt", "é😀.png", "", "\ud800", "x" * 5000, "a;b=c"]
)
def test_file_names_cannot_break_the_header(name: str) -> None:
    header = content_disposition(name, inline=False)
    header.encode("ascii")
    assert header.isprintable()
    assert header.count('"') == 2
    assert "/" not in header
    assert "\\" not in header
    assert len(header) < 3000


async def test_missing_and_damaged_files(site: Site) -> None:
    assert (await site.client.get("/file/" + "0" * 64)).status_code == 404
    for bad in ("..", "%2e%2e%2fetc", "x", "0" * 63):
        assert (await site.client.get(f"/file/{bad}")).status_code in (400, 404)
    small, large = site.blobs.put_bytes(b"abc").sha256, site.blobs.put_bytes(os.urandom(3 * MB)).sha256
    for sha in (small, large):
        path = site.blobs.path(sha)
        path.chmod(0o600)
        with path.open("r+b") as file:
            file.write(b"\0")
    answer = await site.client.get(f"/file/{small}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (410, "content_damaged")
    with pytest.raises(httpx.RemoteProtocolError):
        await site.client.get(f"/file/{large}")


async def test_client_that_leaves_a_download_stops_it(site: Site, tmp_path: Path) -> None:
    sha = site.blobs.put_bytes(bytes(6 * MB)).sha256
    entries = json.dumps([[f"{n}.bin", sha] for n in range(50)])
    for url, params in ((f"/file/{sha}", {}), ("/zip", {"entries": entries})):
        async with site.client.stream("GET", url, params=params) as answer:
            await anext(answer.aiter_bytes())
    for _ in range(100):
        if not open_files(tmp_path):
            return
        await asyncio.sleep(0.05)
    pytest.fail("files are still open")


async def test_zip(site: Site) -> None:
    a, b = site.blobs.put_bytes(os.urandom(2 * MB)), site.blobs.put_bytes(b"hello" * 1000)
    entries = json.dumps([["outputs/a.bin", a.sha256], ["ü/b.txt", b.sha256]])
    answer = await site.client.get("/zip", params={"entries": entries, "name": "run.zip"})
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="run.zip"')
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["outputs/a.bin", "ü/b.txt"]
        assert archive.read("ü/b.txt") == b"hello" * 1000
        assert archive.getinfo("ü/b.txt").compress_size < 1000
        for info in archive.infolist():  # each with the extra field of ZIP64: such an entry may be of any size
            name_length, extra_length = struct.unpack_from("<HH", answer.content, info.header_offset + 26)
            extra = answer.content[info.header_offset + 30 + name_length :][:extra_length]
            assert extra[:2] == b"\x01\x00"
    missing = await site.client.get("/zip", params={"entries": json.dumps([["x", "0" * 64]])})
    assert missing.status_code == 404


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        *((plain, plain) for plain in ("", "abc", "-1.5", "+2", "-.5e-3", "-inf", "1e5", "a=b", "x-y", "-Infinity")),
        *(
            (evil, "'" + evil)
            for evil in ("=1+1", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "-", "=cmd|' /C calc'!A0", "-1\n=2", "+\u0661")
        ),
    ],
)
def test_csv_cells_are_no_formulas(text: str, cell: str) -> None:
    assert csv_cell(text) == cell


def open_files(folder: Path) -> list[str]:
    targets = [os.path.realpath(link) for link in Path("/proc/self/fd").iterdir()]
    return [target for target in targets if target.startswith(str(folder))]


def head(*lines: str, token: str = TOKEN, query: str = "") -> bytes:
    given = [f"PUT /upload{query} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {token}", *lines]
    return "\r\n".join(given).encode() + b"\r\n\r\n"


async def first_line(site: Site, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(request)
    try:
        return await asyncio.wait_for(reader.readline(), 5)
    finally:
        writer.close()


@pytest.fixture
def process(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server in a process of its own, and its address."""
    command = [sys.executable, "-m", "tests.kit.stream_app", str(tmp_path / "objects")]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        yield running, f"http://127.0.0.1:{running.stdout.readline().strip()}"
        running.kill()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_large_bodies_cost_little_memory(process: tuple[subprocess.Popen[str], str]) -> None:
    _, url = process
    size, piece = 300 * MB, os.urandom(MB)

    def pieces() -> Iterator[bytes]:
        for _ in range(size // MB):
            yield piece

    with httpx.Client(headers=HEADERS, timeout=60, base_url=url) as client:
        sha = client.put("/upload", content=piece).json()["sha256"]
        client.get(f"/file/{sha}")
        before = client.get("/upload").json()["rss"]
        sha = client.put("/upload", content=pieces()).json()["sha256"]
        with client.stream("GET", f"/file/{sha}") as answer:
            assert sum(len(chunk) for chunk in answer.iter_raw(MB)) == size
        cost = client.get("/upload").json()["rss"] - before
    assert cost < 60 * MB


@pytest.mark.slow
def test_server_killed_in_the_middle_of_an_upload_leaves_no_blob(
    process: tuple[subprocess.Popen[str], str], tmp_path: Path
) -> None:
    running, url = process
    port = int(url.rpartition(":")[2])
    client = socket.create_connection(("127.0.0.1", port))
    client.sendall(head(f"Content-Length: {50 * MB}"))
    sent = threading.Event()

    def send() -> None:
        for n in range(40):
            try:
                client.sendall(b"x" * MB)
            except OSError:
                return
            if n == 10:
                sent.set()
            time.sleep(0.01)

    sender = threading.Thread(target=send)
    sender.start()
    assert sent.wait(20)
    running.send_signal(signal.SIGKILL)
    running.wait()
    sender.join()
    client.close()
    store = BlobStore(tmp_path / "objects")
    assert list(store.all()) == []
    left = [p for p in store.root.rglob("*") if p.is_file()]
    assert [p.stat().st_size > 0 for p in left] == [True]
    assert store.sweep_leftovers() == 0
    os.utime(left[0], (0, 0))
    assert store.sweep_leftovers() > MB
    assert not left[0].exists()
