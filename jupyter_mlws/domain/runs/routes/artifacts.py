"""Routes of a run's artifacts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec import Struct

from jupyter_mlws.domain.runs import service
from jupyter_mlws.domain.storage import service as storage
from jupyter_mlws.domain.storage.errors import ArtifactClash, ArtifactNotFound
from jupyter_mlws.domain.storage.schemas import FileList, Preview, StoredFile
from jupyter_mlws.domain.storage.service import make_preview, media_type_of
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.clock import now_ms
from jupyter_mlws.kit.http import ApiHandler, Route, endpoint
from jupyter_mlws.kit.paths import clean_relative
from jupyter_mlws.kit.streams import StoredBlob, UploadHandler, send_file, send_zip

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.storage.schemas import FileEntry


ZIP_FILES = 1_000_000


class ListQuery(Struct):
    """Which folder, and whether all below it."""

    path: str = ""
    recursive: bool = False


class PathQuery(Struct):
    """Which file."""

    path: str


class ContentQuery(Struct):
    """Which file, and whether to save it instead of showing it."""

    path: str
    download: bool = False


class FolderQuery(Struct):
    """Which folder; all if left out."""

    path: str = ""


class ArtifactsHandler(ApiHandler):
    """The files of a run."""

    @endpoint(Action.READ, summary="Artifacts of a run", query=ListQuery, reply=FileList)
    async def get(self, run_id: str) -> None:
        """What lies directly under `path`, folders first; all below it with `recursive=true`."""
        actor, q = self.actor, self.query
        path = clean_relative(q.path, empty_ok=True)

        def look(session: Session) -> FileList:
            service.open_run(session, actor, Action.READ, run_id)
            return storage.list_artifacts(session, run_id, path, recursive=q.recursive)

        self.reply(await self.db.read(look))


class ContentHandler(UploadHandler):
    """A file of a run."""

    @endpoint(
        Action.READ,
        summary="Download an artifact",
        query=ContentQuery,
        media_type="application/octet-stream",
        errors=[ArtifactNotFound],
    )
    async def get(self, run_id: str) -> None:
        """The file as it was stored; ranges are answered. Sandboxed, and saved rather than shown unless it is a plain image or text."""
        entry = await find(self, run_id, self.query.path)
        await send_file(
            self,
            self.services.blobs.path(entry.sha256),
            name=entry.path.rsplit("/", 1)[-1],
            media_type=media_type_of(entry.path),
            download=self.query.download,
            etag=entry.sha256,
        )

    @endpoint(
        Action.LOG,
        summary="Store an artifact",
        query=PathQuery,
        raw_body=True,
        reply=StoredFile,
        status=201,
        errors=[ArtifactClash],
    )
    async def put(self, run_id: str) -> None:
        """The body is the file, streamed to disk; a file that stands there already is replaced."""
        del run_id  # `stored` asks for it once the body is there
        await self.receive()

    async def admit(self) -> None:
        """Before the body is read: the path must be good, and the run be one that the caller may write to."""
        actor, run_id = self.actor, self.path_kwargs["run_id"]
        clean_relative(self.query.path)
        await self.db.read(lambda s: service.open_to_log(s, actor, run_id))

    async def stored(self, blob: StoredBlob) -> None:
        """The body is on disk: now the run may name it."""
        actor, run_id, path = self.actor, self.path_kwargs["run_id"], clean_relative(self.query.path)

        def note(session: Session) -> None:
            ref = service.open_to_log(session, actor, run_id)
            storage.add_artifact(session, run_id, path, blob.sha256, blob.size, now_ms())
            service.note_artifacts(session, ref)

        await self.db.write(note)
        self.reply(StoredFile(path=path, size=blob.size, sha256=blob.sha256))


class PreviewHandler(ApiHandler):
    """A safe look at a file."""

    @endpoint(Action.READ, summary="Preview of an artifact", query=PathQuery, reply=Preview, errors=[ArtifactNotFound])
    async def get(self, run_id: str) -> None:
        """Text, JSON, the first rows of a table, or the word that it is an image. Nothing is executed or unpickled."""
        entry = await find(self, run_id, self.query.path)
        self.reply(await asyncio.to_thread(make_preview, self.services.blobs.path(entry.sha256), entry.path, entry.size))


class ZipHandler(ApiHandler):
    """Files together."""

    @endpoint(Action.READ, summary="Artifacts as a zip file", query=FolderQuery, media_type="application/zip")
    async def get(self, run_id: str) -> None:
        """All files below `path`, streamed."""
        actor, path = self.actor, clean_relative(self.query.path, empty_ok=True)

        def look(session: Session) -> list[FileEntry]:
            service.open_run(session, actor, Action.READ, run_id)
            return storage.list_artifacts(session, run_id, path, recursive=True, limit=ZIP_FILES).entries

        entries = await self.db.read(look)
        files = [(entry.path, self.services.blobs.path(entry.sha256)) for entry in entries if entry.sha256 is not None]
        await send_zip(self, files, name=f"{(path.rsplit('/', 1)[-1] or 'artifacts')}-{run_id[:8]}.zip")


async def find(handler: ApiHandler, run_id: str, path: str) -> FileEntry:
    """An artifact that the caller may read."""
    actor, cleaned = handler.actor, clean_relative(path)

    def look(session: Session) -> FileEntry:
        service.open_run(session, actor, Action.READ, run_id)
        return storage.find_artifact(session, run_id, cleaned)

    return await handler.db.read(look)


ROUTES = [
    Route("/runs/{run_id}/artifacts", ArtifactsHandler),
    Route("/runs/{run_id}/artifacts/content", ContentHandler),
    Route("/runs/{run_id}/artifacts/preview", PreviewHandler),
    Route("/runs/{run_id}/artifacts/zip", ZipHandler),
]
