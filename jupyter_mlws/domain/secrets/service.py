"""Rules of secrets."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from jupyter_mlws.db.outbox import record_change
from jupyter_mlws.domain.access.service import require
from jupyter_mlws.domain.secrets import store
from jupyter_mlws.domain.secrets.errors import KeyMissing, KeyUnusable, SecretNotFound, UnknownSecret, UnusableSecret
from jupyter_mlws.domain.secrets.keys import KeyPlaces
from jupyter_mlws.domain.secrets.schemas import KeyRotation, Secret, SecretList, SecretName
from jupyter_mlws.domain.secrets.sealing import Keys, Sealed, key_id, owner_of_secret, owner_of_use
from jupyter_mlws.domain.secrets.tables import SecretRow, SecretUseRow
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.domain.workspaces.errors import WorkspaceNotFound
from jupyter_mlws.domain.workspaces.schemas import Resource
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.clock import now_ms
from jupyter_mlws.kit.decoding import convert
from jupyter_mlws.kit.errors import no_workspace

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy.orm import Session

    from jupyter_mlws.kit.actors import Actor
    from jupyter_mlws.kit.transactions import Transactions

__all__ = ["KeyPlaces", "Keys"]

LEAST = 4
UNFINISHED_LIMIT = 100
STEP = 50
NO_KEY = "No key yet; the first secret makes one."


def checked_name(name: str) -> str:
    """The name, if a secret may have it. Raises `BadInput`."""
    found: str = convert({"name": name}, _Named, strict=True).name
    return found


class _Named(msgspec.Struct):
    name: SecretName


def check_value(value: str) -> None:
    """Raise `UnusableSecret` for a value that no job could be given, or that could not be hidden."""
    if len(value.strip()) < LEAST:
        raise UnusableSecret(
            f"A secret has {LEAST} characters at least: a shorter one stands everywhere, and could not be hidden in logs. Give it as "
            "an ordinary variable.",
            field="value",
        )
    if "\0" in value:
        raise UnusableSecret("A secret becomes an environment variable, and those have no NUL character.", field="value")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise UnusableSecret("This value is not valid Unicode; encode it, in base64 say.", field="value") from None


def keys_now(db: Transactions, places: KeyPlaces, *, make: bool = False) -> Keys | None:
    """The keys that are here; None where there are neither keys nor secrets, unless one is to be made. Blocks: for threads."""
    found = places.find(db.read_sync(store.key_ids))
    return places.make() if found is None and make else found


def keys_needed(db: Transactions, places: KeyPlaces) -> Keys:
    """The keys that are here, where something is sealed. Blocks: for threads."""
    found = keys_now(db, places)
    if found is None:
        raise KeyMissing("There is no key for secrets here, for there are no secrets.")
    return found


def list_secrets(db: Transactions, places: KeyPlaces, workspace: str) -> SecretList:
    """Names, times and uses. Blocks: for threads."""
    kept, keys = NO_KEY, None
    try:
        keys = keys_now(db, places)
        kept = keys.words if keys is not None else NO_KEY
    except (KeyMissing, KeyUnusable) as error:
        kept = error.message
    return SecretList(secrets=db.read_sync(lambda s: _wires(s, workspace, keys)), kept=kept)


def _wires(session: Session, workspace: str, keys: Keys | None) -> list[Secret]:
    space = workspaces.find(session, workspace)
    jobs = store.uses(session, space.id)
    return [_wire(session, row, keys, jobs.get(row.name, 0)) for row in store.of_workspace(session, space.id)]


def _wire(session: Session, row: SecretRow, keys: Keys | None, jobs: int) -> Secret:
    return Secret(
        name=row.name,
        created_at=row.created_at,
        created_by=row.created_by,
        updated_at=row.updated_at,
        updated_by=row.updated_by,
        readable=keys is not None and keys.opens(row.key_id),
        waiting=store.unfinished(session, row.workspace_id, row.name, UNFINISHED_LIMIT),
        jobs=jobs,
    )


def put_secret(db: Transactions, places: KeyPlaces, actor: Actor, workspace: str, name: str, value: str) -> Secret:
    """Set a secret, a new one or another value. Blocks: for threads."""
    checked_name(name)
    check_value(value)
    space = db.read_sync(lambda s: workspaces.find(s, workspace))
    with places.sealing:
        keys = keys_now(db, places, make=True)
        assert keys is not None  # noqa: S101 - one was made
        sealed = keys.seal(value, owner_of_secret(space.id, name))
        return db.write_sync(lambda s: _store(s, actor, space, name, sealed, keys))


def _store(session: Session, actor: Actor, space: workspaces.WorkspaceRef, name: str, sealed: Sealed, keys: Keys) -> Secret:
    workspaces.check_open(session, space.name)
    missing = WorkspaceNotFound(no_workspace(space.name), field="workspace")
    require(actor, Action.EDIT, space.name, missing, workspace_id=space.id)
    row, at = store.by_name(session, space.id, name), now_ms()
    if row is None:
        row = SecretRow(workspace_id=space.id, name=name, created_at=at, created_by=actor.name)
    row.key_id, row.sealed, row.updated_at, row.updated_by = sealed.key_id, sealed.data, at, actor.name
    store.add(session, row)
    record_change(session, space.name, "secret", name)
    return _wire(session, row, keys, store.uses(session, space.id).get(name, 0))


def delete_secret(session: Session, actor: Actor, workspace: str, name: str) -> None:
    """Delete a secret. A job that waits and names it fails when it is to begin; one that runs keeps what it was given."""
    space = workspaces.find(session, workspace)
    missing = WorkspaceNotFound(no_workspace(workspace), field="workspace")
    require(actor, Action.EDIT, space.name, missing, workspace_id=space.id)
    row = store.by_name(session, space.id, name)
    if row is None:
        raise SecretNotFound(f"Workspace {workspace!r} has no secret {name[:100]!r}.", field="name")
    store.remove(session, row)
    record_change(session, space.name, "secret", name)


def check_known(session: Session, workspace: str, names: Collection[str], *, field: str = "secrets") -> None:
    """Raise `UnknownSecret`, with the nearest name, unless the workspace has all of these."""
    if not names:
        return
    there = [row.name for row in store.of_workspace(session, workspaces.find(session, workspace).id)]
    for name in names:
        if name not in there:
            near = difflib.get_close_matches(name, there, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            known = f"there are: {', '.join(there[:20])}" if there else "it has none"
            raise UnknownSecret(
                f"Workspace {workspace!r} has no secret {name[:100]!r}.{hint} In all {known}; `mlws secret set` makes one.",
                field=field,
            )


def note_uses(session: Session, run_id: str, space: workspaces.WorkspaceRef, named: Mapping[str, str]) -> None:
    """A job was submitted that is to be given secrets, by variable. Raises `UnknownSecret`."""
    check_known(session, space.name, named.values())
    for variable, name in named.items():
        store.add(session, SecretUseRow(run_id=run_id, variable=variable, workspace_id=space.id, secret=name))


def value_of(db: Transactions, places: KeyPlaces, workspace: str, name: str) -> str:
    """The value of a secret, for the server itself. Raises `SecretNotFound`. Blocks: for threads."""
    keys = keys_needed(db, places)

    def read(session: Session) -> str:
        row = store.by_name(session, workspaces.find(session, workspace).id, name)
        if row is None:
            raise SecretNotFound(f"Workspace {workspace!r} has no secret {name[:100]!r}.", field="name")
        return keys.open(Sealed(row.key_id, row.sealed), owner_of_secret(row.workspace_id, row.name))

    return db.read_sync(read)


def names_of_run(session: Session, run_id: str) -> dict[str, str]:
    """Which secrets a job is given, by variable."""
    return store.names_of_run(session, run_id)


def give(db: Transactions, places: KeyPlaces, run_id: str) -> dict[str, str]:
    """The values for a job that begins, by variable; a sealed copy is kept until it ends. Raises `UnknownSecret` for one that is gone.

    Blocks: for threads.
    """
    with places.sealing:
        keys = keys_needed(db, places)
        return db.write_sync(lambda s: _give(s, keys, run_id))


def _give(session: Session, keys: Keys, run_id: str) -> dict[str, str]:
    values = {}
    for use in store.uses_of_run(session, run_id):
        row = store.by_name(session, use.workspace_id, use.secret)
        if row is None:
            raise UnknownSecret(f"The secret {use.secret!r} was deleted after this job was submitted.", field="secrets")
        value = keys.open(Sealed(row.key_id, row.sealed), owner_of_secret(row.workspace_id, row.name))
        use.key_id, use.sealed = keys.seal(value, owner_of_use(run_id, use.variable))
        values[use.variable] = value
    session.flush()
    return values


def given(session: Session, keys: Keys, run_id: str) -> list[str]:
    """The values that a running job was given: what is to be hidden in what it logs."""
    uses = [use for use in store.uses_of_run(session, run_id) if use.sealed is not None and use.key_id is not None]
    return [keys.open(Sealed(str(use.key_id), use.sealed or b""), owner_of_use(run_id, use.variable)) for use in uses]


def forget_given(session: Session, run_id: str) -> None:
    """A job has ended."""
    store.end_uses(session, run_id)


def remove_with_runs(session: Session, run_ids: Collection[str]) -> None:
    """Runs are removed for good."""
    store.remove_uses(session, run_ids)


@workspaces.locating.register
def _store_of(db: Transactions, services: Any, workspace: workspaces.WorkspaceRef, found: list[Resource]) -> None:
    """The secret store, as a resource of the workspace."""
    rows = db.read_sync(lambda s: store.of_workspace(s, workspace.id))
    health: Literal["ok", "degraded", "absent"] = "ok" if rows else "absent"
    location, detail = "", "No secrets are kept in this workspace."
    try:
        keys = keys_now(db, services.secrets)
    except (KeyMissing, KeyUnusable) as error:
        health, detail = "degraded", error.message
    else:
        if rows and keys is not None:
            location = keys.words
            unread = [row.name for row in rows if not keys.opens(row.key_id)]
            health = "degraded" if unread else "ok"
            detail = (
                f"{len(rows)} secrets, sealed with the key there" if len(rows) != 1 else "1 secret, sealed with the key there"
            )
            detail = f"Set anew, for another key sealed them: {', '.join(unread[:10])}" if unread else detail
    found.append(Resource(kind="secret_store", location=location, bytes=None, health=health, detail=detail))


def rotate(db: Transactions, places: KeyPlaces) -> KeyRotation:
    """Seal all values of all workspaces with a new key. Cut short it is asked again: both keys are kept until the end.

    Blocks: for threads. Nothing is sealed meanwhile but by it: the key that somebody else sealed with would be forgotten at the end.
    """
    with places.sealing:
        old = keys_now(db, places)
        if old is None:
            return KeyRotation(secrets=0, kept=NO_KEY, todo="")
        keys = places.add(old)
        done = 0
        while count := db.write_sync(lambda s: _reseal(s, keys)):
            done += count
        places.keep_first(keys)
    todo = ""
    if keys.place in ("environment", "file"):
        todo = (
            f"{keys.words[:1].upper()}{keys.words[1:]} is yours to change: put a new key before the old one, with a comma or line end "
            "between, restart, and ask again; then the old one can go."
            if len(keys.keys) == 1
            else f"All is sealed with the first key of {keys.words}; the others can be taken out."
        )
    return KeyRotation(secrets=done, kept=keys.words, todo=todo)


def _reseal(session: Session, keys: Keys) -> int:
    """Some values that another key sealed, sealed anew; how many those were."""
    old = [key_id(key) for key in keys.keys[1:]]
    rows = store.sealed_with(session, old, STEP)
    for row in rows:
        owner = owner_of_secret(row.workspace_id, row.name)
        row.key_id, row.sealed = keys.seal(keys.open(Sealed(row.key_id, row.sealed), owner), owner)
    uses = store.given_sealed_with(session, old, STEP)
    for use in uses:
        owner = owner_of_use(use.run_id, use.variable)
        use.key_id, use.sealed = keys.seal(keys.open(Sealed(str(use.key_id), use.sealed or b""), owner), owner)
    session.flush()
    return len(rows) + len(uses)
