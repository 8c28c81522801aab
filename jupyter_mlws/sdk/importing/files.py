"""Sending files: those of a run's own folder, one by one, never what a link leads to."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from jupyter_mlws.domain.storage.schemas import FileList
from jupyter_mlws.sdk.errors import NotFound
from jupyter_mlws.sdk.importing.session import REFUSALS
from jupyter_mlws.sdk.mlflow_stores import folders
from jupyter_mlws.sdk.mlflow_stores.records import Skip

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from jupyter_mlws.sdk.importing.session import Session
    from jupyter_mlws.sdk.mlflow_stores.places import Place
    from jupyter_mlws.sdk.transport import Transport

PIECE = 1 << 20


def place_of(session: Session, uri: str, owner: str, experiment_id: str) -> Place:
    """Where the files of an owner lie; it is told where that is out of reach."""
    found = session.source.places.find(uri, owner, experiment_id)
    if found.remote:
        reason = "its files lie in another store and are not copied; a tag keeps their address"
        session.report.skip(Skip("artifact folder", f"{owner} at {uri[:500]}", reason))
    elif found.reason:
        session.report.skip(Skip("artifact folder", f"{owner} at {uri[:500]}", found.reason))
    return found


def send_run_files(session: Session, folder: Path, run_id: str, *, begun: bool) -> None:
    """Send what a run stored; of what is here already only what differs."""
    here = _hashes(session.workspace.transport, run_id) if begun else {}

    def is_here(file: folders.Found) -> bool:
        return file.relative in here and here[file.relative] == _digest(file.path)

    def address(path: str) -> str:
        return f"/runs/{run_id}/artifacts/content?{urlencode({'path': path})}"

    _send(session, folder, run_id, session.workspace.transport, address, is_here)


def send_model_files(session: Session, folder: Path, place: str, model_id: str, *, begun: bool) -> None:
    """Send the files of a logged model. `place`: where they belong in the store of artifacts."""
    here = dict(session.wire.files(place)) if begun else {}

    def is_here(file: folders.Found) -> bool:
        return here.get(file.relative) == file.size

    _send(session, folder, model_id, session.wire, lambda path: session.wire.file_address(f"{place}/{path}"), is_here)


def _send(
    session: Session,
    folder: Path,
    owner: str,
    transport: Transport,
    address: Callable[[str], str],
    is_here: Callable[[folders.Found], bool],
) -> None:
    report = session.report
    for file in folders.tree(folder):
        name = f"{file.relative} of {owner}"
        try:
            if file.problem or not is_here(file):
                _send_one(transport, address(file.relative), file)
                report["files"].imported += 1
                report.bytes += file.size
            else:
                report["files"].present += 1
        except folders.Unreadable as error:
            report.skip(Skip("file", name, str(error)))
        except REFUSALS as error:
            report.skip(Skip("file", name, error.message))
        session.tell(file.relative)


def _send_one(transport: Transport, address: str, file: folders.Found) -> None:
    with folders.opened(file.checked()) as content:
        transport.upload(address, iter(lambda: content.read(PIECE), b""), file.size)


def count_files(session: Session, folder: Path, owner: str) -> None:
    """What would be sent."""
    for file in folders.tree(folder):
        if file.problem:
            session.report.skip(Skip("file", f"{file.relative} of {owner}", file.problem))
        else:
            session.report["files"].imported += 1
            session.report.bytes += file.size


def _hashes(transport: Transport, run_id: str) -> dict[str, str]:
    """The hashes of a run's files by path; of more than can be listed at once those that are listed."""
    try:
        found = transport.ask("GET", f"/runs/{run_id}/artifacts", FileList, query={"path": "", "recursive": True})
    except NotFound:
        return {}
    return {entry.path: entry.sha256 for entry in found.entries if entry.type == "file" and entry.sha256 is not None}


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with folders.opened(path) as content:
        while piece := content.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()
