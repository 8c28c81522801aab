"""Tokens and permission: who the caller is, and what it may do. Denied by default."""

from __future__ import annotations

import base64
import getpass
import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING, NamedTuple

from jupyter_mlws.domain.access import store
from jupyter_mlws.domain.access.errors import NotExchangeable, TokenNotFound
from jupyter_mlws.domain.access.schemas import EXCHANGEABLE
from jupyter_mlws.domain.access.tables import TokenRow
from jupyter_mlws.domain.workspaces.errors import WorkspaceNotFound
from jupyter_mlws.domain.workspaces.service import find, workspace_names
from jupyter_mlws.kit.actors import TOKEN_PREFIX, Action, Actor, ActorKind
from jupyter_mlws.kit.clock import now_ms
from jupyter_mlws.kit.errors import Forbidden, no_workspace
from jupyter_mlws.kit.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.access.schemas import Holder
    from jupyter_mlws.kit.errors import NotFound

ALLOWED: dict[ActorKind, frozenset[Action]] = {
    ActorKind.USER: frozenset(Action),
    ActorKind.LOCAL: frozenset(Action),
    ActorKind.KERNEL: frozenset({Action.READ, Action.LOG, Action.CREATE, Action.SUBMIT, Action.EXCHANGE, Action.EDIT}),
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
    exchangeable: bool = False,
) -> NewToken:
    """Make a token bound to a workspace, and for a job to its run."""
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32) + (EXCHANGEABLE if exchangeable else "")
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


def exchange_token(session: Session, secret: str | None, workspace: str) -> NewToken:
    """The token of the same kernel for another workspace that its owner may write to. Asked again, it is the same one.

    The new token ends with the id of the one it was made from, and lives only as long as that. It cannot be exchanged itself.
    """
    row = _live(session, secret) if secret is not None and secret.endswith(EXCHANGEABLE) else None
    if row is None or row.kind is not ActorKind.KERNEL or secret is None:
        raise NotExchangeable("Only the token that a server gave to a kernel it started can be exchanged; this one cannot.")
    space = find(session, workspace)
    owner = Actor(name=row.user, kind=ActorKind.USER)
    if not authorize(owner, Action.CREATE, space.name):
        raise WorkspaceNotFound(no_workspace(workspace), field="workspace")
    if space.id == row.workspace_id:
        return NewToken(row.id, secret)
    # Made of the old one and nothing else: a kernel that asks again and again has one token a workspace, not thousands.
    derived = hmac.digest(secret.encode(), f"workspace {space.id}".encode(), "sha256")
    made = f"{TOKEN_PREFIX}{base64.urlsafe_b64encode(derived).decode().rstrip('=')}.{row.id}"
    known = store.by_hash(session, digest_of(made))
    if known is None:
        known = TokenRow(
            id=new_id(),
            hash=digest_of(made),
            kind=ActorKind.KERNEL,
            user=row.user,
            workspace_id=space.id,
            created_at=now_ms(),
            expires_at=row.expires_at,
        )
        store.add(session, known)
    elif known.revoked_at is not None:
        raise NotExchangeable(f"This kernel's token for workspace {space.name!r} was revoked; a new kernel gets another.")
    return NewToken(known.id, made)


def digest_of(secret: str) -> str:
    """SHA-256 of a token: 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def actor_of_token(session: Session, secret: str) -> Actor | None:
    """The actor of a token; None if it is unknown, expired or revoked, or if that is what it was exchanged for."""
    row = _live(session, secret)
    if row is None:
        return None
    workspace = None if row.workspace_id is None else workspace_names(session, [row.workspace_id]).get(row.workspace_id)
    if row.workspace_id is not None and workspace is None:
        return None
    return Actor(
        name=row.user, kind=row.kind, workspace=workspace, workspace_id=row.workspace_id, run_id=row.run_id, token_id=row.id
    )


def _live(session: Session, secret: str) -> TokenRow | None:
    row = store.by_hash(session, digest_of(secret))
    ending = secret.partition(".")[2]
    if not _counts(row) or (ending and f".{ending}" != EXCHANGEABLE and not _counts(store.by_id(session, ending))):
        return None
    return row


def _counts(row: TokenRow | None) -> bool:
    return row is not None and row.revoked_at is None and (row.expires_at is None or row.expires_at > now_ms())


def note_holder(session: Session, token_id: str, holder: Holder) -> None:
    """Keep which kernel has a token; a kernel that was restarted is another process."""
    row = store.by_id(session, token_id)
    if row is None:
        raise TokenNotFound(f"There is no token with the id {token_id[:80]!r}.", field="token_id")
    row.holder = holder
    session.flush()


def holder_of(session: Session, token_id: str | None) -> Holder | None:
    """The kernel that has a token, if that is known."""
    row = store.by_id(session, token_id) if token_id is not None else None
    return row.holder if row is not None else None


def revoke_token(session: Session, token_id: str) -> None:
    """A token is worth nothing from now on."""
    store.revoke(session, token_id, now_ms())


def revoke_tokens_of_run(session: Session, run_id: str) -> None:
    """All tokens bound to a run are worth nothing from now on."""
    store.revoke_of_run(session, run_id, now_ms())


def forget_tokens_of_runs(session: Session, run_ids: Collection[str]) -> None:
    """Nothing is kept of the tokens of runs that are removed for good."""
    store.forget_of_runs(session, run_ids)


def forget_old_tokens(session: Session, before: int) -> None:
    """Forget tokens that are worth nothing since before this time (ms)."""
    store.forget_before(session, before)
