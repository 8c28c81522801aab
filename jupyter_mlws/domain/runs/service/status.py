"""The one door through which the status of a run changes, and what stands around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from jupyter_mlws.db.outbox import record_change
from jupyter_mlws.domain.runs import store
from jupyter_mlws.domain.runs.errors import JobOwnsStatus, StatusConflict
from jupyter_mlws.domain.runs.schemas import Run, RunEnd, RunError, RunKind, StatusChange, StatusHistory
from jupyter_mlws.domain.runs.service.reading import wires
from jupyter_mlws.domain.runs.service.rows import RunRef, missing, note_change, open_row, ref_of, row_of
from jupyter_mlws.domain.runs.states import TERMINAL, RunStatus, may_change
from jupyter_mlws.kit.actors import Action, Actor
from jupyter_mlws.kit.clock import now_ms
from jupyter_mlws.kit.events import Hook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.runs.schemas import Process


changed: Hook[[Session, RunRef]] = Hook()
"""The status of a run changed; the reference has the new one."""


def end_run(session: Session, actor: Actor, run_id: str, body: RunEnd) -> Run:
    """End an interactive run; ending it again with the same status is harmless."""
    row, _ = open_row(session, actor, Action.LOG, run_id)
    if row.kind is not RunKind.INTERACTIVE:
        raise JobOwnsStatus("This run is a job: it ends when its process ends, or when it is canceled.")
    status = RunStatus(body.status)
    if row.status is not status:
        change_status(
            session,
            run_id,
            status,
            actor=actor.name,
            reason="error" if status is RunStatus.FAILED else None,
            at=body.ended_at if body.ended_at is not UNSET else None,
            error=shortened(body.error) if body.error is not UNSET else None,
        )
    return wires(session, [row_of(session, run_id)])[0]


def shortened(error: RunError) -> RunError:
    """An error of a size that every list of runs can carry."""
    return RunError(
        message=error.message[:4000],
        kind=error.kind[:200] if error.kind is not None else None,
        cell=error.cell,
        cell_name=error.cell_name[:500] if error.cell_name is not None else None,
        traceback=error.traceback[-64_000:] if error.traceback is not None else None,
    )


def change_status(
    session: Session,
    run_id: str,
    status: RunStatus,
    *,
    actor: str,
    reason: str | None = None,
    at: int | None = None,
    error: RunError | None = None,
    values: dict[str, Any] | None = None,
    anew: bool = False,
    through: Sequence[tuple[RunStatus, int]] = (),
) -> bool:
    """The one door through which a run's status changes. False if it has that status already; `StatusConflict` if it may not.

    `anew`: an interactive run may take any status, also after its end (clients resume runs); a job's run never.
    `through`: statuses (and since when) that it went through meanwhile, which nobody was told of: its history has them.
    """
    known = store.state(session, run_id)
    if known is None:
        raise missing(run_id)
    if known.status is status:
        return False
    at = at if at is not None else now_ms()
    steps = [*through, (status, at)]
    _check_steps(known, [step for step, _ in steps], anew=anew)
    changes: dict[str, Any] = {"status": status, **(values or {})}
    if reason is not None or status in TERMINAL:
        changes["reason"] = reason
    if error is not None:
        changes["error"] = error
    started = known.started_at
    if started is None and (running := dict(steps).get(RunStatus.RUNNING)) is not None:
        changes.setdefault("started_at", running)
        started = running
    if status in TERMINAL:
        changes["ended_at"] = max(at, started or 0)
    elif known.status in TERMINAL:
        changes |= {"ended_at": None, "reason": None, "error": None}
    if not store.compare_and_set(session, run_id, known, changes):
        raise StatusConflict("The run was changed at the same time; try again.")
    for step, since in steps:
        store.add_status(session, run_id, step, since, reason if step is status else None, actor)
    record_change(session, known.workspace, "run", run_id, str(known.experiment_id))
    record_change(session, known.workspace, "experiment", str(known.experiment_id))
    ref = RunRef(run_id, known.workspace_id, known.workspace, known.experiment_id, status, known.kind, known.snapshot_id)
    changed(session, ref)
    return True


def _check_steps(known: store.State, steps: Sequence[RunStatus], *, anew: bool) -> None:
    """Raise `StatusConflict` unless a run may go these steps, one after the other."""
    old = known.status
    for status in steps:
        if not may_change(old, status) and not (anew and known.kind is RunKind.INTERACTIVE):
            raise StatusConflict(f"The run is {old.value} and cannot become {status.value}.")
        old = status


def set_end(session: Session, actor: Actor, run_id: str, at: int) -> None:
    """Correct the time when an interactive run ended."""
    row, ref = open_row(session, actor, Action.LOG, run_id)
    if row.kind is RunKind.INTERACTIVE and row.status in TERMINAL and row.ended_at != at:
        row.ended_at = max(at, row.started_at or 0)
        session.flush()
        note_change(session, row, ref.workspace)


def set_progress(session: Session, run_id: str, progress: Any) -> None:
    """Note how far a run is."""
    row = row_of(session, run_id)
    if row.status not in TERMINAL:
        row.progress = progress
        session.flush()
        note_change(session, row, ref_of(session, row).workspace)


def history(session: Session, actor: Actor, run_id: str) -> StatusHistory:
    """All status changes of a run."""
    open_row(session, actor, Action.READ, run_id)
    return StatusHistory(
        changes=[
            StatusChange(status=row.status, at=row.at, reason=row.reason, actor=row.actor)
            for row in store.status_history(session, run_id)
        ]
    )


def interactive_running(session: Session) -> list[tuple[str, Process]]:
    """Runs that a notebook or script follows now, with the process that does."""
    return store.running_processes(session)
