"""Rows of compute targets that somebody made."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Integer
from sqlalchemy.orm import Mapped, mapped_column

from jupyter_mlws.db.base import Base, JsonText, varchar
from jupyter_mlws.domain.compute.schemas import HostFacts, LimitsChanged, TargetCheck


class ComputeTargetRow(Base):
    """A compute target. `local`, and those that the settings name, have no row."""

    __tablename__ = "compute_targets"

    name: Mapped[str] = mapped_column(varchar(100), primary_key=True)
    kind: Mapped[str] = mapped_column(varchar(32))
    description: Mapped[str] = mapped_column()
    max_jobs: Mapped[int] = mapped_column(Integer())
    place: Mapped[dict[str, Any]] = mapped_column(JsonText(dict[str, Any]))
    """Where it is, and how to get in: an `SshPlace`, or what another kind has for it."""
    facts: Mapped[HostFacts | None] = mapped_column(JsonText(HostFacts))
    """What it said of itself at the last test."""
    checked: Mapped[TargetCheck | None] = mapped_column(JsonText(TargetCheck))
    """What the last test found."""
    limits: Mapped[LimitsChanged | None] = mapped_column(JsonText(LimitsChanged))
    """What was changed of its limits since it was made, for all servers; None of a target that was made before there was this: on each
    server what a file of its own says, until they are changed."""
    version: Mapped[int] = mapped_column()
    """One more with each change: other servers on the database see by it what is new."""
    created_at: Mapped[int] = mapped_column()
    created_by: Mapped[str] = mapped_column(varchar(255))
    updated_at: Mapped[int] = mapped_column()
    updated_by: Mapped[str] = mapped_column(varchar(255))
