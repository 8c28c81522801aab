"""Rows of datasets."""

from __future__ import annotations

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from jupyter_mlws.db.base import Base, BigId, varchar


class DatasetRow(Base):
    """A dataset that runs of an experiment have read."""

    __tablename__ = "datasets"
    __table_args__ = (UniqueConstraint("experiment_id", "name", "digest"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiments.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(varchar(500))
    digest: Mapped[str] = mapped_column(varchar(36))
    source_type: Mapped[str] = mapped_column(default="")
    source: Mapped[str] = mapped_column(default="")
    schema: Mapped[str | None] = mapped_column()
    profile: Mapped[str | None] = mapped_column()
