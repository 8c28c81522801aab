"""`mlws server`: the server that the commands talk to. These commands start none."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from jupyter_mlws.cli import show
from jupyter_mlws.cli.context import Session, common

if TYPE_CHECKING:
    from jupyter_mlws.sdk.discovery import Server

STOP_S = 20.0


@click.group("server")
def command() -> None:
    """Show or stop the server that the commands talk to."""


@command.command("status")
@common
def status(session: Session) -> None:
    """Show which server answers, and what it is."""
    from jupyter_mlws.sdk.workspace import Workspace  # noqa: PLC0415 - `--help` does without

    workspace = Workspace()
    server = workspace.transport.server
    info = workspace.info()
    kind = _kind(server)
    body: dict[str, Any] = {"url": server.url, "kind": kind, "pid": server.pid, "found_by": server.source, **info}
    rows = [
        ("Server", server.url),
        ("Kind", kind),
        ("Process", str(server.pid or "")),
        ("Found by", server.source),
        ("Version", str(info.get("version", ""))),
        ("Data", str(info.get("data_dir", ""))),
        ("You are", f"{info['actor']['name']} ({info['actor']['kind']})"),
    ]
    show.one(session, body, rows)


def _kind(server: Server) -> str:
    if not server.local:
        return "named by the environment"
    return "without a browser; ends when idle" if server.headless else "Jupyter server"


@command.command("stop")
@common
def stop(session: Session) -> None:
    """Stop a server that a command has started. Jobs go on, and the next server follows them.

    A JupyterLab is not stopped by this.
    """
    from jupyter_mlws.sdk.discovery import from_owner_file, is_alive  # noqa: PLC0415 - `--help` does without
    from jupyter_mlws.sdk.workspace import Workspace  # noqa: PLC0415

    server = from_owner_file()
    if server is None:
        show.one(session, {"stopped": False}, [("Server", "none runs")])
        return
    workspace = Workspace(url=server.url, token=server.token)
    workspace.transport.ask("POST", "/owner/yield", dict)
    deadline = time.monotonic() + STOP_S
    while server.pid is not None and is_alive(server.pid):
        if time.monotonic() > deadline:
            raise click.ClickException(
                f"The server (process {server.pid}) was asked to end, and still runs after {STOP_S:.0f} s."
            )
        time.sleep(0.05)
    show.one(session, {"stopped": True, "pid": server.pid}, [("Server", f"stopped (it was process {server.pid})")])
