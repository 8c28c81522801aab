"""IPython: `%load_ext mlws` gives `%mlws` (status, list, open) and `%%mlws_run`, which tracks a cell as a run.

What talks to the server is imported by the magics themselves, so that loading costs nearly nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import shlex
from importlib import import_module
from typing import Any, Dict, Iterator, List, NoReturn

# IPython is there when a magic is; no import statement names it, as mlws itself needs the standard library only.
UsageError: Any = import_module("IPython.core.error").UsageError


class _HelpShown(Exception):
    """`-h` has printed its text."""


class _Parser(argparse.ArgumentParser):
    """argparse as a magic needs it: an error is a `UsageError`, and nothing ends the kernel."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}\n{self.format_usage().strip()}")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:  # noqa: ARG002  # argparse names it
        raise _HelpShown(message or "")


def _mlws_parser() -> _Parser:
    parser = _Parser(prog="%mlws", description="Status of tracking; latest runs; link to a run.")
    verbs = parser.add_subparsers(dest="verb", parser_class=_Parser)
    verbs.add_parser("status", prog="%mlws status", help="server, workspace and active run (also without a verb)")
    listing = verbs.add_parser("list", prog="%mlws list", help="the latest runs, of one experiment or of all")
    listing.add_argument("experiment", nargs="?", help="name of the experiment")
    listing.add_argument("-n", "--limit", type=int, default=20, help="how many (default 20)")
    opening = verbs.add_parser("open", prog="%mlws open", help="a link to a run's page; by default to the active or latest run")
    opening.add_argument("run", nargs="?", help="id or name of the run")
    for verb in (listing, opening):
        verb.add_argument("--workspace", "-w", help="the workspace to look in (default MLWS_WORKSPACE)")
    return parser


def _cell_parser() -> _Parser:
    parser = _Parser(prog="%%mlws_run", description="Run this cell as a tracked run.")
    parser.add_argument("--experiment", "-e", help="the run's experiment, made if it is new")
    parser.add_argument("--name", "-n", help="the run's name")
    parser.add_argument("--workspace", "-w", help="the workspace that the run goes to (default MLWS_WORKSPACE)")
    parser.add_argument("--tag", "-t", action="append", default=[], metavar="KEY=VALUE", help="a tag; may be given several times")
    parser.add_argument(
        "--param", "-p", action="append", default=[], metavar="KEY=VALUE", help="a param; may be given several times"
    )
    return parser


def _parsed(parser: _Parser, line: str) -> argparse.Namespace | None:
    try:
        return parser.parse_args(shlex.split(line))
    except _HelpShown:
        return None
    except ValueError as error:  # an open quote
        raise UsageError(f"{error} in {line!r}") from None


def _pairs(given: List[str], option: str) -> Dict[str, str]:
    pairs = dict(text.partition("=")[::2] for text in given)
    wrong = [text for text in given if "=" not in text or text.startswith("=")]
    if wrong:
        raise UsageError(f"{option} takes KEY=VALUE, not {wrong[0]!r}")
    return pairs


class Magics:
    """The two magics of one IPython shell."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell

    def register(self) -> None:
        """Make the magics known to the shell."""
        self.shell.register_magic_function(self.mlws, "line", "mlws")
        self.shell.register_magic_function(self.mlws_run, "cell", "mlws_run")

    def mlws(self, line: str) -> Any:
        """%mlws [status] | list [EXPERIMENT] [-n LIMIT] [-w WORKSPACE] | open [RUN]: status of tracking, latest runs, link to a run."""
        args = _parsed(_mlws_parser(), line)
        if args is None:
            return None
        from mlws import workspaces
        from mlws.display import Link, RunTable
        from mlws.errors import DeliveryError

        if args.verb in (None, "status"):
            return workspaces.Status.now()
        try:
            if args.verb == "list":
                return RunTable(workspaces.latest_runs(args.experiment, args.limit, args.workspace))
            run = workspaces.find_run(args.run, args.workspace)
        except (DeliveryError, LookupError) as error:
            raise UsageError(str(error)) from None
        return Link(run["id"], run["name"])

    def mlws_run(self, line: str, cell: str) -> Any:
        """%%mlws_run [--experiment E] [--name N] [--tag K=V] [--param K=V] [--workspace W]: run this cell as a tracked run."""
        args = _parsed(_cell_parser(), line)
        if args is None:
            return
        params, tags = _pairs(args.param, "--param"), _pairs(args.tag, "--tag")
        if _waits_for_the_loop(self.shell, cell):
            raise UsageError(
                "This cell awaits something outside of a function, which %%mlws_run cannot run. Track it with "
                "`with mlws.start_run():` in the cell."
            )
        from mlws import tracking
        from mlws.snapshot import send_cell

        active = tracking.open_here()
        try:
            run = tracking.start_run(
                args.name, args.experiment, params, tags, nested=active is not None, workspace=args.workspace
            )
        except (TypeError, ValueError) as error:
            raise UsageError(str(error)) from None
        with run:
            if not run.is_job:  # the snapshot of a job is what was submitted, this cell among it
                send_cell(run, cell)
            with _quiet_tracebacks(self.shell):
                result = self.shell.run_cell(cell, store_history=False)
            result.raise_error()


def _waits_for_the_loop(shell: Any, cell: str) -> bool:
    """Whether only the event loop can run a cell, and is running this magic now: as in a kernel, not in a terminal."""
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return bool(shell.should_run_async(cell, transformed_cell=shell.transform_cell(cell)))


@contextlib.contextmanager
def _quiet_tracebacks(shell: Any) -> Iterator[None]:
    """The cell's error is raised again, and shown then: not twice."""
    names = ("showtraceback", "showsyntaxerror", "showindentationerror")
    for name in names:
        setattr(shell, name, lambda *_, **__: None)
    try:
        yield
    finally:
        for name in names:
            delattr(shell, name)


def load(shell: Any) -> None:
    """Register the magics with an IPython shell."""
    Magics(shell).register()
