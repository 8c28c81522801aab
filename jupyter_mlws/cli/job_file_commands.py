"""`mlws job create --file`, `validate`, `export` and `schema`: jobs as files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from jupyter_mlws.cli import show
from jupyter_mlws.cli.context import Session, common, named, pairs, suggest

if TYPE_CHECKING:
    from jupyter_mlws.domain.jobs.schemas import JobFileWarning
    from jupyter_mlws.sdk.results import Job

FILE = click.option(
    *("-f", "--file", "file"),
    metavar="PATH",
    shell_complete=suggest("job_files"),
    help="Job file: YAML as Azure ML's CLI takes it, or with type: notebook.",
)
SET = click.option(
    "--set", "settings", multiple=True, metavar="FIELD=VALUE", help="Another value for a field of the job file. May be repeated."
)
WITH_FILE = {"file", "settings", "priority", "in_place", "confirm_large", "stream", "workspace", "output"}
"""Options that say what a job file has no fields for."""


def create(session: Session, file: str | None, settings: tuple[str, ...], options: dict[str, Any]) -> Job:
    """Submit a job file."""
    context = click.get_current_context()
    given = [p for p in context.command.params if context.get_parameter_source(p.name or "") is ParameterSource.COMMANDLINE]
    other = [p.opts[-1] for p in given if p.name not in WITH_FILE]
    if file is None:
        raise click.UsageError("--set goes with --file; it changes a field of a job file.")
    if other:
        raise click.UsageError(
            f"{other[0]} does not go with --file, which says it itself; change a field of the file with --set."
        )
    from jupyter_mlws.sdk import job_files  # noqa: PLC0415 - only files need it

    more = {name: options[name] for name in ("priority", "in_place", "confirm_large")}
    made = job_files.submit(session.workspace, file, changes(settings), **more)
    warn(made.warnings)
    return made.job


def changes(settings: tuple[str, ...]) -> dict[str, Any]:
    """`--set field=value`: the value is YAML, as it would stand in the file."""
    from jupyter_mlws.sdk.job_files import YamlText  # noqa: PLC0415

    return {field: YamlText(value) for field, value in pairs(settings, "--set").items()}


def warn(warnings: list[JobFileWarning]) -> None:
    """Tell of what a job file says and the job does not do."""
    for warning in warnings:
        show.said(f"Warning: {warning.message}")


@click.command("validate")
@FILE
@SET
@common
def validate(session: Session, file: str | None, settings: tuple[str, ...]) -> None:
    """Check a job file, and submit nothing.

    Exit code 0 if it could be submitted, with a warning for each field that would not be honoured; else 2, with a line for each
    thing that is wrong.
    """
    if file is None:
        raise click.UsageError("Say which file: --file PATH.")
    found = session.workspace.jobs.validate(file, set=changes(settings))
    warn(found.warnings)
    show.validation(session, file, found)


@click.command("export")
@named("job", "jobs")
@click.option("--to", type=click.Path(dir_okay=False), metavar="FILE", help="File to write.  [default: standard output]")
@common
def export(session: Session, job: str, to: str | None) -> None:
    """Write a job as a job file, one that `mlws job create --file` takes.

    What a file cannot say (a priority, values of environment variables) stands in its first lines as comments, and is told.
    """
    show.file_text(session, session.workspace.jobs.export(session.run_id(job)), to)


@click.command("schema")
@common
def schema(session: Session) -> None:
    """Print the JSON schema of job files, with which editors complete and check them."""
    click.echo(json.dumps(session.workspace.jobs.file_schema(), indent=2, ensure_ascii=False))


def attach(group: click.Group) -> None:
    """Make these verbs of `mlws job`."""
    for verb in (validate, export, schema):
        group.add_command(verb)
