"""Rules of stored files: artifacts of runs, snapshots, and what deleting them frees.

Bytes first: whoever calls these functions has stored the blobs (`BlobStore`) before the transaction begins. Paths are relative
and cleaned here; permission is the caller's business, for files belong to runs.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from jupyter_mlws.domain.storage import store
from jupyter_mlws.domain.storage.blobs import SHA256, BlobStore, StoredSource
from jupyter_mlws.domain.storage.errors import (
    ArtifactClash,
    ArtifactNotFound,
    BadHash,
    BadManifest,
    BlobMissing,
    SnapshotFileNotFound,
    SnapshotNotFound,
)
from jupyter_mlws.domain.storage.previews import content_of, make_preview, media_type_of
from jupyter_mlws.domain.storage.schemas import FileEntry, FileList, StoredFile
from jupyter_mlws.domain.storage.tables import ArtifactRow, SnapshotFileRow, SnapshotRow
from jupyter_mlws.domain.storage.trees import Leaf, entry_of, file_list, with_folders
from jupyter_mlws.kit.clock import now_ms
from jupyter_mlws.kit.paths import BadPath, clean_relative
from jupyter_mlws.kit.sinks import StoredBlob

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sqlalchemy.orm import InstrumentedAttribute, Session

__all__ = [
    "BlobStore",
    "StoredBlob",
    "StoredSource",
    "content_of",
    "make_preview",
    "media_type_of",
]  # what upper slices use beside the functions

MAX_STORED_PATH = 2000
"""Bytes; a path is part of an index, which PostgreSQL limits."""
LIST_LIMIT = 10_000
RACY_MS = 2_000
"""A file hashed so soon after its last change may have changed again within the same tick of the file system's clock."""
INODE = 2**63 - 1
FRESH_MS = 10 * 60 * 1000


class SnapshotFile(NamedTuple):
    """A file of a snapshot; or a link (`target`) that stands for something that was not captured."""

    path: str
    sha256: str | None
    size: int = 0
    executable: bool = False
    target: str | None = None

    @property
    def type(self) -> str:
        """`file` or `link`."""
        return "link" if self.sha256 is None else "file"


class FileStat(NamedTuple):
    """What a file on this machine looked like when it was hashed."""

    size: int
    mtime_ns: int
    inode: int
    sha256: str


def register_reference(column: InstrumentedAttribute[Any]) -> None:
    """Tell that a column of an upper slice names blobs by hash, so that they are never freed under it."""
    if column not in store.REFERENCES:
        store.REFERENCES.append(column)


# Blobs


def add_blobs(session: Session, blobs: Iterable[StoredBlob]) -> None:
    """Note bytes that were just stored and that no file names yet; unused, they stay for gc's grace period."""
    store.add_blobs(session, blobs, now_ms())


def known_hashes(session: Session, shas: Collection[str]) -> list[str]:
    """Those of the hashes that are *not* in the store, each once, in the order given."""
    for sha in shas:
        if SHA256.fullmatch(sha) is None:
            raise BadHash(f"{sha[:80]!r} is not a SHA-256 in lower-case hex.", field="sha256")
    have = store.known(session, shas)
    return [sha for sha in dict.fromkeys(shas) if sha not in have]


# Artifacts


def add_artifact(session: Session, run_id: str, path: str, sha256: str, size: int, modified_at: int | None = None) -> StoredFile:
    """Give a run a file, or replace the file at this path. Raises `ArtifactClash` where folders stand against files."""
    cleaned = check_path(path)
    other = store.clash(session, run_id, cleaned)
    if other is not None:
        what = f"{other!r} is a file, not a folder" if cleaned.startswith(other + "/") else f"it is a folder ({other!r} is in it)"
        raise ArtifactClash(f"The run cannot keep a file at {cleaned!r}: {what}. Choose another path.", field="path")
    at = now_ms()
    blob = StoredBlob(sha256, size)
    store.add_blobs(session, [blob], at)
    store.set_artifact(session, run_id, cleaned, blob, at if modified_at is None else modified_at)
    return StoredFile(path=cleaned, size=size, sha256=sha256)


def find_artifact(session: Session, run_id: str, path: str) -> FileEntry:
    """The file at this path. Raises `ArtifactNotFound`."""
    cleaned = clean_relative(path)
    row = store.artifact(session, run_id, cleaned)
    if row is None:
        raise ArtifactNotFound(f"The run has no file {cleaned[:200]!r}.", field="path")
    return entry_of(Leaf(row.path, "file", row.size, row.sha256, row.modified_at))


def list_artifacts(
    session: Session, run_id: str, path: str = "", *, recursive: bool = False, limit: int = LIST_LIMIT
) -> FileList:
    """What a run keeps in a folder (`""`: at the top). Raises `ArtifactNotFound` for a folder that is not there."""
    cleaned = clean_relative(path, empty_ok=True)
    leaves = _listing(session, ArtifactRow, run_id, cleaned, recursive=recursive)
    if not leaves and cleaned:
        raise ArtifactNotFound(f"The run has no folder {cleaned[:200]!r}.", field="path")
    return file_list(cleaned, leaves, limit)


