"""`mlws compute`: where jobs run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from jupyter_mlws.cli import azure_views, show
from jupyter_mlws.cli.context import Session, common, named, refuses
from jupyter_mlws.sdk import text
from jupyter_mlws.sdk.forms import SHORT, load_of

if TYPE_CHECKING:
    from jupyter_mlws.domain.compute.schemas import ComputeTarget


@click.group("compute")
def command() -> None:
    """Compute targets with their load and their queue, and how many jobs each runs at once."""


SETTING = "the server's setting `MlwsApp.compute_targets`"
ONE_BY_ONE = "`mlws compute update TARGET --max-jobs 1` lets it run one job at a time"
refuses(
    command, "create", f"Targets beside `local`, this machine, are named in {SETTING}; `mlws compute list` has all there are."
)
refuses(command, "archive", f"A target is there as long as {SETTING} names it, and `local` always; {ONE_BY_ONE}.")
refuses(command, "restore", "No target is hidden; `mlws compute list` has all there are.")
refuses(command, "delete", f"A target goes when {SETTING} names it no longer, and `local` stays; {ONE_BY_ONE}.")


@command.command("list")
@common
def list_targets(session: Session) -> None:
    """List compute targets."""
    show.many(session, session.workspace.compute.list(), as_json=azure_views.compute_json, empty="No compute targets.")


@command.command("show")
@named("target", "targets", default="local")
@common
def show_target(session: Session, target: str) -> None:
    """Show a compute target, and why each job in its queue waits."""
    _one(session, session.workspace.compute.show(target))


@command.command("update")
@named("target", "targets", default="local")
@click.option("--max-jobs", type=click.IntRange(1, 1000), metavar="NUMBER", help="How many jobs run at once.")
@click.option("--default-max-jobs", "usual", is_flag=True, help="As many again as the server's settings say.")
@common
def update(session: Session, target: str, max_jobs: int | None, usual: bool) -> None:
    """Change how many jobs run at once, from now on and after a restart.

    Jobs that run go on, even if there are more of them.
    """
    if (max_jobs is None) != usual:
        raise click.UsageError("Say how many jobs run at once: --max-jobs NUMBER, or --default-max-jobs.")
    _one(session, session.workspace.compute.update(target, max_jobs=max_jobs))


def _one(session: Session, target: ComputeTarget) -> None:
    queue = [f"{job.position}. {job.name} ({job.run_id[:SHORT]}): {job.reason}" for job in target.queue]
    memory = f"{text.size(target.memory_used_bytes)} of {text.size(target.memory_bytes)} used" if target.memory_bytes else ""
    usual = f" (the settings say {target.default_max_jobs})" if target.default_max_jobs != target.max_jobs else ""
    rows = [
        ("Target", target.name),
        ("Kind", target.kind),
        ("State", f"{target.state}  {target.detail}".rstrip()),
        ("About", target.description),
        ("Jobs", f"{target.running} running of at most {target.max_jobs}{usual}, {target.queued} waiting"),
        ("CPUs", load_of(target)),
        ("Memory", memory),
        ("Queue", "\n".join(queue)),
    ]
    show.one(session, azure_views.compute_json(target), rows)
