"""What the shell offers as values. Asked of the server that runs, quickly or not at all: none is started, nothing is said."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from click.shell_completion import CompletionItem

from jupyter_mlws.sdk import text
from jupyter_mlws.sdk.discovery import locate
from jupyter_mlws.sdk.errors import ClientError
from jupyter_mlws.sdk.forms import SHORT
from jupyter_mlws.sdk.transport import Transport
from jupyter_mlws.sdk.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import click

    from jupyter_mlws.sdk.results import Run

TIMEOUT_S = 0.25
RECENT = 50
NOTEBOOKS = (".ipynb",)
JOB_FILES = (".yml", ".yaml")


def _asked(ctx: click.Context, ask: Callable[[Workspace], Iterable[CompletionItem]], incomplete: str) -> list[CompletionItem]:
    """What the server knows that begins so; nothing where there is no server, or it is slow or a stranger."""
    workspace = Workspace(ctx.params.get("workspace"))
    workspace.transport = Transport(locate, patience=0, timeout=TIMEOUT_S)
    with workspace:
        try:
            return [item for item in ask(workspace) if item.value.startswith(incomplete)]
        except (ClientError, OSError):
            return []


def _item(value: str, about: str = "") -> CompletionItem:
    return CompletionItem(value, help=text.printable(about) or None)


def _usable(name: str) -> bool:
    """Whether a name can stand on a line of the shell as it is."""
    return text.printable(name) == name


# --- runs and jobs -------------------------------------------------------------------------------------------------


def _ids(found: Iterable[Run]) -> list[CompletionItem]:
    runs = list(found)
    short = {run.id[:SHORT] for run in runs}
    cut = SHORT if len(short) == len(runs) else None
    return [_item(run.id[:cut], f"{run.name}, {run.status.value}") for run in runs]


def _found(ctx: click.Context, incomplete: str, query: str | None = None, **options: Any) -> list[CompletionItem]:
    return _asked(ctx, lambda ws: _ids(ws.runs.search(filter=query, limit=RECENT, **options)), incomplete)


def runs(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """Recent runs, by the beginning of their ids."""
    return _found(ctx, incomplete)


def open_runs(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """Runs that no job follows, and that have not ended."""
    return _found(ctx, incomplete, "attributes.kind = 'interactive' and attributes.status = 'Running'")


def runs_in_bin(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """Runs that were deleted."""
    return _found(ctx, incomplete, view="deleted")


JOBS = "attributes.kind != 'interactive'"


def jobs(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """Recent jobs."""
    return _found(ctx, incomplete, JOBS)


def jobs_in_bin(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """Jobs that were deleted."""
    return _found(ctx, incomplete, JOBS, view="deleted")


def active_jobs(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """Jobs that run or wait."""
    return _asked(ctx, lambda ws: _ids(ws.jobs.queue()), incomplete)


def statuses(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """The words for the status of a job."""
    from jupyter_mlws.domain.runs.states import RunStatus  # noqa: PLC0415 - only this needs it

    del ctx
    return [_item(one.value) for one in RunStatus if one.value.lower().startswith(incomplete.lower())]


# --- experiments, workspaces, targets, kernels ---------------------------------------------------------------------


def _experiments(*archived: bool) -> Callable[[click.Context, str], list[CompletionItem]]:
    def offer(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        def ask(ws: Workspace) -> list[CompletionItem]:
            found = [one for flag in archived for one in ws.experiments.list(text=incomplete, archived=flag)]
            return [_item(one.name, text.many(one.runs, "run")) for one in found if _usable(one.name)]

        return _asked(ctx, ask, incomplete)

    return offer


experiments = _experiments(False)
archived_experiments = _experiments(True)
all_experiments = _experiments(False, True)


def _workspaces(*, archived: bool) -> Callable[[click.Context, str], list[CompletionItem]]:
    def offer(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        return _asked(ctx, lambda ws: [_item(one.name, one.display_name) for one in ws.list(archived=archived)], incomplete)

    return offer


workspaces = _workspaces(archived=False)
archived_workspaces = _workspaces(archived=True)


def targets(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """Compute targets."""
    return _asked(ctx, lambda ws: [_item(one.name, one.description) for one in ws.compute.list()], incomplete)


def secrets(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """Secrets of the workspace."""
    return _asked(ctx, lambda ws: [_item(one.name) for one in ws.secrets.list()], incomplete)


def kernels(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """Kernels of the server's machine."""
    return _asked(ctx, lambda ws: [_item(one.name, one.display_name) for one in ws.environments.kernels()], incomplete)


def environment_names(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """Environments of the workspace."""
    return _asked(ctx, lambda ws: [_item(one.name, one.latest.description) for one in ws.environments.list()], incomplete)


def environments(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """Environments, kernels, and recent runs."""
    return [*environment_names(ctx, incomplete), *kernels(ctx, incomplete), *runs(ctx, incomplete)]


# --- files ---------------------------------------------------------------------------------------------------------


def notebooks(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """Notebooks, and the folders that may have some."""
    del ctx
    return _paths(incomplete, NOTEBOOKS)


def requirements(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """Text files, and the folders that may have some."""
    del ctx
    return _paths(incomplete, (".txt", ".in"))


def job_files(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """YAML files, and the folders that may have some."""
    del ctx
    return _paths(incomplete, JOB_FILES)


def folders(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """Folders."""
    del ctx
    return _paths(incomplete, ())


def _paths(incomplete: str, endings: tuple[str, ...]) -> list[CompletionItem]:
    above, slash, start = incomplete.rpartition("/")
    folder = Path(above + slash or ".").expanduser()
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                hidden = entry.name.startswith(".") and not start.startswith(".")
                if hidden or not entry.name.startswith(start) or not _usable(entry.name):
                    continue
                if entry.is_dir():
                    found.append(f"{above}{slash}{entry.name}/")
                elif entry.name.endswith(endings):
                    found.append(f"{above}{slash}{entry.name}")
    except (OSError, RuntimeError):  # no such folder, no such user
        return []
    return [CompletionItem(path, type="path") for path in sorted(found)]