def remove_artifact(session: Session, run_id: str, path: str) -> int:
    """Take a file, or a folder with all in it, from a run. Returns the number of files. Raises `ArtifactNotFound`."""
    cleaned = clean_relative(path)
    gone = store.remove_artifacts(session, run_id, cleaned)
    if not gone:
        raise ArtifactNotFound(f"The run has no file or folder {cleaned[:200]!r}.", field="path")
    return gone


def number_of_artifacts(session: Session, run_ids: Collection[str], *, logs: bool = True) -> int:
    """How many files runs keep; `logs`: those of their jobs' logs as well."""
    return store.number_of_artifacts(session, run_ids, logs=logs)


def bytes_of_runs(session: Session, run_ids: Collection[str]) -> dict[str, int]:
    """Bytes of the files that runs keep, by run id; shared content counts for each."""
    return store.bytes_of_runs(session, run_ids)


# Snapshots


def store_snapshot(session: Session, files: Sequence[SnapshotFile], fresh: Iterable[StoredBlob] = ()) -> str:
    """Keep a set of files and return its id; the same set has the same id, however often it is stored.

    `fresh` are the blobs that the caller stored just now; all others must be known. Raises `BlobMissing`,
    `BadManifest` and `BadPath`.
    """
    ordered = sorted(files, key=lambda file: file.path.encode("utf-8", "surrogatepass"))
    _check_manifest(ordered)
    at = now_ms()
    store.add_blobs(session, fresh, at)
    _check_contents(session, ordered)
    snapshot_id = _snapshot_id(ordered)
    known = store.snapshot(session, snapshot_id)
    if known is not None:
        known.created_at = at  # whoever stores it now has no run yet that needs it: gc is to leave it
        session.flush()
    else:
        total = sum(file.size for file in ordered)
        row = SnapshotRow(id=snapshot_id, files=len(ordered), bytes=total, created_at=at)
        store.add_snapshot(session, row, [{**file._asdict(), "type": file.type} for file in ordered])
    return snapshot_id


def known_snapshot(session: Session, files: Sequence[SnapshotFile]) -> str | None:
    """The id of this set of files, if it was stored a moment ago: then nothing need be. One that is older is stored again, or gc could
    take it before there is a run that needs it."""
    snapshot_id = _snapshot_id(sorted(files, key=lambda file: file.path.encode("utf-8", "surrogatepass")))
    known = store.snapshot(session, snapshot_id)
    return snapshot_id if known is not None and known.created_at > now_ms() - FRESH_MS else None


def is_old(session: Session, snapshot_id: str, before: int) -> bool:
    """Whether a snapshot is there and was last stored before this time (ms)."""
    known = store.snapshot(session, snapshot_id)
    return known is not None and known.created_at < before


def old_snapshots(session: Session, before: int, after: str, limit: int) -> list[str]:
    """Ids of snapshots that were stored before this time (ms), in their order, those after an id."""
    return store.old_snapshots(session, before, after, limit)


def _snapshot_id(ordered: Sequence[SnapshotFile]) -> str:
    manifest = [[file.path, file.type, file.sha256, file.executable, file.target] for file in ordered]
    return hashlib.sha256(msgspec.json.encode(manifest)).hexdigest()


def snapshot_list(
    session: Session, snapshot_id: str, path: str = "", *, recursive: bool = False, limit: int = LIST_LIMIT
) -> FileList:
    """What lies in a folder of a snapshot. Raises `SnapshotNotFound` and `SnapshotFileNotFound`."""
    cleaned = clean_relative(path, empty_ok=True)
    leaves = _listing(session, SnapshotFileRow, snapshot_id, cleaned, recursive=recursive)
    if not leaves:
        _require_snapshot(session, snapshot_id)
        if cleaned:
            raise SnapshotFileNotFound(f"The snapshot has no folder {cleaned[:200]!r}.", field="path")
    return file_list(cleaned, leaves, limit)


def snapshot_find(session: Session, snapshot_id: str, path: str) -> FileEntry:
    """The file or link at this path. Raises `SnapshotNotFound` and `SnapshotFileNotFound`."""
    cleaned = clean_relative(path)
    row = store.snapshot_file(session, snapshot_id, cleaned)
    if row is None:
        _require_snapshot(session, snapshot_id)
        raise SnapshotFileNotFound(f"The snapshot has no file {cleaned[:200]!r}.", field="path")
    return entry_of(Leaf(row.path, row.type, row.size, row.sha256, None, row.target))


def snapshot_files(session: Session, snapshot_id: str) -> list[SnapshotFile]:
    """All files of a snapshot, to lay them out again. Raises `SnapshotNotFound`."""
    _require_snapshot(session, snapshot_id)
    rows = store.snapshot_files(session, snapshot_id)
    return [SnapshotFile(row.path, row.sha256, row.size, row.executable, row.target) for row in rows]


