"""`mlws import`: bring what other trackers have along."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from jupyter_mlws.cli import show
from jupyter_mlws.cli.context import Session, common
from jupyter_mlws.cli.failures import FAILED, INTERRUPTED, leave
from jupyter_mlws.cli.failures import tell as say
from jupyter_mlws.sdk import text

if TYPE_CHECKING:
    from jupyter_mlws.sdk.importing.report import Report

LISTED = 20


@click.group("import")
def command() -> None:
    """Bring runs and models of other trackers along."""


@command.command("mlflow")
@click.argument("source")
@click.option(
    "--artifacts",
    type=click.Path(file_okay=False),
    metavar="FOLDER",
    help="The folder of MLflow's artifact store, where the source names one, or where its files were moved to.",
)
@click.option("--experiment", "experiments", multiple=True, metavar="NAME", help="Only this experiment. May be repeated.")
@click.option("--dry-run", is_flag=True, help="Read everything and tell what would be imported; write nothing.")
@common
def mlflow(session: Session, source: str, artifacts: str | None, experiments: tuple[str, ...], dry_run: bool) -> None:
    """Import an MLflow store: an mlruns folder, an SQLite file or sqlite:///path, or postgresql://user:password@host/name.

    Runs and logged models keep their ids, so that runs:/<id>/model goes on working. The source is only read. It may be stopped at any
    time: asked again it goes on where it was, and asked once more it changes nothing.
    """
    from jupyter_mlws.cli.screen import Screen  # noqa: PLC0415 - `--help` does without
    from jupyter_mlws.sdk.importing.importer import import_mlflow  # noqa: PLC0415

    screen = Screen(beside=True)

    def tell(report: Report, where: str) -> None:
        if screen.live:
            runs = report["runs"]
            screen.progress(f"{runs.imported + runs.present:,} runs  {text.size(report.bytes)}", where)

    try:
        report = import_mlflow(
            session.workspace,
            source,
            artifacts=Path(artifacts) if artifacts is not None else None,
            experiments=experiments,
            dry_run=dry_run,
            tell=tell,
        )
    except KeyboardInterrupt:
        screen.close()
        say("\nStopped. The same command goes on where it was.")
        leave(INTERRUPTED)
    finally:
        screen.close()
    _tell(session, report)
    if report.failed:
        leave(FAILED)


def _tell(session: Session, report: Report) -> None:
    if session.output == "json":
        show.one(session, report.to_dict(), [])
        return
    show.many(session, report.table(), empty="")
    done = "would be imported" if report.dry_run else "imported"
    show.said(f"{text.size(report.bytes)} of files {done} from {report.source} into workspace {report.workspace!r}.")
    for n, ((kind, reason), count) in enumerate(report.reasons.items()):
        if n == LISTED:
            show.said(f"… and {len(report.reasons) - LISTED} more reasons; -o json tells all.")
            break
        first = next((skip.name for skip in report.skipped if (skip.kind, skip.reason) == (kind, reason)), "")
        also = f", and {count - 1:,} more" if count > 1 else ""
        show.said(f"Skipped {kind} {first}{also}: {reason}")
    if report.failed:
        show.said(f"{text.many(report.failed, 'thing')} could not be taken whole; import again once the reasons above are gone.")
