"""SQL of stored files.

Lists of ids go to the database as one JSON parameter, so that they may be of any length.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    and_,
    case,
    delete,
    exists,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    union,
    union_all,
)

from jupyter_mlws.db import driver
from jupyter_mlws.db.values import listed
from jupyter_mlws.domain.storage.tables import ArtifactRow, BlobRow, FileStatRow, SnapshotFileRow, SnapshotRow
from jupyter_mlws.domain.storage.trees import Leaf

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sqlalchemy import ColumnElement, CompoundSelect, Table
    from sqlalchemy.orm import InstrumentedAttribute, Session

    from jupyter_mlws.kit.sinks import StoredBlob

LOGS = ("user_logs", "system_logs")
"""Folders in which the logs of a job are kept."""
REFERENCES: list[InstrumentedAttribute[Any]] = []
"""Columns of upper slices that name blobs too: what they name is never counted as free."""


# Blobs


def add_blobs(session: Session, blobs: Iterable[StoredBlob], at: int) -> None:
    """Note that these bytes are in the store; what was noted already counts as stored now."""
    unique = {blob.sha256: blob.size for blob in blobs}
    rows = [{"sha256": sha, "size": size, "created_at": at} for sha, size in sorted(unique.items())]
    driver.put(session, "blobs", rows, ["sha256"], ["created_at"])


def known(session: Session, shas: Collection[str]) -> dict[str, int]:
    """Sizes of those of the hashes that have a row."""
    query = select(BlobRow.sha256, BlobRow.size).where(BlobRow.sha256.in_(listed(session, shas)))
    return dict(session.execute(query).all())


def blobs_after(session: Session, sha256: str, limit: int) -> list[tuple[str, int]]:
    """(hash, size) of blobs in the order of hashes, after this one."""
    query = select(BlobRow.sha256, BlobRow.size).where(BlobRow.sha256 > sha256).order_by(BlobRow.sha256).limit(limit)
    return [(sha, size) for sha, size in session.execute(query)]


def needed_by(session: Session, sha256: str) -> list[tuple[str, str, str]]:
    """(`run` or `snapshot`, id, path) of at most a hundred files with this content."""
    query = union_all(
        select(literal("run"), ArtifactRow.run_id, ArtifactRow.path).where(ArtifactRow.sha256 == sha256),
        select(literal("snapshot"), SnapshotFileRow.snapshot_id, SnapshotFileRow.path).where(SnapshotFileRow.sha256 == sha256),
    ).limit(100)
    return [(kind, owner, path) for kind, owner, path in session.execute(query)]


def _unreferenced() -> ColumnElement[bool]:
    columns = [ArtifactRow.sha256, SnapshotFileRow.sha256, *REFERENCES]
    return and_(*(~exists().where(column == BlobRow.sha256) for column in columns))


def unreferenced(session: Session, before: int, limit: int) -> list[tuple[str, int]]:
    """(hash, size) of blobs that no row names and that were last stored before this time (ms)."""
    query = select(BlobRow.sha256, BlobRow.size).where(BlobRow.created_at < before, _unreferenced()).limit(limit)
    return [(sha, size) for sha, size in session.execute(query)]


def unreferenced_total(session: Session, before: int) -> tuple[int, int]:
    """Number and bytes of those."""
    query = select(func.count(), func.coalesce(func.sum(BlobRow.size), 0)).where(BlobRow.created_at < before, _unreferenced())
    number, size = session.execute(query).one()
    return int(number), int(size)


def forget_blobs(session: Session, shas: Collection[str]) -> None:
    """Remove rows of blobs, and what the stat cache knows of them."""
    session.execute(delete(FileStatRow).where(FileStatRow.sha256.in_(listed(session, shas))))
    session.execute(delete(BlobRow).where(BlobRow.sha256.in_(listed(session, shas))))


def freed_blobs(
    session: Session, run_ids: Collection[str], snapshot_ids: Collection[str], before: int | None = None, *, logs: bool = True
) -> tuple[int, int]:
    """Number and bytes of the blobs that only these runs and snapshots name; `before`: last stored before this time (ms).

    Not `logs`: the runs keep theirs.
    """
    runs, snapshots = listed(session, run_ids), listed(session, snapshot_ids)
    candidates: CompoundSelect[Any] = union(
        select(ArtifactRow.sha256).where(_files_of(runs, logs=logs)),
        select(SnapshotFileRow.sha256).where(SnapshotFileRow.snapshot_id.in_(snapshots), SnapshotFileRow.sha256.is_not(None)),
    )
    query = select(func.count(), func.coalesce(func.sum(BlobRow.size), 0)).where(
        BlobRow.sha256.in_(select(candidates.subquery().c.sha256)),
        ~exists().where(ArtifactRow.sha256 == BlobRow.sha256, not_(_files_of(runs, logs=logs))),
        ~exists().where(SnapshotFileRow.sha256 == BlobRow.sha256, SnapshotFileRow.snapshot_id.not_in(snapshots)),
        *(~exists().where(column == BlobRow.sha256) for column in REFERENCES),
        *(() if before is None else (BlobRow.created_at < before,)),
    )
    number, size = session.execute(query).one()
    return int(number), int(size)


def _files_of(run_ids: Any, *, logs: bool) -> ColumnElement[bool]:
    """Artifacts of these runs; `logs`: those of their jobs' logs among them."""
    mine: ColumnElement[bool] = ArtifactRow.run_id.in_(run_ids)
    return mine if logs else and_(mine, *(not_(_below(ArtifactRow.path, folder)) for folder in LOGS))


