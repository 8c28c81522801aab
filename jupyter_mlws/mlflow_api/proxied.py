"""MLflow's proxied artifact store: files of runs and logged models by the paths of their artifact URIs.

A path is `<place of the experiment>/<run id>/artifacts/<file>`, or `<place>/models/<model id>/artifacts/<file>`. The place is not looked
at: a run that was moved keeps its files. What names neither a run nor a model is not there.
"""

from __future__ import annotations

import asyncio
import mimetypes
import posixpath
import re
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from jupyter_mlws.domain.models import service as models
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.storage import service as storage
from jupyter_mlws.domain.storage.errors import ArtifactClash, ArtifactNotFound
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.clock import now_ms
from jupyter_mlws.kit.errors import NotFound
from jupyter_mlws.kit.http import endpoint
from jupyter_mlws.kit.ids import new_id
from jupyter_mlws.kit.streams import StoredBlob, UploadHandler, send_file
from jupyter_mlws.mlflow_api.artifacts import check_path, folder, wire
from jupyter_mlws.mlflow_api.convert import filled
from jupyter_mlws.mlflow_api.errors import DoesNotExist, InvalidParameter, NotImplementedHere, missing
from jupyter_mlws.mlflow_api.http import WORKSPACE, MlflowHandler
from jupyter_mlws.mlflow_api.parsing import Request, parse_body
from jupyter_mlws.mlflow_api.requests import Int64  # noqa: TC001 - msgspec reads it

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jupyter_mlws.kit.actors import Actor

STORE = "api/2.0/mlflow-artifacts"
PLACE = re.compile(r"(?:.*?/)?(?P<owner>[0-9a-f]{32}|models/m-[0-9a-f]{32})/artifacts(?:/(?P<path>.*))?")
RESERVED = ".artifact.uploading."
MAX_PARTS = 10_000
TEXT_ENDINGS = frozenset(
    [
        *[
            "txt",
            "log",
            "err",
            "cfg",
            "conf",
            "cnf",
            "cf",
            "ini",
            "properties",
            "prop",
            "hocon",
            "toml",
            "yaml",
            "yml",
            "xml",
            "json",
        ],
        *["js", "py", "py3", "csv", "tsv", "md", "rst", "ipynb"],
    ]
)
TEXT_NAMES = frozenset({"MLmodel", "MLproject"})


class Place(NamedTuple):
    """A file or folder of a run or a logged model."""

    owner: str
    """A run's id, or a logged model's."""
    path: str

    @property
    def is_model(self) -> bool:
        """Whether a logged model owns it."""
        return self.owner.startswith("m-")

    @property
    def key(self) -> str:
        """What storage calls the owner."""
        return self.owner.removeprefix("m-")

    def check(self, session: Session, actor: Actor, action: Action) -> None:
        """Raise unless `actor` may do this to the owner's files."""
        if self.is_model:
            models.open_for_files(session, actor, self.owner, action)
        elif action is Action.READ:
            runs.open_run(session, actor, action, self.owner)
        else:
            runs.open_for_files(session, actor, self.owner)

    def note(self, session: Session, actor: Actor) -> None:
        """Tell listeners that the owner's files changed."""
        if not self.is_model:
            runs.note_artifacts(session, runs.open_run(session, actor, Action.READ, self.owner))


def place_of(path: str) -> Place:
    """The owner and the path that an address of the store means. Raises `DoesNotExist`."""
    found = PLACE.fullmatch(check_path(path))
    if found is None:
        raise DoesNotExist(f"No such artifact: '{path[:200]}'", field="path")
    return Place(found["owner"].removeprefix("models/"), (found["path"] or "").strip("/"))


def media_type_of(name: str) -> str:
    """The type that MLflow tells of a file."""
    if name in TEXT_NAMES or name.rpartition(".")[2].lower() in TEXT_ENDINGS:
        return "text/plain"
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


