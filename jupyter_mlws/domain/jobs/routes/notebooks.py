"""Routes of notebooks with outputs: that of a job as it grows, and those among the files of a run."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, Struct

from jupyter_mlws.domain.jobs import service
from jupyter_mlws.domain.jobs.deltas import REPLY_LIMIT, NotebookCache, delta_at, read_deltas
from jupyter_mlws.domain.jobs.errors import NotAJob, NotAnImage, NotANotebook
from jupyter_mlws.domain.jobs.held import image_of
from jupyter_mlws.domain.jobs.schemas import NotebookDeltas
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.states import TERMINAL
from jupyter_mlws.domain.storage import service as storage
from jupyter_mlws.domain.storage.errors import ArtifactNotFound, SnapshotFileNotFound
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.errors import TooLarge
from jupyter_mlws.kit.http import ApiHandler, Route, endpoint
from jupyter_mlws.kit.paths import clean_relative
from mlws import jobdir

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.jobs.deltas import NotebookFile
    from jupyter_mlws.domain.jobs.schemas import CellDelta
    from jupyter_mlws.domain.storage.schemas import FileEntry

Offset = Annotated[int, Meta(ge=0, le=2**53)]
IMAGE_MAX_AGE_S = 300
NOTEBOOK_LIMIT = 256 * 1024 * 1024
opened_notebooks = NotebookCache()


class DeltasQuery(Struct):
    """From which offset on, how many bytes about; outputs over `hold_over` bytes (images over a quarter of it) are held."""

    offset: Offset = 0
    limit: Annotated[int, Meta(ge=1, le=16 * 1024 * 1024)] = REPLY_LIMIT
    hold_over: Annotated[int, Meta(ge=1_000)] | None = None


class PlaceQuery(Struct):
    """Which delta."""

    place: Offset


class FileQuery(DeltasQuery, kw_only=True):
    """Which notebook of the run's files, and what of it."""

    area: Literal["artifacts", "snapshot"]
    path: str


class FilePlaceQuery(Struct):
    """Which notebook of the run's files, and which delta of it."""

    area: Literal["artifacts", "snapshot"]
    path: str
    place: Offset


class JobNotebookHandler(ApiHandler):
    """The growing output notebook of a job."""

    @endpoint(
        Action.READ, summary="Output notebook of a job as it grows", query=DeltasQuery, reply=NotebookDeltas, errors=[NotAJob]
    )
    async def get(self, run_id: str) -> None:
        """Changes from a byte offset on; ask again from `next_offset` while there is `more`, and after hints until `done`."""
        actor, q = self.actor, self.query
        ended = await self.db.read(lambda s: runs.open_run(s, actor, Action.READ, run_id).status in TERMINAL)
        stream, kept = await output_of(self, run_id)

        def read() -> NotebookDeltas:
            if kept is not None:
                return kept.read(q.offset, hold_over=q.hold_over, limit=q.limit)
            return read_deltas(stream, q.offset, ended=ended, hold_over=q.hold_over, limit=q.limit)

        self.reply(await asyncio.to_thread(read))


class JobImageHandler(ApiHandler):
    """An image of that notebook."""

    @endpoint(
        Action.READ,
        summary="Image in the output notebook of a job",
        query=PlaceQuery,
        media_type="application/octet-stream",
        errors=[NotAJob, NotAnImage],
    )
    async def get(self, run_id: str) -> None:
        """PNG, JPEG, GIF or WebP of the output at `place`, as bytes."""
        actor, place = self.actor, self.query.place
        await self.db.read(lambda s: runs.open_run(s, actor, Action.READ, run_id))
        stream, kept = await output_of(self, run_id)
        send_image(self, await asyncio.to_thread(lambda: _image(kept.at(place) if kept else delta_at(stream, place))))


class FileNotebookHandler(ApiHandler):
    """A notebook among the files of a run."""

    @endpoint(
        Action.READ,
        summary="A notebook among the files of a run",
        query=FileQuery,
        reply=NotebookDeltas,
        errors=[ArtifactNotFound, SnapshotFileNotFound, NotANotebook, TooLarge],
    )
    async def get(self, run_id: str) -> None:
        """In the form that growing notebooks have; offsets count outputs."""
        q = self.query
        file = await notebook_of(self, run_id, q.area, q.path)
        self.reply(await asyncio.to_thread(file.read, q.offset, hold_over=q.hold_over, limit=q.limit))


