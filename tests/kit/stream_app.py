"""A small server with an upload, a download and a zip handler over a blob store: `python -m tests.kit.stream_app FOLDER`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
from msgspec import Struct
from tornado import web
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from jupyter_mlws.domain.storage.blobs import BlobStore
from jupyter_mlws.kit.actors import Action, Actor, ActorKind
from jupyter_mlws.kit.errors import Forbidden
from jupyter_mlws.kit.http import ApiHandler, endpoint
from jupyter_mlws.kit.streams import StoredBlob, UploadHandler, send_file, send_zip

TOKEN = "mlws_test"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


class FakeRuntime:
    """As much of a runtime as handlers ask for."""

    def __init__(self, root: Path, max_upload_bytes: int | None = None) -> None:
        self.db: Any = None
        self.services = SimpleNamespace(
            blobs=BlobStore(root), settings=SimpleNamespace(max_upload_bytes=max_upload_bytes), stored=[]
        )
        self.forwarder: Any = None

    async def ready(self) -> None:
        return None

    async def actor_of_token(self, token: str, headers: object) -> Actor | None:
        return Actor(name="tester", kind=ActorKind.LOCAL) if token == TOKEN else None

    def let_in(self, host: str) -> None:
        return None

    def may(self, actor: Actor, action: Action, workspace: str | None) -> bool:
        return True

    async def forward(self, handler: ApiHandler) -> bool:
        return False if self.forwarder is None else bool(await self.forwarder(handler))


class UploadQuery(Struct):
    refuse: bool = False
    expected: str | None = None


class Upload(UploadHandler):
    @endpoint(Action.LOG, summary="", raw_body=True, reply=dict, query=UploadQuery)
    async def put(self) -> None:
        await self.receive(expected_sha256=self.query.expected)

    @endpoint(Action.READ, summary="", reply=dict)
    async def get(self) -> None:
        self.reply({"rss": memory_peak(), "stored": len(self.services.stored)})

    async def admit(self) -> None:
        if self.query.refuse:
            raise Forbidden("Not here.")

    async def stored(self, blob: StoredBlob) -> None:
        self.services.stored.append(blob)
        self.reply({"sha256": blob.sha256, "size": blob.size})


class FileQuery(Struct):
    name: str = "file.bin"
    media_type: str = "application/octet-stream"
    download: bool = False


class File(ApiHandler):
    @endpoint(Action.READ, summary="", query=FileQuery)
    async def get(self, sha256: str) -> None:
        q = self.query
        path = self.services.blobs.path(sha256)
        await send_file(self, path, name=q.name, media_type=q.media_type, download=q.download, etag=sha256)


class ZipQuery(Struct):
    entries: str
    name: str = "all.zip"


class Zip(ApiHandler):
    @endpoint(Action.READ, summary="", query=ZipQuery)
    async def get(self) -> None:
        entries: list[tuple[str, str]] = msgspec.json.decode(self.query.entries, type=list[tuple[str, str]])
        blobs = self.services.blobs
        await send_zip(self, [(inside, blobs.path(sha)) for inside, sha in entries], name=self.query.name)


def make_app(root: Path, max_upload_bytes: int | None = None) -> web.Application:
    routes = [("/upload", Upload), (r"/file/(?P<sha256>[^/]+)", File), ("/zip", Zip)]
    runtime = FakeRuntime(root, max_upload_bytes)
    return web.Application(routes, mlws=runtime, cookie_secret="x", allow_remote_access=True)


def memory_peak() -> int:
    """The most memory this process has held so far, in bytes."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


async def serve(root: Path) -> None:
    sockets = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(make_app(root), max_body_size=1024 * 1024)
    server.add_sockets(sockets)
    print(sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