# Artifacts


def artifact(session: Session, run_id: str, path: str) -> ArtifactRow | None:
    """The artifact at this path."""
    return session.get(ArtifactRow, (run_id, path), populate_existing=True)


_AT = "SELECT path FROM artifacts WHERE run_id = ? AND path {among} LIMIT 1"
_BELOW = "SELECT path FROM artifacts WHERE run_id = ? AND path >= ? AND path < ? LIMIT 1"  # as `_below`


def clash(session: Session, run_id: str, path: str) -> str | None:
    """A file that stands where `path` needs a folder, or one below `path`, which therefore is a folder."""
    parts = path.split("/")
    parents = ["/".join(parts[:n]) for n in range(1, len(parts))]
    found = driver.fetch(session, _BELOW, [run_id, path + "/", path + "0"])
    if not found and parents:
        found = driver.fetch_among(session, _AT, parents, run_id)
    return str(found[0][0]) if found else None


def set_artifact(session: Session, run_id: str, path: str, blob: StoredBlob, modified_at: int) -> None:
    """Store the row of an artifact, or replace it."""
    row = {"run_id": run_id, "path": path, "sha256": blob.sha256, "size": blob.size, "modified_at": modified_at}
    driver.put(session, "artifacts", [row], ["run_id", "path"], ["sha256", "size", "modified_at"])


def remove_artifacts(session: Session, run_id: str, path: str) -> int:
    """Remove the file at `path`, or all files below it. Returns how many there were."""
    at = or_(ArtifactRow.path == path, _below(ArtifactRow.path, path))
    gone = session.execute(delete(ArtifactRow).where(ArtifactRow.run_id == run_id, at).returning(ArtifactRow.path))
    return len(gone.all())


def remove_of_runs(session: Session, run_ids: Collection[str], *, logs: bool = True) -> None:
    """Remove all artifacts of runs; not `logs`: all but their logs."""
    session.execute(delete(ArtifactRow).where(_files_of(listed(session, run_ids), logs=logs)))


def number_of_artifacts(session: Session, run_ids: Collection[str], *, logs: bool = True) -> int:
    """How many artifacts runs have; not `logs`: but for their logs."""
    query = select(func.count()).select_from(ArtifactRow).where(_files_of(listed(session, run_ids), logs=logs))
    return session.execute(query).scalar_one()


def bytes_of_runs(session: Session, run_ids: Collection[str]) -> dict[str, int]:
    """Sum of the sizes of a run's artifacts, by run id."""
    query = select(ArtifactRow.run_id, func.sum(ArtifactRow.size)).where(ArtifactRow.run_id.in_(listed(session, run_ids)))
    return {run_id: int(size) for run_id, size in session.execute(query.group_by(ArtifactRow.run_id))}


# Snapshots


def snapshot(session: Session, snapshot_id: str) -> SnapshotRow | None:
    """The snapshot with this id."""
    return session.get(SnapshotRow, snapshot_id)


def add_snapshot(session: Session, row: SnapshotRow, files: Sequence[dict[str, Any]]) -> None:
    """Store a new snapshot."""
    session.add(row)
    session.flush()
    table: Table = SnapshotFileRow.__table__  # type: ignore[assignment]  # typed as a FromClause
    if files:
        session.connection().execute(table.insert(), [{"snapshot_id": row.id, **file} for file in files])


