"""MLflow's routes that make, read, change and delete runs. One run is one run, whoever made it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, UnsetType

from jupyter_mlws.domain.access import service as access
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.errors import BadParent, RunActive, RunDeleted, RunNotFound
from jupyter_mlws.domain.runs.schemas import Process, RunCreate, RunKind, RunUpdate
from jupyter_mlws.domain.runs.states import TERMINAL, RunStatus
from jupyter_mlws.kit.actors import ActorKind
from jupyter_mlws.mlflow_api import experiments
from jupyter_mlws.mlflow_api.convert import STATUS, mapping, status_of
from jupyter_mlws.mlflow_api.errors import DoesNotExist, InvalidParameter, missing, shown
from jupyter_mlws.mlflow_api.run_wires import NAME, NOTE, PARENT, SOURCE, info, wire, with_io
from jupyter_mlws.mlflow_api.validation import (
    MAX_TAG,
    check_length,
    check_note,
    cut,
    plain_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.runs.service import RunRecord
    from jupyter_mlws.kit.actors import Actor
    from jupyter_mlws.mlflow_api import requests as r
    from jupyter_mlws.mlflow_api.http import Context

ADOPTED = "mlws.mlflowRun"
"""Tag of a job's run that its script's first MLflow run has become."""
REPORTED = "mlws.reportedStatus"
"""Tag of a job's run: the status that its script told. What ends a job is the end of its process."""
MAX_USER = 255
LAST_MS = 253_402_300_799_999


def create(session: Session, context: Context, request: r.CreateRun) -> dict[str, Any]:
    """Make a run; a job's first one is the job's own run."""
    experiment = experiments.to_log_in(session, context, request.experiment_id)
    tags = mapping(request.tags)
    for key in tags:
        check_length(key, "key", 250)
    name = plain_text(request.run_name or "") or None
    tagged = plain_text(tags.pop(NAME, "")) or None
    if name is not None and tagged is not None and name != tagged:
        raise InvalidParameter(
            f"Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values (run_name='{name}', "
            f"mlflow.runName='{tagged}')."
        )
    name = name or tagged
    if (
        context.actor.kind is ActorKind.JOB
        and PARENT not in tags
        and (own := _adopt(session, context, experiment.id, name, tags))
    ):
        return {"run": wire(own)}
    note, parent = check_note(tags.pop(NOTE, "")), tags.get(PARENT)
    check_length(request.user_id or "", "user_id", MAX_USER)
    _check_time(request.start_time, "start_time")
    body = RunCreate(
        experiment=experiment.name,
        name=name[:500] if name else UNSET,
        note=note,
        parent_id=parent if parent and _may_be_parent(session, context, parent) else UNSET,
        source=tags.get(SOURCE, "")[:4000],
        started_at=request.start_time if request.start_time is not None else UNSET,
        tags={key: cut(value, "value", MAX_TAG) for key, value in tags.items()},
        process=_process(session, context.actor),
    )
    return {"run": wire(runs.new_record(session, context.actor, context.workspace, body, request.user_id or None))}


def _process(session: Session, actor: Actor) -> Process | UnsetType:
    """The kernel that calls: a run whose kernel is gone has failed."""
    holder = access.holder_of(session, actor.token_id) if actor.kind is ActorKind.KERNEL else None
    if holder is None:
        return UNSET
    return Process(host=holder.host, pid=holder.pid, start_time=holder.start_time, boot_id=holder.boot_id)


def _may_be_parent(session: Session, context: Context, run_id: str) -> bool:
    """MLflow checks nothing of the parent that a tag names; what cannot be one stays a tag only."""
    try:
        runs.parent_of(session, context.actor, context.workspace, run_id)
    except (BadParent, RunDeleted):
        return False
    return True


