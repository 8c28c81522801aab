"""SQL of workspaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from jupyter_mlws.db import driver
from jupyter_mlws.domain.workspaces.tables import WorkspaceRow

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.orm import Session


def by_name(session: Session, name: str) -> WorkspaceRow | None:
    """The workspace of this name."""
    return session.execute(select(WorkspaceRow).where(WorkspaceRow.name == name)).scalar_one_or_none()


_PLACE = "SELECT id, archived_at FROM workspaces WHERE name = ?"


def place(session: Session, name: str) -> tuple[int, int | None] | None:
    """(id, when it was archived) of the workspace of this name."""
    session.flush()
    found = driver.fetch(session, _PLACE, [name])
    return (found[0][0], found[0][1]) if found else None


def names(session: Session, ids: Collection[int]) -> dict[int, str]:
    """Names by id."""
    return dict(driver.fetch_among(session, "SELECT id, name FROM workspaces WHERE id {among}", ids))


def all_rows(session: Session) -> list[WorkspaceRow]:
    """All workspaces, by name."""
    return list(session.execute(select(WorkspaceRow).order_by(WorkspaceRow.name)).scalars())


def add(session: Session, row: WorkspaceRow) -> None:
    """Store a new workspace."""
    session.add(row)
    session.flush()


def remove(session: Session, row: WorkspaceRow) -> None:
    """Remove a workspace; its experiments and runs must be gone."""
    session.delete(row)
    session.flush()
