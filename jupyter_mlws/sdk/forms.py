"""How each list looks: its columns for people, its fields for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from jupyter_mlws.sdk import text
from jupyter_mlws.sdk.table import Column, Form

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyter_mlws.domain.compute.schemas import ComputeTarget, EndedJob
    from jupyter_mlws.domain.environments.schemas import Environment, EnvironmentAlias, EnvironmentVersion
    from jupyter_mlws.domain.experiments.schemas import Experiment
    from jupyter_mlws.domain.jobs.schemas import KernelChoice
    from jupyter_mlws.domain.metrics.schemas import MetricSummary
    from jupyter_mlws.domain.runs.schemas import StatusChange
    from jupyter_mlws.domain.secrets.schemas import Secret
    from jupyter_mlws.domain.storage.schemas import FileEntry, Garbage
    from jupyter_mlws.domain.workspaces.schemas import Resource, Workspace
    from jupyter_mlws.sdk.results import Run

SHORT = 8
"""Digits of an id that lists show; commands take such a beginning as well."""


class Point(NamedTuple):
    """One value of a metric. `time`: milliseconds since the epoch."""

    key: str
    step: int
    time: int
    value: float


# --- runs and jobs -------------------------------------------------------------------------------------------------

RUN_COLUMNS = (
    Column("Run"),
    Column("Name", shrinks=True),
    Column("Status"),
    Column("Experiment", shrinks=True),
    Column("Started"),
    Column("Took", right=True),
)


def run_row(run: Run) -> list[str]:
    """A run for people."""
    begun = text.ago(run.started_at or run.created_at)
    status = text.status(run.status.value)
    return [run.id[:SHORT], run.name, status, run.experiment_name, begun, text.duration(run.duration_ms)]


def run_record(run: Run) -> dict[str, Any]:
    """A run as one flat row: its fields, `params.*`, `metrics.*` (last values) and `tags.*`."""
    row: dict[str, Any] = {
        "run_id": run.id,
        "name": run.name,
        "experiment": run.experiment_name,
        "kind": run.kind.value,
        "status": run.status.value,
        "user": run.user,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "duration_ms": run.duration_ms,
        "source": run.source,
        "target": run.target,
        "parent_id": run.parent_id,
        "note": run.note,
    }
    row.update({f"params.{key}": value for key, value in run.params.items()})
    row.update({f"metrics.{key}": float(summary.last) for key, summary in run.metrics.items()})
    row.update({f"tags.{key}": value for key, value in run.tags.items()})
    return row


def runs(named: Sequence[str] = ()) -> Form[Run]:
    """Runs, with a column for each of these metrics (`metrics.acc`) and params (`params.lr`)."""
    more = [Column(" ".join(filter(None, _field_of(name)[1:])), right=True, own=True) for name in named]
    return Form(
        "run",
        [*RUN_COLUMNS, *more],
        lambda run: [*run_row(run), *(value_of(run, name) for name in named)],
        run_record,
        times=("created_at", "started_at", "ended_at"),
        link=lambda run: run.url,
    )


def value_of(run: Run, name: str) -> str:
    """A metric (`metrics.acc`, `metrics.acc.min`) or param (`params.lr`) of a run as text.

    Which of the least and the greatest value is the `best` is the experiment's to say: both are shown.
    """
    kind, key, part = _field_of(name)
    if kind == "params":
        return run.params.get(key, "")
    if key not in run.metrics:
        return ""
    one = run.metrics[key]
    if part == "best":
        least, greatest = text.number(one.min), text.number(one.max)
        return least if least == greatest else f"{least} … {greatest}"
    return text.number(getattr(one, part or "last"))


def _field_of(name: str) -> tuple[str, str, str]:
    """`metrics` or `params`, the key, and which value of a metric (empty for the last), as filters and orders are read."""
    kind, _, key = name.partition(".")
    if not kind.lower().startswith("metric"):
        return "params", key.strip("`\"'"), ""
    base, dot, part = key.rpartition(".")
    if key[:1] in "`\"'":
        base, part = (base, part) if dot and base[-1:] == key[:1] and len(base) > 1 else (key, "")
        return "metrics", base.strip("`\"'"), part
    return ("metrics", base, part) if base and part in ("last", "min", "max", "best") else ("metrics", key, "")


# --- experiments and workspaces ------------------------------------------------------------------------------------


def _experiment_row(one: Experiment) -> list[str]:
    best = f"{text.number(one.best.value)} ({one.best.run_name})" if one.best else ""
    running = one.by_status.get("Running", 0)
    return [one.name, str(one.runs), str(running or ""), best, text.ago(one.last_run_at)]


def _experiment_record(one: Experiment) -> dict[str, Any]:
    goal, best = one.goal, one.best
    return {
        "name": one.name,
        "experiment_id": one.id,
        "description": one.description,
        "runs": one.runs,
        "running": one.by_status.get("Running", 0),
        "goal": None if goal is None else goal.metric,
        "direction": None if goal is None else goal.direction,
        "best_run_id": None if best is None else best.run_id,
        "best_value": None if best is None else float(best.value),
        "created_at": one.created_at,
        "last_run_at": one.last_run_at,
        "archived": one.archived,
        **{f"tags.{key}": value for key, value in one.tags.items()},
    }


EXPERIMENTS: Form[Experiment] = Form(
    "experiment",
    (
        Column("Experiment", shrinks=True),
        Column("Runs", right=True),
        Column("Running", right=True),
        Column("Best", shrinks=True),
        Column("Last run"),
    ),
    _experiment_row,
    _experiment_record,
    times=("created_at", "last_run_at"),
)


def _workspace_record(one: Workspace) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__struct_fields__}


WORKSPACES: Form[Workspace] = Form(
    "workspace",
    (
        Column("Workspace", shrinks=True),
        Column("Title", shrinks=True),
        Column("Experiments", right=True),
        Column("Runs", right=True),
    ),
    lambda one: [one.name, one.display_name, str(one.experiments), str(one.runs)],
    _workspace_record,
    times=("created_at",),
)

RESOURCES: Form[Resource] = Form(
    "resource",
    (
        Column("Resource"),
        Column("Health"),
        Column("Size", right=True),
        Column("Location", shrinks=True),
        Column("", shrinks=True),
    ),
    lambda one: [one.kind.replace("_", " "), one.health, text.size(one.bytes), one.location, one.detail],
    lambda one: {"kind": one.kind, "location": one.location, "bytes": one.bytes, "health": one.health, "detail": one.detail},
)

# --- compute targets and kernels -----------------------------------------------------------------------------------


def load_of(target: ComputeTarget) -> str:
    """How busy the CPUs of a target are."""
    if target.cpu_count is None:
        return ""
    return f"{target.load:.1f} of {target.cpu_count} CPUs" if target.load is not None else f"{target.cpu_count} CPUs"


def _compute_record(target: ComputeTarget) -> dict[str, Any]:
    return {
        name: getattr(target, name)
        for name in target.__struct_fields__
        if name not in ("queue", "live", "total", "reserved", "per_user")
    }


def _secret_record(one: Secret) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__struct_fields__}


ENDED_JOBS: Form[EndedJob] = Form(
    "job",
    (
        Column("Job"),
        Column("Name", shrinks=True),
        Column("Status"),
        Column("User", shrinks=True),
        Column("Ended"),
        Column("Waited", right=True),
        Column("Ran", right=True),
        Column("CPU time", right=True),
        Column("Memory", right=True),
    ),
    lambda one: [
        one.run_id[:SHORT],
        one.name,
        text.status(one.status),
        one.user,
        text.ago(one.ended_at),
        text.duration(one.waited_ms),
        text.duration(one.ran_ms),
        cpu_time(one.cpu_time_s),
        text.size(one.peak_memory_bytes),
    ],
    lambda one: {name: getattr(one, name) for name in one.__struct_fields__},
    times=("submitted_at", "ended_at"),
)


def cpu_time(seconds: float | None) -> str:
    """CPU time, as durations are written."""
    return "" if seconds is None else text.duration(round(seconds * 1000))


SECRETS: Form[Secret] = Form(
    "secret",
    (
        Column("Secret", shrinks=True),
        Column("Set"),
        Column("By", shrinks=True),
        Column("Waiting", right=True),
        Column("Jobs", right=True),
    ),
    lambda one: [
        one.name,
        text.ago(one.updated_at) if one.readable else "unreadable: set it anew",
        one.updated_by,
        str(len(one.waiting) or ""),
        str(one.jobs or ""),
    ],
    _secret_record,
    times=("created_at", "updated_at"),
)

GARBAGE: Form[Garbage] = Form(
    "kind",
    (Column("What", shrinks=True), Column("Number", right=True), Column("Size", right=True)),
    lambda one: [one.what, str(one.number), text.size(one.bytes)],
    lambda one: {name: getattr(one, name) for name in one.__struct_fields__},
)

COMPUTE: Form[ComputeTarget] = Form(
    "compute target",
    (
        Column("Target"),
        Column("Kind"),
        Column("State"),
        Column("Running", right=True),
        Column("Waiting", right=True),
        Column("Load", right=True),
    ),
    lambda one: [
        one.name,
        one.kind,
        "paused" if one.paused else one.state,
        f"{one.running} of {one.max_jobs}",
        str(one.queued),
        load_of(one),
    ],
    _compute_record,
)

KERNELS: Form[KernelChoice] = Form(
    "kernel",
    (Column("Kernel"), Column("Name", shrinks=True), Column("Language")),
    lambda one: [one.name, one.display_name, one.language],
    lambda one: {"name": one.name, "display_name": one.display_name, "language": one.language},
)


def _environment_row(one: EnvironmentVersion) -> list[str]:
    kind, status = str(one.definition.__struct_config__.tag), text.status(one.build.status.value)
    return [one.name, str(one.version), kind, status, text.ago(one.created_at), one.description]


def _environment_record(one: EnvironmentVersion) -> dict[str, Any]:
    return {
        "name": one.name,
        "version": one.version,
        "kind": one.definition.__struct_config__.tag,
        "status": one.build.status.value,
        "message": one.build.message,
        "description": one.description,
        "archived": one.archived,
        "created_at": one.created_at,
        "created_by": one.created_by,
    }


_ENVIRONMENT = (
    Column("Environment", shrinks=True),
    Column("Version", right=True),
    Column("Kind"),
    Column("Status"),
    Column("Made"),
    Column("Description", shrinks=True),
)
ENVIRONMENT_VERSIONS: Form[EnvironmentVersion] = Form("version", _ENVIRONMENT, _environment_row, _environment_record)
ENVIRONMENTS: Form[Environment] = Form(
    "environment", _ENVIRONMENT, lambda one: _environment_row(one.latest), lambda one: _environment_record(one.latest)
)

ENVIRONMENT_ALIASES: Form[EnvironmentAlias] = Form(
    "alias",
    (Column("Alias", shrinks=True), Column("Environment"), Column("From")),
    lambda one: [one.alias, one.environment, "settings" if one.from_settings else ""],
    lambda one: {"alias": one.alias, "environment": one.environment, "from_settings": one.from_settings},
)

# --- what a run has ------------------------------------------------------------------------------------------------


def _metric_record(one: MetricSummary) -> dict[str, Any]:
    values = {name: float(getattr(one, name)) for name in ("last", "min", "max")}
    return {"key": one.key, **values, "step": one.step, "time": one.time, "count": one.count}


METRICS: Form[MetricSummary] = Form(
    "metric",
    (Column("Metric", shrinks=True), *(Column(title, right=True) for title in ("Last", "Min", "Max", "Step", "Points"))),
    lambda one: [one.key, *map(text.number, (one.last, one.min, one.max)), str(one.step), str(one.count)],
    _metric_record,
    times=("time",),
)

POINTS: Form[Point] = Form(
    "point",
    (Column("Metric", shrinks=True), Column("Step", right=True), Column("Time"), Column("Value", right=True)),
    lambda one: [one.key, str(one.step), text.moment(one.time), text.number(one.value)],
    lambda one: one._asdict(),
    times=("time",),
)

CHANGES: Form[StatusChange] = Form(
    "change",
    (Column("At"), Column("Status"), Column("Reason", shrinks=True), Column("By")),
    lambda one: [text.moment(one.at), text.status(one.status.value), one.reason or "", one.actor],
    lambda one: {"status": one.status.value, "at": one.at, "reason": one.reason, "actor": one.actor},
    times=("at",),
)

FILES: Form[FileEntry] = Form(
    "file",
    (Column("Path", shrinks=True), Column("Size", right=True)),
    lambda one: [one.path + ("/" if one.type == "folder" else ""), text.size(one.size)],
    lambda one: {"path": one.path, "type": one.type, "size": one.size, "sha256": one.sha256},
)