def _adopt(session: Session, context: Context, experiment_id: int, name: str | None, tags: dict[str, str]) -> RunRecord | None:
    """The run of the job that calls, if this is the first run that its script makes."""
    run_id = context.actor.run_id or ""
    own = runs.record(session, context.actor, run_id)
    if ADOPTED in own.tags or own.deleted:
        return None
    changes: dict[str, str | None] = {
        **{key: cut(value, "value", MAX_TAG) for key, value in tags.items() if key != NOTE},
        ADOPTED: "true",
    }
    update = RunUpdate(tags=changes)
    if name:
        update.name = name[:500]
    if NOTE in tags:
        update.note = check_note(tags[NOTE])
    if experiment_id != own.experiment_id:
        update.experiment_id = str(experiment_id)
    runs.update_run(session, context.actor, run_id, update, None)
    return runs.record(session, context.actor, run_id)


def get(session: Session, context: Context, request: r.EitherRunRequest) -> dict[str, Any]:
    """A run with all that was logged."""
    run_id = run_id_of(request)
    with active(run_id):
        found = runs.record(session, context.actor, run_id)
    return {"run": with_io(session, [found])[0]}


def update(session: Session, context: Context, request: r.UpdateRun) -> dict[str, Any]:
    """Change status, end or name."""
    run_id = run_id_of(request)
    status = status_of(request.status)
    _check_time(request.end_time, "end_time")
    with active(run_id):
        runs.open_to_log(session, context.actor, run_id)
        found = runs.head(session, context.actor, run_id)
        name = plain_text(request.run_name or "")
        if name and name != found.name:
            runs.update_run(session, context.actor, run_id, RunUpdate(name=name[:500]), None)
        if status is not None and found.kind is not RunKind.INTERACTIVE:
            runs.log(session, context.actor, run_id, tags={REPORTED: STATUS[status]})
        elif status is not None and status is not found.status:
            _set_status(session, context, run_id, status, request.end_time)
        elif request.end_time is not None and found.status in TERMINAL:
            runs.set_end(session, context.actor, run_id, request.end_time)
        return {"run_info": info(runs.head(session, context.actor, run_id))}


def _set_status(session: Session, context: Context, run_id: str, status: RunStatus, end: int | None) -> None:
    """Give an interactive run any status. One that goes on belongs to the process that says so, not to that which began it."""
    values: dict[str, Any] = {}
    if status is RunStatus.RUNNING:
        process = _process(session, context.actor)
        values["process"] = process if process is not UNSET else None
    at = end if status in TERMINAL else None
    runs.change_status(session, run_id, status, actor=context.actor.name, at=at, values=values, anew=True)


def delete(session: Session, context: Context, request: r.RunRequest) -> dict[str, Any]:
    """Move a run into the bin."""
    run_id = request.run_id or ""
    try:
        with active(run_id):
            runs.set_deleted(session, context.actor, run_id, deleted=True)
    except RunActive as error:
        raise InvalidParameter(error.message, field="run_id") from None
    return {}


def restore(session: Session, context: Context, request: r.RunRequest) -> dict[str, Any]:
    """Bring a run back from the bin."""
    run_id = request.run_id or ""
    with active(run_id):
        runs.set_deleted(session, context.actor, run_id, deleted=False)
    return {}


# What the routes share


def run_id_of(request: r.EitherRunRequest) -> str:
    """The id of the run that a request is about."""
    run_id = request.run_id or request.run_uuid
    if not run_id:
        raise missing("run_id")
    return run_id


@contextmanager
def active(run_id: str) -> Iterator[None]:
    """Tells that a run is not there, or deleted, in MLflow's words."""
    try:
        yield
    except RunDeleted:
        raise InvalidParameter(
            f"The run {run_id} must be in the 'active' state. Current state is deleted.", field="run_id"
        ) from None
    except RunNotFound:
        raise DoesNotExist(f"Run with id={run_id} not found", field="run_id") from None


def _check_time(at: int | None, name: str) -> None:
    if at is not None and not 0 <= at <= LAST_MS:
        raise InvalidParameter(
            f"Invalid value {shown(at)} for parameter '{name}' supplied: it is milliseconds since 1970.", field=name
        )
