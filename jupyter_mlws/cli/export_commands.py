"""`mlws export`: what a workspace has, in a folder that MLflow reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from jupyter_mlws.cli import show
from jupyter_mlws.cli.context import Session, common, suggest
from jupyter_mlws.sdk import text

if TYPE_CHECKING:
    from jupyter_mlws.sdk.exporting.session import ExportReport

LISTED = 20


@click.command("export")
@click.argument("folder", type=click.Path(file_okay=False))
@click.option(
    "--experiment",
    "experiments",
    multiple=True,
    metavar="NAME",
    shell_complete=suggest("all_experiments"),
    help="Only this experiment, and the models that come of it. May be repeated.",
)
@common
def command(session: Session, folder: str, experiments: tuple[str, ...]) -> None:
    """Write experiments, runs, models and the registry into a new folder that MLflow's clients read as their file store.

    The folder appears when it is whole. Its files name their own places: write it where it is to stay.
    """
    from jupyter_mlws.cli.screen import Screen  # noqa: PLC0415 - `--help` does without
    from jupyter_mlws.sdk.exporting.exporter import export_mlflow  # noqa: PLC0415

    screen = Screen(beside=True)

    def tell(report: ExportReport, where: str) -> None:
        if screen.live:
            screen.progress(f"{report.counts['runs']:,} runs  {text.size(report.bytes)}", where)

    try:
        report = export_mlflow(session.workspace, folder, experiments=experiments, tell=tell)
    finally:
        screen.close()
    rows = [("Folder", str(report.folder))]
    rows += [(thing.capitalize(), f"{count:,}") for thing, count in report.counts.items()]
    rows += [("Size", text.size(report.bytes))]
    show.one(session, report.to_dict(), rows)
    if session.output == "table":
        _tell(report)


def _tell(report: ExportReport) -> None:
    for owner, key, name in report.renamed[:LISTED]:
        show.said(f"Renamed, for MLflow would not take it: {key[:80]!r} of {owner} is {name[:80]!r}")
    if report.renamed_total > LISTED:
        show.said(f"… and {report.renamed_total - LISTED:,} more; -o json tells them.")
    for skip in report.skipped[:LISTED]:
        show.said(f"Skipped {skip.kind} {skip.name}: {skip.reason}")
    show.said(
        "MLflow 3 reads such a folder with MLFLOW_ALLOW_FILE_STORE=true; `mlflow migrate-filestore` makes a database of it."
    )
