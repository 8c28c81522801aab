"""The associated resources of a workspace: where they lie, how large they are, whether they work."""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING, Any, Literal

from jupyter_mlws.domain.workspaces.schemas import Resource, ResourceList
from jupyter_mlws.domain.workspaces.service import locating

if TYPE_CHECKING:
    from pathlib import Path

    from jupyter_mlws.db.database import Database
    from jupyter_mlws.domain.workspaces.service import WorkspaceRef
    from jupyter_mlws.kit.paths import Folders


async def resources_of(db: Database, services: Any, workspace: WorkspaceRef) -> ResourceList:
    """All resources, checked now, off the event loop."""
    return await asyncio.get_running_loop().run_in_executor(None, _look, db, services, workspace)


def _look(db: Database, services: Any, workspace: WorkspaceRef) -> ResourceList:
    folders: Folders = services.folders
    trouble = db.health()
    url = db.writer_engine.url
    sqlite = url.get_backend_name() == "sqlite"
    database = Resource(
        kind="database",
        location=str(url.database) if sqlite else url.render_as_string(hide_password=True),
        bytes=_file_bytes(folders.database) if sqlite else None,
        health="ok" if trouble is None else "degraded",
        detail=trouble or ("SQLite, write-ahead log" if sqlite else url.get_backend_name()),
    )
    found = [database, _folder("artifact_store", folders.objects), _folder("jobs_folder", folders.jobs)]
    locating(db, services, workspace, found)
    return ResourceList(resources=found)


def _file_bytes(database: Path) -> int:
    total = 0
    for path in database.parent.glob(database.name + "*"):
        with contextlib.suppress(FileNotFoundError):  # SQLite removes its `-wal` whenever the last connection closes
            total += path.stat().st_size if path.is_file() else 0
    return total


def _folder(kind: Literal["artifact_store", "jobs_folder"], path: Path) -> Resource:
    try:
        os.scandir(path).close()
        free = os.statvfs(path)
    except OSError as error:
        missing = isinstance(error, (FileNotFoundError, NotADirectoryError))
        words = "The folder is missing." if missing else f"The folder cannot be read: {error.strerror}."
        return Resource(kind=kind, location=str(path), bytes=None, health="degraded", detail=words)
    writable = os.access(path, os.W_OK)
    return Resource(
        kind=kind,
        location=str(path),
        bytes=tree_bytes(path),
        health="ok" if writable else "degraded",
        detail=f"{free.f_bavail * free.f_frsize / 1e9:.1f} GB free" if writable else "The folder cannot be written to.",
    )


def tree_bytes(root: Path) -> int:
    """Bytes of all regular files below `root`, links not followed; what vanishes meanwhile is not counted."""
    total = 0
    stack = [str(root)]
    while stack:
        try:
            with os.scandir(stack.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        stack.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        total += entry.stat(follow_symlinks=False).st_size
        except OSError:
            continue
    return total
