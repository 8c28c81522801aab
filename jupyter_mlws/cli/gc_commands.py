"""`mlws gc`: remove what nobody needs any more."""

from __future__ import annotations

import click

from jupyter_mlws.cli import show
from jupyter_mlws.cli.context import Session, common
from jupyter_mlws.cli.spans import Span
from jupyter_mlws.sdk import forms, text
from jupyter_mlws.sdk.table import Table


@click.command("gc")
@click.option("--dry-run", is_flag=True, help="Only tell what would go.")
@click.option(
    "--grace",
    type=Span(whole=True),
    default="24h",
    show_default=True,
    metavar="SPAN",
    help="Leave what is younger: 1h at least, for it may belong to an upload or a job that is just ending.",
)
@common
def command(session: Session, dry_run: bool, grace: int) -> None:
    """Remove what nobody needs any more: files that nothing names, folders of ended and deleted jobs, what crashes left behind.

    No run, file or model goes that is not deleted already. A server does much of the same by itself every six hours, and keeps the
    folders of ended jobs for seven days.
    """
    report = session.workspace.gc(grace_s=grace, dry_run=dry_run)
    show.many(session, Table(report.kinds, forms.GARBAGE), empty="")
    would = "would become" if dry_run else "became"
    show.said(f"{text.size(report.bytes_freed)} {would} free.")
    if report.held:
        show.said("The stored files were left alone, for a backup is being made; ask again when it is done.")
