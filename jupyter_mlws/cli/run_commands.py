"""`mlws run`: what was tracked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from jupyter_mlws.cli import show, tables
from jupyter_mlws.cli.context import Session, check_changes, common, limited, named, pairs, suggest, tag_changes
from jupyter_mlws.sdk.forms import SHORT
from jupyter_mlws.sdk.table import Column

if TYPE_CHECKING:
    from jupyter_mlws.sdk.comparison import Comparison

NAMED = re.compile(r"\b(?:metrics?|params?|parameters?)\.(?:(?:`[^`]+`|\"[^\"]+\")(?:\.\w+)?|[\w/.-]+)")
ENDINGS = ("Completed", "Failed", "Canceled")


@click.group("run")
def command() -> None:
    """Begin, search, show, compare, change and delete runs."""


@command.command("list")
@click.option(
    *("--experiment", "experiments"),
    multiple=True,
    metavar="NAME",
    shell_complete=suggest("all_experiments"),
    help="Only of this experiment. May be repeated.",
)
@click.option(
    "--filter", "query", metavar="EXPR", help="Only those that match, e.g. \"metrics.acc > 0.9 and params.model = 'svm'\"."
)
@click.option(
    "--order-by",
    "orders",
    multiple=True,
    metavar="KEY",
    help='E.g. "metrics.acc desc"; the newest first if left out.',
)
@click.option(
    *("--status", "statuses"),
    multiple=True,
    metavar="STATUS",
    shell_complete=suggest("statuses"),
    help="Only of this status (Running, Failed, …). May be repeated.",
)
@click.option("--search", "text", metavar="TEXT", help="Part of the name, or the beginning of the id.")
@click.option("--deleted", is_flag=True, help="Those in the bin instead.")
@limited
@common
def list_runs(session: Session, query: str | None, deleted: bool, limit: int | None, **options: Any) -> None:
    """List runs, the newest first.

    The metrics and params that --order-by and --filter name become columns.
    """
    found = session.workspace.runs.search(
        filter=query,
        order_by=options["orders"],
        experiments=options["experiments"],
        status=options["statuses"],
        text=options["text"],
        view="deleted" if deleted else "active",
        limit=limit,
    )
    columns = list(dict.fromkeys(NAMED.findall(" ".join([*options["orders"], query or ""]))))
    show.run_rows(session, found, columns)
    show.how_many(session, found)


@command.command("show")
@named("run", "runs")
@common
def show_run(session: Session, run: str) -> None:
    """Show a run."""
    show.run_one(session, session.workspace.runs.show(session.run_id(run)))


@command.command("create")
@click.option("-n", "--name", metavar="TEXT", help="Name of the run.")
@click.option(
    "--experiment",
    metavar="NAME",
    shell_complete=suggest("experiments"),
    help="Experiment; made if it is new.  [default: Default]",
)
@click.option("--param", "params", multiple=True, metavar="KEY=VALUE", help="A parameter. May be repeated.")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="A tag. May be repeated.")
@click.option("--note", metavar="TEXT", help="A note.")
@click.option("--parent", metavar="RUN", shell_complete=suggest("runs"), help="The run that this one belongs to.")
@common
def create(session: Session, params: tuple[str, ...], tags: tuple[str, ...], parent: str | None, **options: Any) -> None:
    """Begin a run that neither a notebook nor a job follows; `mlws run end` ends it.

    For work that goes on elsewhere: log to it over the REST API.
    """
    options["parent"] = None if parent is None else session.run_id(parent)
    made = session.workspace.runs.create(params=pairs(params, "--param"), tags=pairs(tags, "--tag"), **options)
    show.run_one(session, made)


@command.command("end")
@named("run", "open_runs")
@click.option("--status", type=click.Choice(ENDINGS, case_sensitive=False), default="Completed", show_default=True, help="How.")
@click.option("--message", metavar="TEXT", help="Why it failed.")
@common
def end(session: Session, run: str, status: Any, message: str | None) -> None:
    """End a run that `run create` has begun, or a notebook. A job's run ends by itself; `mlws job cancel` cancels it."""
    show.run_one(session, session.workspace.runs.end(session.run_id(run), status, message=message))


@command.command("compare")
@click.argument("runs", nargs=-1, required=True, metavar="RUN RUN...", shell_complete=suggest("runs"))
@click.option("--all", "everything", is_flag=True, help="Also what is the same in all.")
@common
def compare(session: Session, runs: tuple[str, ...], everything: bool) -> None:
    """Put runs side by side: what differs, and with --all what does not, after it. The first run is the baseline."""
    if len(runs) < 2:
        raise click.UsageError("Comparing takes at least two runs.")
    found = session.workspace.runs.compare([session.run_id(run) for run in runs])
    if session.output == "table":
        _comparison(found, everything=everything)
        return
    rows = found.rows() if everything else found.differences().rows()
    if session.output == "json":
        tables.as_json(
            {
                "runs": [run.id for run in found.runs],
                "rows": [{"group": r.group, "name": r.name, "values": r.values, "differs": r.differs} for r in rows],
            }
        )
    else:
        tables.as_csv(["group", "name", *(run.id for run in found.runs)], [[r.group, r.name, *r.values] for r in rows])


