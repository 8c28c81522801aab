"""Is a backup whole: the copy of the database as it was written, and the files that it lists."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from jupyter_mlws.domain.storage.blobs import SHA256, BlobStore
from jupyter_mlws.domain.storage.disk import hash_of
from jupyter_mlws.domain.storage.errors import BlobMissing
from jupyter_mlws.server.admin.manifest import FILES
from jupyter_mlws.server.admin.reports import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jupyter_mlws.server.admin.place import Place
    from jupyter_mlws.server.admin.progress import Progress

AGAIN = "Make the backup anew, into the same or another folder: `mlws db backup <folder>`."


def faults_of(place: Place, *, full: bool, progress: Progress, checked: dict[str, int]) -> list[Fault]:
    """What is wrong with a backup as such. The files of a dump are told by its list; those of an SQLite copy by its rows."""
    manifest = place.manifest
    assert manifest is not None  # noqa: S101 - the caller looked
    progress("Reading the copy of the database", 0, None)
    path = place.folders.root / manifest.database.file
    found = _database_faults(path, manifest.database.sha256)
    if manifest.database.kind == "sqlite":
        return found
    checked["database_bytes"] = manifest.database.bytes
    if not found:
        found += _dump_faults(path)
    if manifest.files is not None:
        found += _file_faults(place.folders.root, BlobStore(place.folders.objects), full=full, progress=progress, checked=checked)
    return found


def _database_faults(path: Path, sha256: str) -> list[Fault]:
    try:
        with path.open("rb") as file:
            same = hash_of(file)[0] == sha256
    except OSError as error:
        message = f"The copy of the database {path} cannot be read: {error.strerror}."
        return [Fault(what="damaged_backup", where=str(path), message=message, advice=AGAIN)]
    if same:
        return []
    message = f"The copy of the database {path} is not what was written: it was changed or damaged since."
    return [Fault(what="damaged_backup", where=str(path), message=message, advice=AGAIN)]


def _dump_faults(path: Path) -> list[Fault]:
    program = shutil.which("pg_restore")
    if program is None:
        return []
    done = subprocess.run([program, "--list", str(path)], capture_output=True, text=True, check=False)
    if done.returncode == 0 and " TABLE DATA " in done.stdout:
        return []
    said = " ".join(done.stderr.split())[:300] or "it lists no tables"
    return [Fault(what="damaged_backup", where=str(path), message=f"pg_restore cannot read {path}: {said}.", advice=AGAIN)]


def _file_faults(root: Path, blobs: BlobStore, *, full: bool, progress: Progress, checked: dict[str, int]) -> list[Fault]:
    found = []
    number = total = 0
    for sha256, size in listed(root):
        state = _state(blobs, sha256, size, full=full)
        if state:
            message = f"The stored file {sha256[:12]}… of the backup is {state}."
            kind = "missing_file" if state == "missing" else "damaged_file"
            found.append(Fault(what=kind, where=str(blobs.path(sha256)), message=message, advice=AGAIN))
        number, total = number + 1, total + size
        if number % 100 == 0:
            progress("Looking for files", number, None)
    checked["files"], checked["file_bytes"] = number, total
    return found


def _state(blobs: BlobStore, sha256: str, size: int, *, full: bool) -> str:
    try:
        if blobs.size(sha256) != size or (full and not blobs.verify(sha256)):
            return "damaged"
    except BlobMissing:
        return "missing"
    except OSError:
        return "damaged"
    return ""


def listed(root: Path) -> Iterator[tuple[str, int]]:
    """(hash, size) of the files that a backup lists."""
    with (root / FILES).open(encoding="ascii") as lines:
        for line in lines:
            words = line.split()
            if len(words) == 2 and SHA256.fullmatch(words[0]) and words[1].isdigit():
                yield words[0], int(words[1])
