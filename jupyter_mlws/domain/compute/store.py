"""SQL of compute targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from jupyter_mlws.domain.compute.tables import ComputeTargetRow

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def by_name(session: Session, name: str) -> ComputeTargetRow | None:
    """The target of this name that somebody made."""
    return session.get(ComputeTargetRow, name)


def lock(session: Session, name: str) -> None:
    """Until the transaction ends nobody else may. On SQLite, which has one writer, this does nothing."""
    session.execute(select(ComputeTargetRow.name).where(ComputeTargetRow.name == name).with_for_update())


def all_of_them(session: Session) -> list[ComputeTargetRow]:
    """All targets that somebody made, by name."""
    return list(session.execute(select(ComputeTargetRow).order_by(ComputeTargetRow.name)).scalars())


def add(session: Session, row: ComputeTargetRow) -> None:
    """Store a new one."""
    session.add(row)
    session.flush()


def remove(session: Session, row: ComputeTargetRow) -> None:
    """Remove one."""
    session.delete(row)
    session.flush()
