"""MLflow's proxied artifact store: files and folders of runs and logged models (`places` says which)."""

from __future__ import annotations

import contextlib
import mimetypes
import posixpath
from typing import TYPE_CHECKING, Any

from jupyter_mlws.domain.storage import service as storage
from jupyter_mlws.domain.storage.errors import ArtifactNotFound
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.errors import NotFound
from jupyter_mlws.kit.http import endpoint
from jupyter_mlws.kit.streams import StoredBlob, UploadHandler, send_file
from jupyter_mlws.mlflow_api.artifacts import check_path, folder, wire
from jupyter_mlws.mlflow_api.convert import filled
from jupyter_mlws.mlflow_api.errors import DoesNotExist, InvalidParameter, NotImplementedHere
from jupyter_mlws.mlflow_api.http import WORKSPACE, MlflowHandler
from jupyter_mlws.mlflow_api.parsing import Request, parse_query
from jupyter_mlws.mlflow_api.places import PLACE, STORE, Place, add_file, note, place_of
from jupyter_mlws.mlflow_api.uploads import AbortUploadHandler, CompleteUploadHandler, CreateUploadHandler, PartHandler

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


RESERVED = ".artifact.uploading."
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


def media_type_of(name: str) -> str:
    """The type that MLflow tells of a file."""
    if name in TEXT_NAMES or name.rpartition(".")[2].lower() in TEXT_ENDINGS:
        return "text/plain"
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


class Folder(Request):
    """A folder of the store."""

    path: str | None = None


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
            run = place.check(session, actor, Action.LOG)
            try:
                storage.remove_artifact(session, place.key, place.path)
            except ArtifactNotFound:
                return
            note(session, run)

        await self.db.write(remove)
        self.send_json({})


class FolderHandler(MlflowHandler):
    """A folder of the store."""

    @endpoint(Action.READ, summary="List a folder of artifacts")
    async def get(self, **_names: str) -> None:
        """Names only; clients put the folder's path before them."""
        path = parse_query(self.request.query_arguments, Folder).path or ""
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


class PresignedHandler(MlflowHandler):
    """Signed addresses of downloads."""

    @endpoint(Action.READ, summary="A signed address of an artifact")
    async def get(self, path: str, **_names: str) -> None:
        """Refused, so that clients fetch the file itself."""
        with contextlib.suppress(DoesNotExist):
            place_of(path)
        raise NotImplementedHere("Multipart download is not supported for the current artifact repository")


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
