"""What all commands share: the workspace, the form of the output, which thing is meant, and how they are declared."""

from __future__ import annotations

import functools
import importlib
import os
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from jupyter_mlws.cli.failures import BAD_INPUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.shell_completion import CompletionItem

    from jupyter_mlws.sdk.workspace import Workspace

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
        from jupyter_mlws.sdk.workspace import Workspace  # noqa: PLC0415 - `--help` and completion do without

        return Workspace.start_or_connect(self._name)

    def run_id(self, start: str) -> str:
        """The whole id of a run from its first digits."""
        from jupyter_mlws.kit.ids import is_id  # noqa: PLC0415

        return start if is_id(start) else self.workspace.runs.find(start)


class Refusal(click.ClickException):
    """What was asked for is not done, in one sentence; exit code 2."""

    exit_code = BAD_INPUT


def suggest(kind: str) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """What the shell offers as values of an option or argument: a function of `completing.py`, loaded when it is asked."""

    def complete(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        offer: Callable[[click.Context, str], list[CompletionItem]] = getattr(
            importlib.import_module("jupyter_mlws.cli.completing"), kind
        )
        return offer(ctx, incomplete)

    return complete


def common(command: F) -> F:
    """Adds `--workspace` and `--output`, and hands the command a `Session`."""
    output = click.option(
        "-o", "--output", type=click.Choice(OUTPUTS), default="table", show_default=True, help="Form of the answer."
    )
    workspace = click.option(
        *("-w", "--workspace"),
        metavar="NAME",
        shell_complete=suggest("workspaces"),
        help="Workspace.  [default: MLWS_WORKSPACE, else default]",
    )

    @functools.wraps(command)
    def wrapped(*args: Any, workspace: str | None, output: str, **options: Any) -> Any:
        return command(Session(workspace, output), *args, **options)

    return workspace(output(wrapped))  # type: ignore[return-value] # click's decorators keep what they wrap


def limited(command: F) -> F:
    """Adds `--max-results` and `--all-results` to a list; the command takes `limit`, which is None for all."""
    number = click.option(
        *("-r", "--max-results", "--limit", "max_results"),
        type=click.IntRange(1),
        default=50,
        show_default=True,
        help="How many.",
    )
    everything = click.option("--all-results", "--all", "everything", is_flag=True, help="All, whatever their number.")

    @functools.wraps(command)
    def wrapped(*args: Any, max_results: int, everything: bool, **options: Any) -> Any:
        return command(*args, limit=None if everything else max_results, **options)

    return number(everything(wrapped))  # type: ignore[return-value] # click's decorators keep what they wrap


def named(
    what: str, kind: str, *, several: bool = False, default: str | None = None, rename: str = "", into: str = ""
) -> Callable[[F], F]:
    """Adds the argument `what` and `-n/--name`, which says the same; the command takes it as `into`, else `what` (`several`: a tuple).

    `kind`: what the shell offers. `default`: what is meant if it is left out (empty: the command knows). `rename`: the option
    that gives a new name, for whoever takes `--name` for that.
    """

    def decorate(command: F) -> F:
        @functools.wraps(command)
        def wrapped(*args: Any, **options: Any) -> Any:
            given, by_name = options.pop("given_names"), options.pop("given_name")
            options[into or what] = _several(what, given, by_name) if several else _one(what, given, by_name, default, rename)
            return command(*args, **options)

        argument = click.argument(
            "given_names",
            required=False,
            nargs=-1 if several else 1,
            metavar=f"{what.upper()}..." if several else what.upper(),
            shell_complete=suggest(kind),
        )
        option = click.option(
            *("-n", "--name", "given_name"),
            multiple=several,
            metavar=what.upper(),
            shell_complete=suggest(kind),
            help=f"The {what}, instead of the argument.{' May be repeated.' if several else ''}",
        )
        return argument(option(wrapped))  # type: ignore[return-value] # click's decorators keep what they wrap

    return decorate


def _one(what: str, given: str | None, by_name: str | None, default: str | None, rename: str) -> str | None:
    if given is not None and by_name is not None and given != by_name:
        hint = f" {rename} gives a new name." if rename else ""
        raise click.UsageError(f"The {what} is named twice: {given[:80]!r} and --name {by_name[:80]!r}.{hint}")
    found = by_name if given is None else given
    if found == "":
        raise click.UsageError(f"The {what} is an empty text; is a variable of the shell unset?")
    if found is None and default is None:
        raise click.UsageError(f"Say which {what}: {what.upper()} or --name {what.upper()}.")
    return found if found is not None else default or None


def _several(what: str, given: tuple[str, ...], by_name: tuple[str, ...]) -> tuple[str, ...]:
    if not given and not by_name:
        raise click.UsageError(f"Say which {what}: {what.upper()} or --name {what.upper()}.")
    if "" in (*given, *by_name):
        raise click.UsageError(f"One {what} is an empty text; is a variable of the shell unset?")
    return tuple(dict.fromkeys([*given, *by_name]))


def refuses(group: click.Group, verb: str, sentence: str) -> None:
    """A verb that this version cannot do with this noun: it says what is possible instead. The help does not list it."""

    @group.command(
        verb, hidden=True, add_help_option=False, context_settings={"ignore_unknown_options": True, "allow_extra_args": True}
    )
    def command() -> NoReturn:
        raise Refusal(sentence)


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something goes; `--yes` answers. Without a terminal to ask on nothing is done."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Refusal(f"Nothing was done, for there is no terminal to ask on: {question} --yes answers it.")
    click.confirm(question, abort=True, err=True)


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


def secret_names(given: tuple[str, ...]) -> dict[str, str]:
    """`--secret` options: `VARIABLE=name`, or `NAME` for a variable that is called as its secret."""
    return pairs(tuple(text if "=" in text else f"{text}={text}" for text in given), "--secret")


def tag_changes(given: tuple[str, ...]) -> dict[str, str | None] | None:
    """`--tag` options of an update; `key=` removes the tag."""
    return {key: value or None for key, value in pairs(given, "--tag").items()} or None


def check_changes(options: dict[str, Any], *words: str) -> None:
    """Refuse an update that changes nothing; `words` are the options that would."""
    if all(value is None for value in options.values()):
        raise click.UsageError(f"Say what to change: {', '.join(words[:-1])} or {words[-1]}.")
