"""`mlws workspace`: the top containers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from jupyter_mlws.cli import azure_views, deleting, show
from jupyter_mlws.cli.context import Session, check_changes, common, confirm, named
from jupyter_mlws.sdk import text

if TYPE_CHECKING:
    from jupyter_mlws.domain.workspaces.schemas import Workspace


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
        ("Made", f"{text.moment(workspace.created_at)} by {workspace.created_by}"),
    ]
    show.one(session, azure_views.workspace_json(workspace), rows)


@command.command("list")
@click.option("--archived", is_flag=True, help="The archived ones instead.")
@common
def list_workspaces(session: Session, archived: bool) -> None:
    """List workspaces."""
    found = session.workspace.list(archived=archived)
    show.many(
        session, found, as_json=azure_views.workspace_json, empty="No workspace is archived." if archived else "No workspaces."
    )


@command.command("show")
@named("workspace", "workspaces", default="", into="name")
@common
def show_workspace(session: Session, name: str | None) -> None:
    """Show a workspace: the one that is named, else the one that --workspace or MLWS_WORKSPACE says."""
    _one(session, session.workspace.show(name))


@command.command("create")
@click.argument("given_name", metavar="NAME", required=False)
@click.option("-n", "--name", metavar="NAME", help="The name, instead of the argument.")
@click.option("--title", "--display-name", "display_name", metavar="TEXT", help="Its name for people; any text.")
@click.option("--description", metavar="TEXT", help="What it is for.")
@common
def create(session: Session, given_name: str | None, name: str | None, **options: Any) -> None:
    """Make a workspace. Its name has letters, digits, `-` and `_`."""
    if (given_name is None) == (name is None):
        raise click.UsageError("Say the name of the new workspace, once: NAME or --name NAME.")
    _one(session, session.workspace.create(given_name or name or "", **options))


@command.command("update")
@named("workspace", "workspaces", rename="--new-name", into="name")
@click.option("--new-name", metavar="NAME", help="A new name; it moves the addresses.")
@click.option("--title", "--display-name", "display_name", metavar="TEXT", help="A new name for people.")
@click.option("--description", metavar="TEXT", help="A new description.")
@common
def update(session: Session, name: str, **options: Any) -> None:
    """Rename or describe a workspace."""
    check_changes(options, "--new-name", "--title", "--description")
    _one(session, session.workspace.update(name, **options))


@command.command("archive")
@named("workspace", "workspaces", into="name")
@common
def archive(session: Session, name: str) -> None:
    """Hide a workspace; nothing is lost."""
    _one(session, session.workspace.archive(name))


@command.command("restore")
@named("workspace", "archived_workspaces", into="name")
@common
def restore(session: Session, name: str) -> None:
    """Bring an archived workspace back."""
    _one(session, session.workspace.restore(name))


@command.command("resources")
@named("workspace", "workspaces", default="", into="name")
@common
def resources(session: Session, name: str | None) -> None:
    """Show what a workspace stands on: where it lies, how large it is, whether it is well."""
    show.many(session, session.workspace.resources(name), empty="")


@command.command("delete")
@named("workspace", "archived_workspaces", into="name")
@click.option("--dry-run", is_flag=True, help="Only tell what would go.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@common
def delete(session: Session, name: str, dry_run: bool, yes: bool) -> None:
    """Delete an archived workspace with all it holds, for good."""
    plan = session.workspace.delete(name, dry_run=True)
    held = ", ".join(text.many(getattr(plan, f"{word}s"), word) for word in ("experiment", "run", "artifact"))
    what = f"{name!r} ({held}; {text.size(plan.bytes_freed)} become free)"
    if not dry_run:
        deleting.check_deletable(plan)
        confirm(f"Delete for good the workspace {what}?", yes=yes)
        plan = session.workspace.delete(name)
    body = {"name": name, "experiments": plan.experiments, "runs": plan.runs, "artifacts": plan.artifacts}
    body.update({"bytes_freed": plan.bytes_freed, "dry_run": dry_run, "blocked_by": plan.blocked_by})
    show.one(session, body, deleting.container_rows(plan, what))
