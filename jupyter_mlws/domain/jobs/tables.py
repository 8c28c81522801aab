"""Rows of jobs: what a run was asked to do. Its status stands in `runs`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from jupyter_mlws.db.base import Base, EnumText, JsonText, one_of, varchar
from jupyter_mlws.domain.jobs.states import Phase


class JobRow(Base):
    """A job."""

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint(one_of("phase", Phase), name="phase"),
        UniqueConstraint("workspace_id", "idempotency_key"),
        Index(None, "target", "phase", "priority", "submitted_at"),
        Index(None, "workspace_id", "phase"),
    )

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id"))
    kind: Mapped[str] = mapped_column(varchar(32))
    spec: Mapped[Any] = mapped_column(JsonText())
    target: Mapped[str] = mapped_column(varchar(255))
    priority: Mapped[int] = mapped_column(Integer())
    submitted_at: Mapped[int] = mapped_column()
    timeout_s: Mapped[int | None] = mapped_column(Integer())
    env: Mapped[dict[str, str]] = mapped_column(JsonText(dict[str, str]))
    phase: Mapped[Phase] = mapped_column(EnumText(Phase), default=Phase.QUEUED)
    """Follows the status of the run, in the same transaction: what the queue is read from."""
    attempt: Mapped[int] = mapped_column(Integer(), default=1)
    source_dir: Mapped[str | None] = mapped_column()
    """Folder that was snapshotted, on this machine; None for files that a client sent."""
    work_subdir: Mapped[str] = mapped_column(default="")
    """Where in the working folder the job begins, relative."""
    in_place: Mapped[bool] = mapped_column(default=False)
    links: Mapped[list[list[str]]] = mapped_column(JsonText(list[list[str]]))
    """Pairs (path in the working folder, original): what the snapshot left out."""
    not_captured: Mapped[list[str]] = mapped_column(JsonText(list[str]))
    new_files: Mapped[list[str]] = mapped_column(JsonText(list[str]))
    notebook_artifact: Mapped[str | None] = mapped_column()
    idempotency_key: Mapped[str | None] = mapped_column(varchar(255))
    body_hash: Mapped[str | None] = mapped_column(varchar(64))
    cancel_requested_at: Mapped[int | None] = mapped_column()
    captured: Mapped[bool] = mapped_column(default=False)
    """Its files are stored; the working folder is no longer needed."""
