"""Making runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from msgspec import UNSET

from jupyter_mlws.domain.experiments import service as experiments
from jupyter_mlws.domain.runs import store
from jupyter_mlws.domain.runs.errors import BadParent
from jupyter_mlws.domain.runs.schemas import Run, RunCreate, RunKind
from jupyter_mlws.domain.runs.service.reading import wires
from jupyter_mlws.domain.runs.service.rows import (
    MAX_DEPTH,
    chain,
    check_alive,
    check_writable,
    missing,
    note_change,
    open_row,
    row_of,
)
from jupyter_mlws.domain.runs.service.writing import write_params
from jupyter_mlws.domain.runs.states import TERMINAL, RunStatus
from jupyter_mlws.domain.runs.tables import RunRow
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.kit.actors import Action, Actor, ActorKind
from jupyter_mlws.kit.clock import now_ms
from jupyter_mlws.kit.errors import BadInput
from jupyter_mlws.kit.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.experiments.service import ExperimentRef
    from jupyter_mlws.domain.runs.schemas import Process, RunIO


SCRIPTS = (".py", ".sh", ".R", ".r", ".jl")
"""How the word of a command line ends that says what it is about."""


SKIPPED = re.compile(r"-|[A-Za-z_]\w*=")
"""How an option begins, and what is set for the command."""


class NewRun(NamedTuple):
    """What makes a run, whoever makes it."""

    experiment: ExperimentRef
    kind: RunKind
    status: RunStatus
    user: str
    source: str = ""
    id: str | None = None
    name: str | None = None
    parent_id: str | None = None
    target: str | None = None
    started_at: int | None = None
    process: Process | None = None
    note: str = ""
    snapshot_id: str | None = None
    user_id: str | None = None
    created_at: int | None = None
    """When it was made; now if left out."""
    inputs: Sequence[RunIO] = ()
    outputs: Sequence[RunIO] = ()
    before: tuple[RunStatus, ...] = ()
    """Statuses that it passes through at once, for its history."""


def add_run(session: Session, new: NewRun) -> RunRow:
    """Make a run. Its name, if none is given, is made from its source and a number."""
    at = new.created_at if new.created_at is not None else now_ms()
    name = experiments.clean_name(new.name, "a run") if new.name is not None else _made_name(session, new)
    row = RunRow(
        id=new.id or new_id(),
        workspace_id=new.experiment.workspace.id,
        experiment_id=new.experiment.id,
        name=name,
        kind=new.kind,
        status=new.status,
        user=new.user,
        user_id=new.user_id,
        created_at=at,
        started_at=new.started_at,
        parent_id=new.parent_id,
        source=new.source,
        target=new.target,
        process=new.process,
        note=new.note,
        snapshot_id=new.snapshot_id,
        inputs=list(new.inputs),
        outputs=list(new.outputs),
    )
    store.add(session, row)
    for status in (*new.before, new.status):
        store.add_status(session, row.id, status, at, None, new.user)
    experiments.touch(session, new.experiment, at)
    note_change(session, row, new.experiment.workspace.name)
    return row


def _made_name(session: Session, new: NewRun) -> str:
    return f"{stem_of(new.source, new.kind)}-{store.number_of_runs(session, new.experiment.id) + 1}"


def stem_of(source: str, kind: RunKind) -> str:
    """What a made name begins with: the script of a command, or its program."""
    if kind is RunKind.COMMAND:
        words = [word.strip("\"'`;&|()") for word in source.split() if not SKIPPED.match(word)]
        words = [word for word in words if any(c.isalnum() for c in word)] or [""]
        source = next((word for word in words if word.endswith(SCRIPTS)), words[0])
    stem = source.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".ipynb").removesuffix(".py").strip()
    first = "".join(c for c in stem.split()[0] if c.isprintable())[:60] if stem.split() else ""
    return first or kind.value


class RunNames(NamedTuple):
    """What a job is told of its run."""

    experiment: str
    given: str | None
    """The name that somebody gave to it; None for one that looks as if it was made here."""
    user: str


def names_of(session: Session, run_id: str) -> RunNames:
    """What a run is called, and whose it is."""
    found = store.named(session, run_id)
    if found is None:
        raise missing(run_id)
    stem, _, number = found.name.rpartition("-")
    made = stem == stem_of(found.source, found.kind) and number.isdecimal()
    return RunNames(found.experiment, None if made else found.name, found.user)


def create_run(session: Session, actor: Actor, workspace: str, body: RunCreate) -> Run:
    """Make an interactive run; one that has this id already is answered as it is."""
    return wires(session, [start_run(session, actor, workspace, body)])[0]


def start_run(
    session: Session, actor: Actor, workspace: str, body: RunCreate, *, user_id: str | None = None, created_at: int | None = None
) -> RunRow:
    """The same, answered by its row.

    `user_id`: who the client says the run belongs to, if that is another than the caller. `created_at`: when the client says that it
    was made, which lists are sorted by.
    """
    if body.id is not UNSET and (known := store.by_id(session, body.id)) is not None:
        ref = open_row(session, actor, Action.LOG, known.id)[1]
        if ref.workspace != workspace:
            raise BadInput(f"The run id {body.id!r} is taken; leave the id out.", field="id")
        return known
    space = workspaces.find(session, workspace)
    parent_id = parent_of(session, actor, workspace, body.parent_id if body.parent_id is not UNSET else None)
    if parent_id is None or row_of(session, parent_id).status in TERMINAL:
        workspaces.check_open(session, space.name)
    if body.experiment is UNSET and parent_id is not None:
        experiment = experiments.find(session, row_of(session, parent_id).experiment_id)
    else:
        experiment = experiments.find_or_create(
            session, space, body.experiment if body.experiment is not UNSET else experiments.DEFAULT
        )
    new = NewRun(
        experiment=experiment,
        kind=RunKind.INTERACTIVE,
        status=RunStatus.RUNNING,
        user=actor.name,
        id=body.id if body.id is not UNSET else None,
        name=body.name if body.name is not UNSET else None,
        parent_id=parent_id,
        source=body.source if body.source is not UNSET else "",
        started_at=body.started_at if body.started_at is not UNSET else now_ms(),
        process=body.process if body.process is not UNSET else None,
        note=body.note if body.note is not UNSET else "",
        user_id=user_id if user_id != actor.name else None,
        created_at=created_at,
    )
    row = add_run(session, new)
    write_params(session, row.id, body.params if body.params is not UNSET else {})
    store.set_tags(session, row.id, dict(body.tags) if body.tags is not UNSET else {})
    return row


def parent_of(session: Session, actor: Actor, workspace: str, parent_id: str | None) -> str | None:
    """The parent a new run gets; whatever a job makes stands below its own run."""
    if parent_id is None:
        return actor.run_id if actor.kind is ActorKind.JOB else None
    parent = store.by_id(session, parent_id)
    if parent is None or workspaces.workspace_names(session, [parent.workspace_id])[parent.workspace_id] != workspace:
        raise BadParent(f"There is no run {parent_id!r} in workspace {workspace!r} that could be the parent.", field="parent_id")
    if len(chain(session, parent)) > MAX_DEPTH:
        raise BadParent(f"Runs nest at most {MAX_DEPTH} deep.", field="parent_id")
    check_writable(session, actor, parent)
    check_alive(session, parent)
    return parent_id
