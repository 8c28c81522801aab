"""SQL of tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from jupyter_mlws.db.values import listed
from jupyter_mlws.domain.access.tables import TokenRow

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.orm import Session


def add(session: Session, row: TokenRow) -> None:
    """Store a token."""
    session.add(row)
    session.flush()


def by_hash(session: Session, digest: str) -> TokenRow | None:
    """The token with this SHA-256."""
    return session.execute(select(TokenRow).where(TokenRow.hash == digest)).scalar_one_or_none()


def by_id(session: Session, token_id: str) -> TokenRow | None:
    """The token with this id."""
    return session.get(TokenRow, token_id)


def revoke(session: Session, at: int, *, token_id: str | None = None, run_id: str | None = None) -> None:
    """Revoke one token, or all of a run."""
    query = update(TokenRow).where(TokenRow.revoked_at.is_(None)).values(revoked_at=at)
    query = query.where(TokenRow.id == token_id) if token_id is not None else query.where(TokenRow.run_id == run_id)
    session.execute(query)


def forget_of_runs(session: Session, run_ids: Collection[str]) -> None:
    """Remove all tokens bound to these runs."""
    session.execute(delete(TokenRow).where(TokenRow.run_id.in_(listed(session, run_ids))))


def forget_before(session: Session, at: int) -> None:
    """Remove tokens that were revoked or expired before `at`."""
    session.execute(delete(TokenRow).where((TokenRow.revoked_at < at) | (TokenRow.expires_at < at)))
