"""What goes to the host before a job begins: its files by hash, only those that are missing there, and its folder."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from jupyter_mlws.domain.compute.errors import HostUnreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_mlws.domain.compute.ssh.link import Link

STAGED = ("work", "inputs")
PIECE = 4 << 20
TRIES = 3


class StagedFile(NamedTuple):
    """A file of a job's folder."""

    path: str
    sha256: str
    executable: bool
    source: Path


class Staged(NamedTuple):
    """All that a job takes along."""

    folders: list[str]
    files: list[StagedFile]


def collect(job_dir: Path) -> Staged:
    """What lies in the job's folder for it. Inputs that are links to their originals go as copies; other links stay here."""
    found = Staged([], [])
    for top in STAGED:
        for path, relative in _below(job_dir / top, top, 2 if top == "inputs" else 0):
            if path.is_dir():
                found.folders.append(relative)
            else:
                executable = bool(path.stat().st_mode & stat.S_IXUSR)
                found.files.append(StagedFile(relative, digest(path), executable, path))
    return found


def _below(folder: Path, name: str, levels: int) -> Iterator[tuple[Path, str]]:
    """(path, path in the job's folder) of files and folders, a folder before what is in it; links are followed so many levels deep."""
    follow = levels > 0
    if not folder.is_dir():
        return
    yield folder, name
    for entry in sorted(os.scandir(folder), key=lambda one: one.name):
        relative = f"{name}/{entry.name}"
        if entry.is_dir(follow_symlinks=follow):
            yield from _below(Path(entry.path), relative, levels - 1)
        elif entry.is_file(follow_symlinks=follow):
            yield Path(entry.path), relative


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            found.update(block)
    return found.hexdigest()


async def send(link: Link, staged: Staged) -> int:
    """Send the files that the host lacks; how many bytes those were."""
    sources = {file.sha256: file.source for file in staged.files}
    answer, _ = await link.ask("missing", hashes=list(sources))
    sent = 0
    for sha256 in answer["missing"]:
        sent += await _put(link, sha256, sources[sha256])
    return sent


async def _put(link: Link, sha256: str, source: Path) -> int:
    offset, met = 0, link.met
    with source.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        while True:
            data = file.read(PIECE)
            last = offset + len(data) >= size
            await link.ask("put", data, sha256=sha256, offset=offset, last=last)
            if link.met != met:  # the far end of before had the pieces of before
                raise HostUnreachable(f"The connection to {link.place.words} was cut while files were sent.")
            offset += len(data)
            if last or not data:
                return offset


async def lay(link: Link, key: str, owner: str, job_dir: Path, job: dict[str, Any], staged: Staged, python: str | None) -> bool:
    """Have the host make the job's folder. True if the job has begun there already: nothing was changed then."""
    files = [[file.path, file.sha256, file.executable] for file in staged.files]
    for _ in range(TRIES):
        await send(link, staged)
        answer, _ = await link.ask(
            "lay",
            key=key,
            owner=owner,
            folders=staged.folders,
            files=files,
            job=job,
            local=str(job_dir),
            python=python,
            patience=600,
        )
        if not answer.get("missing"):
            return bool(answer.get("begun"))
    raise HostUnreachable(f"Files that were sent to {link.place.words} are gone again: somebody removes them there.")


def forget(job_dir: Path) -> None:
    """The host has the files: those that are fetched back at the end have the place for themselves."""
    for name in STAGED:
        shutil.rmtree(job_dir / name, ignore_errors=True)
    (job_dir / "work").mkdir()
