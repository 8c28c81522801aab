"""The one door from the commands to the database: `server.admin`, loaded when `mlws db` is called and by no other command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from jupyter_mlws.cli.context import Refusal
from jupyter_mlws.kit.errors import MlwsError

if TYPE_CHECKING:
    from pathlib import Path

    from jupyter_mlws.cli.progress_line import ProgressLine

REFUSED = 500
"""From this status on it is not what was asked that is wrong."""


def run(what: str, data_dir: Path | None, *arguments: Any, progress: ProgressLine | None = None, **options: Any) -> Any:
    """Call a function of `server.admin` on the data folder that is meant. Its failures end the command in words."""
    from jupyter_mlws.server import admin  # noqa: PLC0415 - SQLAlchemy and the server, which no other command needs

    if progress is not None:
        options["progress"] = progress.tell
    try:
        return getattr(admin, what)(admin.find(data_dir), *arguments, **options)
    except MlwsError as error:
        if error.status < REFUSED or error.code in ("newer_schema", "foreign_database", "network_file_system"):
            raise Refusal(error.message) from error
        raise click.ClickException(error.message) from error
    finally:
        if progress is not None:
            progress.close()
