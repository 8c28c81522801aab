"""Rules of workspaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import UNSET

from jupyter_mlws.db.outbox import record_change
from jupyter_mlws.domain.workspaces import store
from jupyter_mlws.domain.workspaces.errors import (
    DefaultWorkspace,
    NotArchived,
    StaleVersion,
    WorkspaceArchived,
    WorkspaceExists,
    WorkspaceNotFound,
)
from jupyter_mlws.domain.workspaces.schemas import (
    Resource,
    Workspace,
    WorkspaceCreate,
    WorkspaceDeletion,
    WorkspaceList,
    WorkspaceUpdate,
)
from jupyter_mlws.domain.workspaces.tables import WorkspaceRow
from jupyter_mlws.kit.clock import now_ms
from jupyter_mlws.kit.errors import no_workspace
from jupyter_mlws.kit.events import Hook

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.orm import Session

    from jupyter_mlws.kit.actors import Actor
    from jupyter_mlws.kit.transactions import Transactions

DEFAULT = "default"


class WorkspaceRef(NamedTuple):
    """What upper slices need of a workspace."""

    id: int
    name: str


class Counts:
    """Filled by upper slices: what a workspace holds."""

    def __init__(self) -> None:
        self.experiments: dict[int, int] = {}
        self.runs: dict[int, int] = {}


class Contents:
    """Filled by upper slices: what a workspace holds, or (`limit` given) what of it they just removed, at most so many runs."""

    def __init__(self, workspace_id: int, *, limit: int | None = None) -> None:
        self.workspace_id = workspace_id
        self.limit = limit
        self.more = False
        """There is more to remove than `limit`."""
        self.experiments = 0
        self.run_ids: list[str] = []
        self.artifacts = 0
        self.bytes_freed = 0
        self.busy: list[str] = []
        """Run ids that still run: deletion is refused while there are any."""


counting: Hook[[Session, Counts]] = Hook()
deleting: Hook[[Session, Contents]] = Hook()
locating: Hook[[Transactions, Any, WorkspaceRef, list[Resource]]] = Hook()
"""Upper slices add what else a workspace stands on. Called in a thread, with the server's services."""


def ensure_default(session: Session, user: str) -> None:
    """Make the workspace `default` if it is not there."""
    if store.by_name(session, DEFAULT) is None:
        store.add(session, WorkspaceRow(name=DEFAULT, display_name="Default", created_at=now_ms(), created_by=user))


def find(session: Session, name: str) -> WorkspaceRef:
    """The workspace of this name. Raises `WorkspaceNotFound`."""
    return WorkspaceRef(_place(session, name)[0], name)


def workspace_names(session: Session, ids: Collection[int]) -> dict[int, str]:
    """Names by id."""
    return store.names(session, ids)


def list_workspaces(session: Session, actor: Actor, *, archived: bool) -> WorkspaceList:
    """All workspaces the actor may see; the archived ones instead of the others when asked."""
    counts = Counts()
    counting(session, counts)
    rows = [row for row in store.all_rows(session) if actor.workspace is None or row.name == actor.workspace]
    return WorkspaceList(workspaces=[_wire(row, counts) for row in rows if archived == (row.archived_at is not None)])


def get_workspace(session: Session, name: str) -> Workspace:
    """One workspace."""
    row = _row(session, name)
    counts = Counts()
    counting(session, counts)
    return _wire(row, counts)


def create_workspace(session: Session, actor: Actor, body: WorkspaceCreate) -> Workspace:
    """Make a workspace."""
    if store.by_name(session, body.name) is not None:
        raise WorkspaceExists(f"There is a workspace {body.name!r} already; choose another name.", field="name")
    row = WorkspaceRow(
        name=body.name,
        display_name=body.display_name if body.display_name is not UNSET else body.name,
        description=body.description if body.description is not UNSET else "",
        created_at=now_ms(),
        created_by=actor.name,
    )
    store.add(session, row)
    record_change(session, row.name, "workspace", row.name)
    return _wire(row, Counts())


