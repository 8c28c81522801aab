"""`mlws compute`: where jobs run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import msgspec

from jupyter_mlws.cli import show, tables
from jupyter_mlws.cli.context import Session, common
from jupyter_mlws.cli.tables import Column

if TYPE_CHECKING:
    from jupyter_mlws.domain.compute.schemas import ComputeTarget


@click.group("compute")
def command() -> None:
    """Compute targets with their load and their queue."""


def compute_json(target: ComputeTarget) -> dict[str, Any]:
    """A target, with Azure's keys first."""
    plain: dict[str, Any] = msgspec.to_builtins(target)
    return {"name": target.name, "type": target.kind, "provisioning_state": target.state, **plain}


@command.command("list")
@common
def list_targets(session: Session) -> None:
    """List compute targets."""
    show.many(
        session,
        session.workspace.compute.list(),
        as_json=compute_json,
        columns=[
            Column("TARGET"),
            Column("KIND"),
            Column("STATE"),
            Column("RUNNING", right=True),
            Column("WAITING", right=True),
            Column("LOAD", right=True),
        ],
        row=lambda t: [t.name, t.kind, t.state, f"{t.running} of {t.max_jobs}", str(t.queued), _load(t)],
        empty="No compute targets.",
    )


@command.command("show")
@click.argument("name", default="local")
@common
def show_target(session: Session, name: str) -> None:
    """Show a compute target, and why each job in its queue waits."""
    target = session.workspace.compute.show(name)
    queue = [f"{job.position}. {job.name} ({job.run_id[: show.SHORT]}): {job.reason}" for job in target.queue]
    memory = f"{tables.size(target.memory_used_bytes)} of {tables.size(target.memory_bytes)} used" if target.memory_bytes else ""
    rows = [
        ("Target", target.name),
        ("Kind", target.kind),
        ("State", f"{target.state}  {target.detail}".rstrip()),
        ("About", target.description),
        ("Jobs", f"{target.running} running of at most {target.max_jobs}, {target.queued} waiting"),
        ("CPUs", _load(target)),
        ("Memory", memory),
        ("Queue", "\n".join(queue)),
    ]
    show.one(session, compute_json(target), rows)


def _load(target: ComputeTarget) -> str:
    if target.cpu_count is None:
        return ""
    return f"{target.load:.1f} of {target.cpu_count} CPUs" if target.load is not None else f"{target.cpu_count} CPUs"