def old_snapshots(session: Session, before: int, after: str, limit: int) -> list[str]:
    """Ids of snapshots that were stored before this time (ms), in their order, those after an id."""
    query = select(SnapshotRow.id).where(SnapshotRow.created_at < before, SnapshotRow.id > after)
    return list(session.execute(query.order_by(SnapshotRow.id).limit(limit)).scalars())


def snapshot_file(session: Session, snapshot_id: str, path: str) -> SnapshotFileRow | None:
    """The file of a snapshot at this path."""
    return session.get(SnapshotFileRow, (snapshot_id, path))


def snapshot_files(session: Session, snapshot_id: str) -> list[SnapshotFileRow]:
    """All files of a snapshot, in the order of their paths."""
    query = select(SnapshotFileRow).where(SnapshotFileRow.snapshot_id == snapshot_id).order_by(SnapshotFileRow.path)
    return list(session.execute(query).scalars())


def remove_snapshots(session: Session, snapshot_ids: Collection[str]) -> None:
    """Remove snapshots and their lists of files."""
    ids = listed(session, snapshot_ids)
    session.execute(delete(SnapshotFileRow).where(SnapshotFileRow.snapshot_id.in_(ids)))
    session.execute(delete(SnapshotRow).where(SnapshotRow.id.in_(ids)))


# Both, seen as folders


def _below(column: Any, path: str) -> ColumnElement[bool]:
    """Whether a path lies below the folder `path` ("" is the root). `0` is the character after `/`: one range of the index."""
    if not path:
        return literal(True)
    return and_(column >= path + "/", column < path + "0")


def _source(row: type[ArtifactRow | SnapshotFileRow], owner: str) -> tuple[ColumnElement[bool], Any, Any, Any]:
    """(whose rows, type, time, target) of a table of files."""
    if row is ArtifactRow:
        return ArtifactRow.run_id == owner, literal("file"), ArtifactRow.modified_at, null()
    return SnapshotFileRow.snapshot_id == owner, SnapshotFileRow.type, null(), SnapshotFileRow.target


def files_below(session: Session, row: type[ArtifactRow | SnapshotFileRow], owner: str, path: str) -> list[Leaf]:
    """All files below the folder `path` of a run or snapshot."""
    whose, kind, modified_at, target = _source(row, owner)
    query = select(row.path, kind, row.size, row.sha256, modified_at, target).where(whose, _below(row.path, path))
    return [Leaf(*found) for found in session.execute(query)]


def children(session: Session, row: type[ArtifactRow | SnapshotFileRow], owner: str, path: str) -> list[Leaf]:
    """What lies directly in the folder `path`; folders with the sum of what is below them."""
    whose, kind, modified_at, target = _source(row, owner)
    skip = len(path) + 1 if path else 0
    rest = func.substr(row.path, skip + 1)
    find = func.strpos if session.get_bind().dialect.name == "postgresql" else func.instr
    slash = find(rest, "/")
    name = case((slash > 0, func.substr(rest, 1, slash - 1)), else_=rest).label("name")
    kind = case((slash > 0, "folder"), else_=kind).label("kind")
    query = (
        select(name, kind, func.sum(row.size), func.min(row.sha256), func.max(modified_at), func.min(target))
        .where(whose, _below(row.path, path))
        .group_by(name, kind)
    )
    prefix = f"{path}/" if path else ""
    return [
        Leaf(prefix + name, kind, int(size), None, modified_at)
        if kind == "folder"
        else Leaf(prefix + name, kind, int(size), sha256, modified_at, target)
        for name, kind, size, sha256, modified_at, target in session.execute(query)
    ]


# Stat cache


def file_stats(session: Session, paths: Collection[str]) -> list[FileStatRow]:
    """What is known of these files whose content still is in the store."""
    query = select(FileStatRow).join(BlobRow, BlobRow.sha256 == FileStatRow.sha256)
    return list(session.execute(query.where(FileStatRow.path.in_(listed(session, paths)))).scalars())


def set_file_stats(session: Session, rows: list[dict[str, Any]]) -> None:
    """Remember what files were."""
    driver.put(session, "file_stats", rows, ["path"], ["size", "mtime_ns", "inode", "sha256", "seen_at"])


def forget_file_stats(session: Session, before: int) -> None:
    """Forget files that were last seen before this time (ms)."""
    session.execute(delete(FileStatRow).where(FileStatRow.seen_at < before))
