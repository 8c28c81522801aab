"""SQL of secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select

from jupyter_mlws.db import driver
from jupyter_mlws.db.values import listed
from jupyter_mlws.domain.secrets.tables import SecretRow, SecretUseRow

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.orm import Session


def by_name(session: Session, workspace_id: int, name: str) -> SecretRow | None:
    """A secret."""
    return session.get(SecretRow, (workspace_id, name))


def of_workspace(session: Session, workspace_id: int) -> list[SecretRow]:
    """All secrets of a workspace, by name."""
    query = select(SecretRow).where(SecretRow.workspace_id == workspace_id).order_by(SecretRow.name)
    return list(session.execute(query).scalars())


def add(session: Session, row: SecretRow | SecretUseRow) -> None:
    """Store a new row."""
    session.add(row)
    session.flush()


def remove(session: Session, row: SecretRow) -> None:
    """Remove a secret."""
    session.delete(row)
    session.flush()


def key_ids(session: Session) -> list[str]:
    """Ids of the keys that something is sealed with, that of the newest secret first."""
    last = func.max(SecretRow.updated_at)
    secrets = session.execute(select(SecretRow.key_id).group_by(SecretRow.key_id).order_by(last.desc())).scalars()
    given = session.execute(select(SecretUseRow.key_id).where(SecretUseRow.key_id.is_not(None)).distinct()).scalars()
    return list(dict.fromkeys([*secrets, *(one for one in given if one is not None)]))


def sealed_with(session: Session, keys: Collection[str], limit: int) -> list[SecretRow]:
    """Secrets that one of these keys sealed."""
    return list(session.execute(select(SecretRow).where(SecretRow.key_id.in_(keys)).limit(limit)).scalars())


def given_sealed_with(session: Session, keys: Collection[str], limit: int) -> list[SecretUseRow]:
    """Copies for jobs that one of these keys sealed."""
    return list(session.execute(select(SecretUseRow).where(SecretUseRow.key_id.in_(keys)).limit(limit)).scalars())


def uses_of_run(session: Session, run_id: str) -> list[SecretUseRow]:
    """What a job is given, by variable."""
    query = select(SecretUseRow).where(SecretUseRow.run_id == run_id).order_by(SecretUseRow.variable)
    return list(session.execute(query).scalars())


def names_of_run(session: Session, run_id: str) -> dict[str, str]:
    """Which secrets a job is given, by variable."""
    session.flush()
    return dict(driver.fetch(session, "SELECT variable, secret FROM secret_uses WHERE run_id = ? ORDER BY variable", [run_id]))


def uses(session: Session, workspace_id: int) -> dict[str, int]:
    """How many jobs name each secret."""
    number = func.count(SecretUseRow.run_id.distinct())
    query = select(SecretUseRow.secret, number).where(SecretUseRow.workspace_id == workspace_id).group_by(SecretUseRow.secret)
    return {row[0]: row[1] for row in session.execute(query)}


def unfinished(session: Session, workspace_id: int, secret: str, limit: int) -> list[str]:
    """Run ids of jobs that name a secret and have not ended."""
    query = select(SecretUseRow.run_id).distinct().order_by(SecretUseRow.run_id)
    here = (SecretUseRow.workspace_id == workspace_id, SecretUseRow.secret == secret, SecretUseRow.ended.is_(False))
    return list(session.execute(query.where(*here).limit(limit)).scalars())


def end_uses(session: Session, run_id: str) -> None:
    """A job has ended: nothing is kept of what it was given."""
    session.flush()
    driver.run(session, "UPDATE secret_uses SET ended = ?, sealed = NULL, key_id = NULL WHERE run_id = ?", [True, run_id])


def remove_uses(session: Session, run_ids: Collection[str]) -> None:
    """The runs are removed for good."""
    session.execute(delete(SecretUseRow).where(SecretUseRow.run_id.in_(listed(session, run_ids))))
