"""Files of MLflow's proxied store that come in parts: an address for each part, and one call that puts them together."""

from __future__ import annotations

import asyncio
import posixpath
from typing import ClassVar, NamedTuple

from jupyter_mlws.domain.storage import service as storage
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.http import endpoint
from jupyter_mlws.kit.ids import new_id
from jupyter_mlws.kit.streams import StoredBlob, UploadHandler
from jupyter_mlws.mlflow_api.errors import DoesNotExist, InvalidParameter, NotImplementedHere, missing
from jupyter_mlws.mlflow_api.http import MlflowHandler
from jupyter_mlws.mlflow_api.parsing import Request, parse_body
from jupyter_mlws.mlflow_api.places import STORE, Place, add_file, place_of
from jupyter_mlws.mlflow_api.requests import Int64  # noqa: TC001 - msgspec reads it

MAX_PARTS = 10_000
MAX_UPLOADS = 1000


class CreateUpload(Request):
    """A file that will come in parts. `path` is the client's own; its last name is the file's."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("path",)
    path: str | None = None
    num_parts: Int64 | None = None


class Part(Request):
    """A part that has come, by the hash that was answered for it."""

    part_number: Int64 | None = None
    etag: str | None = None
    url: str | None = None


class EndUpload(Request):
    """The end of an upload, or its abandonment."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("path",)
    path: str | None = None
    upload_id: str | None = None
    parts: list[Part] | None = None


class Upload(NamedTuple):
    """An upload in parts, which only its own caller may add to. Parts are blobs that no file names yet."""

    place: Place
    token: str | None
    parts: dict[int, StoredBlob]


UPLOADS: dict[str, Upload] = {}
"""By id. A server that starts anew has forgotten them, and `gc` removes their parts; clients then begin again."""


class CreateUploadHandler(MlflowHandler):
    """Begins an upload in parts."""

    @endpoint(Action.LOG, summary="Begin an upload in parts")
    async def post(self, path: str, **_names: str) -> None:
        """An address for each part, with the headers to send it with."""
        if self.passed_on:
            # The addresses would be those of another server, and the credentials that came along are that server's own.
            raise NotImplementedHere("Multipart upload is not supported for the current artifact repository")
        request = parse_body(self.request.body, CreateUpload)
        place, actor = _file_in(path, request.path or ""), self.actor
        number = request.num_parts if request.num_parts is not None else 1
        if not 1 <= number <= MAX_PARTS:
            raise InvalidParameter(f"num_parts must be between 1 and {MAX_PARTS} (got {number}).", field="num_parts")
        await self.db.read(lambda session: place.check(session, actor, Action.LOG))
        while len(UPLOADS) >= MAX_UPLOADS:
            UPLOADS.pop(next(iter(UPLOADS)))
        upload_id = new_id()
        UPLOADS[upload_id] = Upload(place, self.bearer, {})
        root = self.request.full_url().partition(f"/{STORE}/")[0]
        headers = {"Authorization": self.request.headers["Authorization"]} if "Authorization" in self.request.headers else {}
        credentials = [
            {"url": f"{root}/{STORE}/mpu/parts/{upload_id}/{n}", "part_number": n, "headers": headers}
            for n in range(1, number + 1)
        ]
        self.send_json({"upload_id": upload_id, "credentials": credentials})


class PartHandler(MlflowHandler, UploadHandler):
    """One part."""

    async def admit(self) -> None:
        """Only to an upload that was begun by the same caller."""
        _upload(self, self.path_kwargs["upload_id"])

    @endpoint(Action.LOG, summary="Send a part of a file", raw_body=True)
    async def put(self, **_names: str) -> None:
        """The body is the part's content; its hash is answered as ETag."""
        await self.receive()

    async def stored(self, blob: StoredBlob) -> None:
        """Keep the part until the upload ends."""
        await self.db.write(lambda session: storage.add_blobs(session, [blob]))
        number = self.path_kwargs["number"]
        _upload(self, self.path_kwargs["upload_id"]).parts[int(number)] = blob
        self.set_header("ETag", blob.sha256)
        self.send_json({})

    def compute_etag(self) -> None:
        """The ETag is the part's, not the answer's."""
        return


class CompleteUploadHandler(MlflowHandler):
    """Ends an upload in parts."""

    @endpoint(Action.LOG, summary="Put the parts of a file together")
    async def post(self, path: str, **_names: str) -> None:
        """The file is there once this is answered; until then nothing of it is."""
        request = parse_body(self.request.body, EndUpload)
        place, upload_id = _file_in(path, request.path or ""), request.upload_id or ""
        upload = _upload(self, upload_id)
        if place != upload.place:
            raise InvalidParameter("This upload was begun for another path.", field="path")
        numbers = [part.part_number or 0 for part in request.parts or ()]
        if not numbers or sorted(numbers) != list(range(1, len(numbers) + 1)) or any(n not in upload.parts for n in numbers):
            raise InvalidParameter("The parts of this upload are not all there; send each, numbered from 1.", field="parts")
        parts = [upload.parts[number] for number in sorted(numbers)]
        blob = await asyncio.to_thread(_joined, self.services.blobs, parts)
        actor = self.actor
        await self.db.write(lambda session: add_file(session, actor, upload.place, blob))
        UPLOADS.pop(upload_id, None)
        self.send_json({})


class AbortUploadHandler(MlflowHandler):
    """Gives up an upload in parts."""

    @endpoint(Action.LOG, summary="Give up an upload in parts")
    async def post(self, path: str, **_names: str) -> None:
        """Its parts are forgotten; harmless for one that is not known."""
        request = parse_body(self.request.body, EndUpload)
        _file_in(path, request.path or "")
        if request.upload_id in UPLOADS:
            _upload(self, request.upload_id or "")
            del UPLOADS[request.upload_id or ""]
        self.send_json({})


def _upload(handler: MlflowHandler, upload_id: str) -> Upload:
    upload = UPLOADS.get(upload_id)
    if upload is None or upload.token != handler.bearer:
        raise DoesNotExist(
            "There is no such upload; it was ended, given up, or begun before this server started.", field="upload_id"
        )
    return upload


def _file_in(path: str, local: str) -> Place:
    name = posixpath.basename(local.replace("\\", "/"))
    if not name:
        raise missing("path")
    place = place_of(f"{path.strip('/')}/{name}")
    storage.check_path(place.path)
    return place


def _joined(blobs: storage.BlobStore, parts: list[StoredBlob]) -> StoredBlob:
    with blobs.writer() as sink:
        for part in parts:
            with blobs.open(part.sha256) as file:
                while piece := file.read(1024 * 1024):
                    sink.write(piece)
        return sink.commit()
