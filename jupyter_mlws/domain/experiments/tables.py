"""Rows of experiments."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from jupyter_mlws.db.base import Base, BigId, varchar


class ExperimentRow(Base):
    """An experiment."""

    __tablename__ = "experiments"
    __table_args__ = (
        CheckConstraint("goal_direction IN ('maximize', 'minimize')", name="goal_direction"),
        UniqueConstraint("workspace_id", "name"),
        Index(None, "workspace_id", "used_at", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id"))
    name: Mapped[str] = mapped_column(varchar(500))
    description: Mapped[str] = mapped_column(default="")
    goal_metric: Mapped[str | None] = mapped_column(varchar(250))
    goal_direction: Mapped[str | None] = mapped_column(varchar(8))
    archived_at: Mapped[int | None] = mapped_column()
    created_at: Mapped[int] = mapped_column()
    used_at: Mapped[int] = mapped_column()
    """When its latest run was made, or when it was made itself: what lists are sorted by."""
    updated_at: Mapped[int] = mapped_column(server_default="0")
    """When its name or its being archived last changed: MLflow's `last_update_time`."""
    artifact_location: Mapped[str | None] = mapped_column()
    """Where clients store artifacts of its runs, if somebody chose another place than this workspace."""
    version: Mapped[int] = mapped_column(default=1)


class ExperimentTagRow(Base):
    """A tag of an experiment."""

    __tablename__ = "experiment_tags"

    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiments.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(varchar(250), primary_key=True)
    value: Mapped[str] = mapped_column()