def snapshot_size(session: Session, snapshot_id: str) -> tuple[int, int]:
    """(files, bytes) of a snapshot. Raises `SnapshotNotFound`."""
    row = _require_snapshot(session, snapshot_id)
    return row.files, row.bytes


# Deleting


def freed_bytes(session: Session, run_ids: Collection[str], snapshot_ids: Collection[str], *, logs: bool = True) -> int:
    """Bytes on disk that become free once these runs' artifacts and these snapshots are gone and gc has run.

    Not `logs`: those of the runs stay.
    """
    return store.freed_blobs(session, run_ids, snapshot_ids, logs=logs)[1]


def freed_blobs(
    session: Session, run_ids: Collection[str], snapshot_ids: Collection[str], *, before: int | None = None
) -> tuple[int, int]:
    """Number and bytes of those files; `before`: last stored before this time (ms)."""
    return store.freed_blobs(session, run_ids, snapshot_ids, before)


def delete_of_runs(session: Session, run_ids: Collection[str]) -> None:
    """Remove all artifacts of runs; gc frees the bytes."""
    store.remove_of_runs(session, run_ids)


def delete_outputs(session: Session, run_ids: Collection[str]) -> None:
    """Remove the artifacts of runs but for their logs; gc frees the bytes."""
    store.remove_of_runs(session, run_ids, logs=False)


def delete_snapshots(session: Session, snapshot_ids: Collection[str]) -> None:
    """Remove snapshots that nobody uses any more; gc frees the bytes."""
    store.remove_snapshots(session, snapshot_ids)


# Stat cache


def unchanged(session: Session, stats: Mapping[str, tuple[int, int, int]]) -> dict[str, str]:
    """Hashes of files that are as they were when last hashed, by path. `stats`: (size, mtime in ns, inode) by absolute path."""
    found = {}
    for row in store.file_stats(session, list(stats)):
        size, mtime_ns, inode = stats[row.path]
        same = (row.size, row.mtime_ns, row.inode) == (size, mtime_ns, inode & INODE)
        if same and row.seen_at - mtime_ns // 1_000_000 > RACY_MS:
            found[row.path] = row.sha256
    return found


def remember_stats(session: Session, stats: Mapping[str, FileStat]) -> None:
    """Remember what files were when they were hashed, by absolute path."""
    at = now_ms()
    rows = [
        {**stat._asdict(), "inode": stat.inode & INODE, "path": path, "seen_at": at}
        for path, stat in stats.items()
        if len(path.encode("utf-8", "surrogateescape")) <= MAX_STORED_PATH and path.isprintable()
    ]
    store.set_file_stats(session, rows)


def _listing(session: Session, row: type[ArtifactRow | SnapshotFileRow], owner: str, path: str, *, recursive: bool) -> list[Leaf]:
    if recursive:
        return with_folders(store.files_below(session, row, owner, path), path)
    return store.children(session, row, owner, path)


def _require_snapshot(session: Session, snapshot_id: str) -> SnapshotRow:
    row = store.snapshot(session, snapshot_id)
    if row is None:
        raise SnapshotNotFound(f"There is no snapshot {snapshot_id[:80]!r}.")
    return row


def check_path(path: str) -> str:
    """The path in its plain form, if files can be kept under it. Raises `BadPath`."""
    cleaned = clean_relative(path)
    if len(cleaned.encode()) > MAX_STORED_PATH:
        raise BadPath(f"This path has more than {MAX_STORED_PATH:,} bytes; choose a shorter one.", field="path")
    return cleaned


def _check_contents(session: Session, files: Sequence[SnapshotFile]) -> None:
    shas = {file.sha256 for file in files if file.sha256 is not None}
    sizes = store.known(session, shas)
    missing = [file for file in files if file.sha256 in shas - sizes.keys()]
    if missing:
        raise BlobMissing(f"{len(missing)} files of this snapshot are not in the store, {missing[0].path!r} first; send them.")
    for file in files:
        if file.sha256 is not None and sizes[file.sha256] != file.size:
            raise BadManifest(f"{file.path[:200]!r} has {sizes[file.sha256]:,} bytes, not {file.size:,}.", field="size")


def _check_manifest(ordered: Sequence[SnapshotFile]) -> None:
    seen: set[str] = set()
    folders: set[str] = set()
    for file in ordered:
        if check_path(file.path) != file.path:
            raise BadManifest(f"The path {file.path[:200]!r} is not in its shortest form.", field="path")
        if (file.sha256 is None) == (file.target is None):
            raise BadManifest(f"{file.path[:200]!r} needs either content or a link's target.", field="path")
        if file.path in seen:
            raise BadManifest(f"{file.path[:200]!r} stands twice in this snapshot.", field="path")
        seen.add(file.path)
        parent = file.path.rpartition("/")[0]
        while parent and parent not in folders:
            folders.add(parent)
            parent = parent.rpartition("/")[0]
    if both := seen & folders:
        raise BadManifest(f"{min(both)[:200]!r} is both a file and a folder of this snapshot.", field="path")
