"""`mlws secret`: values that jobs are given as variables."""

from __future__ import annotations

import sys

import click

from jupyter_mlws.cli import show
from jupyter_mlws.cli.context import Session, common, confirm, named
from jupyter_mlws.sdk import text


@click.group("secret")
def command() -> None:
    """Secrets of a workspace: set, list, delete. Their values are never shown.

    `mlws job create --secret HF_TOKEN ...` gives one to a job.
    """


@command.command("set")
@named("secret", "secrets", into="name")
@common
def set_secret(session: Session, name: str) -> None:
    """Make a secret, or give it another value.

    The value is asked for, or read from standard input (`mlws secret set NAME < file`), where one line end at its end is left out. It is
    no argument: those are seen by all who list processes, and kept by the shell.
    """
    if sys.stdin.isatty():
        value = click.prompt(f"Value of {name}", hide_input=True, err=True)
    else:
        value = sys.stdin.read().removesuffix("\n").removesuffix("\r")
    found = session.workspace.secrets.set(name, value)
    body = {"name": found.name, "updated_at": found.updated_at, "updated_by": found.updated_by, "jobs": found.jobs}
    show.one(session, body, [("Secret", found.name), ("Set", f"{text.moment(found.updated_at)} by {found.updated_by}")])


@command.command("list")
@common
def list_secrets(session: Session) -> None:
    """List secrets, and how many jobs name each."""
    show.many(session, session.workspace.secrets.list(), empty="No secrets. `mlws secret set NAME` makes one.")


@command.command("delete")
@named("secret", "secrets", into="name")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@common
def delete(session: Session, name: str, yes: bool) -> None:
    """Delete a secret, for good. Jobs that wait and name it fail when they are to begin."""
    waiting = next((one.waiting for one in session.workspace.secrets.list() if one.name == name), [])
    needed = f" {text.many(len(waiting), 'job')} that wait or run name it." if waiting else ""
    confirm(f"Delete the secret {name!r} for good?{needed}", yes=yes)
    session.workspace.secrets.delete(name)
    show.one(session, {"name": name, "deleted": True}, [("Deleted", name)])


@command.command("rotate-key")
@common
def rotate_key(session: Session) -> None:
    """Seal all secrets of all workspaces with a new key."""
    found = session.workspace.secrets.rotate_key()
    body = {"secrets": found.secrets, "kept": found.kept, "todo": found.todo}
    rows = [("Sealed anew", text.many(found.secrets, "value")), ("Key", found.kept), ("To do", found.todo)]
    show.one(session, body, [(name, words) for name, words in rows if words])
