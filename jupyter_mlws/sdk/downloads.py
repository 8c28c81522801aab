"""Saving artifacts: each file is checked against its hash, and appears under its name only when it is whole."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_mlws.domain.storage.schemas import FileList
from jupyter_mlws.kit.errors import MlwsError
from jupyter_mlws.kit.paths import inside
from jupyter_mlws.sdk.errors import NotFound, ServerAway

if TYPE_CHECKING:
    from jupyter_mlws.domain.storage.schemas import FileEntry
    from jupyter_mlws.sdk.transport import Transport


def save(transport: Transport, base: str, path: str, to: str | Path) -> list[Path]:
    """Save the file or folder `path` of the tree at `base` below `to`, under its own name; the paths written."""
    path, to = path.strip("/"), Path(to)
    try:
        files = _files(transport, base, path)
    except NotFound as error:
        if not path or error.code == "run_not_found":
            raise
        files = []  # no folder: a file, perhaps
    if not files and path:
        above, _, name = path.rpartition("/")
        siblings = transport.ask("GET", base, FileList, query={"path": above}).entries
        files = [entry for entry in siblings if entry.type == "file" and entry.path == path]
        if not files:
            near = ", ".join(entry.path for entry in siblings[:10]) or "nothing"
            raise NotFound(f"There is no file {name!r} there; there is: {near}.", status=404, code="artifact_not_found")
    to.mkdir(parents=True, exist_ok=True)
    return [_save_one(transport, base, entry, to) for entry in files]


def _files(transport: Transport, base: str, path: str) -> list[FileEntry]:
    """All files below a folder; asked folder by folder where the list would be too long."""
    found = transport.ask("GET", base, FileList, query={"path": path, "recursive": True})
    if not found.truncated:
        return [entry for entry in found.entries if entry.type == "file"]
    here = transport.ask("GET", base, FileList, query={"path": path})
    if here.truncated:
        raise NotFound(
            f"The folder {path or '/'!r} has more files than can be listed; name one.", status=404, code="too_many_files"
        )
    files = [entry for entry in here.entries if entry.type == "file"]
    for entry in here.entries:
        if entry.type == "folder":
            files += _files(transport, base, entry.path)
    return files


def _save_one(transport: Transport, base: str, entry: FileEntry, to: Path) -> Path:
    try:
        target = inside(to, entry.path)
    except MlwsError as error:
        raise ServerAway(
            f"The server named a file {entry.path[:200]!r}, which would lie outside {to}: {error.message}"
        ) from error
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    descriptor, name = tempfile.mkstemp(prefix=".mlws-", dir=target.parent)
    temp = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for piece in transport.download(f"{base}/content", {"path": entry.path}):
                digest.update(piece)
                file.write(piece)
        if entry.sha256 is not None and digest.hexdigest() != entry.sha256:
            raise ServerAway(f"{entry.path} came damaged, or was replaced meanwhile; try again.")
        temp.chmod(0o666 & ~umask())
        temp.replace(target)
    finally:
        temp.unlink(missing_ok=True)
    return target


def umask() -> int:
    """What this process keeps from others when it makes files."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
