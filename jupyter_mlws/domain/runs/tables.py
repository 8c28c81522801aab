"""Rows of runs."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from jupyter_mlws.db.base import Base, EnumText, JsonText, one_of, varchar
from jupyter_mlws.domain.runs.schemas import Lifecycle, Process, Progress, Retention, RunError, RunIO, RunKind
from jupyter_mlws.domain.runs.states import RunStatus


class RunRow(Base):
    """A run."""

    __tablename__ = "runs"
    __table_args__ = (
        CheckConstraint(one_of("status", RunStatus), name="status"),
        CheckConstraint(one_of("lifecycle", Lifecycle), name="lifecycle"),
        CheckConstraint(one_of("kind", RunKind), name="kind"),
        Index(None, "experiment_id", "lifecycle", "created_at", "id"),
        Index(None, "workspace_id", "lifecycle", "created_at", "id"),
        Index(None, "experiment_id", "lifecycle", "status"),
        Index(None, "status"),
        Index(None, "snapshot_id"),
        Index(None, "parent_id", "lifecycle"),
    )

    id: Mapped[str] = mapped_column(varchar(32), primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id"))
    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiments.id"))
    name: Mapped[str] = mapped_column(varchar(500))
    kind: Mapped[RunKind] = mapped_column(EnumText(RunKind))
    status: Mapped[RunStatus] = mapped_column(EnumText(RunStatus))
    reason: Mapped[str | None] = mapped_column(varchar(64))
    error: Mapped[RunError | None] = mapped_column(JsonText(RunError))
    lifecycle: Mapped[Lifecycle] = mapped_column(EnumText(Lifecycle), default=Lifecycle.ACTIVE)
    deleted_at: Mapped[int | None] = mapped_column()
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("runs.id"))
    user: Mapped[str] = mapped_column(varchar(255))
    user_id: Mapped[str | None] = mapped_column(varchar(255))
    """Who its client says it belongs to, where that is not `user`, who signed in."""
    created_at: Mapped[int] = mapped_column()
    started_at: Mapped[int | None] = mapped_column()
    ended_at: Mapped[int | None] = mapped_column()
    source: Mapped[str] = mapped_column(default="")
    target: Mapped[str | None] = mapped_column(varchar(255))
    progress: Mapped[Progress | None] = mapped_column(JsonText(Progress))
    note: Mapped[str] = mapped_column(default="")
    inputs: Mapped[list[RunIO]] = mapped_column(JsonText(list[RunIO]), default=list)
    outputs: Mapped[list[RunIO]] = mapped_column(JsonText(list[RunIO]), default=list)
    snapshot_id: Mapped[str | None] = mapped_column(varchar(64))
    process: Mapped[Process | None] = mapped_column(JsonText(Process))
    version: Mapped[int] = mapped_column(default=1)


class RunParamRow(Base):
    """A param of a run: written once."""

    __tablename__ = "run_params"
    __table_args__ = (Index(None, "key", "run_id"),)

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(varchar(250), primary_key=True)
    value: Mapped[str] = mapped_column()


class RunTagRow(Base):
    """A tag of a run."""

    __tablename__ = "run_tags"
    __table_args__ = (Index(None, "key", "run_id"),)

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(varchar(250), primary_key=True)
    value: Mapped[str] = mapped_column()


class RunStatusRow(Base):
    """One entry of a run's status history; only ever added."""

    __tablename__ = "run_status_changes"
    __table_args__ = (CheckConstraint(one_of("status", RunStatus), name="status"),)

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    n: Mapped[int] = mapped_column(Integer(), primary_key=True)
    status: Mapped[RunStatus] = mapped_column(EnumText(RunStatus))
    at: Mapped[int] = mapped_column()
    reason: Mapped[str | None] = mapped_column(varchar(64))
    actor: Mapped[str] = mapped_column(varchar(255))


class RunBatchRow(Base):
    """A batch that was logged: what makes a client's retry harmless."""

    __tablename__ = "run_batches"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    batch_id: Mapped[str] = mapped_column(varchar(64), primary_key=True)
    at: Mapped[int] = mapped_column(index=True)


class RunDatasetRow(Base):
    """A dataset that a run has read. Name and digest are the dataset's own, which never change: filters read them here."""

    __tablename__ = "run_datasets"
    __table_args__ = (Index(None, "name", "run_id"),)

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(varchar(500))
    digest: Mapped[str] = mapped_column(varchar(36))
    context: Mapped[str] = mapped_column(default="")
    tags: Mapped[dict[str, str]] = mapped_column(JsonText(dict[str, str]), default=dict)
    at: Mapped[int] = mapped_column()


class RetentionRow(Base):
    """Which runs of an experiment are kept (0: of each of the workspace's that has no rule of its own), and what went last."""

    __tablename__ = "retention"

    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True)
    experiment_id: Mapped[int] = mapped_column(primary_key=True)
    rule: Mapped[Retention | None] = mapped_column(JsonText(Retention))
    last_at: Mapped[int | None] = mapped_column()
    last_runs: Mapped[int] = mapped_column(default=0)
    last_bytes: Mapped[int] = mapped_column(default=0)
