"""SQL of tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from jupyter_mlws.db import driver
from jupyter_mlws.db.values import listed
from jupyter_mlws.domain.access.tables import TokenRow

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.orm import Session


_ADD = """
INSERT INTO tokens (id, hash, kind, "user", workspace_id, run_id, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""


def add(session: Session, row: TokenRow) -> None:
    """Store a token that has no holder."""
    session.flush()
    given = [row.id, row.hash, row.kind.value, row.user, row.workspace_id, row.run_id, row.created_at, row.expires_at]
    driver.run(session, _ADD, given)


def by_hash(session: Session, digest: str) -> TokenRow | None:
    """The token with this SHA-256."""
    return session.execute(select(TokenRow).where(TokenRow.hash == digest)).scalar_one_or_none()


def by_id(session: Session, token_id: str) -> TokenRow | None:
    """The token with this id."""
    return session.get(TokenRow, token_id)


def revoke(session: Session, token_id: str, at: int) -> None:
    """Revoke a token."""
    query = update(TokenRow).where(TokenRow.id == token_id, TokenRow.revoked_at.is_(None))
    session.execute(query.values(revoked_at=at))


def revoke_of_run(session: Session, run_id: str, at: int) -> None:
    """Revoke all tokens of a run."""
    driver.run(session, "UPDATE tokens SET revoked_at = ? WHERE run_id = ? AND revoked_at IS NULL", [at, run_id])


def forget_of_runs(session: Session, run_ids: Collection[str]) -> None:
    """Remove all tokens bound to these runs."""
    session.execute(delete(TokenRow).where(TokenRow.run_id.in_(listed(session, run_ids))))


def forget_before(session: Session, at: int) -> None:
    """Remove tokens that were revoked or expired before `at`."""
    session.execute(delete(TokenRow).where((TokenRow.revoked_at < at) | (TokenRow.expires_at < at)))
