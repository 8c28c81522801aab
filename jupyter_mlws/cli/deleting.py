"""Runs and jobs on their way to the bin, back, and away for good. Bytes become free only when a run leaves for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_mlws.cli import show
from jupyter_mlws.cli.context import Refusal, confirm
from jupyter_mlws.sdk import text
from jupyter_mlws.sdk.forms import SHORT

if TYPE_CHECKING:
    from jupyter_mlws.cli.context import Session
    from jupyter_mlws.domain.experiments.schemas import ExperimentDeletion
    from jupyter_mlws.domain.runs.schemas import DeletePlan
    from jupyter_mlws.domain.workspaces.schemas import WorkspaceDeletion


def delete(session: Session, run_id: str, *, purge: bool, dry_run: bool, yes: bool) -> None:
    """Move a run with those below it to the bin, or remove it for good; asks first, and tells what goes."""
    runs = session.workspace.runs
    found = runs.show(run_id)
    in_bin = found.lifecycle.value == "deleted"
    if in_bin and not purge:
        raise Refusal(f"{found.name!r} is in the bin already: --purge deletes it for good, `restore` brings it back.")
    plan = runs.delete(run_id, dry_run=True)
    what = _amount(found.name, plan, purge=purge)
    if not dry_run:
        confirm(f"Delete for good {what}?" if purge else f"Move to the bin {what}?", yes=yes)
        if not in_bin:
            plan = runs.delete(run_id)
        if purge:
            plan = runs.purge(run_id)
    _tell(session, run_id, plan, what, purge=purge, dry_run=dry_run)


def _tell(session: Session, run_id: str, plan: DeletePlan, what: str, *, purge: bool, dry_run: bool) -> None:
    body: dict[str, Any] = {"name": run_id, "runs": plan.runs, "artifacts": plan.artifacts}
    body.update({"bytes_freed": plan.bytes_freed if purge else 0, "bytes_freed_by_purge": plan.bytes_freed})
    body.update({"purge": purge, "dry_run": dry_run})
    done = "Deleted" if purge else "In the bin"
    asked = "Would be deleted" if purge else "Would be moved to the bin"
    show.one(session, body, [(asked if dry_run else done, what)])
    if not purge and not dry_run and session.output == "table":
        show.said(f"`mlws run restore {run_id[:SHORT]}` brings it back.")


def archive(session: Session, run_id: str) -> None:
    """Move a run with those below it to the bin, without a question: nothing is lost."""
    runs = session.workspace.runs
    if runs.show(run_id).lifecycle.value == "active":
        runs.delete(run_id)


def check_deletable(plan: ExperimentDeletion | WorkspaceDeletion) -> None:
    """Refuse, in the server's words, what cannot be deleted now; before anybody is asked."""
    if plan.blocked_by is not None:
        raise Refusal(plan.blocked_by)


def container_rows(plan: ExperimentDeletion | WorkspaceDeletion, what: str) -> list[tuple[str, str]]:
    """What went with a workspace or an experiment, or what would, and what stands in the way."""
    if plan.blocked_by is not None:
        return [("Cannot be deleted now", plan.blocked_by), ("Would go", what)]
    return [("Would be deleted" if plan.dry_run else "Deleted", what)]


def _amount(name: str, plan: DeletePlan, *, purge: bool) -> str:
    held = f"{text.many(plan.runs, 'run')} with {text.many(plan.artifacts, 'artifact')}"
    freed = f"{text.size(plan.bytes_freed)} become free"
    return f"{name!r} ({held}; {freed}{'' if purge else ' when it is purged'})"
