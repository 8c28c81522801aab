"""Opening runs: finding the row, and whether the caller may do what it asks to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from jupyter_mlws.db.outbox import record_change
from jupyter_mlws.domain.access.service import require
from jupyter_mlws.domain.experiments import service as experiments
from jupyter_mlws.domain.runs import store
from jupyter_mlws.domain.runs.errors import NotYourRun, RunDeleted, RunNotFound
from jupyter_mlws.domain.runs.schemas import Lifecycle, RunKind
from jupyter_mlws.domain.runs.states import TERMINAL, RunStatus
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.kit.actors import Action, Actor, ActorKind

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.runs.tables import RunRow


MAX_DEPTH = 50
"""Runs nest at most so deep."""


class RunRef(NamedTuple):
    """What upper slices and routes need of a run."""

    id: str
    workspace_id: int
    workspace: str
    experiment_id: int
    status: RunStatus
    kind: RunKind
    snapshot_id: str | None


def ref_by_id(session: Session, run_id: str) -> RunRef:
    """What upper slices need of a run. Raises `RunNotFound`."""
    found = store.target(session, run_id)
    if found is None:
        raise missing(run_id)
    status, kind = RunStatus(found.status), RunKind(found.kind)
    return RunRef(run_id, found.workspace_id, found.workspace, found.experiment_id, status, kind, found.snapshot_id)


def ref_of(session: Session, row: RunRow) -> RunRef:
    """What upper slices need of a run."""
    workspace = workspaces.workspace_names(session, [row.workspace_id])[row.workspace_id]
    return RunRef(row.id, row.workspace_id, workspace, row.experiment_id, row.status, row.kind, row.snapshot_id)


def open_run(session: Session, actor: Actor, action: Action, run_id: str) -> RunRef:
    """The run, if `actor` may do `action` to it; else `RunNotFound`, `Forbidden` or `NotYourRun`."""
    return open_row(session, actor, action, run_id)[1]


def open_to_log(session: Session, actor: Actor, run_id: str) -> RunRef:
    """The run, if `actor` may log or send files to it now: as `open_row` and `check_alive`, without reading all of the row."""
    found = store.target(session, run_id)
    if found is None:
        raise missing(run_id)
    require(actor, Action.LOG, found.workspace, missing(run_id), workspace_id=found.workspace_id)
    status = RunStatus(found.status)
    other = actor.kind is ActorKind.JOB and actor.run_id != run_id
    if other or status in TERMINAL or found.lifecycle != Lifecycle.ACTIVE.value:
        row = row_of(session, run_id)
        check_writable(session, actor, row)
        check_alive(session, row)
    return RunRef(
        run_id, found.workspace_id, found.workspace, found.experiment_id, status, RunKind(found.kind), found.snapshot_id
    )


def open_row(session: Session, actor: Actor, action: Action, run_id: str) -> tuple[RunRow, RunRef]:
    row = row_of(session, run_id)
    ref = ref_of(session, row)
    require(actor, action, ref.workspace, missing(run_id), workspace_id=row.workspace_id)
    if action is not Action.READ:
        check_writable(session, actor, row)
    return row, ref


def row_of(session: Session, run_id: str) -> RunRow:
    row = store.by_id(session, run_id)
    if row is None:
        raise missing(run_id)
    return row


def missing(run_id: str) -> RunNotFound:
    """What is answered for a run that is not there, or that the caller may not see."""
    return RunNotFound(f"There is no run {run_id[:80]!r}.", field="run_id")


def check_writable(session: Session, actor: Actor, row: RunRow) -> None:
    if actor.kind is ActorKind.JOB and actor.run_id not in chain(session, row):
        raise NotYourRun("A job may write to its own run and to the runs below it only.")


def chain(session: Session, row: RunRow) -> list[str]:
    """Ids of the run and of the runs above it."""
    chain = [row.id]
    while row.parent_id is not None and len(chain) <= MAX_DEPTH:
        chain.append(row.parent_id)
        parent = store.by_id(session, row.parent_id)
        if parent is None:
            break
        row = parent
    return chain


def check_alive(session: Session, row: RunRow) -> None:
    """Raise unless the run takes changes. What still runs may finish, though its experiment or workspace is archived."""
    if row.lifecycle is Lifecycle.DELETED:
        raise RunDeleted("This run is in the bin; restore it first.")
    if row.status in TERMINAL:
        experiments.check_open(session, row.experiment_id)


def note_change(session: Session, row: RunRow, workspace: str) -> None:
    record_change(session, workspace, "run", row.id, str(row.experiment_id))


def user_of(session: Session, run_id: str) -> str:
    """Who started a run."""
    return row_of(session, run_id).user


def source_of(session: Session, run_id: str) -> str:
    """The notebook or command line of a run."""
    return row_of(session, run_id).source


def note_artifacts(session: Session, ref: RunRef) -> None:
    """Tell listeners that the files of a run changed."""
    record_change(session, ref.workspace, "artifacts", ref.id, str(ref.experiment_id))


def active_among(session: Session, ids: Collection[str]) -> set[str]:
    """Those of the run ids that are there, and not in the bin."""
    return set(store.with_lifecycle(session, list(ids), Lifecycle.ACTIVE))
