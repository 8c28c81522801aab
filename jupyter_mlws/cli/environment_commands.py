"""`mlws environment`: what runs ran in."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from jupyter_mlws.cli import show, tables
from jupyter_mlws.cli.context import Session, common
from jupyter_mlws.cli.tables import Column


@click.group("environment")
def command() -> None:
    """Environments, as runs captured them; and the kernels there are."""


@command.command("list")
@common
def list_kernels(session: Session) -> None:
    """List the kernels that a notebook job can choose."""
    show.many(
        session,
        session.workspace.environments.list(),
        as_json=lambda k: {"name": k.name, "display_name": k.display_name, "language": k.language},
        columns=[Column("KERNEL"), Column("NAME", shrinks=True), Column("LANGUAGE")],
        row=lambda k: [k.name, k.display_name, k.language],
        empty="No kernel is installed: `pip install ipykernel` brings one.",
    )


@command.command("show")
@click.argument("run")
@click.option("--packages", is_flag=True, help="The installed packages, as requirements.")
@common
def show_environment(session: Session, run: str, packages: bool) -> None:
    """Show what a run ran in: interpreter, platform, packages, git."""
    found = session.workspace.environments.show(session.run_id(run))
    if packages and session.output == "table":
        for name, version in sorted(found.packages.items()):
            click.echo(tables.printable(f"{name}=={version}"))
        return
    plain: dict[str, Any] = msgspec.to_builtins(found)
    git = found.git
    rows = [
        ("Language", f"{found.language or ''} {found.language_version or ''}".strip()),
        ("Interpreter", found.executable or ""),
        ("Kernel", found.kernel_display_name or found.kernel_name or ""),
        ("Platform", found.platform or ""),
        ("Host", found.host or ""),
        ("CPUs", str(found.cpu_count or "")),
        ("Memory", tables.size(found.memory_bytes)),
        ("Packages", f"{len(found.packages)} (--packages lists them)" if found.packages else ""),
        ("Commit", f"{git.commit}{' with uncommitted changes' if git.dirty else ''}" if git and git.commit else ""),
        ("Branch", git.branch or "" if git else ""),
        ("Remote", git.remote or "" if git else ""),
    ]
    if not plain and session.output == "table":
        show.said("Nothing was captured of this run.")
    show.one(session, plain, rows)
