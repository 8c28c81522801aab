"""How lists and single objects are printed, whatever the form of the output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from jupyter_mlws.cli import azure_views, tables
from jupyter_mlws.cli.tables import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jupyter_mlws.cli.context import Session
    from jupyter_mlws.domain.jobs.schemas import JobFileValidation
    from jupyter_mlws.domain.runs.schemas import DeletePlan
    from jupyter_mlws.sdk.results import Job, Run

RUN_COLUMNS = [
    Column("RUN"),
    Column("NAME", shrinks=True),
    Column("STATUS"),
    Column("EXPERIMENT", shrinks=True),
    Column("STARTED"),
    Column("TOOK", right=True),
]
RUN_FIELDS = ("name", "display_name", "experiment_name", "status", "type", "started_at", "ended_at", "duration_ms")
NO_RUNS = "No runs. `mlws job create --notebook train.ipynb` submits one; `import mlws; mlws.start_run()` in a cell tracks one."
JOB_WORDS = {"kind": "Job", "timeout_s": "Time limit in s", "env": "Environment"}
SHORT = 8
LISTED = 10


def many(
    session: Session,
    items: Sequence[Any],
    *,
    as_json: Callable[[Any], dict[str, Any]],
    columns: Sequence[Column],
    row: Callable[[Any], Sequence[str]],
    empty: str,
) -> None:
    """Print a list."""
    if session.output == "table":
        tables.table(columns, [row(item) for item in items], empty=empty)
    elif session.output == "json":
        tables.as_json([as_json(item) for item in items])
    else:
        flat = [flattened(as_json(item)) for item in items]
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


def run_rows(session: Session, runs: Sequence[Run], metrics: Sequence[str] = (), *, empty: str = NO_RUNS) -> None:
    """Print runs, with a column for each of these metrics and params."""
    columns = [*RUN_COLUMNS, *(Column(name.rpartition(".")[2].strip("`\"'"), right=True) for name in metrics)]

    def row(run: Run) -> list[str]:
        base = [run.id[:SHORT], run.name, tables.status(run.status.value), run.experiment_name]
        base += [tables.ago(run.started_at or run.created_at), tables.duration(run.duration_ms)]
        return base + [value_of(run, name) for name in metrics]

    many(session, runs, as_json=azure_views.run_json, columns=columns, row=row, empty=empty)


def value_of(run: Run, name: str) -> str:
    """A metric (`metrics.acc`) or param (`params.lr`) of a run as text."""
    kind, _, key = name.partition(".")
    key = key.strip("`\"'")
    if kind.startswith("metric"):
        return tables.number(run.metrics[key].last) if key in run.metrics else ""
    return run.params.get(key, "")


def run_one(session: Session, run: Run) -> None:
    """Print a run."""
    one(session, azure_views.run_json(run), run_fields(run))


def job_one(session: Session, job: Job) -> None:
    """Print a job."""
    left = job.not_captured
    more = [f"… {len(left) - LISTED} more"] if len(left) > LISTED else []
    extra = [
        ("Priority", str(job.priority) if job.priority else ""),
        ("Time limit", f"{job.timeout_s} s" if job.timeout_s else ""),
        ("Not captured", "\n".join(left[:LISTED] + more)),
        ("New files", "\n".join(job.new_files[:LISTED])),
    ]
    one(session, azure_views.job_json(job), run_fields(job.run) + extra)


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
    metrics = [
        f"{key} = {tables.number(m.last)}"
        + (f"  (min {tables.number(m.min)}, max {tables.number(m.max)})" if m.count > 1 else "")
        for key, m in run.metrics.items()
    ]
    return [
        ("Run", run.id),
        ("Name", run.name),
        ("Experiment", f"{run.workspace} / {run.experiment_name}"),
        ("Status", f"{tables.status(run.status.value)}{reason}{progress}"),
        ("Waits", run.waiting.reason if run.waiting else ""),
        ("Error", error_text(run)),
        ("Source", run.source),
        ("Target", run.target or ""),
        ("Started", tables.moment(run.started_at)),
        ("Took", tables.duration(run.duration_ms)),
        ("By", run.user),
        ("Parameters", "\n".join(f"{key} = {value}" for key, value in run.params.items())),
        ("Metrics", "\n".join(metrics)),
        ("Tags", "\n".join(f"{key} = {value}" for key, value in run.tags.items())),
        ("Note", run.note),
        ("Page", run.url),
    ]


def error_text(run: Run) -> str:
    """Why a run failed, with the cell."""
    if run.error is None:
        return ""
    where = f"cell {run.error.cell + 1}: " if run.error.cell is not None else ""
    return f"{where}{run.error.message}"


def plan_text(plan: DeletePlan) -> str:
    """What a deletion takes along."""
    runs = f"{plan.runs} run{'s' if plan.runs != 1 else ''}"
    files = f"{plan.artifacts} artifact{'s' if plan.artifacts != 1 else ''}"
    return f"{runs} with {files}, {tables.size(plan.bytes_freed)} become free"


def said(text: str) -> None:
    """What was done, for a person; programs read the exit code."""
    click.echo(tables.printable(text), err=True)
