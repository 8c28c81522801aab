"""Runs of other stores, brought here with their ids, times and ends.

An import begins a run, sends what was logged and the files as training code would, and finishes it. In between the run says that it is
not whole (`IMPORTING`), so that one that was cut short can be told, and gone on with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from jupyter_mlws.db.outbox import record_change
from jupyter_mlws.domain.access.service import require
from jupyter_mlws.domain.experiments import service as experiments
from jupyter_mlws.domain.experiments.errors import ExperimentNotFound
from jupyter_mlws.domain.runs import store
from jupyter_mlws.domain.runs.errors import NotImporting, RunTaken
from jupyter_mlws.domain.runs.schemas import (
    ImportedRun,
    ImportQuestion,
    ImportStates,
    Lifecycle,
    ParentLinks,
    ParentsLinked,
    RunImport,
    RunImportEnd,
    RunKind,
)
from jupyter_mlws.domain.runs.service.creation import NewRun, add_run
from jupyter_mlws.domain.runs.service.rows import MAX_DEPTH, chain, missing, note_change
from jupyter_mlws.domain.runs.service.status import change_status
from jupyter_mlws.domain.runs.service.writing import write_params
from jupyter_mlws.domain.runs.states import IMPORTED_FROM, IMPORTING, TERMINAL, ImportState, RunStatus
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.clock import now_ms

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.runs.tables import RunRow
    from jupyter_mlws.domain.workspaces.service import WorkspaceRef
    from jupyter_mlws.kit.actors import Actor


def import_states(session: Session, actor: Actor, workspace: str, body: ImportQuestion) -> ImportStates:
    """What is here of runs. One of another workspace is not here."""
    space = workspaces.find(session, workspace)
    require(actor, Action.READ, space.name, missing(""), workspace_id=space.id)
    rows = {row.id: row for row in store.by_ids(session, list(dict.fromkeys(body.ids))) if row.workspace_id == space.id}
    tags = store.tags_of(session, list(rows))
    return ImportStates(
        states={
            run_id: _state(rows[run_id], tags.get(run_id, {}), body.imported_from) if run_id in rows else ImportState.MISSING
            for run_id in body.ids
        }
    )


def _state(row: RunRow, tags: dict[str, str], imported_from: str) -> ImportState:
    if tags.get(IMPORTED_FROM) != imported_from:
        return ImportState.TAKEN
    if IMPORTING in tags:
        return ImportState.BEGUN
    return ImportState.COMPLETE if row.status in TERMINAL else ImportState.UNFINISHED


def begin_import(session: Session, actor: Actor, workspace: str, run_id: str, body: RunImport) -> ImportedRun:
    """Make the run of another store, unless it is here. Raises `RunTaken` for an id that another run has."""
    space = workspaces.find(session, workspace)
    require(actor, Action.EDIT, space.name, missing(run_id), workspace_id=space.id)
    if (row := store.by_id(session, run_id)) is not None:
        tags = store.tags_of(session, [run_id]).get(run_id, {})
        state = _state(row, tags, body.imported_from) if row.workspace_id == space.id else ImportState.TAKEN
        if state is ImportState.TAKEN:
            raise RunTaken(f"The id {run_id} is that of a run that does not come from there; it stays as it is.", field="run_id")
        return ImportedRun(id=run_id, state=state)
    workspaces.check_open(session, space.name)
    experiment = experiments.find(session, body.experiment_id)
    if experiment.workspace.id != space.id:
        raise ExperimentNotFound(f"There is no experiment with id {body.experiment_id[:80]!r}.", field="experiment_id")
    started = body.started_at if body.started_at is not UNSET else None
    new = NewRun(
        experiment=experiment,
        kind=RunKind.INTERACTIVE,
        status=RunStatus.NOT_STARTED,
        user=actor.name,
        user_id=body.belonged_to if body.belonged_to is not UNSET and body.belonged_to != actor.name else None,
        source=body.source if body.source is not UNSET else "",
        id=run_id,
        name=body.name if body.name is not UNSET else None,
        parent_id=_parent(session, space, run_id, body.parent_id) if body.parent_id is not UNSET else None,
        started_at=started,
        created_at=started,
        note=body.note if body.note is not UNSET else "",
    )
    add_run(session, new)
    write_params(session, run_id, body.params if body.params is not UNSET else {})
    marks = {IMPORTED_FROM: body.imported_from, IMPORTING: "true"}
    store.set_tags(session, run_id, {**(body.tags if body.tags is not UNSET else {}), **marks})
    return ImportedRun(id=run_id, state=ImportState.MISSING)


def _parent(session: Session, space: WorkspaceRef, run_id: str, parent_id: str) -> str | None:
    """The parent, if it is here and can be one."""
    parent = store.by_id(session, parent_id)
    if parent is None or parent.workspace_id != space.id:
        return None
    above = chain(session, parent)
    return parent_id if run_id not in above and len(above) <= MAX_DEPTH else None


def link_parents(session: Session, actor: Actor, workspace: str, body: ParentLinks) -> ParentsLinked:
    """Give imported runs their parents, where they have none and the parent is here by now."""
    space = workspaces.find(session, workspace)
    require(actor, Action.EDIT, space.name, missing(""), workspace_id=space.id)
    rows = store.by_ids(session, list(body.parents))
    tags = store.tags_of(session, [row.id for row in rows])
    linked = 0
    for row in rows:
        ours = row.workspace_id == space.id and tags.get(row.id, {}).get(IMPORTED_FROM) == body.imported_from
        if not ours or row.parent_id is not None:
            continue
        row.parent_id = _parent(session, space, row.id, body.parents[row.id])
        if row.parent_id is not None:
            linked += 1
            session.flush()
            note_change(session, row, space.name)
    return ParentsLinked(linked=linked)


def finish_import(session: Session, actor: Actor, workspace: str, run_id: str, body: RunImportEnd) -> ImportedRun:
    """All of a run is here: it ends as it ended there. Harmless for one that is whole already."""
    space = workspaces.find(session, workspace)
    require(actor, Action.EDIT, space.name, missing(run_id), workspace_id=space.id)
    row = store.by_id(session, run_id)
    if row is None or row.workspace_id != space.id:
        raise missing(run_id)
    state = _state(row, store.tags_of(session, [run_id]).get(run_id, {}), body.imported_from)
    if state is ImportState.TAKEN:
        raise NotImporting(f"The run {run_id} is not being imported from there.", field="run_id")
    if state is not ImportState.COMPLETE:
        _settle(session, actor, row, body)
        record_change(session, space.name, "experiment", str(row.experiment_id))
    return ImportedRun(id=run_id, state=ImportState.COMPLETE if row.status in TERMINAL else ImportState.UNFINISHED)


def _settle(session: Session, actor: Actor, row: RunRow, body: RunImportEnd) -> None:
    status, began = RunStatus(body.status), row.started_at
    ended = body.ended_at if body.ended_at is not UNSET else None
    change_status(session, row.id, status, actor=actor.name, at=ended, anew=True)
    row.started_at, row.ended_at = began, ended  # as they were told there, however odd
    if body.deleted and row.lifecycle is Lifecycle.ACTIVE:
        row.lifecycle, row.deleted_at = Lifecycle.DELETED, now_ms()
    store.set_tags(session, row.id, {IMPORTING: None})
    row.version += 1
    session.flush()
    note_change(session, row, workspaces.workspace_names(session, [row.workspace_id])[row.workspace_id])