def _comparison(found: Comparison, *, everything: bool) -> None:
    differing = found.differences()
    rows = found if everything else differing
    columns = [
        Column(""),
        Column("", shrinks=True),
        *(Column(run.id[:SHORT], right=True, shrinks=True, own=True) for run in found.runs),
    ]
    lines = [["", "name", *(run.name for run in found.runs)]]
    lines += [["" if row.differs else "same", *found.form.row(row)] for row in rows]
    tables.table(columns, lines, empty="")
    same = len(found) - len(differing)
    if same and not everything:
        show.said(f"The same in all: {same} more; --all shows them.")


@command.command("metrics")
@named("run", "runs")
@click.option("--key", "keys", multiple=True, metavar="NAME", help="All points of this metric. May be repeated.")
@common
def metrics(session: Session, run: str, keys: tuple[str, ...]) -> None:
    """Show the metrics of a run: last, least and greatest value, number of points; or with --key all points."""
    runs, run_id = session.workspace.runs, session.run_id(run)
    if not keys:
        show.many(session, runs.metrics(run_id), empty="This run has logged no metrics.")
        return
    from jupyter_mlws.sdk.table import Table  # noqa: PLC0415 - with the client it is there

    found = [runs.metric_history(run_id, key) for key in keys]
    show.many(session, Table((point for one in found for point in one), found[0].form), empty="There are no points.")


@command.command("history")
@named("run", "runs")
@common
def history(session: Session, run: str) -> None:
    """Show every change of a run's status, and who made it."""
    show.many(session, session.workspace.runs.history(session.run_id(run)), empty="")


@command.command("update")
@named("run", "runs", rename="--display-name")
@click.option("--display-name", metavar="TEXT", help="A new name.")
@click.option("--note", metavar="TEXT", help="A new note.")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="Set a tag; `KEY=` removes it. May be repeated.")
@click.option("--experiment", metavar="NAME", shell_complete=suggest("experiments"), help="Move it to another experiment.")
@common
def update(session: Session, run: str, tags: tuple[str, ...], display_name: str | None, **options: Any) -> None:
    """Rename, annotate, tag or move a run."""
    options.update(tags=tag_changes(tags), name=display_name)
    check_changes(options, "--display-name", "--note", "--tag", "--experiment")
    show.run_one(session, session.workspace.runs.update(session.run_id(run), **options))


@command.command("archive")
@named("run", "runs")
@common
def archive(session: Session, run: str) -> None:
    """Move a run, and the runs below it, to the bin, without a question; nothing is lost."""
    from jupyter_mlws.cli import deleting  # noqa: PLC0415 - lists do without

    run_id = session.run_id(run)
    deleting.archive(session, run_id)
    show.run_one(session, session.workspace.runs.show(run_id))


@command.command("delete")
@named("run", "runs")
@click.option("--purge", is_flag=True, help="For good, not into the bin.")
@click.option("--dry-run", is_flag=True, help="Only tell what would go.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@common
def delete(session: Session, run: str, **options: bool) -> None:
    """Move a run, and the runs below it, to the bin; `mlws run restore` brings them back."""
    from jupyter_mlws.cli import deleting  # noqa: PLC0415 - lists do without

    deleting.delete(session, session.run_id(run), **options)


@command.command("restore")
@named("run", "runs_in_bin")
@common
def restore(session: Session, run: str) -> None:
    """Bring a run back from the bin."""
    show.run_one(session, session.workspace.runs.restore(session.run_id(run)))


@command.command("download")
@named("run", "runs")
@click.option("--path", default="", metavar="PATH", help="A file or folder of it.  [default: everything]")
@click.option("--to", default=".", show_default=True, type=click.Path(file_okay=False), help="Folder to write into.")
@click.option("--snapshot", is_flag=True, help="The code as it was when the run began, instead of what the run made.")
@common
def download(session: Session, run: str, path: str, to: str, snapshot: bool) -> None:
    """Save the artifacts of a run, or its snapshot."""
    save_files(session, run, path, to, snapshot=snapshot)


def save_files(session: Session, run: str, path: str, to: str, *, snapshot: bool) -> None:
    """Save what a run made, or its snapshot, and name the files."""
    runs, run_id = session.workspace.runs, session.run_id(run)
    written = (runs.download_snapshot if snapshot else runs.download)(run_id, path, to=to)
    none = "the run has no snapshot" if snapshot else "the run has left no files"
    show.downloaded(session, written, to, none=f"There is nothing to download: {none}.")


@command.command("files")
@named("run", "runs")
@click.option("--path", default="", metavar="PATH", help="A folder of it.")
@click.option("--recursive", is_flag=True, help="Everything below, too.")
@click.option("--snapshot", is_flag=True, help="Those of its snapshot instead.")
@common
def files(session: Session, run: str, path: str, recursive: bool, snapshot: bool) -> None:
    """List the artifacts of a run, or the files of its snapshot."""
    runs, run_id = session.workspace.runs, session.run_id(run)
    found = (runs.snapshot if snapshot else runs.artifacts)(run_id, path, recursive=recursive)
    show.many(session, found, empty="There are no files.")
    if found.truncated:
        show.said("There are more than can be listed; --path names a folder.")
