"""`mlws run`: what was tracked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from jupyter_mlws.cli import show, tables
from jupyter_mlws.cli.context import Session, common, confirm, tag_changes
from jupyter_mlws.cli.job_commands import downloaded
from jupyter_mlws.cli.tables import Column

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jupyter_mlws.sdk.comparison import Comparison

NAMED = re.compile(r"\b(?:metrics?|params?|parameters?)\.(?:`[^`]+`|\"[^\"]+\"|[\w/.-]+)")


@click.group("run")
def command() -> None:
    """Search, show, compare, change and delete runs."""


@command.command("list")
@click.option("--experiment", "experiments", multiple=True, metavar="NAME", help="Only of this experiment. May be repeated.")
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
@click.option("--search", "text", metavar="TEXT", help="Part of the name, or the beginning of the id.")
@click.option("--deleted", is_flag=True, help="Those in the bin instead.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many.")
@click.option("--all", "everything", is_flag=True, help="All, whatever their number.")
@common
def list_runs(
    session: Session,
    experiments: tuple[str, ...],
    query: str | None,
    orders: tuple[str, ...],
    text: str | None,
    deleted: bool,
    limit: int,
    everything: bool,
) -> None:
    """List runs, the newest first.

    The metrics and params that --order-by and --filter name become columns.
    """
    found = session.workspace.runs.search(
        filter=query,
        order_by=orders,
        experiments=experiments,
        text=text,
        view="deleted" if deleted else "active",
        limit=None if everything else limit,
    )
    columns = list(dict.fromkeys(NAMED.findall(" ".join([*orders, query or ""]))))
    show.run_rows(session, list(found), columns)
    if session.output == "table" and found.total is not None and found.total > len(found):
        show.said(f"{len(found)} of {found.total}; --limit or --all shows more.")


@command.command("show")
@click.argument("run")
@common
def show_run(session: Session, run: str) -> None:
    """Show a run."""
    show.run_one(session, session.workspace.runs.show(session.run_id(run)))


@command.command("compare")
@click.argument("runs", nargs=-1, required=True, metavar="RUN RUN...")
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
    rows = found.rows() if everything else found.differences()
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
    def cell(name: str, value: Any) -> str:
        if value is None:
            return "–"
        if name == "duration_ms":
            return tables.duration(value)
        return tables.number(value) if isinstance(value, float) else str(value)

    rows = found.rows() if everything else found.differences()
    columns = [
        Column(""),
        Column("", shrinks=True),
        *(Column(run.id[: show.SHORT], right=True, shrinks=True) for run in found.runs),
    ]
    lines = [["", "name", *(run.name for run in found.runs)]]
    for row in rows:
        name = row.name if row.group == "run" else f"{row.group}.{row.name}"
        lines.append(["" if row.differs else "same", name, *(cell(row.name, value) for value in row.values)])
    tables.table(columns, lines, empty="")
    same = len(found.rows()) - len(found.differences())
    if same and not everything:
        show.said(f"The same in all: {same} more; --all shows them.")


@command.command("metrics")
@click.argument("run")
@click.option("--key", "keys", multiple=True, metavar="NAME", help="All points of this metric. May be repeated.")
@common
def metrics(session: Session, run: str, keys: tuple[str, ...]) -> None:
    """Show the metrics of a run: last, least and greatest value, number of points; or with --key all points."""
    runs, run_id = session.workspace.runs, session.run_id(run)
    if keys:
        _points(session, run_id, keys)
        return
    columns = [Column("METRIC", shrinks=True), *(Column(t, right=True) for t in ("LAST", "MIN", "MAX", "STEP", "POINTS"))]
    show.many(
        session,
        runs.metrics(run_id).metrics,
        as_json=lambda m: {n: getattr(m, n) for n in ("key", "last", "min", "max", "step", "time", "count")},
        columns=columns,
        row=lambda m: [m.key, *map(tables.number, (m.last, m.min, m.max)), str(m.step), str(m.count)],
        empty="This run has logged no metrics.",
    )


def _points(session: Session, run_id: str, keys: Iterable[str]) -> None:
    points = []
    for key in keys:
        history = session.workspace.runs.metric_history(run_id, key)
        points += [
            {"key": key, "step": step, "time": time, "value": value}
            for step, time, value in zip(history.steps, history.times, history.values, strict=True)
        ]
    show.many(
        session,
        points,
        as_json=lambda point: point,
        columns=[Column("METRIC", shrinks=True), Column("STEP", right=True), Column("TIME"), Column("VALUE", right=True)],
        row=lambda point: [point["key"], str(point["step"]), tables.moment(point["time"]), tables.number(point["value"])],
        empty="There are no points.",
    )


@command.command("history")
@click.argument("run")
@common
def history(session: Session, run: str) -> None:
    """Show every change of a run's status, and who made it."""
    show.many(
        session,
        session.workspace.runs.history(session.run_id(run)).changes,
        as_json=lambda c: {"status": c.status.value, "at": c.at, "reason": c.reason, "actor": c.actor},
        columns=[Column("AT"), Column("STATUS"), Column("REASON", shrinks=True), Column("BY")],
        row=lambda c: [tables.moment(c.at), tables.status(c.status.value), c.reason or "", c.actor],
        empty="",
    )


