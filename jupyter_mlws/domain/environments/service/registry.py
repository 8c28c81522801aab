"""The environments of a workspace: making versions, listing, archiving."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec import UNSET

from jupyter_mlws.db.outbox import record_change
from jupyter_mlws.domain.access.service import require
from jupyter_mlws.domain.environments import definitions, references, store
from jupyter_mlws.domain.environments.errors import EnvironmentNotFound, NothingCaptured
from jupyter_mlws.domain.environments.schemas import (
    Definition,
    Environment,
    EnvironmentBuild,
    EnvironmentCreate,
    EnvironmentList,
    EnvironmentVersion,
    EnvironmentVersions,
    KernelDefinition,
    RequirementsDefinition,
)
from jupyter_mlws.domain.environments.states import BuildStatus
from jupyter_mlws.domain.environments.tables import EnvironmentRow, EnvironmentVersionRow
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.domain.workspaces.errors import WorkspaceNotFound
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.clock import now_ms
from jupyter_mlws.kit.errors import no_workspace
from jupyter_mlws.kit.pagination import decode_cursor, encode_cursor

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.environments.schemas import EnvironmentCapture
    from jupyter_mlws.kit.actors import Actor

ENDLESS = 2**31 - 1
UNTOLD = EnvironmentBuild(status=BuildStatus.NOT_BUILT, message="", hash=None, started_at=None, ended_at=None, interpreter=None)
"""Until `Environments.told` has looked: the database does not know what is built."""


class Opened(NamedTuple):
    """An environment, and the workspace that it is in."""

    row: EnvironmentRow
    workspace: workspaces.WorkspaceRef


def create(session: Session, actor: Actor, workspace: str, body: EnvironmentCreate) -> EnvironmentVersion:
    """Make a version; the same definition again is the version that has it. `body.definition` is checked already."""
    space = _space(session, actor, Action.SUBMIT, workspace)
    workspaces.check_open(session, space.name)
    row = store.environment(session, space.id, body.name, locked=True)
    if row is None:
        row = EnvironmentRow(workspace_id=space.id, name=body.name, created_at=now_ms(), created_by=actor.name)
        store.add(session, row)
    digest = definitions.hash_of(body.definition)
    known = store.version_like(session, row.id, digest)
    if known is None:
        last = store.latest(session, [row.id]).get(row.id)
        known = EnvironmentVersionRow(
            environment_id=row.id,
            number=1 if last is None else last.number + 1,
            definition=body.definition,
            definition_hash=digest,
            description=body.description if body.description is not UNSET else "",
            tags=dict(body.tags) if body.tags is not UNSET else {},
            created_at=now_ms(),
            created_by=actor.name,
        )
        store.add(session, known)
    row.archived_at = None
    session.flush()
    record_change(session, space.name, "environment", str(row.id))
    return version_wire(row, known)


def from_run(capture: EnvironmentCapture, run_id: str) -> Definition:
    """A definition of what a run ran in: its packages with their versions, or its kernel. Raises `NothingCaptured`."""
    if capture.packages and capture.language_version:
        local = set(capture.local_packages)
        lines = [f"# What run {run_id} ran in"]
        for name, version in sorted(capture.packages.items(), key=lambda one: one[0].lower()):
            pinned = f"{name}=={version}"
            if definitions.PINNED.fullmatch(pinned) is None:  # whoever logs to the run may have written what it likes
                continue
            lines.append(f"# from no index: {pinned}" if name in local else pinned)
        python = ".".join(capture.language_version.split(".")[:2])
        return RequirementsDefinition(requirements="\n".join(lines) + "\n", python=python)
    if capture.kernel_name and capture.language not in (None, "python", "unknown"):
        return KernelDefinition(kernel=capture.kernel_name)
    raise NothingCaptured("Neither packages nor a kernel were captured of this run, so no environment can be made of it.")


def list_environments(
    session: Session, actor: Actor, workspace: str, *, archived: bool, cursor: str | None, limit: int
) -> EnvironmentList:
    """A page of environments, by name."""
    space = _space(session, actor, Action.READ, workspace)
    after = str(decode_cursor(cursor, 1)[0]) if cursor else ""
    rows = store.page(session, space.id, after, limit + 1, archived=archived)
    latest = store.latest(session, [row.id for row in rows])
    found = [
        Environment(
            name=row.name,
            archived=row.archived_at is not None,
            versions=latest[row.id].number,
            latest=version_wire(row, latest[row.id]),
        )
        for row in rows[:limit]
    ]
    more = len(rows) > limit
    return EnvironmentList(environments=found, next_cursor=encode_cursor(rows[limit - 1].name) if more else None)


def list_versions(
    session: Session, actor: Actor, workspace: str, name: str, *, cursor: str | None, limit: int
) -> EnvironmentVersions:
    """A page of the versions of an environment, the newest first."""
    opened = open_environment(session, actor, Action.READ, workspace, name)
    before = int(decode_cursor(cursor, 1, whole=True)[0]) if cursor else ENDLESS
    rows: Sequence[EnvironmentVersionRow] = store.versions(session, opened.row.id, before, limit + 1)
    more = len(rows) > limit
    return EnvironmentVersions(
        versions=[version_wire(opened.row, row) for row in rows[:limit]],
        next_cursor=encode_cursor(rows[limit - 1].number) if more else None,
    )


def get_version(session: Session, actor: Actor, action: Action, workspace: str, name: str, version: str) -> EnvironmentVersion:
    """A version by its number, or `latest`."""
    opened = open_environment(session, actor, action, workspace, name)
    if version == references.LATEST:
        row = store.latest(session, [opened.row.id]).get(opened.row.id)
    else:
        row = store.version(session, opened.row.id, int(version)) if references.VERSION.fullmatch(version) else None
    if row is None:
        raise EnvironmentNotFound(f"The environment {name[:100]!r} has no version {version[:40]!r}.", field="version")
    return version_wire(opened.row, row)


def hashes_in_use(session: Session, also: Collection[int]) -> set[str]:
    """Hashes of the definitions that somebody may still use: of environments that are not archived, and of the versions with these ids."""
    return store.hashes_in_use(session, also)


def set_archived(session: Session, actor: Actor, workspace: str, name: str, *, archived: bool) -> Environment:
    """Hide an environment from lists and from new jobs, or bring it back. Jobs that have it keep it."""
    row, space = open_environment(session, actor, Action.EDIT, workspace, name)
    if (row.archived_at is not None) != archived:
        row.archived_at = now_ms() if archived else None
        session.flush()
        record_change(session, space.name, "environment", str(row.id))
    last = store.latest(session, [row.id])[row.id]
    return Environment(name=row.name, archived=archived, versions=last.number, latest=version_wire(row, last))


def open_environment(session: Session, actor: Actor, action: Action, workspace: str, name: str) -> Opened:
    """An environment that the actor may do this with. Raises `EnvironmentNotFound`."""
    space = _space(session, actor, action, workspace)
    row = store.environment(session, space.id, name)
    if row is None:
        raise EnvironmentNotFound(
            f"Workspace {workspace!r} has no environment {name[:100]!r}; `mlws environment list` shows those there are.",
            field="name",
        )
    return Opened(row, space)


def version_wire(row: EnvironmentRow, version: EnvironmentVersionRow) -> EnvironmentVersion:
    """A version for the wire."""
    return EnvironmentVersion(
        name=row.name,
        version=version.number,
        definition=version.definition,
        description=version.description,
        tags=version.tags,
        created_at=version.created_at,
        created_by=version.created_by,
        archived=row.archived_at is not None,
        build=UNTOLD,
    )


def _space(session: Session, actor: Actor, action: Action, workspace: str) -> workspaces.WorkspaceRef:
    space = workspaces.find(session, workspace)
    missing = WorkspaceNotFound(no_workspace(workspace), field="workspace")
    require(actor, action, space.name, missing, workspace_id=space.id)
    return space
