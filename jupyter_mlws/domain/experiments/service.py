"""Rules of experiments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from msgspec import UNSET

from jupyter_mlws.db.outbox import record_change
from jupyter_mlws.domain.access.service import require
from jupyter_mlws.domain.experiments import store
from jupyter_mlws.domain.experiments.errors import ExperimentArchived, ExperimentExists, ExperimentInUse, ExperimentNotFound
from jupyter_mlws.domain.experiments.schemas import (
    BestRun,
    Experiment,
    ExperimentCreate,
    ExperimentDeletion,
    ExperimentPage,
    ExperimentUpdate,
    Goal,
)
from jupyter_mlws.domain.experiments.tables import ExperimentRow
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.domain.workspaces.errors import StaleVersion
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.clock import now_ms
from jupyter_mlws.kit.errors import InvalidName
from jupyter_mlws.kit.events import Hook
from jupyter_mlws.kit.pagination import decode_cursor, encode_cursor

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.workspaces.service import WorkspaceRef
    from jupyter_mlws.kit.actors import Actor

DEFAULT = "Default"


class ExperimentRef(NamedTuple):
    """What upper slices need of an experiment."""

    id: int
    name: str
    workspace: WorkspaceRef


class ExperimentRecord(NamedTuple):
    """An experiment by itself, without what upper slices know of its runs."""

    id: int
    workspace: str
    name: str
    archived: bool
    created_at: int
    updated_at: int
    artifact_location: str | None
    tags: dict[str, str]


class Summary:
    """Filled by upper slices: what lists show of an experiment's runs."""

    def __init__(self, goal: Goal | None) -> None:
        self.goal = goal
        self.runs = 0
        self.by_status: dict[str, int] = {}
        self.last_run_at: int | None = None
        self.best: BestRun | None = None


class Contents:
    """Filled by upper slices: what experiments hold, or (`limit` given) what of it they just removed, at most so many runs."""

    def __init__(self, experiment_ids: Sequence[int], *, limit: int | None = None) -> None:
        self.experiment_ids = experiment_ids
        self.limit = limit
        self.more = False
        """There is more to remove than `limit`."""
        self.run_ids: list[str] = []
        self.artifacts = 0
        self.bytes_freed = 0
        self.busy: list[str] = []


summarizing: Hook[[Session, dict[int, Summary]]] = Hook()
deleting: Hook[[Session, Contents]] = Hook()


def clean_name(name: str, what: str, *, field: str = "name") -> str:
    """`name` without blanks around it; `InvalidName` for one that is empty or has control characters."""
    cleaned = name.strip()
    if not cleaned:
        raise InvalidName(f"The name of {what} is empty.", field=field)
    if any(ord(c) < 32 or ord(c) == 127 or 0xD800 <= ord(c) <= 0xDFFF for c in cleaned):
        raise InvalidName(f"The name of {what} has control characters; use plain text.", field=field)
    return cleaned


def find(session: Session, experiment_id: str | int) -> ExperimentRef:
    """The experiment with this id. Raises `ExperimentNotFound`."""
    number = _number(str(experiment_id))
    found = None if number is None else store.place(session, number)
    if found is None:
        raise _missing(str(experiment_id))
    known_id, name, workspace_id, workspace = found
    return ExperimentRef(known_id, name, workspaces.WorkspaceRef(workspace_id, workspace))


def names(session: Session, ids: Collection[int]) -> dict[int, str]:
    """Names of experiments, by id."""
    return store.names(session, ids)


def find_or_create(session: Session, workspace: WorkspaceRef, name: str) -> ExperimentRef:
    """The experiment of this name, made if it is new. Raises `ExperimentArchived`."""
    cleaned = clean_name(name, "an experiment", field="experiment")
    known = store.standing(session, workspace.id, cleaned)
    if known is not None and known[1] is not None:
        raise ExperimentArchived(f"The experiment {cleaned!r} is archived; restore it, or choose another.", field="experiment")
    if known is not None:
        return ExperimentRef(known[0], cleaned, workspace)
    at = now_ms()
    row = ExperimentRow(workspace_id=workspace.id, name=cleaned, created_at=at, used_at=at, updated_at=at)
    store.add(session, row)
    record_change(session, workspace.name, "experiment", str(row.id))
    return ExperimentRef(row.id, cleaned, workspace)


def check_open(session: Session, experiment_id: int) -> None:
    """Raise `ExperimentArchived` or `WorkspaceArchived` where that is so: what ended there stays as it is."""
    row = _row(session, str(experiment_id))
    if row.archived_at is not None:
        raise ExperimentArchived(f"The experiment {row.name!r} is archived; restore it first.", field="experiment")
    workspaces.check_open(session, workspaces.workspace_names(session, [row.workspace_id])[row.workspace_id])


def touch(session: Session, experiment: ExperimentRef, at: int | None = None) -> None:
    """Note that a run was made or changed: the experiment's lists are different now."""
    if at is not None:
        store.note_use(session, experiment.id, at)
    record_change(session, experiment.workspace.name, "experiment", str(experiment.id))


