"""`mlws experiment`: named groups of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from jupyter_mlws.cli import azure_views, deleting, show
from jupyter_mlws.cli.context import Session, check_changes, common, confirm, named, pairs, tag_changes
from jupyter_mlws.sdk import text

if TYPE_CHECKING:
    from jupyter_mlws.domain.experiments.schemas import Experiment
    from jupyter_mlws.domain.runs.schemas import RetentionPlan, RetentionState

DIRECTIONS = click.Choice(["maximize", "minimize"])


@click.group("experiment")
def command() -> None:
    """List, make, change, archive and delete experiments."""


def _one(session: Session, experiment: Experiment) -> None:
    goal = f"{experiment.goal.direction} {experiment.goal.metric}" if experiment.goal else ""
    first = experiment.best
    best = f"{text.number(first.value)}  {first.run_name}  {first.run_id}" if first else ""
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
        ("Made", text.moment(experiment.created_at)),
    ]
    show.one(session, azure_views.experiment_json(experiment), rows)


@command.command("list")
@click.option("--search", default="", metavar="TEXT", help="Only those whose name contains this.")
@click.option("--archived", is_flag=True, help="The archived ones instead.")
@common
def list_experiments(session: Session, search: str, archived: bool) -> None:
    """List experiments, the most recently used first."""
    show.many(
        session,
        session.workspace.experiments.list(text=search, archived=archived),
        as_json=azure_views.experiment_json,
        empty="No experiments. `mlws job create --notebook train.ipynb` makes the first.",
    )


@command.command("show")
@named("experiment", "all_experiments")
@common
def show_experiment(session: Session, experiment: str) -> None:
    """Show an experiment."""
    _one(session, session.workspace.experiments.show(experiment))


@command.command("create")
@click.argument("given_name", metavar="NAME", required=False)
@click.option("-n", "--name", metavar="NAME", help="The name, instead of the argument.")
@click.option("--description", metavar="TEXT", help="What it is about.")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="A tag. May be repeated.")
@click.option("--goal", metavar="METRIC", help="The metric that says which run is best.")
@click.option("--direction", type=DIRECTIONS, help="Which way is better.  [default: maximize]")
@common
def create(
    session: Session, given_name: str | None, name: str | None, tags: tuple[str, ...], direction: Any, **options: Any
) -> None:
    """Make an experiment. (A run under a new name makes it, too.)"""
    if (given_name is None) == (name is None):
        raise click.UsageError("Say the name of the new experiment, once: NAME or --name NAME.")
    if direction is not None and options["goal"] is None:
        raise click.UsageError("--direction goes with --goal METRIC, whose values it is about.")
    options.update(tags=pairs(tags, "--tag"), direction=direction or "maximize")
    _one(session, session.workspace.experiments.create(given_name if given_name is not None else name or "", **options))


@command.command("update")
@named("experiment", "experiments", rename="--new-name")
@click.option("--new-name", metavar="TEXT", help="A new name.")
@click.option("--description", metavar="TEXT", help="A new description.")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="Set a tag; `KEY=` removes it. May be repeated.")
@click.option("--goal", metavar="METRIC", help='The metric that says which run is best; "" for none.')
@click.option("--direction", type=DIRECTIONS, help="Which way is better.")
@common
def update(session: Session, experiment: str, tags: tuple[str, ...], **options: Any) -> None:
    """Rename, describe or tag an experiment, or set its goal. Of the goal, what is left out stays as it is."""
    options["tags"] = tag_changes(tags)
    check_changes(options, "--new-name", "--description", "--tag", "--goal", "--direction")
    _one(session, session.workspace.experiments.update(experiment, **options))


@command.command("archive")
@named("experiment", "experiments")
@common
def archive(session: Session, experiment: str) -> None:
    """Hide an experiment; its runs stay."""
    _one(session, session.workspace.experiments.archive(experiment))


@command.command("restore")
@named("experiment", "archived_experiments")
@common
def restore(session: Session, experiment: str) -> None:
    """Bring an archived experiment back."""
    _one(session, session.workspace.experiments.restore(experiment))


@command.command("delete")
@named("experiment", "archived_experiments")
@click.option("--dry-run", is_flag=True, help="Only tell what would go.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@common
def delete(session: Session, experiment: str, dry_run: bool, yes: bool) -> None:
    """Delete an archived experiment with all its runs, for good."""
    experiments = session.workspace.experiments
    plan = experiments.delete(experiment, dry_run=True)
    held = f"{text.many(plan.runs, 'run')}, {text.many(plan.artifacts, 'artifact')}"
    what = f"{experiment!r} ({held}; {text.size(plan.bytes_freed)} become free)"
    if not dry_run:
        deleting.check_deletable(plan)
        confirm(f"Delete for good the experiment {what}?", yes=yes)
        plan = experiments.delete(experiment)
    body: dict[str, Any] = {"name": experiment, "runs": plan.runs, "artifacts": plan.artifacts, "bytes_freed": plan.bytes_freed}
    body.update({"dry_run": dry_run, "blocked_by": plan.blocked_by})
    show.one(session, body, deleting.container_rows(plan, what))


@command.command("retention")
@named("experiment", "experiments", default="")
@click.option("--keep-days", type=click.IntRange(1), metavar="DAYS", help="Keep runs that ended less than so many days ago.")
@click.option(
    "--keep-last", type=click.IntRange(1), metavar="NUMBER", help="Keep the newest runs; with --keep-days, those as well."
)
@click.option(
    "--what",
    type=click.Choice(["runs", "outputs"]),
    help="What goes of the others: the runs, to the bin; or their files alone, for good.  [default: runs]",
)
@click.option("--clear", is_flag=True, help="Take the rule away.")
@click.option("--dry-run", is_flag=True, help="Only tell what would go.")
@click.option("--now", is_flag=True, help="Apply it at once, not within the hour.")
@common
def retention(
    session: Session, experiment: str | None, keep_days: int | None, keep_last: int | None, what: Any, clear: bool, **now: bool
) -> None:
    """Show or set which runs of an experiment are kept; without an experiment, of all in the workspace that have no rule of their own.

    Spared are runs that run, the best by the goal, those with the tag mlws.keep (`mlws run update RUN --tag mlws.keep=true`), and those
    whose model is registered.
    """
    experiments, given = session.workspace.experiments, keep_days is not None or keep_last is not None
    rule: dict[str, Any] = {"keep_days": keep_days, "keep_last": keep_last, "what": what or "runs"} if given else {}
    if clear and (given or what):
        raise click.UsageError("--clear takes the rule away; it goes with no other.")
    if what and not given:
        raise click.UsageError("--what goes with --keep-days or --keep-last.")
    if (now["dry_run"] or now["now"]) and experiment is None:
        raise click.UsageError("--dry-run and --now are about one experiment: name it.")
    if now["dry_run"]:
        _planned(session, experiments.apply_retention(experiment or "", **rule, dry_run=True))
        return
    if clear:
        experiments.clear_retention(experiment)
    elif given:
        experiments.set_retention(experiment, **rule)
    if now["now"]:
        _planned(session, experiments.apply_retention(experiment or ""))
        return
    _rule(session, experiments.retention(experiment))


def _rule(session: Session, found: RetentionState) -> None:
    rule = found.rule
    kept = [] if rule is None else [
        *([f"those that ended less than {text.many(rule.keep_days, 'day')} ago"] if rule.keep_days else []),
        *([f"the newest {rule.keep_last}"] if rule.keep_last else []),
    ]  # fmt: skip
    goes = {"runs": "go to the bin", "outputs": "lose their files, for good"}
    rows = [
        ("Keeps", ", and ".join(kept) or "all runs: there is no rule"),
        ("The others", "" if rule is None else goes[rule.what]),
        ("Rule", "of the workspace" if found.inherited else ""),
        ("Last", f"{text.moment(found.last_at)}, {text.many(found.last_runs, 'run')}" if found.last_at else ""),
    ]
    body = {
        "keep_days": rule and rule.keep_days,
        "keep_last": rule and rule.keep_last,
        "what": rule and rule.what,
        "inherited": found.inherited,
        "last_at": found.last_at,
        "last_runs": found.last_runs,
        "last_bytes": found.last_bytes,
    }
    show.one(session, body, [(name, words) for name, words in rows if words])


def _planned(session: Session, plan: RetentionPlan) -> None:
    would = "would go" if plan.dry_run else "went"
    what = text.many(plan.runs, "run") if plan.what == "runs" else f"files of {text.many(plan.runs, 'run')}"
    spared = ", ".join(f"{number} {why}" for why, number in plan.spared.items())
    body = {name: getattr(plan, name) for name in plan.__struct_fields__}
    rows = [
        ("Goes" if plan.dry_run else "Went", f"{what} {would}; {text.size(plan.bytes_freed)} become free"),
        ("Among them", ", ".join(plan.named)),
        ("Spared", spared),
    ]
    show.one(session, body, [(name, words) for name, words in rows if words])
