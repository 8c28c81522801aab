"""`mlws experiment`: named groups of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from jupyter_mlws.cli import azure_views, show, tables
from jupyter_mlws.cli.context import Session, common, confirm, pairs, tag_changes
from jupyter_mlws.cli.tables import Column

if TYPE_CHECKING:
    from jupyter_mlws.domain.experiments.schemas import Experiment

DIRECTION = click.option(
    "--direction", type=click.Choice(["maximize", "minimize"]), default="maximize", show_default=True, help="Which way is better."
)


@click.group("experiment")
def command() -> None:
    """List, make, change, archive and delete experiments."""


def _row(experiment: Experiment) -> list[str]:
    best = f"{tables.number(experiment.best.value)} ({experiment.best.run_name})" if experiment.best else ""
    running = experiment.by_status.get("Running", 0)
    return [experiment.name, str(experiment.runs), str(running or ""), best, tables.ago(experiment.last_run_at)]


def _one(session: Session, experiment: Experiment) -> None:
    goal = f"{experiment.goal.direction} {experiment.goal.metric}" if experiment.goal else ""
    first = experiment.best
    best = f"{tables.number(first.value)}  {first.run_name}  {first.run_id}" if first else ""
    statuses = ", ".join(f"{n} {status}" for status, n in experiment.by_status.items())
    rows = [
        ("Experiment", experiment.name),
        ("Workspace", experiment.workspace),
        ("Description", experiment.description),
        ("Runs", f"{experiment.runs}" + (f" ({statuses})" if statuses else "")),
        ("Goal", goal),
        ("Best", best),
        ("Tags", "\n".join(f"{key} = {value}" for key, value in experiment.tags.items())),
        ("Archived", "yes" if experiment.archived else ""),
        ("Made", tables.moment(experiment.created_at)),
    ]
    show.one(session, azure_views.experiment_json(experiment), rows)


@command.command("list")
@click.option("--search", "text", default="", metavar="TEXT", help="Only those whose name contains this.")
@click.option("--archived", is_flag=True, help="The archived ones instead.")
@common
def list_experiments(session: Session, text: str, archived: bool) -> None:
    """List experiments, the most recently used first."""
    show.many(
        session,
        session.workspace.experiments.list(text=text, archived=archived),
        as_json=azure_views.experiment_json,
        columns=[
            Column("EXPERIMENT", shrinks=True),
            Column("RUNS", right=True),
            Column("RUNNING", right=True),
            Column("BEST", shrinks=True),
            Column("LAST RUN"),
        ],
        row=_row,
        empty="No experiments. `mlws job create --notebook train.ipynb` makes the first.",
    )


@command.command("show")
@click.argument("name")
@common
def show_experiment(session: Session, name: str) -> None:
    """Show an experiment."""
    _one(session, session.workspace.experiments.show(name))


@command.command("create")
@click.argument("name")
@click.option("--description", metavar="TEXT", help="What it is about.")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="A tag. May be repeated.")
@click.option("--goal", metavar="METRIC", help="The metric that says which run is best.")
@DIRECTION
@common
def create(session: Session, name: str, tags: tuple[str, ...], **options: Any) -> None:
    """Make an experiment. (A run under a new name makes it, too.)"""
    _one(session, session.workspace.experiments.create(name, tags=pairs(tags, "--tag"), **options))


@command.command("update")
@click.argument("name")
@click.option("--name", "new_name", metavar="TEXT", help="A new name.")
@click.option("--description", metavar="TEXT", help="A new description.")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="Set a tag; `KEY=` removes it. May be repeated.")
@click.option("--goal", metavar="METRIC", help='The metric that says which run is best; "" for none.')
@DIRECTION
@common
def update(session: Session, name: str, tags: tuple[str, ...], direction: Any, **options: Any) -> None:
    """Rename, describe or tag an experiment, or set its goal."""
    changes = tag_changes(tags)
    if changes is None and not any(value is not None for value in options.values()):
        raise click.UsageError("Say what to change: --name, --description, --tag or --goal.")
    _one(session, session.workspace.experiments.update(name, tags=changes, direction=direction, **options))


@command.command("archive")
@click.argument("name")
@common
def archive(session: Session, name: str) -> None:
    """Hide an experiment; its runs stay."""
    _one(session, session.workspace.experiments.archive(name))


@command.command("restore")
@click.argument("name")
@common
def restore(session: Session, name: str) -> None:
    """Bring an archived experiment back."""
    _one(session, session.workspace.experiments.restore(name))


@command.command("delete")
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Only tell what would go.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@common
def delete(session: Session, name: str, dry_run: bool, yes: bool) -> None:
    """Delete an archived experiment with all its runs, for good."""
    experiments = session.workspace.experiments
    plan = experiments.delete(name, dry_run=True)
    what = f"{name!r}: {_amount(plan.runs, plan.artifacts, plan.bytes_freed)}"
    if not dry_run:
        confirm(f"Delete for good the experiment {what}.", yes=yes)
        plan = experiments.delete(name)
    body = {"name": name, "runs": plan.runs, "artifacts": plan.artifacts, "bytes_freed": plan.bytes_freed, "dry_run": dry_run}
    show.one(session, body, [("Would go" if dry_run else "Deleted", what)])


def _amount(runs: int, artifacts: int, freed: int) -> str:
    return f"{runs} run{'s' if runs != 1 else ''}, {artifacts} artifact{'s' if artifacts != 1 else ''}, {tables.size(freed)} become free"
