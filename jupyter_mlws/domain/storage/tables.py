"""Rows of stored files. The database itself forbids a row that names a blob which has no row."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from jupyter_mlws.db.base import Base, varchar


class BlobRow(Base):
    """Bytes in the store."""

    __tablename__ = "blobs"

    sha256: Mapped[str] = mapped_column(varchar(64), primary_key=True)
    size: Mapped[int] = mapped_column()
    created_at: Mapped[int] = mapped_column()
    """When the same bytes were last stored (ms): what the grace period of `gc` counts from."""


class ArtifactRow(Base):
    """A file that a run made, or one of a logged model. `run_id` names a row of an upper slice, which removes these first.

    For a logged model it is the 32 hex digits of its id, without the `m-` before them.
    """

    __tablename__ = "artifacts"
    __table_args__ = (Index(None, "sha256"),)

    run_id: Mapped[str] = mapped_column(varchar(32), primary_key=True)
    path: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("blobs.sha256"))
    size: Mapped[int] = mapped_column()
    modified_at: Mapped[int] = mapped_column()


class SnapshotRow(Base):
    """A set of files as it was at one moment; `id` is the hash of its canonical manifest."""

    __tablename__ = "snapshots"

    id: Mapped[str] = mapped_column(varchar(64), primary_key=True)
    files: Mapped[int] = mapped_column()
    bytes: Mapped[int] = mapped_column()
    created_at: Mapped[int] = mapped_column()


class SnapshotFileRow(Base):
    """A file of a snapshot, or a link to something that was not captured."""

    __tablename__ = "snapshot_files"
    __table_args__ = (
        CheckConstraint("type IN ('file', 'link')", name="type"),
        CheckConstraint("(type = 'file') = (sha256 IS NOT NULL)", name="content"),
        Index(None, "sha256"),
    )

    snapshot_id: Mapped[str] = mapped_column(ForeignKey("snapshots.id", ondelete="CASCADE"), primary_key=True)
    path: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str] = mapped_column(varchar(4))
    sha256: Mapped[str | None] = mapped_column(ForeignKey("blobs.sha256"))
    size: Mapped[int] = mapped_column()
    executable: Mapped[bool] = mapped_column()
    target: Mapped[str | None] = mapped_column()


class FileStatRow(Base):
    """What a file on this machine was when it was last hashed: saves hashing unchanged files again. Only a cache."""

    __tablename__ = "file_stats"

    path: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int] = mapped_column()
    mtime_ns: Mapped[int] = mapped_column()
    inode: Mapped[int] = mapped_column()
    sha256: Mapped[str] = mapped_column(varchar(64))
    seen_at: Mapped[int] = mapped_column()