def update_workspace(session: Session, name: str, body: WorkspaceUpdate, version: int | None) -> Workspace:
    """Rename or describe a workspace."""
    row = _row(session, name)
    _check_version(row, version)
    if body.name is not UNSET and body.name != row.name:
        if row.name == DEFAULT:
            raise DefaultWorkspace("The default workspace keeps its name; set its display name instead.", field="name")
        if store.by_name(session, body.name) is not None:
            raise WorkspaceExists(f"There is a workspace {body.name!r} already; choose another name.", field="name")
        record_change(session, row.name, "workspace", row.name)
        row.name = body.name
    if body.display_name is not UNSET:
        row.display_name = body.display_name
    if body.description is not UNSET:
        row.description = body.description
    return _touch(session, row)


def set_archived(session: Session, name: str, *, archived: bool) -> Workspace:
    """Archive a workspace, or bring it back."""
    row = _row(session, name)
    if row.name == DEFAULT and archived:
        raise DefaultWorkspace("The default workspace cannot be archived.")
    if (row.archived_at is not None) != archived:
        row.archived_at = now_ms() if archived else None
        return _touch(session, row)
    return get_workspace(session, name)


def deletion_plan(session: Session, name: str, *, dry_run: bool) -> tuple[WorkspaceDeletion, list[str]]:
    """What deleting a workspace frees, and the ids of its runs. One that may not be deleted is refused, or (`dry_run`) says why."""
    row = _row(session, name)
    contents = Contents(row.id)
    deleting(session, contents)
    obstacle = _obstacle(row, contents)
    if obstacle is not None and not dry_run:
        raise obstacle
    plan = WorkspaceDeletion(
        workspace=name,
        experiments=contents.experiments,
        runs=len(contents.run_ids),
        artifacts=contents.artifacts,
        bytes_freed=contents.bytes_freed,
        dry_run=dry_run,
        blocked_by=None if obstacle is None else obstacle.message,
    )
    return plan, contents.run_ids


def delete_some(session: Session, name: str, limit: int) -> bool:
    """Remove so many runs of an archived workspace at most; True once nothing is left and the workspace is removed too."""
    row = _row(session, name)
    contents = Contents(row.id, limit=limit)
    deleting(session, contents)
    obstacle = _obstacle(row, contents)
    if obstacle is not None:
        raise obstacle
    if not contents.more:
        record_change(session, row.name, "workspace", row.name)
        store.remove(session, row)
    return not contents.more


def _obstacle(row: WorkspaceRow, contents: Contents) -> DefaultWorkspace | NotArchived | None:
    if row.name == DEFAULT:
        return DefaultWorkspace("The default workspace cannot be deleted.")
    if row.archived_at is None:
        return NotArchived(f"Archive the workspace {row.name!r} first; then it can be deleted for good.")
    if contents.busy:
        return NotArchived(f"Runs of workspace {row.name!r} still run ({len(contents.busy)}); cancel them first.")
    return None


def _place(session: Session, name: str) -> tuple[int, int | None]:
    found = store.place(session, name)
    if found is None:
        raise WorkspaceNotFound(no_workspace(name), field="workspace")
    return found


def _row(session: Session, name: str) -> WorkspaceRow:
    row = store.by_name(session, name)
    if row is None:
        raise WorkspaceNotFound(no_workspace(name), field="workspace")
    return row


def _check_version(row: WorkspaceRow, version: int | None) -> None:
    if version is not None and version != row.version:
        raise StaleVersion(
            f"Workspace {row.name!r} was changed meanwhile (version {row.version}, not {version}); reload it and try again."
        )


def _touch(session: Session, row: WorkspaceRow) -> Workspace:
    row.version += 1
    session.flush()
    record_change(session, row.name, "workspace", row.name)
    counts = Counts()
    counting(session, counts)
    return _wire(row, counts)


def _wire(row: WorkspaceRow, counts: Counts) -> Workspace:
    return Workspace(
        name=row.name,
        display_name=row.display_name or row.name,
        description=row.description,
        archived=row.archived_at is not None,
        created_at=row.created_at,
        created_by=row.created_by,
        experiments=counts.experiments.get(row.id, 0),
        runs=counts.runs.get(row.id, 0),
        version=row.version,
    )


def check_open(session: Session, name: str) -> None:
    """Raise `WorkspaceNotFound`, or `WorkspaceArchived` for one that takes nothing new."""
    if _place(session, name)[1] is not None:
        raise WorkspaceArchived(f"The workspace {name!r} is archived; restore it first.", field="workspace")