@command.command("update")
@click.argument("run")
@click.option("--name", metavar="TEXT", help="A new name.")
@click.option("--note", metavar="TEXT", help="A new note.")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="Set a tag; `KEY=` removes it. May be repeated.")
@click.option("--experiment", metavar="NAME", help="Move it to another experiment.")
@common
def update(session: Session, run: str, tags: tuple[str, ...], **options: Any) -> None:
    """Rename, annotate, tag or move a run."""
    changes = tag_changes(tags)
    if changes is None and not any(value is not None for value in options.values()):
        raise click.UsageError("Say what to change: --name, --note, --tag or --experiment.")
    show.run_one(session, session.workspace.runs.update(session.run_id(run), tags=changes, **options))


@command.command("delete")
@click.argument("run")
@click.option("--purge", is_flag=True, help="For good, not into the bin.")
@click.option("--dry-run", is_flag=True, help="Only tell what would go.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@common
def delete(session: Session, run: str, purge: bool, dry_run: bool, yes: bool) -> None:
    """Move a run, and the runs below it, to the bin; `mlws run restore` brings them back."""
    runs, run_id = session.workspace.runs, session.run_id(run)
    found = runs.show(run_id)
    in_bin = found.lifecycle.value == "deleted"
    plan = runs.purge(run_id, dry_run=True) if in_bin and purge else runs.delete(run_id, dry_run=True)
    what = f"{found.name!r}: {show.plan_text(plan)}"
    if not dry_run:
        confirm(f"Delete for good {what}." if purge else f"Move to the bin {what} when it is purged.", yes=yes)
        if not in_bin:
            plan = runs.delete(run_id)
        if purge:
            plan = runs.purge(run_id)
    body = {"name": run_id, "runs": plan.runs, "artifacts": plan.artifacts, "bytes_freed": plan.bytes_freed, "dry_run": dry_run}
    word = "Would go" if dry_run else "Deleted" if purge else "In the bin"
    show.one(session, body, [(word, what)])
    if not purge and not dry_run and session.output == "table":
        show.said(f"`mlws run restore {run_id[: show.SHORT]}` brings it back.")


@command.command("restore")
@click.argument("run")
@common
def restore(session: Session, run: str) -> None:
    """Bring a run back from the bin."""
    show.run_one(session, session.workspace.runs.restore(session.run_id(run)))


@command.command("download")
@click.argument("run")
@click.option("--path", default="", metavar="PATH", help="A file or folder of it.  [default: everything]")
@click.option("--to", default=".", show_default=True, type=click.Path(file_okay=False), help="Folder to write into.")
@common
def download(session: Session, run: str, path: str, to: str) -> None:
    """Save the artifacts of a run."""
    downloaded(session, run, path, to)


@command.command("files")
@click.argument("run")
@click.option("--path", default="", metavar="PATH", help="A folder of it.")
@click.option("--recursive", is_flag=True, help="Everything below, too.")
@common
def files(session: Session, run: str, path: str, recursive: bool) -> None:
    """List the artifacts of a run."""
    found = session.workspace.runs.artifacts(session.run_id(run), path, recursive=recursive)
    show.many(
        session,
        found.entries,
        as_json=lambda e: {"path": e.path, "type": e.type, "size": e.size, "sha256": e.sha256},
        columns=[Column("PATH", shrinks=True), Column("SIZE", right=True)],
        row=lambda e: [e.path + ("/" if e.type == "folder" else ""), tables.size(e.size)],
        empty="There are no files.",
    )