def list_experiments(
    session: Session, workspace: str, *, text: str, archived: bool, cursor: str | None, limit: int
) -> ExperimentPage:
    """One page of experiments, the most recently used first."""
    ref = workspaces.find(session, workspace)
    after = None
    if cursor:
        used_at, last_id = decode_cursor(cursor, 2, whole=True)
        after = (used_at, last_id)
    rows = store.page(session, ref.id, text=text, archived=archived, after=after, limit=limit + 1)
    more = len(rows) > limit
    rows = rows[:limit]
    return ExperimentPage(
        experiments=_wires(session, rows, ref.name),
        next_cursor=encode_cursor(rows[-1].used_at, rows[-1].id) if more else None,
    )


def get_experiment(session: Session, actor: Actor, experiment_id: str) -> Experiment:
    """One experiment."""
    row, workspace = _open(session, actor, Action.READ, experiment_id)
    return _wires(session, [row], workspace)[0]


def create_experiment(
    session: Session, workspace: str, body: ExperimentCreate, *, artifact_location: str | None = None
) -> Experiment:
    """Make an experiment. `artifact_location`: a URI that clients store artifacts of its runs under, instead of this workspace."""
    ref = workspaces.find(session, workspace)
    workspaces.check_open(session, ref.name)
    name = clean_name(body.name, "an experiment")
    if (found := store.by_name(session, ref.id, name)) is not None:
        archived = found.archived_at is not None
        words = (
            "is in the archive already; restore it, or choose another name" if archived else "exists already; choose another name"
        )
        raise ExperimentExists(f"An experiment {name!r} {words}.", field="name")
    at = now_ms()
    row = ExperimentRow(
        workspace_id=ref.id, name=name, created_at=at, used_at=at, updated_at=at, artifact_location=artifact_location
    )
    if body.description is not UNSET:
        row.description = body.description
    if body.goal is not UNSET:
        row.goal_metric, row.goal_direction = body.goal.metric, body.goal.direction
    store.add(session, row)
    if body.tags is not UNSET:
        store.set_tags(session, row.id, body.tags)
    record_change(session, ref.name, "experiment", str(row.id))
    return _wires(session, [row], ref.name)[0]


def update_experiment(
    session: Session, actor: Actor, experiment_id: str, body: ExperimentUpdate, version: int | None
) -> Experiment:
    """Change name, description, tags or goal."""
    row, workspace = _open(session, actor, Action.EDIT, experiment_id)
    if version is not None and version != row.version:
        raise StaleVersion(
            f"This experiment was changed meanwhile (version {row.version}, not {version}); reload it and try again."
        )
    if body.name is not UNSET:
        name = clean_name(body.name, "an experiment")
        other = store.by_name(session, row.workspace_id, name)
        if other is not None and other.id != row.id:
            raise ExperimentExists(f"An experiment {name!r} exists already; choose another name.", field="name")
        row.name, row.updated_at = name, now_ms()
    if body.description is not UNSET:
        row.description = body.description
    if body.goal is not UNSET:
        row.goal_metric, row.goal_direction = (body.goal.metric, body.goal.direction) if body.goal is not None else (None, None)
    if body.tags is not UNSET:
        store.set_tags(session, row.id, body.tags)
    return _changed(session, row, workspace)


def set_archived(session: Session, actor: Actor, experiment_id: str, *, archived: bool) -> Experiment:
    """Archive an experiment, or bring it back."""
    row, workspace = _open(session, actor, Action.EDIT, experiment_id)
    if (row.archived_at is not None) != archived:
        row.updated_at = now_ms()
        row.archived_at = row.updated_at if archived else None
        return _changed(session, row, workspace)
    return _wires(session, [row], workspace)[0]


def record(session: Session, actor: Actor, experiment_id: str, action: Action = Action.READ) -> ExperimentRecord:
    """One experiment, if `actor` may do `action` to it."""
    row, workspace = _open(session, actor, action, experiment_id)
    return records(session, [row], workspace)[0]


def record_by_name(session: Session, workspace: str, name: str) -> ExperimentRecord | None:
    """The experiment of this name, archived or not."""
    ref = workspaces.find(session, workspace)
    row = store.by_name(session, ref.id, name)
    return None if row is None else records(session, [row], ref.name)[0]


def artifact_locations(session: Session, ids: Collection[int]) -> dict[int, str]:
    """Where clients store artifacts of runs, by experiment id, for those experiments that have a place of their own."""
    return store.artifact_locations(session, ids)


def records(session: Session, rows: Sequence[ExperimentRow], workspace: str) -> list[ExperimentRecord]:
    """Experiments of one workspace by themselves."""
    tags = store.tags_of(session, [row.id for row in rows])
    return [
        ExperimentRecord(
            id=row.id,
            workspace=workspace,
            name=row.name,
            archived=row.archived_at is not None,
            created_at=row.created_at,
            updated_at=row.updated_at,
            artifact_location=row.artifact_location,
            tags=tags.get(row.id, {}),
        )
        for row in rows
    ]


