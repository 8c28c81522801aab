"""`mlws db`: the database and the files of a data folder, without a server."""

from __future__ import annotations

import functools
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from jupyter_mlws.cli import admin, show, tables
from jupyter_mlws.cli.context import Session
from jupyter_mlws.cli.failures import FAILED, leave
from jupyter_mlws.cli.progress_line import ProgressLine
from jupyter_mlws.sdk import text

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")

LISTED = 20
COUNTED = ("workspaces", "experiments", "runs", "points")
STATES = {
    "current": "",
    "older": "older than this program's",
    "newer": "newer than this program's",
    "unknown": "",
}


@click.group("db")
def command() -> None:
    """Check, upgrade, back up and compact the database and the files of a data folder.

    Which folder and database: those that a server would take (Jupyter's configuration, MLWS_DATA_DIR, MLWS_DATABASE_URL). No server
    is started.
    """


def on_folder(function: F) -> F:
    """Adds `--data-dir` and `--output`; the command takes a `Session` and the folder."""
    folder = click.option(
        "--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Another data folder, or a backup."
    )
    output = click.option(
        *("-o", "--output"), type=click.Choice(("table", "json")), default="table", show_default=True, help="Form of the answer."
    )

    @functools.wraps(function)
    def wrapped(*args: Any, output: str, **options: Any) -> Any:
        return function(Session(None, output), *args, **options)

    return folder(output(wrapped))  # type: ignore[return-value] # click's decorators keep what they wrap


def _plain(found: Any) -> dict[str, Any]:
    import msgspec  # noqa: PLC0415 - with the report it is there

    plain: dict[str, Any] = msgspec.to_builtins(found)
    return plain


@command.command("check")
@click.option(
    "--full", is_flag=True, help="Read every index and every stored file as well; it takes as long as reading them all."
)
@on_folder
def check(session: Session, data_dir: Path | None, full: bool) -> None:
    """Tell whether the database and its files are whole. Changes nothing, and may run while servers do.

    Looks at the structure of an SQLite file, the points of metrics, the stored files that runs and snapshots name (with --full at
    their content), and runs that are said to run. Ends with 0 if all is well, with 1 if something is wrong.
    """
    report = admin.run("check", data_dir, full=full, progress=ProgressLine())
    if session.output == "json":
        tables.as_json(_plain(report))
    else:
        _tell(report)
    if not report.sound:
        leave(FAILED)


def _tell(report: Any) -> None:
    state = STATES[report.state]
    rows = [
        ("Database", f"{report.database} ({text.size(report.bytes)})"),
        ("Data folder", "" if report.backup_made_at is not None else report.data_dir),
        ("Backup made", text.moment(report.backup_made_at)),
        ("Server", report.server or ""),
        ("Schema", f"{report.schema}{f', {state} ({report.program_schema})' if state else ''}" if report.schema else ""),
        ("Holds", ", ".join(f"{report.counts[name]:,} {name}" for name in COUNTED if name in report.counts)),
        ("Looked at", _looked_at(report)),
        ("Notes", "\n".join(report.notes)),
        ("Result", "sound" if report.sound else f"{text.many(len(report.faults), 'fault')}, see below"),
    ]
    tables.fields([(name, value) for name, value in rows if value])
    shown: Counter[str] = Counter()
    for fault in report.faults:
        shown[fault.what] += 1
        if shown[fault.what] <= LISTED:
            click.echo(f"\n{text.printable(fault.message)}\n  {text.printable(fault.advice)}")
    for what, number in shown.items():
        if number > LISTED:
            click.echo(f"\n… and {number - LISTED:,} more of the kind {what}; -o json lists all.")


def _looked_at(report: Any) -> str:
    checked = report.checked
    parts = []
    if "database_bytes" in checked:
        parts.append("structure of the database")
    if "chunks" in checked:
        parts.append(f"{checked['chunks']:,} chunks of points")
    if "files" in checked:
        depth = "content" if report.full else "names and sizes"
        parts.append(f"{checked['files']:,} stored files ({text.size(checked['file_bytes'])}; {depth})")
    return ", ".join(parts)


@command.command("upgrade")
@click.option("--no-backup", is_flag=True, help="Do not copy the database first.")
@on_folder
def upgrade(session: Session, data_dir: Path | None, no_backup: bool) -> None:
    """Bring an older database to the schema of this program. A server does the same when it starts.

    A copy of the database is made first, in the data folder. The upgrade is one transaction: cut short, the database is as it was.
    """
    done = admin.run("upgrade", data_dir, backup=not no_backup)
    said = f"upgraded from {done.schema_before} to {done.schema}" if done.upgraded else f"{done.schema}, current: nothing to do"
    rows = [("Database", done.database), ("Schema", said), ("As it was", done.backup or "")]
    show.one(session, _plain(done), rows)


@command.command("backup")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--no-files", is_flag=True, help="Copy the database alone.")
@on_folder
def backup(session: Session, data_dir: Path | None, folder: Path, no_files: bool) -> None:
    """Copy the database and the stored files into FOLDER. Servers may run and write meanwhile.

    The copy is of the moment when it began. The same FOLDER may be used again: only files that it lacks are copied. Of a PostgreSQL
    database a dump is made, by pg_dump.
    """
    done = admin.run("back_up", data_dir, folder, files=not no_files, progress=ProgressLine())
    manifest = done.manifest
    files = manifest.files
    rows = [
        ("Backup", done.folder),
        ("Database", f"{manifest.database.file} ({text.size(manifest.database.bytes)}), schema {manifest.schema}"),
        ("Holds", ", ".join(f"{manifest.counts[name]:,} {name}" for name in COUNTED)),
        ("Files", f"{text.many(files.number, 'file')} ({text.size(files.bytes)})" if files else "not copied"),
        ("New", f"{text.many(done.files_copied, 'file')} ({text.size(done.bytes_copied)})" if files else ""),
    ]
    show.one(session, _plain(done), rows)
    if done.missing:
        number = text.many(len(done.missing), "file")
        show.said(f"{number} that runs or snapshots name could not be copied: the store lacks them. `mlws db check` names them.")
        leave(FAILED)


@command.command("compact")
@on_folder
def compact(session: Session, data_dir: Path | None) -> None:
    """Make the database small: metrics into chunks, then free pages back to the disk. No server may run.

    An SQLite file needs room for two more of what is in use while this goes on.
    """
    done = admin.run("compact", data_dir, progress=ProgressLine())
    freed = done.bytes_before - done.bytes_after
    rows = [
        ("Database", done.database),
        ("Series", f"{done.series:,} brought to order"),
        ("Before", text.size(done.bytes_before)),
        ("After", f"{text.size(done.bytes_after)} ({text.size(freed)} freed)" if freed > 0 else text.size(done.bytes_after)),
    ]
    show.one(session, _plain(done), rows)
    if done.damaged_series:
        show.said(f"{done.damaged_series} series were left as they are, for they are damaged: `mlws db check` names them.")
        leave(FAILED)
