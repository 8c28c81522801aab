"""Which commands there are, and where they stand. Only the module of the command that is called is imported."""

from __future__ import annotations

import importlib
from typing import Any

import click

from jupyter_mlws.cli.failures import Failing

COMMANDS = {
    "workspace": "Workspaces: the top containers.",
    "experiment": "Experiments: named groups of runs.",
    "run": "Runs: what was tracked.",
    "job": "Jobs: submit, follow, cancel.",
    "compute": "Compute targets: where jobs run, and why one waits.",
    "secret": "Secrets: values that jobs are given and nobody is shown.",
    "environment": "Environments: what a run ran in, and which kernels there are.",
    "import": "Bring runs and models of MLflow along.",
    "export": "Write runs and models into a folder that MLflow reads.",
    "server": "The server that the commands talk to.",
    "db": "The database and its files: check, upgrade, back up, compact.",
    "gc": "Remove what nobody needs any more.",
    "open": "Open a page in JupyterLab.",
    "completion": "Print the shell's completion script.",
}


class LazyGroup(click.Group):
    """Commands by name; each stands in `jupyter_mlws.cli.<name>_commands` as `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of the table."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, imported now."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = importlib.import_module(f"jupyter_mlws.cli.{cmd_name}_commands").command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table, without importing anything."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


class MainGroup(LazyGroup, Failing):
    """The outermost command: failures end here."""


def _version(ctx: click.Context, _param: Any, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(f"mlws {importlib.import_module('importlib.metadata').version('jupyter_mlws')}")
        ctx.exit()


@click.group(cls=MainGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=_version, help="Show the version and exit.")
def main() -> None:
    """Jupyter ML Workspace on the command line.

    Finds the JupyterLab that runs on this machine; where none runs, a server without a browser is started, which ends when it is
    idle. MLWS_URL and MLWS_TOKEN name another server, MLWS_DATA_DIR another data folder, MLWS_WORKSPACE the workspace.

    A run's or job's id may be cut to its first digits, as long as they fit only one.

    \b
    Exit codes:
      0    done; `job stream`, `job wait`, `job create --stream`: and the job completed
      1    the job failed or was canceled; you answered no; an import is not whole, or `db check` found a fault; something went
           wrong inside the server
      2    wrong input: the command line, or what the server refused (the message names the field)
      3    what was named does not exist
      4    no server could be reached or started, or it does not know the token
      5    the time given to `job wait` was over; the job goes on
      130  interrupted with Ctrl-C; a job that was being followed goes on
    """
