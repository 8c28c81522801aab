"""Snapshots of runs: adding to that of an interactive run, and comparing one with the working copy."""

from __future__ import annotations

import difflib
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlws.domain.runs.errors import SnapshotFrozen
from jupyter_mlws.domain.runs.schemas import RunKind
from jupyter_mlws.domain.runs.service.reading import get_run
from jupyter_mlws.domain.runs.service.rows import check_alive, note_change, open_row, open_to_log
from jupyter_mlws.domain.storage import service as storage
from jupyter_mlws.domain.storage.schemas import FileDiff
from jupyter_mlws.domain.storage.service import SnapshotFile, StoredBlob
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.events import Hook
from jupyter_mlws.kit.paths import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.storage.schemas import FileEntry
    from jupyter_mlws.kit.actors import Actor

DIFF_INPUT = 4 * 1024 * 1024
DIFF_OUTPUT = 512 * 1024
PIECE = 1024 * 1024
DIFF_WORK = 25_000_000
"""Pairs of lines that are compared at most: about a second."""


class Origin:
    """Where the files of a snapshot came from; filled by upper slices."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.folder: Path | None = None


finding_origin: Hook[[Session, Origin]] = Hook()


def add_file(session: Session, actor: Actor, run_id: str, path: str, sha256: str, size: int) -> None:
    """Give an interactive run a snapshot that also has this file."""
    ref = open_to_log(session, actor, run_id)
    known = [] if ref.snapshot_id is None else storage.snapshot_files(session, ref.snapshot_id)
    files = [file for file in known if file.path != path]
    files.append(SnapshotFile(path, sha256, size))
    fresh = [StoredBlob(sha256, size)]
    set_snapshot(session, actor, run_id, storage.store_snapshot(session, files, fresh))


def set_snapshot(session: Session, actor: Actor, run_id: str, snapshot_id: str) -> None:
    """Replace the snapshot of an interactive run."""
    row, ref = open_row(session, actor, Action.LOG, run_id)
    check_alive(session, row)
    if row.kind is not RunKind.INTERACTIVE:
        raise SnapshotFrozen("The snapshot of a job was frozen when it was submitted.")
    row.snapshot_id = snapshot_id
    session.flush()
    note_change(session, row, ref.workspace)


def working_copy(session: Session, actor: Actor, run_id: str, path: str, root: Path, closed: Path) -> Path | None:
    """Where the file of a snapshot lies now, if that is known, inside the folder it came from, and not in the `closed` folder."""
    run = get_run(session, actor, run_id)
    origin = Origin(run_id)
    finding_origin(session, origin)
    folder = origin.folder
    if folder is None and run.source:
        source = Path(run.source) if Path(run.source).is_absolute() else root / run.source
        folder = source.parent
    if folder is None:
        return None
    try:
        resolved = (folder / path).resolve()
        inside = resolved.is_relative_to(folder.resolve()) and (
            resolved.is_relative_to(root.resolve()) or origin.folder is not None
        )
        return resolved if inside and not resolved.is_relative_to(closed.resolve()) else None
    except (OSError, RuntimeError, ValueError):  # links in a circle, names too long
        return None


def snapshot_diff(entry: FileEntry, blob: Path, working: Path | None) -> FileDiff:
    """From the snapshot to the working copy. Raises `BlobMissing`."""
    found = _looked_at(working) if working is not None else None
    if found is None:
        return FileDiff(path=entry.path, state="missing", unified="")
    sha256, new = found
    if sha256 == entry.sha256:
        return FileDiff(path=entry.path, state="same", unified="")
    if max(entry.size, len(new)) > DIFF_INPUT:
        return FileDiff(path=entry.path, state="binary", unified="")
    old = storage.content_of(blob)
    if b"\0" in old[:8192] or b"\0" in new[:8192]:
        return FileDiff(path=entry.path, state="binary", unified="")
    before, after = _lines(entry.path, old), _lines(entry.path, new)
    if before == after:
        return FileDiff(path=entry.path, state="same", unified="")
    return FileDiff(path=entry.path, state="changed", unified="\n".join(_unified(before, after))[:DIFF_OUTPUT])


def _looked_at(path: Path) -> tuple[str, bytes] | None:
    """Hash and beginning of a regular file; None for anything else, and for what cannot be read."""
    try:
        with open_regular(path) as file:
            head = file.read(DIFF_INPUT + 1)
            digest = hashlib.sha256(head)
            while piece := file.read(PIECE):
                digest.update(piece)
    except OSError:
        return None
    return digest.hexdigest(), head


def _shared(one: list[str], other: list[str]) -> int:
    """How many lines are the same at the beginning."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _unified(before: list[str], after: list[str]) -> Iterator[str]:
    """A unified diff. Where it would take minutes to find the shortest one, all that differs is one change."""
    head = _shared(before, after)
    tail = _shared(before[head:][::-1], after[head:][::-1])
    if (len(before) - head - tail) * (len(after) - head - tail) <= DIFF_WORK:
        yield from difflib.unified_diff(before, after, "snapshot", "working copy", lineterm="")
        return
    start = max(0, head - 3)
    old, new = before[start : len(before) - tail + min(tail, 3)], after[start : len(after) - tail + min(tail, 3)]
    yield from ("--- snapshot", "+++ working copy", f"@@ -{start + 1},{len(old)} +{start + 1},{len(new)} @@")
    yield from (f" {line}" for line in before[start:head])
    yield from (f"-{line}" for line in before[head : len(before) - tail])
    yield from (f"+{line}" for line in after[head : len(after) - tail])
    yield from (f" {line}" for line in before[len(before) - tail :][:3])


def _lines(path: str, data: bytes) -> list[str]:
    text = data.decode("utf-8", "replace")
    if path.endswith(".ipynb"):
        try:
            notebook = json.loads(text)
            return _notebook_lines(notebook) if isinstance(notebook, dict) else text.splitlines()
        except (ValueError, RecursionError):
            pass
    return text.splitlines()


def _notebook_lines(notebook: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    for n, cell in enumerate(notebook.get("cells", []), start=1):
        if isinstance(cell, dict):
            source = cell.get("source", "")
            text = "".join(source) if isinstance(source, list) else str(source)
            lines += [f"── cell {n}, {cell.get('cell_type')} ──", *text.splitlines()]
    return lines
