"""How lists and single objects are printed, whatever the form of the output."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jupyter_mlws.cli import azure_views, tables
from jupyter_mlws.kit.sizes import size_text
from jupyter_mlws.sdk import text
from jupyter_mlws.sdk.forms import SHORT, runs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from msgspec import UnsetType

    from jupyter_mlws.cli.context import Session
    from jupyter_mlws.domain.jobs.schemas import Attempt, JobFileText, JobFileValidation, JobUsage
    from jupyter_mlws.sdk.results import Job, Run
    from jupyter_mlws.sdk.table import Table

NO_RUNS = "No runs. `mlws job create --notebook train.ipynb` submits one; `import mlws; mlws.start_run()` in a cell tracks one."
JOB_WORDS = {"kind": "Job", "timeout_s": "Time limit in s", "env": "Variables"}
LISTED = 10


def many(session: Session, items: Table[Any], *, as_json: Callable[[Any], dict[str, Any]] | None = None, empty: str) -> None:
    """Print a list. `as_json`: an item for programs; its flat record if that is left out."""
    if session.output == "table":
        tables.table(items.form.columns, [items.form.row(item) for item in items], empty=empty)
        return
    found = [(as_json or items.form.record)(item) for item in items]
    if session.output == "json":
        tables.as_json(found)
    else:
        flat = [flattened(one) for one in found]
        names = list(dict.fromkeys(name for one in flat for name in one))
        tables.as_csv(names, [[one.get(name) for name in names] for one in flat])


def one(session: Session, item: dict[str, Any], rows: Sequence[tuple[str, str]]) -> None:
    """Print one object."""
    if session.output == "table":
        tables.fields([(name, value) for name, value in rows if value])
    elif session.output == "json":
        tables.as_json(item)
    else:
        flat = flattened(item)
        tables.as_csv(list(flat), [list(flat.values())])


def flattened(item: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested keys joined by dots; lists as text."""
    flat: dict[str, Any] = {}
    for key, value in item.items():
        if isinstance(value, dict):
            flat.update(flattened(value, f"{prefix}{key}."))
        else:
            flat[prefix + key] = "; ".join(map(str, value)) if isinstance(value, list) else value
    return flat


def run_rows(session: Session, found: Table[Run], named: Sequence[str] = (), *, empty: str = NO_RUNS) -> None:
    """Print runs, with a column for each of these metrics and params."""
    if named:
        found.form = runs(named)
    many(session, found, as_json=azure_views.run_json, empty=empty)


def how_many(session: Session, found: Table[Run]) -> None:
    """Say that there are more than are listed, where there are."""
    if session.output == "table" and found.total is not None and found.total > len(found):
        said(f"{len(found)} of {found.total}; --max-results or --all-results shows more.")


def run_one(session: Session, run: Run) -> None:
    """Print a run."""
    one(session, azure_views.run_json(run), run_fields(run))


def job_one(session: Session, job: Job) -> None:
    """Print a job."""
    left = job.not_captured
    more = [f"… {len(left) - LISTED} more"] if len(left) > LISTED else []
    extra = [
        ("Environment", job.environment or ""),
        ("Priority", str(job.priority) if job.priority else ""),
        ("Time limit", f"{job.timeout_s} s" if job.timeout_s else ""),
        ("Peak memory", memory_text(job.usage, job.spec.memory_limit)),
        ("CPU time", text.duration(round(job.usage.cpu_time_s * 1000)) if job.usage and job.usage.cpu_time_s is not None else ""),
        ("Asks for", asks_text(job)),
        ("Retries", f"{job.attempt - 1} of {job.max_retries}" if job.max_retries else ""),
        ("Attempts", "\n".join(map(attempt_text, job.attempts)) if len(job.attempts) > 1 else ""),
        ("Not captured", "\n".join(left[:LISTED] + more)),
        ("New files", "\n".join(job.new_files[:LISTED])),
    ]
    one(session, azure_views.job_json(job), run_fields(job.run) + extra)


def file_text(session: Session, found: JobFileText, to: str | None) -> None:
    """Print a job file, or write it where nothing is."""
    for warning in found.warnings:
        said(f"Warning: {warning}")
    if to is not None:
        try:
            with Path(to).open("x", encoding="utf-8") as file:
                file.write(found.text)
        except OSError as error:
            raise click.UsageError(f"{to} cannot be written: {error.strerror}.") from None
        said(f"Wrote {to}")
    elif session.output == "json":
        tables.as_json({"text": found.text, "warnings": found.warnings})
    else:
        click.echo(found.text, nl=False)


