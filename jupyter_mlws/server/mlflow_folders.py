"""Folders where MLflow already keeps runs beside the notebooks: kernels there go on as before until somebody has said otherwise."""

from __future__ import annotations

import asyncio
import os
import threading
from enum import Enum
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.errors import BadInput
from jupyter_mlws.kit.http import ApiHandler, Route, endpoint
from jupyter_mlws.kit.paths import inside
from mlws.jobdir import write_atomic

if TYPE_CHECKING:
    from pathlib import Path

STORES = ("mlruns", "mlflow.db")
"""What a client without a tracking server makes in the folder that it works in: of old, and since 3.7."""
CHOICES = "mlflow-folders.json"
MAX_CHOICES = 10_000
_LOCK = threading.Lock()


class LogsTo(str, Enum):
    """Where MLflow's clients log to, in the kernels of a folder."""

    WORKSPACE = "workspace"
    """To this server."""
    FOLDER = "folder"
    """To the store in the folder; somebody has chosen it."""
    UNDECIDED = "undecided"
    """To the store in the folder, until somebody chooses."""
    UNSET = "unset"
    """To what the user has set, or to nothing: kernels get no variables from this server."""


class MlflowFolder(Struct):
    """A folder with notebooks, as MLflow sees it."""

    folder: str
    """Below the server's root; empty for the root itself."""
    logs_to: LogsTo
    store: str | None
    """Name of MLflow's store in the folder, if there is one."""


class MlflowFolderChoice(Struct, forbid_unknown_fields=True):
    """Where kernels of a folder log to, from their next start on."""

    path: str
    """The notebook, or its folder."""
    logs_to: Literal["workspace", "folder"]


class FolderQuery(Struct):
    """What is asked for."""

    path: str = ""
    """The notebook, or its folder."""


def store_in(folder: Path) -> str | None:
    """The name of MLflow's store in this folder, if there is one that was used."""
    for name in STORES:
        place = folder / name
        try:
            if place.is_dir() and next(place.iterdir(), None) is not None:
                return name
            if place.is_file() and place.stat().st_size:
                return name
        except OSError:
            continue
    return None


def logs_to(data_dir: Path, folder: Path) -> LogsTo:
    """Where kernels of this folder log to."""
    chosen = _choices(data_dir).get(str(folder.resolve()))
    if chosen is not None:
        return LogsTo(chosen)
    return LogsTo.WORKSPACE if store_in(folder) is None else LogsTo.UNDECIDED


def choose(data_dir: Path, folder: Path, choice: Literal["workspace", "folder"]) -> None:
    """Keep a choice."""
    place = str(folder.resolve())
    with _LOCK:
        known = {name: chosen for name, chosen in _choices(data_dir).items() if name != place}
        kept = [*known.items(), (place, choice)][-MAX_CHOICES:]
        write_atomic(str(data_dir / CHOICES), msgspec.json.encode(dict(kept)), durable=True)


def _choices(data_dir: Path) -> dict[str, Literal["workspace", "folder"]]:
    try:
        return msgspec.json.decode((data_dir / CHOICES).read_bytes(), type=dict[str, Literal["workspace", "folder"]])
    except (OSError, msgspec.DecodeError):
        return {}


class MlflowFolderHandler(ApiHandler):
    """The folder of a notebook."""

    @endpoint(Action.SUBMIT, summary="Where MLflow logs to in a folder", query=FolderQuery, reply=MlflowFolder)
    async def get(self) -> None:
        """In the kernels of the folder of a notebook, from their next start on."""
        self.reply(await asyncio.to_thread(self._shown, self._folder(self.query.path)))

    @endpoint(Action.SUBMIT, summary="Choose where MLflow logs to in a folder", body=MlflowFolderChoice, reply=MlflowFolder)
    async def put(self) -> None:
        """To this workspace, or to the store that is in the folder. Kernels that run keep what they have."""
        folder = self._folder(self.body.path)
        await asyncio.to_thread(choose, self.services.folders.root, folder, self.body.logs_to)
        self.reply(await asyncio.to_thread(self._shown, folder))

    def _root(self) -> Path:
        root: Path = self.actor.root if self.actor.root is not None else self.services.settings.root_dir
        return root

    def _folder(self, path: str) -> Path:
        place = inside(self._root(), path)
        folder = place if place.is_dir() else place.parent
        if not folder.is_dir():
            raise BadInput(f"There is no folder {path[:200]!r}.", field="path")
        return folder

    def _shown(self, folder: Path) -> MlflowFolder:
        settings = self.services.settings
        relative = os.path.relpath(folder, self._root().resolve())
        state = logs_to(self.services.folders.root, folder) if settings.mlflow_in_kernels else LogsTo.UNSET
        return MlflowFolder("" if relative == "." else relative, state, store_in(folder))


ROUTES = [Route("/mlflow/folder", MlflowFolderHandler)]
