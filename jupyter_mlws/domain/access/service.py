"""Tokens and permission: who the caller is, and what it may do. Denied by default."""

from __future__ import annotations

import getpass
import hashlib
import secrets
from typing import TYPE_CHECKING, NamedTuple

from jupyter_mlws.domain.access import store
from jupyter_mlws.domain.access.tables import TokenRow
from jupyter_mlws.domain.workspaces.service import workspace_names
from jupyter_mlws.kit.actors import TOKEN_PREFIX, Action, Actor, ActorKind
from jupyter_mlws.kit.clock import now_ms
from jupyter_mlws.kit.errors import Forbidden
from jupyter_mlws.kit.ids import new_id

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jupyter_mlws.kit.errors import NotFound

ALLOWED: dict[ActorKind, frozenset[Action]] = {
    ActorKind.USER: frozenset(Action),
    ActorKind.LOCAL: frozenset(Action),
    ActorKind.KERNEL: frozenset({Action.READ, Action.LOG, Action.CREATE, Action.SUBMIT, Action.EDIT}),
    ActorKind.JOB: frozenset({Action.READ, Action.LOG, Action.CREATE}),
}


class NewToken(NamedTuple):
    """A token just made: the secret is shown once and never stored."""

    id: str
    secret: str


def local_name() -> str:
    """Name of the operating-system user: who a person alone on a laptop is."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "local"


def authorize(actor: Actor, action: Action, workspace: str | None) -> bool:
    """Whether `actor` may do `action` in `workspace` (None: the action names none, and the service checks the object)."""
    if action not in ALLOWED[actor.kind]:
        return False
    return actor.workspace is None or workspace is None or actor.workspace == workspace


def require(actor: Actor, action: Action, workspace: str, missing: NotFound, *, workspace_id: int) -> None:
    """Raise unless `actor` may do this in the workspace: `missing` for what it may not even read, as if it were not there."""
    here = actor.workspace in (None, workspace) if actor.workspace_id is None else actor.workspace_id == workspace_id
    if not here or not authorize(actor, Action.READ, None):
        raise missing
    if not authorize(actor, action, None):
        raise Forbidden(f"{actor.name} ({actor.kind.value}) may not {action.value} in workspace {workspace!r}.")


def issue_token(
    session: Session,
    *,
    kind: ActorKind,
    user: str,
    workspace_id: int | None = None,
    run_id: str | None = None,
    lifetime_ms: int | None = None,
) -> NewToken:
    """Make a token bound to a workspace, and for a job to its run."""
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    at = now_ms()
    row = TokenRow(
        id=new_id(),
        hash=digest_of(secret),
        kind=kind,
        user=user,
        workspace_id=workspace_id,
        run_id=run_id,
        created_at=at,
        expires_at=None if lifetime_ms is None else at + lifetime_ms,
    )
    store.add(session, row)
    return NewToken(row.id, secret)


def digest_of(secret: str) -> str:
    """SHA-256 of a token: 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def actor_of_token(session: Session, secret: str) -> Actor | None:
    """The actor of a token; None if it is unknown, expired or revoked."""
    row = store.by_hash(session, digest_of(secret))
    if row is None or row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now_ms()):
        return None
    workspace = None if row.workspace_id is None else workspace_names(session, [row.workspace_id]).get(row.workspace_id)
    if row.workspace_id is not None and workspace is None:
        return None
    return Actor(
        name=row.user, kind=row.kind, workspace=workspace, workspace_id=row.workspace_id, run_id=row.run_id, token_id=row.id
    )


def revoke_token(session: Session, token_id: str) -> None:
    """A token is worth nothing from now on."""
    store.revoke(session, now_ms(), token_id=token_id)


def revoke_tokens_of_run(session: Session, run_id: str) -> None:
    """All tokens bound to a run are worth nothing from now on."""
    store.revoke(session, now_ms(), run_id=run_id)
