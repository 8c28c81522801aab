"""`mlws environment`: the kernels there are, and what runs ran in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from jupyter_mlws.cli import azure_views, show
from jupyter_mlws.cli.context import Session, common, named, refuses
from jupyter_mlws.sdk import text

if TYPE_CHECKING:
    from jupyter_mlws.domain.environments.schemas import EnvironmentCapture


@click.group("environment")
def command() -> None:
    """Environments: the kernels there are, and what each run ran in."""


KERNELS = "A job runs in a kernel of the server's machine, and each run keeps a record of its environment"
INSTALL = "`python -m ipykernel install --user --name NAME` makes a kernel of an interpreter"
REMOVE = "`jupyter kernelspec remove NAME` removes a kernel"
refuses(command, "create", f"{KERNELS}; {INSTALL}.")
refuses(command, "update", f"{KERNELS}; install packages into the kernel's interpreter, or make another one: {INSTALL}.")
refuses(command, "archive", f"{KERNELS}; {REMOVE}.")
refuses(command, "restore", f"{KERNELS}; {INSTALL}.")
refuses(command, "delete", f"{KERNELS}, which goes with the run; {REMOVE}.")


@command.command("list")
@common
def list_kernels(session: Session) -> None:
    """List the kernels that a notebook job can choose."""
    show.many(
        session,
        session.workspace.environments.list(),
        empty="No kernel is installed: `pip install ipykernel` brings one.",
    )


@command.command("show")
@named("environment", "environments")
@click.option("--packages", is_flag=True, help="The installed packages, as requirements.")
@common
def show_environment(session: Session, environment: str, packages: bool) -> None:
    """Show a kernel; or, named by a run, what that run ran in: interpreter, platform, packages, git."""
    from jupyter_mlws.kit.ids import is_id  # noqa: PLC0415 - with the client it is there

    kernels = [] if is_id(environment) else [one for one in session.workspace.environments.list() if one.name == environment]
    if kernels:
        kernel = kernels[0]
        rows = [("Kernel", kernel.name), ("Name", kernel.display_name), ("Language", kernel.language)]
        show.one(session, {"name": kernel.name, "display_name": kernel.display_name, "language": kernel.language}, rows)
        return
    run_id = session.run_id(environment)
    found = session.workspace.environments.show(run_id)
    if packages and session.output == "table":
        for name, version in sorted(found.packages.items()):
            click.echo(text.printable(f"{name}=={version}"))
        return
    rows = _rows(found)
    if not any(value for _, value in rows) and session.output == "table":
        show.said("Nothing was captured of this run.")
    show.one(session, azure_views.environment_json(run_id, found), rows)


def _rows(found: EnvironmentCapture) -> list[tuple[str, str]]:
    git: Any = found.git
    return [
        ("Language", f"{found.language or ''} {found.language_version or ''}".strip()),
        ("Interpreter", found.executable or ""),
        ("Kernel", found.kernel_display_name or found.kernel_name or ""),
        ("Platform", found.platform or ""),
        ("Host", found.host or ""),
        ("CPUs", str(found.cpu_count or "")),
        ("Memory", text.size(found.memory_bytes)),
        ("Packages", f"{len(found.packages)} (--packages lists them)" if found.packages else ""),
        ("Commit", f"{git.commit}{' with uncommitted changes' if git.dirty else ''}" if git and git.commit else ""),
        ("Branch", git.branch or "" if git else ""),
        ("Remote", git.remote or "" if git else ""),
    ]
