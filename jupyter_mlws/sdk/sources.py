"""Where a job's sources lie: on the server's own disk (only their path is sent), or on another machine (their bytes are)."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlws.domain.jobs.schemas import BlobQuery, MissingBlobs, SourceManifest
from jupyter_mlws.domain.storage.schemas import ManifestFile
from jupyter_mlws.kit.ignores import files_below
from jupyter_mlws.sdk.discovery import from_owner_file
from jupyter_mlws.sdk.errors import ApiError, BadInput, ConnectionFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_mlws.sdk.workspace import Workspace

CHUNK = 1 << 20
ASK_AT_ONCE = 10_000


class Source:
    """The sources of one job. `manifest` is filled when files had to be sent."""

    def __init__(self, workspace: Workspace, *, in_place: bool) -> None:
        self._workspace = workspace
        self._in_place = in_place
        self.manifest: SourceManifest | None = None

    def notebook(self, path: str) -> str:
        """What to call a notebook towards the server."""
        here = _here(path)
        if here is None or self.same_disk():
            return path if here is None else str(here)
        if not here.is_file():
            raise BadInput(f"{path} is a folder, not a notebook.", status=400, code="not_a_notebook", field="spec.notebook")
        self._send(here.parent, keep=here.name)
        return here.name

    def folder(self, path: str) -> str:
        """What to call the code folder of a command towards the server."""
        here = _here(path)
        if here is None or self.same_disk():
            return path if here is None else str(here)
        if not here.is_dir():
            raise BadInput(
                f"{path} is a file; `code` is the folder to take along.", status=400, code="bad_input", field="spec.code"
            )
        self._send(here, keep=None)
        return "."

    def same_disk(self) -> bool:
        """Whether the server reads the files that we do.

        So it is if the address came from `owner.json`; or if the server that was named takes the token that stands there: then it
        owns the folder in which we could read it.
        """
        transport = self._workspace.transport
        if transport.server.local:
            return True
        owner = from_owner_file()
        if owner is None or not transport.server.is_loopback:
            return False
        headers = {"Authorization": f"Bearer {owner.token}"}
        try:
            answer: dict[str, Any] = transport.ask("GET", "/info", dict, headers=headers)
        except (ApiError, ConnectionFailed):
            return False
        return bool(answer.get("actor", {}).get("kind") == "local")

    def _send(self, folder: Path, *, keep: str | None) -> None:
        """Send what the server lacks of a folder."""
        if self._in_place:
            raise BadInput(
                "A job can run in place only where the server reads the same folder.",
                status=400,
                code="bad_input",
                field="in_place",
            )
        files = {file: _hash(folder / file) for file in files_below(folder, keep=[keep] if keep else [])}
        by_hash = {sha256: folder / file for file, (sha256, _) in files.items()}
        hashes = sorted(by_hash)
        transport, base = self._workspace.transport, f"{self._workspace.path}/blobs"
        for first in range(0, len(hashes), ASK_AT_ONCE):
            asked = BlobQuery(sha256=hashes[first : first + ASK_AT_ONCE])
            for sha256 in transport.ask("POST", f"{base}/missing", MissingBlobs, body=asked).missing:
                path = by_hash[sha256]
                transport.upload(f"{base}/{sha256}", _pieces(path), path.stat().st_size)
        self.manifest = SourceManifest(
            files=[
                ManifestFile(path=file, sha256=sha256, size=size, executable=os.access(folder / file, os.X_OK))
                for file, (sha256, size) in sorted(files.items())
            ]
        )


def _here(path: str) -> Path | None:
    """The path on this machine, links kept, if something is there."""
    try:
        found = Path(path).expanduser().absolute()
        return found if found.exists() else None
    except (OSError, ValueError, RuntimeError):
        return None


def _hash(path: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    for piece in _pieces(path):
        digest.update(piece)
        size += len(piece)
    return digest.hexdigest(), size


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            yield piece