def deletion_plan(session: Session, actor: Actor, experiment_id: str, *, dry_run: bool) -> tuple[ExperimentDeletion, list[str]]:
    """What deleting an experiment frees, and the ids of its runs. One that may not be deleted is refused, or (`dry_run`) says why."""
    row, _ = _open(session, actor, Action.READ if dry_run else Action.ADMIN, experiment_id)
    contents = Contents([row.id])
    deleting(session, contents)
    obstacle = _obstacle(row, contents)
    if obstacle is not None and not dry_run:
        raise obstacle
    plan = ExperimentDeletion(
        experiment_id=experiment_id,
        runs=len(contents.run_ids),
        artifacts=contents.artifacts,
        bytes_freed=contents.bytes_freed,
        dry_run=dry_run,
        blocked_by=None if obstacle is None else obstacle.message,
    )
    return plan, contents.run_ids


def delete_some(session: Session, actor: Actor, experiment_id: str, limit: int) -> bool:
    """Remove so many runs of an archived experiment at most; True once none is left and the experiment is removed too."""
    row, workspace = _open(session, actor, Action.ADMIN, experiment_id)
    contents = Contents([row.id], limit=limit)
    deleting(session, contents)
    obstacle = _obstacle(row, contents)
    if obstacle is not None:
        raise obstacle
    record_change(session, workspace, "experiment", str(row.id))
    if not contents.more:
        store.remove(session, row)
    return not contents.more


def _obstacle(row: ExperimentRow, contents: Contents) -> ExperimentInUse | None:
    if row.archived_at is None:
        return ExperimentInUse(f"Archive the experiment {row.name!r} first; then it can be deleted for good.")
    if contents.busy:
        return ExperimentInUse(f"Runs of experiment {row.name!r} still run ({len(contents.busy)}); cancel them first.")
    return None


@workspaces.counting.register
def _count(session: Session, counts: workspaces.Counts) -> None:
    counts.experiments = store.counts_by_workspace(session)


@workspaces.deleting.register
def _delete_with_workspace(session: Session, contents: workspaces.Contents) -> None:
    rows = store.all_of_workspace(session, contents.workspace_id)
    contents.experiments = len(rows)
    own = Contents([row.id for row in rows], limit=contents.limit)
    deleting(session, own)
    contents.run_ids, contents.artifacts, contents.bytes_freed = own.run_ids, own.artifacts, own.bytes_freed
    contents.busy, contents.more = own.busy, own.more
    if contents.limit is not None and not own.more and not own.busy:
        for row in rows:
            store.remove(session, row)


def _row(session: Session, experiment_id: str) -> ExperimentRow:
    number = _number(experiment_id)
    row = None if number is None else store.by_id(session, number)
    if row is None:
        raise _missing(experiment_id)
    return row


def _number(experiment_id: str) -> int | None:
    """The number that an id is; None for what can be none."""
    return int(experiment_id) if experiment_id.isascii() and experiment_id.isdigit() and len(experiment_id) < 19 else None


def _missing(experiment_id: str) -> ExperimentNotFound:
    return ExperimentNotFound(f"There is no experiment with id {experiment_id[:80]!r}.", field="experiment_id")


def _open(session: Session, actor: Actor, action: Action, experiment_id: str) -> tuple[ExperimentRow, str]:
    row = _row(session, experiment_id)
    workspace = workspaces.workspace_names(session, [row.workspace_id])[row.workspace_id]
    require(actor, action, workspace, _missing(experiment_id), workspace_id=row.workspace_id)
    return row, workspace


def _changed(session: Session, row: ExperimentRow, workspace: str) -> Experiment:
    row.version += 1
    session.flush()
    record_change(session, workspace, "experiment", str(row.id))
    return _wires(session, [row], workspace)[0]


def place(session: Session, actor: Actor, action: Action, experiment_id: str) -> tuple[int, int]:
    """(workspace, experiment) ids of an experiment, if `actor` may do `action` to it."""
    row, _ = _open(session, actor, action, experiment_id)
    return row.workspace_id, row.id


def goal_by_id(session: Session, experiment_id: int) -> Goal | None:
    """The goal of an experiment, if there is such an experiment and it has one."""
    row = store.by_id(session, experiment_id)
    return None if row is None else goal_of(row)


def goal_of(row: ExperimentRow) -> Goal | None:
    """The goal of an experiment, if it has one."""
    if row.goal_metric is None or row.goal_direction is None:
        return None
    return Goal(metric=row.goal_metric, direction=cast("Literal['maximize', 'minimize']", row.goal_direction))


def _wires(session: Session, rows: list[ExperimentRow], workspace: str) -> list[Experiment]:
    tags = store.tags_of(session, [row.id for row in rows])
    summaries = {row.id: Summary(goal_of(row)) for row in rows}
    summarizing(session, summaries)
    return [
        Experiment(
            id=str(row.id),
            workspace=workspace,
            name=row.name,
            description=row.description,
            tags=tags.get(row.id, {}),
            goal=summaries[row.id].goal,
            archived=row.archived_at is not None,
            created_at=row.created_at,
            last_run_at=summaries[row.id].last_run_at,
            runs=summaries[row.id].runs,
            by_status=summaries[row.id].by_status,
            best=summaries[row.id].best,
            version=row.version,
        )
        for row in rows
    ]