class FileHandler(MlflowHandler, UploadHandler):
    """A file of the store."""

    _place: Place | None = None

    @endpoint(Action.READ, summary="Download an artifact", media_type="application/octet-stream")
    async def get(self, path: str, **_names: str) -> None:
        """The file as it was stored; ranges are answered."""
        place, actor = place_of(path), self.actor

        def look(session: Session) -> tuple[str | None, bool]:
            place.check(session, actor, Action.READ)
            try:
                return storage.find_artifact(session, place.key, place.path).sha256, False
            except ArtifactNotFound:
                return None, bool(folder(session, place.key, place.path))

        sha256, is_folder = await self._or_missing(look, path)
        if is_folder:
            raise InvalidParameter(f"Artifact path refers to a directory, not a file: '{path}'", field="path")
        if sha256 is None:
            raise DoesNotExist(f"No such artifact: '{path}'", field="path")
        name = posixpath.basename(place.path)
        stored = self.services.blobs.path(sha256)
        await send_file(self, stored, name=name, media_type=media_type_of(name), download=True, etag=sha256)

    async def _or_missing(self, look: Any, path: str) -> Any:
        """What `look` reads; an owner that is not there is a missing file."""
        try:
            return await self.db.read(look)
        except NotFound:
            raise DoesNotExist(f"No such artifact: '{path}'", field="path") from None

    async def admit(self) -> None:
        """Who may not write, and a path that no file can have, is refused before the first byte."""
        path = self.path_kwargs["path"]
        if path.endswith("/"):
            raise InvalidParameter("Artifact path must include a filename (cannot end with '/').", field="path")
        place, actor = place_of(path), self.actor
        name = posixpath.basename(place.path)
        if not name:
            raise InvalidParameter("Artifact path must include a filename (cannot end with '/').", field="path")
        if name.startswith(RESERVED):
            raise InvalidParameter(
                f"Invalid artifact file name: '{name}'. Artifact names starting with '{RESERVED}' are reserved.", field="path"
            )
        storage.check_path(place.path)
        await self.db.read(lambda session: place.check(session, actor, Action.LOG))
        self._place = place

    @endpoint(Action.LOG, summary="Store an artifact", raw_body=True)
    async def put(self, **_names: str) -> None:
        """The body is the file's content. A file that is there already is replaced."""
        await self.receive()

    async def stored(self, blob: StoredBlob) -> None:
        """Note the file."""
        place, actor = self._place, self.actor
        if place is None:
            raise DoesNotExist("No such artifact", field="path")
        await self.db.write(lambda session: add_file(session, actor, place, blob))
        self.send_json({})

    @endpoint(Action.LOG, summary="Delete an artifact")
    async def delete(self, path: str, **_names: str) -> None:
        """A file or a whole folder; harmless where it is not there."""
        place, actor = place_of(path), self.actor

        def remove(session: Session) -> None:
            place.check(session, actor, Action.LOG)
            try:
                storage.remove_artifact(session, place.key, place.path)
            except ArtifactNotFound:
                return
            place.note(session, actor)

        await self.db.write(remove)
        self.send_json({})


def add_file(session: Session, actor: Actor, place: Place, blob: StoredBlob) -> None:
    """Give the owner the file."""
    place.check(session, actor, Action.LOG)
    try:
        storage.add_artifact(session, place.key, place.path, blob.sha256, blob.size, now_ms())
    except ArtifactClash as error:
        raise InvalidParameter(error.message, field="path") from None
    place.note(session, actor)


class FolderHandler(MlflowHandler):
    """A folder of the store."""

    @endpoint(Action.READ, summary="List a folder of artifacts")
    async def get(self, **_names: str) -> None:
        """Names only; clients put the folder's path before them."""
        path = self.get_query_argument("path", "", strip=False)
        check_path(path)
        if path.startswith("/"):
            raise InvalidParameter("Invalid path", field="path")
        found, actor = PLACE.fullmatch(path.strip("/")), self.actor
        if found is None:
            self.send_json({})
            return
        place = place_of(path)

        def look(session: Session) -> list[dict[str, Any]]:
            place.check(session, actor, Action.READ)
            return [wire(entry, posixpath.basename(entry.path)) for entry in folder(session, place.key, place.path)]

        try:
            files = await self.db.read(look)
        except NotFound:
            files = []
        self.send_json(filled(files=files))


# Files in parts


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
MAX_UPLOADS = 1000


class CreateUploadHandler(MlflowHandler):
    """Begins an upload in parts."""

    @endpoint(Action.LOG, summary="Begin an upload in parts")
    async def post(self, path: str, **_names: str) -> None:
        """An address for each part, with the headers to send it with."""
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
        upload_id = request.upload_id or ""
        upload = _upload(self, upload_id)
        if _file_in(path, request.path or "") != upload.place:
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
    async def post(self, **_names: str) -> None:
        """Its parts are forgotten; harmless for one that is not known."""
        request = parse_body(self.request.body, EndUpload)
        if request.upload_id in UPLOADS:
            _upload(self, request.upload_id or "")
            del UPLOADS[request.upload_id or ""]
        self.send_json({})


class PresignedHandler(MlflowHandler):
    """Signed addresses of downloads."""

    @endpoint(Action.READ, summary="A signed address of an artifact")
    async def get(self, **_names: str) -> None:
        """Refused, so that clients fetch the file itself."""
        raise NotImplementedHere("Multipart download is not supported for the current artifact repository")


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


def handlers() -> list[tuple[str, type[MlflowHandler]]]:
    """(regular expression of the path below `/mlws`, handler)."""
    store = f"{WORKSPACE}/{STORE.replace('.', '[.]')}"
    return [
        (f"{store}/artifacts", FolderHandler),
        (f"{store}/artifacts/(?P<path>.*)", FileHandler),
        (f"{store}/mpu/create/(?P<path>.+)", CreateUploadHandler),
        (f"{store}/mpu/parts/(?P<upload_id>[0-9a-f]+)/(?P<number>[0-9]{{1,5}})", PartHandler),
        (f"{store}/mpu/complete/(?P<path>.+)", CompleteUploadHandler),
        (f"{store}/mpu/abort/(?P<path>.+)", AbortUploadHandler),
        (f"{store}/presigned/(?P<path>.+)", PresignedHandler),
    ]