class FileImageHandler(ApiHandler):
    """An image of such a notebook."""

    @endpoint(
        Action.READ,
        summary="Image in a notebook among the files of a run",
        query=FilePlaceQuery,
        media_type="application/octet-stream",
        errors=[ArtifactNotFound, SnapshotFileNotFound, NotANotebook, NotAnImage, TooLarge],
    )
    async def get(self, run_id: str) -> None:
        """As for jobs."""
        q = self.query
        file = await notebook_of(self, run_id, q.area, q.path)
        send_image(self, await asyncio.to_thread(lambda: _image(file.at(q.place))))


async def output_of(handler: ApiHandler, run_id: str) -> tuple[Path, NotebookFile | None]:
    """Where a job's changes of its notebook stand; once they are gone, as from a copy without `jobs/`, the notebook they made."""
    row = await handler.db.read(lambda session: service.job_row(session, run_id))
    stream: Path = handler.services.folders.job(run_id, row.attempt) / jobdir.NOTEBOOK
    name = row.notebook_artifact
    if name is None or await asyncio.to_thread(stream.exists):
        return stream, None
    try:
        return stream, await notebook_of(handler, run_id, "artifacts", name)
    except ArtifactNotFound:  # somebody deleted it
        return stream, None


async def notebook_of(handler: ApiHandler, run_id: str, area: str, path: str) -> NotebookFile:
    """A stored notebook that the caller may read. Raises `NotANotebook`, and `TooLarge` for one that no page could show."""
    entry = await file_of(handler, run_id, area, path)
    if not entry.path.endswith(".ipynb"):
        raise NotANotebook(f"{path} is no notebook: its name does not end in .ipynb.", field="path")
    if entry.size > NOTEBOOK_LIMIT:
        raise TooLarge(
            f"This notebook has {entry.size:,} bytes; up to {NOTEBOOK_LIMIT:,} are shown. Download it instead.", field="path"
        )
    stored: Path = handler.services.blobs.path(entry.sha256)
    return await asyncio.to_thread(opened_notebooks.get, entry.sha256 or "", stored, shown=path)


async def file_of(handler: ApiHandler, run_id: str, area: str, path: str) -> FileEntry:
    """A file that the caller may read."""
    actor, cleaned = handler.actor, clean_relative(path)

    def look(session: Session) -> FileEntry:
        ref = runs.open_run(session, actor, Action.READ, run_id)
        if area == "artifacts":
            return storage.find_artifact(session, run_id, cleaned)
        if ref.snapshot_id is None:
            raise SnapshotFileNotFound("This run has no snapshot.", field="path")
        return storage.snapshot_find(session, ref.snapshot_id, cleaned)

    return await handler.db.read(look)


def _image(delta: CellDelta | None) -> tuple[str, bytes]:
    image = image_of(delta.output) if delta is not None else None
    if image is None:
        raise NotAnImage("There is no image at this place of the notebook.", field="place")
    return image


def send_image(handler: ApiHandler, image: tuple[str, bytes]) -> None:
    """Answer with an image; nothing in it can run."""
    kind, data = image
    handler.set_header("Content-Type", kind)
    handler.set_header("Content-Security-Policy", "sandbox")
    handler.set_header("X-Content-Type-Options", "nosniff")
    handler.set_header("Cross-Origin-Resource-Policy", "same-origin")
    handler.set_header("Cache-Control", f"private, max-age={IMAGE_MAX_AGE_S}")
    handler.finish(data)


ROUTES = [
    Route("/jobs/{run_id}/notebook", JobNotebookHandler),
    Route("/jobs/{run_id}/notebook/image", JobImageHandler),
    Route("/runs/{run_id}/notebook", FileNotebookHandler),
    Route("/runs/{run_id}/notebook/image", FileImageHandler),
]
