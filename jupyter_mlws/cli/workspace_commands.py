"""`mlws workspace`: the top containers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from jupyter_mlws.cli import azure_views, show, tables
from jupyter_mlws.cli.context import Session, common, confirm
from jupyter_mlws.cli.tables import Column

if TYPE_CHECKING:
    from jupyter_mlws.domain.workspaces.schemas import Workspace

RESOURCE_COLUMNS = [
    Column("RESOURCE"),
    Column("HEALTH"),
    Column("SIZE", right=True),
    Column("LOCATION", shrinks=True),
    Column("", shrinks=True),
]


@click.group("workspace")
def command() -> None:
    """List, make, change, archive and delete workspaces."""


def _one(session: Session, workspace: Workspace) -> None:
    rows = [
        ("Workspace", workspace.name),
        ("Title", workspace.display_name),
        ("Description", workspace.description),
        ("Experiments", str(workspace.experiments)),
        ("Runs", str(workspace.runs)),
        ("Archived", "yes" if workspace.archived else ""),
        ("Made", f"{tables.moment(workspace.created_at)} by {workspace.created_by}"),
    ]
    show.one(session, azure_views.workspace_json(workspace), rows)


@command.command("list")
@click.option("--archived", is_flag=True, help="The archived ones instead.")
@common
def list_workspaces(session: Session, archived: bool) -> None:
    """List workspaces."""
    show.many(
        session,
        session.workspace.list(archived=archived),
        as_json=azure_views.workspace_json,
        columns=[
            Column("WORKSPACE", shrinks=True),
            Column("TITLE", shrinks=True),
            Column("EXPERIMENTS", right=True),
            Column("RUNS", right=True),
        ],
        row=lambda w: [w.name, w.display_name, str(w.experiments), str(w.runs)],
        empty="No workspaces.",
    )


@command.command("show")
@click.argument("name", required=False)
@common
def show_workspace(session: Session, name: str | None) -> None:
    """Show a workspace."""
    _one(session, session.workspace.show(name))


@command.command("create")
@click.argument("name")
@click.option("--title", "display_name", metavar="TEXT", help="Its name for people.")
@click.option("--description", metavar="TEXT", help="What it is for.")
@common
def create(session: Session, name: str, **options: Any) -> None:
    """Make a workspace. Names have letters, digits, `-` and `_`."""
    _one(session, session.workspace.create(name, **options))


@command.command("update")
@click.argument("name")
@click.option("--name", "new_name", metavar="NAME", help="A new name; it moves the addresses.")
@click.option("--title", "display_name", metavar="TEXT", help="A new name for people.")
@click.option("--description", metavar="TEXT", help="A new description.")
@common
def update(session: Session, name: str, **options: Any) -> None:
    """Rename or describe a workspace."""
    if not any(value is not None for value in options.values()):
        raise click.UsageError("Say what to change: --name, --title or --description.")
    _one(session, session.workspace.update(name, **options))


@command.command("archive")
@click.argument("name")
@common
def archive(session: Session, name: str) -> None:
    """Hide a workspace; nothing is lost."""
    _one(session, session.workspace.archive(name))


@command.command("restore")
@click.argument("name")
@common
def restore(session: Session, name: str) -> None:
    """Bring an archived workspace back."""
    _one(session, session.workspace.restore(name))


@command.command("resources")
@click.argument("name", required=False)
@common
def resources(session: Session, name: str | None) -> None:
    """Show what a workspace stands on: where it lies, how large it is, whether it is well."""
    show.many(
        session,
        session.workspace.resources(name),
        as_json=lambda r: {"kind": r.kind, "location": r.location, "bytes": r.bytes, "health": r.health, "detail": r.detail},
        columns=RESOURCE_COLUMNS,
        row=lambda r: [r.kind.replace("_", " "), r.health, tables.size(r.bytes), r.location, r.detail],
        empty="",
    )


@command.command("delete")
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Only tell what would go.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@common
def delete(session: Session, name: str, dry_run: bool, yes: bool) -> None:
    """Delete an archived workspace with all it holds, for good."""
    plan = session.workspace.delete(name, dry_run=True)
    what = (
        f"{name!r}: {plan.experiments} experiments, {plan.runs} runs, {plan.artifacts} artifacts, "
        f"{tables.size(plan.bytes_freed)} become free"
    )
    if not dry_run:
        confirm(f"Delete for good the workspace {what}.", yes=yes)
        plan = session.workspace.delete(name)
    body = {"name": name, "experiments": plan.experiments, "runs": plan.runs, "artifacts": plan.artifacts}
    body.update({"bytes_freed": plan.bytes_freed, "dry_run": dry_run})
    show.one(session, body, [("Would go" if dry_run else "Deleted", what)])
