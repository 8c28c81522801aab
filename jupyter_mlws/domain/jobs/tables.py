"""Rows of jobs: what a run was asked to do. Its status stands in `runs`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, Float, ForeignKey, Index, Integer, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from jupyter_mlws.db.base import Base, EnumText, JsonText, one_of, varchar
from jupyter_mlws.domain.jobs.states import Phase
from jupyter_mlws.domain.runs.schemas import RunError
from jupyter_mlws.domain.runs.states import RunStatus


class JobRow(Base):
    """A job."""

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint(one_of("phase", Phase), name="phase"),
        UniqueConstraint("workspace_id", "idempotency_key"),
        Index(None, "target", "phase", "priority", "submitted_at"),
        Index(None, "workspace_id", "phase"),
        Index(None, "target", "ended_at", "run_id"),
    )

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id"))
    kind: Mapped[str] = mapped_column(varchar(32))
    spec: Mapped[Any] = mapped_column(JsonText())
    target: Mapped[str] = mapped_column(varchar(255))
    priority: Mapped[int] = mapped_column(Integer())
    submitted_at: Mapped[int] = mapped_column()
    timeout_s: Mapped[int | None] = mapped_column(Integer())
    environment_id: Mapped[int | None] = mapped_column()
    """The version of an environment that it named. No foreign key: that may go before its jobs."""
    environment: Mapped[str | None] = mapped_column(varchar(128))
    """The same as `name:version`."""
    env: Mapped[dict[str, str]] = mapped_column(JsonText(dict[str, str]))
    phase: Mapped[Phase] = mapped_column(EnumText(Phase), default=Phase.QUEUED)
    """Follows the status of the run, in the same transaction: what the queue is read from."""
    attempt: Mapped[int] = mapped_column(Integer(), default=1)
    max_retries: Mapped[int] = mapped_column(Integer(), default=0, server_default="0")
    not_before: Mapped[int | None] = mapped_column()
    """Until then (ms) it is left in the queue: the attempt before this one failed."""
    submitted_by: Mapped[str] = mapped_column(varchar(255), default="", server_default=text("''"))
    """Whose limits it counts against: the user of its run."""
    cpus: Mapped[float | None] = mapped_column(Float(53))
    memory_bytes: Mapped[int | None] = mapped_column()
    gpus: Mapped[int] = mapped_column(Integer(), default=0, server_default="0")
    gpu_ids: Mapped[list[int] | None] = mapped_column(JsonText(list[int]))
    """The GPUs that this attempt has."""
    owner: Mapped[str | None] = mapped_column(varchar(64))
    """The data folder whose server started this attempt: it alone sees the job's folder."""
    lease_until: Mapped[int | None] = mapped_column()
    """Until then (ms, by the database's clock) that server minds it."""
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
    ended_at: Mapped[int | None] = mapped_column()
    """The same as of its run, and so with what follows: what the history of a target is read from, without a look at its runs."""
    ran_ms: Mapped[int | None] = mapped_column()
    """How long its attempts ran, all together."""
    cpu_time_s: Mapped[float | None] = mapped_column(Float(53))
    """As measured; None where nothing was."""
    peak_memory_bytes: Mapped[int | None] = mapped_column()


class JobAttemptRow(Base):
    """One attempt to run a job, from when it left the queue."""

    __tablename__ = "job_attempts"
    __table_args__ = (CheckConstraint(one_of("status", RunStatus), name="status"),)

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    attempt: Mapped[int] = mapped_column(Integer(), primary_key=True, autoincrement=False)
    status: Mapped[RunStatus] = mapped_column(EnumText(RunStatus))
    """How it ended. While it goes on the status of the run tells more."""
    reason: Mapped[str | None] = mapped_column(varchar(64))
    error: Mapped[RunError | None] = mapped_column(JsonText(RunError))
    started_at: Mapped[int | None] = mapped_column()
    ended_at: Mapped[int | None] = mapped_column()
    exit_code: Mapped[int | None] = mapped_column(Integer())
    signal: Mapped[int | None] = mapped_column(Integer())
