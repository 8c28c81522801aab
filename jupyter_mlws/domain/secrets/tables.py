"""Rows of secrets. There is no foreign key to runs: their slice lies above and deletes through the service."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from jupyter_mlws.db.base import Base, varchar


class SecretRow(Base):
    """A secret of a workspace."""

    __tablename__ = "secrets"

    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(varchar(100), primary_key=True)
    key_id: Mapped[str] = mapped_column(varchar(16))
    """Which key it is sealed with."""
    sealed: Mapped[bytes] = mapped_column()
    created_at: Mapped[int] = mapped_column()
    created_by: Mapped[str] = mapped_column(varchar(255))
    updated_at: Mapped[int] = mapped_column()
    updated_by: Mapped[str] = mapped_column(varchar(255))


class SecretUseRow(Base):
    """A variable of a job that a secret is given as."""

    __tablename__ = "secret_uses"
    __table_args__ = (Index(None, "workspace_id", "secret"),)

    run_id: Mapped[str] = mapped_column(varchar(32), primary_key=True)
    variable: Mapped[str] = mapped_column(varchar(255), primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    secret: Mapped[str] = mapped_column(varchar(100))
    ended: Mapped[bool] = mapped_column(default=False)
    """The job has ended; it is given nothing any more."""
    key_id: Mapped[str | None] = mapped_column(varchar(16))
    sealed: Mapped[bytes | None] = mapped_column()
    """What the job was given, from its start to its end."""