def memory_text(usage: JobUsage | None, limit: int | UnsetType) -> str:
    """The most memory that a job held, and its limit."""
    bound = size_text(limit) if isinstance(limit, int) else ""
    if usage is None or usage.peak_memory_bytes is None:
        return f"limit {bound}" if bound else ""
    peak = size_text(usage.peak_memory_bytes)
    return f"{peak} of {bound}" if bound else peak


def asks_text(job: Job) -> str:
    """What a job asks of its target, and which GPUs it has."""
    asks = job.asks
    parts = [
        f"{asks.cpus:g} CPUs" if asks.cpus else "",
        f"{text.size(asks.memory_bytes)} memory" if asks.memory_bytes else "",
        f"{asks.gpus} GPUs" if asks.gpus else "",
    ]
    has = f" (has {', '.join(map(str, job.gpu_ids))})" if job.gpu_ids else ""
    return ", ".join(filter(None, parts)) + has


def attempt_text(attempt: Attempt) -> str:
    """One attempt in a line."""
    took = attempt.ended_at - attempt.started_at if attempt.ended_at and attempt.started_at else None
    words = [text.status(attempt.status.value), text.duration(took), attempt.error.message if attempt.error else ""]
    return f"{attempt.attempt}. " + "  ".join(filter(None, words))


def validation(session: Session, file: str, found: JobFileValidation) -> None:
    """Print what a job file asks for."""
    import msgspec  # noqa: PLC0415 - with the client it is there

    job: dict[str, Any] = msgspec.to_builtins(found.job)
    warnings = [msgspec.to_builtins(warning) for warning in found.warnings]
    rows = [("File", f"{file} can be submitted")]
    for name, value in {**job.pop("spec"), **job}.items():
        text = "\n".join(f"{key} = {item}" for key, item in value.items()) if isinstance(value, dict) else str(value)
        rows.append((JOB_WORDS.get(name, name.capitalize()), text if value else ""))
    plain = {"result": "Succeeded", "warnings": warnings, "job": msgspec.to_builtins(found.job)}
    one(session, plain, rows)


def run_fields(run: Run) -> list[tuple[str, str]]:
    """Names and values of a run, for a person."""
    progress = f"  {run.progress.done} of {run.progress.total}  {run.progress.label}" if run.progress and not run.ended else ""
    reason = f" ({run.reason})" if run.reason else ""
    in_bin = f"yes; `mlws run restore {run.id[:SHORT]}` brings it back" if run.lifecycle.value == "deleted" else ""
    metrics = [
        f"{key} = {text.number(m.last)}" + (f"  (min {text.number(m.min)}, max {text.number(m.max)})" if m.count > 1 else "")
        for key, m in run.metrics.items()
    ]
    return [
        ("Run", run.id),
        ("Name", run.name),
        ("In the bin", in_bin),
        ("Experiment", f"{run.workspace} / {run.experiment_name}"),
        ("Status", f"{text.status(run.status.value)}{reason}{progress}"),
        ("Waits", run.waiting.reason if run.waiting else ""),
        ("Error", error_text(run)),
        ("Source", run.source),
        ("Target", run.target or ""),
        ("Started", text.moment(run.started_at)),
        ("Took", text.duration(run.duration_ms)),
        ("By", run.user),
        ("Parameters", "\n".join(f"{key} = {value}" for key, value in run.params.items())),
        ("Metrics", "\n".join(metrics)),
        ("Tags", "\n".join(f"{key} = {value}" for key, value in run.tags.items())),
        ("Note", run.note),
        ("Page", page_text(run)),
    ]


def page_text(run: Run) -> str:
    """Where the page of a run is, or how to come to it where a command started the server."""
    return run.url or "start `jupyter lab` to see it"


def error_text(run: Run) -> str:
    """Why a run failed, with the cell."""
    if run.error is None:
        return ""
    return text.failure(run.error.message, run.error.cell)


def downloaded(session: Session, written: Sequence[Path], to: str, *, none: str) -> None:
    """Name the files that were saved."""
    if session.output == "json":
        tables.as_json([str(file) for file in written])
        return
    for file in written:
        click.echo(text.printable(str(file)))
    said(f"{text.many(len(written), 'file')} saved in {to}" if written else none)


def said(words: str) -> None:
    """What was done, for a person; programs read the exit code."""
    click.echo("\n".join(map(text.printable, words.splitlines())), err=True)
