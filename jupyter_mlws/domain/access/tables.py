"""Rows of tokens."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from jupyter_mlws.db.base import Base, EnumText, JsonText, one_of, varchar
from jupyter_mlws.domain.access.schemas import Holder
from jupyter_mlws.kit.actors import ActorKind


class TokenRow(Base):
    """A token of ours: only its SHA-256 is kept."""

    __tablename__ = "tokens"
    __table_args__ = (CheckConstraint(one_of("kind", ActorKind), name="kind"),)

    id: Mapped[str] = mapped_column(varchar(32), primary_key=True)
    hash: Mapped[str] = mapped_column(varchar(64), unique=True)
    kind: Mapped[ActorKind] = mapped_column(EnumText(ActorKind))
    user: Mapped[str] = mapped_column(varchar(255))
    workspace_id: Mapped[int | None] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    run_id: Mapped[str | None] = mapped_column(varchar(32), index=True)
    created_at: Mapped[int] = mapped_column()
    expires_at: Mapped[int | None] = mapped_column()
    revoked_at: Mapped[int | None] = mapped_column()
    holder: Mapped[Holder | None] = mapped_column(JsonText(Holder))
