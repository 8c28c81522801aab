"""Routes of a run's snapshot: the code exactly as it was."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from jupyter_mlws.domain.runs import service
from jupyter_mlws.domain.runs.errors import SnapshotFrozen
from jupyter_mlws.domain.runs.routes.artifacts import ZIP_FILES, ContentQuery, FolderQuery, ListQuery, PathQuery
from jupyter_mlws.domain.storage import service as storage
from jupyter_mlws.domain.storage.errors import SnapshotFileNotFound
from jupyter_mlws.domain.storage.schemas import FileDiff, FileList, Preview, StoredFile
from jupyter_mlws.domain.storage.service import make_preview, media_type_of
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.http import ApiHandler, Route, endpoint
from jupyter_mlws.kit.paths import clean_relative
from jupyter_mlws.kit.streams import StoredBlob, UploadHandler, send_file, send_zip

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.storage.schemas import FileEntry


class SnapshotHandler(ApiHandler):
    """The files of a snapshot."""

    @endpoint(Action.READ, summary="Snapshot of a run", query=ListQuery, reply=FileList)
    async def get(self, run_id: str) -> None:
        """What lies directly under `path`, folders first; all below it with `recursive=true`. Links stand for what was not captured."""
        actor, q = self.actor, self.query
        path = clean_relative(q.path, empty_ok=True)

        def look(session: Session) -> FileList:
            ref = service.open_run(session, actor, Action.READ, run_id)
            if ref.snapshot_id is None:
                return FileList(path=path, entries=[], truncated=False)
            return storage.snapshot_list(session, ref.snapshot_id, path, recursive=q.recursive)

        self.reply(await self.db.read(look))


class ContentHandler(UploadHandler):
    """A file of a snapshot."""

    @endpoint(
        Action.READ,
        summary="A file of a snapshot",
        query=ContentQuery,
        media_type="application/octet-stream",
        errors=[SnapshotFileNotFound],
    )
    async def get(self, run_id: str) -> None:
        """The file as it was captured."""
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
        summary="Add a file to the snapshot of an interactive run",
        query=PathQuery,
        raw_body=True,
        reply=StoredFile,
        status=201,
        errors=[SnapshotFrozen],
    )
    async def put(self, run_id: str) -> None:
        """Its notebook as on disk, or the source that was executed. The snapshot of a job is frozen."""
        del run_id  # `stored` asks for it once the body is there
        await self.receive()

    async def admit(self) -> None:
        """Before the body is read: the path must be good, and the run be one that the caller may write to."""
        actor, run_id = self.actor, self.path_kwargs["run_id"]
        clean_relative(self.query.path)
        await self.db.read(lambda s: service.open_to_log(s, actor, run_id))

    async def stored(self, blob: StoredBlob) -> None:
        """The body is on disk: the snapshot becomes one that has it."""
        actor, run_id, path = self.actor, self.path_kwargs["run_id"], clean_relative(self.query.path)
        await self.db.write(lambda s: service.add_file(s, actor, run_id, path, blob.sha256, blob.size))
        self.reply(StoredFile(path=path, size=blob.size, sha256=blob.sha256))


class PreviewHandler(ApiHandler):
    """A safe look at a file."""

    @endpoint(
        Action.READ, summary="Preview of a file of a snapshot", query=PathQuery, reply=Preview, errors=[SnapshotFileNotFound]
    )
    async def get(self, run_id: str) -> None:
        """As for artifacts."""
        entry = await find(self, run_id, self.query.path)
        self.reply(await asyncio.to_thread(make_preview, self.services.blobs.path(entry.sha256), entry.path, entry.size))


class DiffHandler(ApiHandler):
    """What changed since."""

    @endpoint(Action.READ, summary="A file of a snapshot against the working copy", query=PathQuery, reply=FileDiff)
    async def get(self, run_id: str) -> None:
        """A unified diff from the snapshot to the file as it is on disk now. Of a notebook the source of its cells is compared."""
        entry = await find(self, run_id, self.query.path)
        actor = self.actor
        working = await self.db.read(
            lambda s: service.working_copy(
                s, actor, run_id, entry.path, actor.root or self.services.settings.root_dir, self.services.folders.root
            )
        )
        self.reply(await asyncio.to_thread(service.snapshot_diff, entry, self.services.blobs.path(entry.sha256), working))


class ZipHandler(ApiHandler):
    """Files together."""

    @endpoint(Action.READ, summary="Snapshot of a run as a zip file", query=FolderQuery, media_type="application/zip")
    async def get(self, run_id: str) -> None:
        """All files below `path`, streamed. Links, which stand for what was not captured, are left out."""
        actor, path = self.actor, clean_relative(self.query.path, empty_ok=True)

        def look(session: Session) -> list[FileEntry]:
            ref = service.open_run(session, actor, Action.READ, run_id)
            if ref.snapshot_id is None:
                raise SnapshotFileNotFound("This run has no snapshot.", field="path")
            return storage.snapshot_list(session, ref.snapshot_id, path, recursive=True, limit=ZIP_FILES).entries

        entries = await self.db.read(look)
        files = [(entry.path, self.services.blobs.path(entry.sha256)) for entry in entries if entry.sha256 is not None]
        await send_zip(self, files, name=f"{(path.rsplit('/', 1)[-1] or 'snapshot')}-{run_id[:8]}.zip")


async def find(handler: ApiHandler, run_id: str, path: str) -> FileEntry:
    """A file of a snapshot that the caller may read."""
    actor, cleaned = handler.actor, clean_relative(path)

    def look(session: Session) -> FileEntry:
        ref = service.open_run(session, actor, Action.READ, run_id)
        if ref.snapshot_id is None:
            raise SnapshotFileNotFound("This run has no snapshot.", field="path")
        return storage.snapshot_find(session, ref.snapshot_id, cleaned)

    return await handler.db.read(look)


ROUTES = [
    Route("/runs/{run_id}/snapshot", SnapshotHandler),
    Route("/runs/{run_id}/snapshot/content", ContentHandler),
    Route("/runs/{run_id}/snapshot/preview", PreviewHandler),
    Route("/runs/{run_id}/snapshot/diff", DiffHandler),
    Route("/runs/{run_id}/snapshot/zip", ZipHandler),
]
