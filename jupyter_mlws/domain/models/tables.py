"""Rows of models."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Float, ForeignKey, ForeignKeyConstraint, Index, Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from jupyter_mlws.db.base import Base, BigId, EnumText, one_of, varchar
from jupyter_mlws.domain.models.states import Direction, LoggedModelStatus, Stage


class RegisteredModelRow(Base):
    """A name in a workspace that has versions."""

    __tablename__ = "registered_models"
    __table_args__ = (UniqueConstraint("workspace_id", "name"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(varchar(256))
    description: Mapped[str | None] = mapped_column()
    created_at: Mapped[int] = mapped_column()
    updated_at: Mapped[int] = mapped_column()


class RegisteredModelTagRow(Base):
    """A tag of a registered model."""

    __tablename__ = "registered_model_tags"

    model_id: Mapped[int] = mapped_column(ForeignKey("registered_models.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(varchar(250), primary_key=True)
    value: Mapped[str] = mapped_column()


class ModelVersionRow(Base):
    """A version of a registered model. One that was deleted keeps its row, so that its number is never given again."""

    __tablename__ = "model_versions"
    __table_args__ = (
        CheckConstraint(one_of("stage", Stage), name="stage"),
        Index(None, "workspace_id", "updated_at"),
        Index(None, "run_id"),
    )

    model_id: Mapped[int] = mapped_column(ForeignKey("registered_models.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer(), primary_key=True, autoincrement=False)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    description: Mapped[str | None] = mapped_column()
    source: Mapped[str] = mapped_column()
    location: Mapped[str] = mapped_column()
    """Where its files lie: fixed when it was made."""
    run_id: Mapped[str] = mapped_column(varchar(255), default="")
    """The run it came from, which may be gone; empty where that was not said."""
    run_link: Mapped[str] = mapped_column(default="")
    logged_model_id: Mapped[str | None] = mapped_column(varchar(34))
    stage: Mapped[Stage] = mapped_column(EnumText(Stage), default=Stage.NONE)
    created_at: Mapped[int] = mapped_column()
    updated_at: Mapped[int] = mapped_column()
    deleted_at: Mapped[int | None] = mapped_column()


class ModelVersionTagRow(Base):
    """A tag of a version."""

    __tablename__ = "model_version_tags"
    __table_args__ = (
        ForeignKeyConstraint(["model_id", "number"], ["model_versions.model_id", "model_versions.number"], ondelete="CASCADE"),
    )

    model_id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(Integer(), primary_key=True)
    key: Mapped[str] = mapped_column(varchar(250), primary_key=True)
    value: Mapped[str] = mapped_column()


class ModelAliasRow(Base):
    """Another name of one version."""

    __tablename__ = "model_aliases"
    __table_args__ = (
        ForeignKeyConstraint(["model_id", "number"], ["model_versions.model_id", "model_versions.number"], ondelete="CASCADE"),
        Index(None, "model_id", "number"),
    )

    model_id: Mapped[int] = mapped_column(primary_key=True)
    alias: Mapped[str] = mapped_column(varchar(255), primary_key=True)
    number: Mapped[int] = mapped_column(Integer())


class LoggedModelRow(Base):
    """A model that training code made. Its files are artifacts under the 32 digits of its id."""

    __tablename__ = "logged_models"
    __table_args__ = (
        CheckConstraint(one_of("status", LoggedModelStatus), name="status"),
        Index(None, "experiment_id", "created_at", "id"),
        Index(None, "source_run_id"),
    )

    id: Mapped[str] = mapped_column(varchar(34), primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiments.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(varchar(500))
    model_type: Mapped[str] = mapped_column(default="")
    source_run_id: Mapped[str] = mapped_column(varchar(255), default="")
    """The run it was made in, which may be gone; empty where that was not said."""
    status: Mapped[LoggedModelStatus] = mapped_column(EnumText(LoggedModelStatus), default=LoggedModelStatus.PENDING)
    location: Mapped[str] = mapped_column()
    created_at: Mapped[int] = mapped_column()
    updated_at: Mapped[int] = mapped_column()
    deleted_at: Mapped[int | None] = mapped_column()


class LoggedModelTagRow(Base):
    """A tag of a logged model."""

    __tablename__ = "logged_model_tags"

    model_id: Mapped[str] = mapped_column(ForeignKey("logged_models.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(varchar(250), primary_key=True)
    value: Mapped[str] = mapped_column()


class LoggedModelParamRow(Base):
    """A param of a logged model: written once."""

    __tablename__ = "logged_model_params"

    model_id: Mapped[str] = mapped_column(ForeignKey("logged_models.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(varchar(250), primary_key=True)
    value: Mapped[str] = mapped_column()


class LoggedModelMetricRow(Base):
    """A point of a metric that a run measured of a logged model. NaN is a NULL value. The run may be gone."""

    __tablename__ = "logged_model_metrics"
    __table_args__ = (Index(None, "run_id"),)

    model_id: Mapped[str] = mapped_column(ForeignKey("logged_models.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(varchar(250), primary_key=True)
    time: Mapped[int] = mapped_column(primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(varchar(32), primary_key=True)
    value: Mapped[float | None] = mapped_column(Float(53))
    dataset_name: Mapped[str | None] = mapped_column()
    dataset_digest: Mapped[str | None] = mapped_column()


class RunModelRow(Base):
    """A logged model that a run read or made. Nobody checks that there is one of this id."""

    __tablename__ = "run_models"
    __table_args__ = (CheckConstraint(one_of("direction", Direction), name="direction"), Index(None, "model_id"))

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    direction: Mapped[Direction] = mapped_column(EnumText(Direction), primary_key=True)
    model_id: Mapped[str] = mapped_column(varchar(255), primary_key=True)
    step: Mapped[int] = mapped_column(default=0)
    n: Mapped[int] = mapped_column(Integer())
    """In which order the run told of them."""
