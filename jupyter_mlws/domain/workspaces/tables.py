"""Rows of workspaces."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from jupyter_mlws.db.base import Base, BigId, varchar


class WorkspaceRow(Base):
    """A workspace."""

    __tablename__ = "workspaces"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(varchar(63), unique=True)
    display_name: Mapped[str] = mapped_column(default="")
    description: Mapped[str] = mapped_column(default="")
    archived_at: Mapped[int | None] = mapped_column()
    created_at: Mapped[int] = mapped_column()
    created_by: Mapped[str] = mapped_column(varchar(255))
    version: Mapped[int] = mapped_column(default=1)
