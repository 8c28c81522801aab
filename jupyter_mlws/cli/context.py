"""What all commands share: the workspace, the form of the output, and how they are declared."""

from __future__ import annotations

import os
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_mlws.sdk import Workspace

F = TypeVar("F", bound="Callable[..., Any]")

OUTPUTS = ("table", "json", "csv")


class Session:
    """One call of the command."""

    def __init__(self, workspace: str | None, output: str) -> None:
        self._name = workspace
        self.output = output

    @cached_property
    def workspace(self) -> Workspace:
        """The workspace; the server is found, or started, with the first request."""
        leave_out_httpx_commands()
        from jupyter_mlws.sdk.workspace import Workspace  # noqa: PLC0415 - `--help` and completion do without

        return Workspace.start_or_connect(self._name)

    def run_id(self, start: str) -> str:
        """The whole id of a run from its first digits."""
        from jupyter_mlws.kit.ids import is_id  # noqa: PLC0415

        return start if is_id(start) else self.workspace.runs.find(start)


def leave_out_httpx_commands() -> None:
    """Import httpx without its own command line, which loads `rich` where that is installed: a fifth of what `mlws run list` takes."""
    if "httpx" not in sys.modules:
        sys.modules["httpx._main"] = None  # type: ignore[assignment] # the documented way to make an import fail
        import httpx  # noqa: F401, PLC0415 - for its effect

        del sys.modules["httpx._main"]


def common(command: F) -> F:
    """Adds `--workspace` and `--output`, and hands the command a `Session`."""
    output = click.option(
        "-o", "--output", type=click.Choice(OUTPUTS), default="table", show_default=True, help="Form of the answer."
    )
    workspace = click.option("-w", "--workspace", metavar="NAME", help="Workspace.  [default: MLWS_WORKSPACE, else default]")

    import functools  # noqa: PLC0415 - click has it loaded

    @functools.wraps(command)
    def wrapped(*args: Any, workspace: str | None, output: str, **options: Any) -> Any:
        return command(Session(workspace, output), *args, **options)

    return workspace(output(wrapped))  # type: ignore[return-value] # click's decorators keep what they wrap


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something goes; `--yes` answers. Without a terminal to ask on nothing is done."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question} There is no terminal to ask on: say --yes.")
    click.confirm(f"{question} Go on?", abort=True, err=True)


def colored(stream: Any = None) -> bool:
    """Whether to use colours."""
    out = stream or sys.stdout
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and out.isatty()


def pairs(given: tuple[str, ...], option: str) -> dict[str, str]:
    """`key=value` options as a dictionary."""
    found = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"{text[:80]!r} is not of the form key=value.", param_hint=option)
        found[key] = value
    return found


def tag_changes(given: tuple[str, ...]) -> dict[str, str | None] | None:
    """`--tag` options of an update; `key=` removes the tag."""
    return {key: value or None for key, value in pairs(given, "--tag").items()} or None
