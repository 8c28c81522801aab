"""`mlws compute`: where jobs run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from jupyter_mlws.cli import azure_views, batch_commands, gateway_commands, host_commands, show
from jupyter_mlws.cli.context import Session, common, named, refuses
from jupyter_mlws.cli.spans import DEFAULT, Limit, Size
from jupyter_mlws.sdk import text
from jupyter_mlws.sdk.forms import SHORT, cpu_time, load_of

if TYPE_CHECKING:
    from jupyter_mlws.domain.compute.schemas import ComputeTarget, ComputeUsage, EndedJob, HostFacts, Span, Use
    from jupyter_mlws.sdk.table import Table

LAST_JOBS = 10
SPANS = {"24h": "Last 24 hours", "7d": "Last 7 days", "30d": "Last 30 days", "all": "In all"}


@click.group("compute")
def command() -> None:
    """Compute targets with their load and their queue, and how many jobs each runs at once."""


SETTING = "the server's setting `MlwsApp.compute_targets`"
ONE_BY_ONE = "`mlws compute update TARGET --max-jobs 1` lets it run one job at a time"
refuses(
    command,
    "archive",
    f"A target is there until it is deleted, `local` always, and others as long as {SETTING} names them; {ONE_BY_ONE}.",
)
refuses(command, "restore", "No target is hidden; `mlws compute list` has all there are.")


@command.command("list")
@common
def list_targets(session: Session) -> None:
    """List compute targets."""
    show.many(session, session.workspace.compute.list(), as_json=azure_views.compute_json, empty="No compute targets.")


@command.command("show")
@named("target", "targets", default="local")
@click.option(
    "--span",
    type=click.Choice(SPANS),
    default="7d",
    show_default=True,
    help="Of which time the usage by user is: of the jobs that have ended in it.",
)
@common
def show_target(session: Session, target: str, span: Span) -> None:
    """Show a compute target, why each job in its queue waits, who has used it, and the last jobs that ended there."""
    compute = session.workspace.compute
    found = compute.show(target)
    _one(session, found, usage=compute.usage(target, span=span), last=compute.history(target, limit=LAST_JOBS))


JOBS, KERNELS, CPUS, MEMORY, GPUS = (
    Limit(one)
    for one in (
        click.IntRange(1, 1000),
        click.IntRange(0, 100),
        click.FloatRange(0, min_open=True),
        Size(),
        click.IntRange(0, 1000),
    )
)

LIMITS = {
    "max_jobs",
    "min_instances",
    "cpus",
    "memory",
    "gpus",
    "max_jobs_per_user",
    "cpus_per_user",
    "memory_per_user",
    "gpus_per_user",
}


@command.command("update")
@named("target", "targets", default="local")
@click.option("--max-jobs", "--max-instances", "max_jobs", type=JOBS, metavar="NUMBER", help="How many jobs run at once.")
@click.option("--min-instances", type=KERNELS, metavar="NUMBER", help="How many kernels are kept ready for notebook jobs.")
@click.option("--cpus", type=CPUS, metavar="NUMBER", help="How many CPUs jobs may ask for, all together.")
@click.option("--memory", type=MEMORY, metavar="SIZE", help="How much memory jobs may ask for, all together: 16GiB.")
@click.option("--gpus", type=GPUS, metavar="NUMBER", help="How many GPUs jobs may ask for, all together.")
@click.option("--max-jobs-per-user", type=JOBS, metavar="NUMBER", help="How many jobs of one user run at once.")
@click.option("--cpus-per-user", type=CPUS, metavar="NUMBER", help="How many CPUs one user may have at once.")
@click.option("--memory-per-user", type=MEMORY, metavar="SIZE", help="How much memory one user may have at once.")
@click.option("--gpus-per-user", type=GPUS, metavar="NUMBER", help="How many GPUs one user may have at once.")
@click.option("--default-max-jobs", "usual", is_flag=True, help="As many jobs again as the server's settings say.")
@click.option("--host", metavar="HOST", help="Another name or address of the host.")
@host_commands.place_options
@click.option("--url", metavar="URL", help="Another address of the Jupyter server.")
@gateway_commands.place_options
@batch_commands.asked_options
@common
def update(session: Session, target: str, usual: bool, **options: Any) -> None:
    """Change what jobs may have of a target, from now on and after a restart; of another host and of another Jupyter server also where it
    is, and how to get in, and of Slurm, PBS and LSF what they are asked for.

    `default` instead of a value is what the server's settings say. Jobs that run go on, even if they have more.
    """
    limits = {name: options.pop(name) for name in list(options) if name in LIMITS}
    moved = host_commands.move(session, target, options)
    given = {name: None if value == DEFAULT else value for name, value in limits.items() if value is not None}
    if usual and "max_jobs" in given:
        raise click.UsageError("Say either --max-jobs NUMBER, or --default-max-jobs.")
    if usual:
        given["max_jobs"] = None
    if moved is not None and not given:
        return _one(session, moved)
    if not given:
        raise click.UsageError("Say how many jobs run at once: --max-jobs NUMBER, or --default-max-jobs; or another limit.")
    return _one(session, session.workspace.compute.update(target, **given))


@command.command("pause")
@named("target", "targets", default="local")
@common
def pause(session: Session, target: str) -> None:
    """Start no more jobs on a target, until it is resumed. Those that run go on."""
    _one(session, session.workspace.compute.pause(target))


@command.command("resume")
@named("target", "targets", default="local")
@common
def resume(session: Session, target: str) -> None:
    """Start jobs on a target again."""
    _one(session, session.workspace.compute.resume(target))


def _one(
    session: Session, target: ComputeTarget, *, usage: ComputeUsage | None = None, last: Table[EndedJob] | None = None
) -> None:
    queue = [
        f"{f'{job.position}.' if job.position else '-'} {job.name} ({job.run_id[:SHORT]}): {job.reason}" for job in target.queue
    ]
    begin = [f"- {job.name} ({job.run_id[:SHORT]}): {job.reason}" for job in target.live if job.reason]
    memory = f"{text.size(target.memory_used_bytes)} of {text.size(target.memory_bytes)} used" if target.memory_bytes else ""
    usual = f" (the settings say {target.default_max_jobs})" if target.default_max_jobs != target.max_jobs else ""
    rows = [
        ("Target", target.name),
        ("Kind", target.kind),
        ("State", "paused: no job starts" if target.paused else f"{target.state}  {target.detail}".rstrip()),
        ("About", target.description),
        *_place(target),
        *batch_commands.rows(target),
        *gateway_commands.rows(target),
        *(_machine(target.facts) if target.slurm or target.pbs or target.lsf else []),
        ("Jobs", f"{target.running} running of at most {target.max_jobs}{usual}, {target.queued} waiting"),
        ("Ready", _ready(target)),
        ("CPUs", load_of(target)),
        ("Memory", memory),
        ("Asked for", _asked(target)),
        ("One user", _per_user(target)),
        ("Not begun", "\n".join(begin)),
        ("Queue", "\n".join(queue)),
        ("Page", session.workspace.page_url(f"compute/{target.name}") or ""),
    ]
    found = azure_views.compute_json(target)
    if usage is not None and last is not None:
        found |= {"usage": azure_views.plain(usage), "last_jobs": [azure_views.plain(job) for job in last]}
        rows += [(SPANS[usage.span], "\n".join(_users(usage))), ("Last jobs", "\n".join(map(_ended, last)))]
    show.one(session, found, rows)


def _users(usage: ComputeUsage) -> list[str]:
    """A line a user, and one for all where there are several."""
    lines = [f"{user.user}: {_used(user)}" for user in usage.users]
    if usage.more_users:
        lines.append(f"... and {text.many(usage.more_users, 'user')} more")
    return [*lines, f"all: {_used(usage.total)}"] if len(lines) > 1 else lines


def _used(use: Use) -> str:
    parts = [
        text.many(use.jobs, "job"),
        f"ran {text.duration(use.ran_ms)}",
        f"{cpu_time(use.cpu_time_s)} of CPU" if use.cpu_time_s is not None else "",
        f"at most {text.size(use.peak_memory_bytes)} memory" if use.peak_memory_bytes is not None else "",
    ]
    return ", ".join(filter(None, parts))


def _ended(job: EndedJob) -> str:
    used = f", {cpu_time(job.cpu_time_s)} of CPU" if job.cpu_time_s is not None else ""
    memory = f", {text.size(job.peak_memory_bytes)}" if job.peak_memory_bytes is not None else ""
    times = f"waited {text.duration(job.waited_ms)}, ran {text.duration(job.ran_ms)}{used}{memory}"
    return f"{text.status(job.status)}  {job.name} ({job.run_id[:SHORT]}) of {job.user}, {text.ago(job.ended_at)}: {times}"


def _ready(target: ComputeTarget) -> str:
    """The kernels that wait for notebook jobs; empty where there are none, nor are to be."""
    if not target.spares and not target.min_instances:
        return ""
    least = f", at least {target.min_instances} at any time" if target.min_instances else ""
    extra, at = target.spares - target.min_instances, target.spares_end_at
    which = f"{extra} of them " if target.min_instances else ""
    idle = "" if at is None else f"; idle, {which}{'ends' if extra == 1 else 'end'} {text.ahead(at)}"
    return f"{text.many(target.spares, 'kernel')} for notebook jobs{least}{idle}"


def _place(target: ComputeTarget) -> list[tuple[str, str]]:
    """Where a host is, and what it is."""
    if target.ssh is None:
        return []
    place = target.ssh
    key = "the server's SSH agent" if place.key is None else f"the secret {place.key.name} of {place.key.workspace}"
    return [
        ("Host", f"{place.user}@{place.host}, port {place.port}, in {place.folder}"),
        ("Host key", place.fingerprint),
        ("Key from", key),
        *_machine(target.facts),
        ("Wheels", place.wheelhouse or ""),
        ("Logs to", place.server_url or "its spool, which is fetched"),
    ]


def _machine(facts: HostFacts | None) -> list[tuple[str, str]]:
    """What a host is, as it said."""
    if facts is None:
        return []
    return [("Is", f"{facts.system} on {facts.machine}, Python {facts.python}"), ("Notebooks", _notebooks(facts))]


def _notebooks(facts: HostFacts) -> str:
    """The kernels of a host, or why it runs no notebooks."""
    if facts.notebooks is None:
        return ""
    found = facts.notebooks
    return f"none: {found.missing}" if found.missing else f"kernels {', '.join(kernel.name for kernel in found.kernels)}"


def _asked(target: ComputeTarget) -> str:
    """What running jobs have asked for, of what they may."""
    has, total = target.reserved, target.total
    parts = [
        f"{has.cpus or 0:g} of {total.cpus:g} CPUs" if total.cpus else "",
        f"{text.size(has.memory_bytes or 0)} of {text.size(total.memory_bytes)} memory" if total.memory_bytes else "",
        f"{has.gpus or 0} of {total.gpus} GPUs" if total.gpus else "",
    ]
    return ", ".join(filter(None, parts))


def _per_user(target: ComputeTarget) -> str:
    """What one user may have at once."""
    limits = target.per_user
    parts = [
        text.many(limits.max_jobs, "job") if limits.max_jobs else "",
        f"{limits.cpus:g} CPUs" if limits.cpus else "",
        f"{text.size(limits.memory_bytes)} memory" if limits.memory_bytes else "",
        f"{limits.gpus} GPUs" if limits.gpus is not None else "",
    ]
    found = ", ".join(filter(None, parts))
    return f"at most {found}" if found else ""


CREATE = host_commands.attach(command, _one)
batch_commands.attach(CREATE, _one)
gateway_commands.attach(CREATE, _one)
