"""`mlws open`: pages in JupyterLab."""

from __future__ import annotations

import sys

import click

from jupyter_mlws.cli import show
from jupyter_mlws.cli.context import Session, common, named, suggest


@click.command("open")
@named("run", "runs", default="")
@click.option(
    "--experiment", metavar="NAME", shell_complete=suggest("all_experiments"), help="The page of an experiment instead."
)
@click.option("--print", "only_print", is_flag=True, help="Print the address, open nothing.")
@common
def command(session: Session, run: str | None, experiment: str | None, only_print: bool) -> None:
    """Open the page of a run, of an experiment, or of the workspace in JupyterLab."""
    from jupyter_mlws.sdk.workspace import Workspace  # noqa: PLC0415 - `--help` does without

    if run is not None and experiment is not None:
        raise click.UsageError("Name a run or an --experiment, not both.")
    server = Workspace().transport.server
    if server.headless:
        raise click.ClickException("No JupyterLab runs on this data folder: start one with `jupyter lab`, then try again.")
    workspace = session.workspace
    if run is not None:
        page = f"runs/{workspace.runs.show(session.run_id(run)).id}"
    elif experiment is not None:
        page = f"experiments/{workspace.experiments.show(experiment).id}"
    else:
        page = f"workspaces/{workspace.show().name}"
    url = workspace.page_url(page) or ""
    if session.output == "table":
        click.echo(url)
    else:
        show.one(session, {"url": url}, [])
    if not only_print and sys.stdout.isatty():
        import webbrowser  # noqa: PLC0415 - slow, and only needed here

        webbrowser.open(url)
