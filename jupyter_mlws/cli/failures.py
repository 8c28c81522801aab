"""How failures end: a sentence on standard error, and an exit code."""

from __future__ import annotations

import os
import sys
from typing import Any, NoReturn

import click

FAILED = 1
BAD_INPUT = 2
NOT_FOUND = 3
NO_CONNECTION = 4
TIME_OVER = 5
INTERRUPTED = 130


class Failing(click.Group):
    """A group whose failures are told on standard error, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. What click knows how to tell it tells itself."""
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.Abort, click.ClickException, EOFError, BrokenPipeError):
            raise
        except KeyboardInterrupt:
            leave(INTERRUPTED)
        except Exception as error:  # noqa: BLE001 - the top: whatever it is, a person reads a sentence
            fail(error)


def leave(code: int | str | None) -> NoReturn:
    """End the program."""
    sys.exit(code)


def tell(text: str) -> None:
    """A sentence on standard error."""
    click.echo(text, err=True)


def fail(error: Exception) -> NoReturn:
    """Say what happened, where, and what to do; end with the code for it."""
    # Only failures pay for this import: the client is there already when one of its errors arrives.
    from jupyter_mlws.sdk.errors import ApiError, ConnectionFailed, NotFound, ServerFailed, Unauthenticated, WaitTimeout  # noqa: PLC0415

    if os.environ.get("MLWS_DEBUG"):
        raise error
    if isinstance(error, ConnectionFailed):
        tell(f"Error: {error}")
        leave(NO_CONNECTION)
    if isinstance(error, WaitTimeout):
        tell(f"Error: {error}")
        leave(TIME_OVER)
    if isinstance(error, ApiError):
        named = error.field is None or f"{error.field}: " in error.message  # of a job file the message has the field
        where = "" if named else f" [{option(error.field or '')}]"
        tell(f"Error: {error.message}{where}")
        if isinstance(error, Unauthenticated):
            leave(NO_CONNECTION)
        leave(NOT_FOUND if isinstance(error, NotFound) else FAILED if isinstance(error, ServerFailed) else BAD_INPUT)
    if isinstance(error, OSError):
        tell(f"Error: {error.strerror or error}{f': {error.filename}' if error.filename else ''}")
        leave(FAILED)
    tell(f"Error: something went wrong in mlws itself ({type(error).__name__}: {error}). MLWS_DEBUG=1 shows where.")
    leave(FAILED)


OPTIONS = {
    "file": "--file",
    "text": "--file",
    "notebook": "--notebook",
    "spec.notebook": "--notebook",
    "spec.code": "--code",
    "spec.kernel": "--kernel",
    "spec.command": "--command",
    "timeout_s": "--timeout",
    "confirm_large": "--confirm-large",
    "in_place": "--in-place",
    "parent_id": "--parent",
    "goal": "--goal",
    "priority": "--priority",
    "status": "--status",
    "kernel": "--kernel",
    "target": "--target",
    "filter": "--filter",
    "order_by": "--order-by",
    "display_name": "--display-name",
    "experiment": "--experiment",
    "tags": "--tag",
    "env": "--env",
    "secrets": "--secret",
}


def option(field: str) -> str:
    """The option that stands for a field of the API."""
    if field.startswith(("parameters.", "spec.parameters.")):
        return f"-p {field.rpartition('parameters.')[2]}"
    return OPTIONS.get(field, field)
