"""`mlws job`: submit, follow, cancel."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from jupyter_mlws.cli import job_file_commands, show
from jupyter_mlws.cli.context import Session, check_changes, common, limited, named, pairs, secret_names, suggest, tag_changes
from jupyter_mlws.cli.failures import FAILED
from jupyter_mlws.cli.spans import Size, Span
from jupyter_mlws.sdk.forms import SHORT

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_mlws.sdk.results import Job, Run
    from jupyter_mlws.sdk.table import Table

NO_JOBS = "No jobs. `mlws job create --notebook train.ipynb` submits one."


@click.group("job")
def command() -> None:
    """Submit notebooks and shell lines as jobs, follow them, change them, cancel them."""


def parameters(given: tuple[str, ...]) -> dict[str, Any]:
    """`-p key=value`: the value as JSON where it is JSON, else as text."""
    return {key: _typed(value) for key, value in pairs(given, "-p").items()}


def _typed(text: str) -> Any:
    def refuse(word: str) -> Any:
        raise ValueError(word)  # NaN and Infinity are no JSON: they stay text

    try:
        return json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError):
        return text


PARAMETER = click.option(
    "-p",
    "--parameter",
    "given",
    multiple=True,
    metavar="KEY=VALUE",
    help='A parameter; the value is JSON (0.1, true, [1, 2], "text") or else text. May be repeated.',
)


def ASKS(verb: Callable[..., Any]) -> Callable[..., Any]:  # noqa: N802 - reads like the decorators beside it
    """Options that say what a job asks of its target."""
    for option in (
        click.option("--gpus", type=click.IntRange(0, 1000), metavar="NUMBER", help="Wait until so many GPUs are free."),
        click.option("--memory", type=Size(), metavar="SIZE", help="Wait until so much memory is free: 4GiB, 512MB."),
        click.option(
            "--cpus", type=click.FloatRange(0, min_open=True), metavar="NUMBER", help="Wait until so many CPUs are free."
        ),
    ):
        verb = option(verb)
    return verb


@command.command("create")
@job_file_commands.FILE
@job_file_commands.SET
@click.option("--notebook", metavar="PATH", shell_complete=suggest("notebooks"), help="The notebook to run.")
@click.option("--command", "line", metavar="LINE", help="The shell line to run instead.")
@click.option(
    "--code", metavar="FOLDER", shell_complete=suggest("folders"), help="Folder to take along with --command, and to run in."
)
@PARAMETER
@click.option("--kernel", metavar="NAME", shell_complete=suggest("kernels"), help="Kernel of the notebook.  [default: its own]")
@click.option(
    "--environment",
    metavar="NAME",
    shell_complete=suggest("environment_names"),
    help="Environment that the job runs in (`mlws environment create`): NAME, NAME:VERSION, NAME@latest or an alias.",
)
@click.option("-n", "--name", "--display-name", metavar="TEXT", help="Name of the run.")
@click.option(
    "--experiment",
    metavar="NAME",
    shell_complete=suggest("experiments"),
    help="Experiment; made if it is new.  [default: the notebook's or folder's name]",
)
@click.option(
    "--target", default="local", show_default=True, metavar="NAME", shell_complete=suggest("targets"), help="Compute target."
)
@click.option("--priority", type=int, default=0, show_default=True, help="Greater ones run first.")
@click.option(
    "--timeout", type=Span(whole=True), metavar="SPAN", help="End the job after so long: 90s, 45m, 2h; seconds without a unit."
)
@click.option("--keep-kernel", is_flag=True, help="Keep the kernel for a time when a cell fails, to look into it.")
@click.option("--memory-limit", type=Size(), metavar="SIZE", help="End the job when it holds more memory: 4GiB, 512MB; or bytes.")
@click.option(
    "--max-retries",
    type=click.IntRange(0, 20),
    default=0,
    show_default=True,
    metavar="NUMBER",
    help="Try it again so often if it fails.",
)
@ASKS
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="A tag. May be repeated.")
@click.option("--env", multiple=True, metavar="KEY=VALUE", help="An environment variable of the job. May be repeated.")
@click.option(
    *("--secret", "secrets"),
    multiple=True,
    metavar="VARIABLE=NAME",
    shell_complete=suggest("secrets"),
    help="A variable with the value of a secret (`mlws secret set`); NAME alone for both. May be repeated.",
)
@click.option("--note", metavar="TEXT", help="A note.")
@click.option("--in-place", is_flag=True, help="Run in the folder itself, not in a copy.")
@click.option("--confirm-large", is_flag=True, help="Take a snapshot of a very large folder all the same.")
@click.option("--stream", is_flag=True, help="Follow the job until it ends; the exit code is then the job's.")
@common
def create(session: Session, notebook: str | None, line: str | None, given: tuple[str, ...], **options: Any) -> None:
    """Submit a job: a notebook, a shell line, or what a job file says.

    The notebook (or the folder) is frozen now: what you change afterwards is not seen by the job.
    """
    file, settings = options.pop("file"), options.pop("settings")
    if file is not None or settings:
        submitted(session, job_file_commands.create(session, file, settings, options), stream=options["stream"])
        return
    if (notebook is None) == (line is None):
        raise click.UsageError('Say what to run: --notebook PATH, --command "LINE" (with --code FOLDER), or --file PATH.')
    options["keep_kernel_on_failure"] = options.pop("keep_kernel")
    if notebook is None and (given or options["kernel"] or options["keep_kernel_on_failure"]):
        raise click.UsageError("-p, --kernel and --keep-kernel go with --notebook; a command reads its own arguments.")
    if notebook is not None and options["code"] is not None:
        raise click.UsageError("--code goes with --command; a notebook's code is its folder.")
    if line is not None and options["code"] is None:
        show.said("The command runs in an empty folder; --code . takes this one along.")
    stream = options.pop("stream")
    options["tags"], options["env"] = pairs(options["tags"], "--tag"), pairs(options["env"], "--env")
    options["secrets"] = secret_names(options["secrets"])
    made = session.workspace.jobs.create(notebook=notebook, command=line, parameters=parameters(given), **options)
    submitted(session, made, stream=stream)


def submitted(session: Session, job: Job, *, stream: bool) -> None:
    """Tell of a job that was just submitted, or follow it."""
    if not stream:
        show.job_one(session, job)
        return
    show.said(f"Submitted {job.run.name!r}, run {job.id}" + (f"\n{job.url}" if job.url else ""))
    follow(session, job.id)


def follow(session: Session, run_id: str) -> None:
    """Follow a job to its end; the exit code tells how it ended."""
    from jupyter_mlws.cli.screen import stream  # noqa: PLC0415 - only following needs it

    beside = session.output != "table"
    run = stream(session.workspace, run_id, beside=beside)
    if beside:
        show.run_one(session, run)
    if run.status.value != "Completed":
        raise click.exceptions.Exit(FAILED)


@command.command("stream")
@named("job", "active_jobs")
@common
def stream(session: Session, job: str) -> None:
    """Print the log of a job until it ends.

    With `--output json` or `csv` the log goes to standard error, and standard output is the run as it ended. Ctrl-C ends the
    printing, not the job. Exit code 0 only if the job completed.
    """
    follow(session, session.run_id(job))


@command.command("wait")
@named("job", "active_jobs")
@click.option("--timeout", type=Span(), metavar="SPAN", help="Give up after so long (90s, 45m, 2h); the job goes on.")
@common
def wait(session: Session, job: str, timeout: float | None) -> None:
    """Wait, in silence, until a job ends. Exit code 0 only if it completed, 5 if the time was over before."""
    ended = session.workspace.jobs.wait(session.run_id(job), timeout=timeout)
    show.job_one(session, ended)
    if ended.status.value != "Completed":
        raise click.exceptions.Exit(FAILED)


@command.command("log")
@named("job", "jobs")
@click.option("--system", is_flag=True, help="The supervisor's own log instead.")
@click.option("--tail", type=click.IntRange(0), metavar="BYTES", help="Only its end.")
@click.option("--attempt", type=click.IntRange(1), metavar="NUMBER", help="Of an earlier attempt.  [default: the current one]")
@common
def log(session: Session, job: str, system: bool, tail: int | None, attempt: int | None) -> None:
    """Print what a job has logged until now."""
    jobs, run_id = session.workspace.jobs, session.run_id(job)
    if tail is not None:
        piece = jobs.log(run_id, tail=tail, stream="system" if system else "user", attempt=attempt)
        click.echo(piece.text + piece.partial, nl=False)
    else:
        click.echo(jobs.full_log(run_id, stream="system" if system else "user", attempt=attempt), nl=False)


@command.command("show")
@named("job", "jobs")
@common
def show_job(session: Session, job: str) -> None:
    """Show a job."""
    show.job_one(session, session.workspace.jobs.show(session.run_id(job)))


@command.command("list")
@click.option(
    *("--status", "statuses"),
    multiple=True,
    metavar="STATUS",
    shell_complete=suggest("statuses"),
    help="Only of this status (Running, Failed, …). May be repeated.",
)
@click.option("--experiment", metavar="NAME", shell_complete=suggest("all_experiments"), help="Only of this experiment.")
@click.option("--active", is_flag=True, help="Those that run or wait, in the order of the queue.")
@click.option("--archived-only", is_flag=True, help="Those in the bin instead.")
@click.option("--include-archived", is_flag=True, help="Those in the bin, too.")
@limited
@common
def list_jobs(session: Session, active: bool, **options: Any) -> None:
    """List jobs, ended ones as well, the newest first."""
    if active and (options["statuses"] or any(options[name] for name in ("experiment", "archived_only", "include_archived"))):
        raise click.UsageError("--active lists the queue; it goes with none of the options that choose jobs.")
    found = session.workspace.jobs.queue() if active else _listed(session, **options)
    chosen = options["statuses"] or options["experiment"] or options["archived_only"]
    show.run_rows(session, found, empty="No job runs or waits." if active else "No such jobs." if chosen else NO_JOBS)
    if session.output == "table":
        for run in found:
            if run.waiting is not None:
                show.said(f"{run.id[:SHORT]} waits: {run.waiting.reason}")
    show.how_many(session, found)


def _listed(
    session: Session,
    *,
    statuses: tuple[str, ...],
    experiment: str | None,
    archived_only: bool,
    include_archived: bool,
    limit: int | None,
) -> Table[Run]:
    view: Any = "deleted" if archived_only else "all" if include_archived else "active"
    return session.workspace.jobs.list(status=statuses, experiment=experiment, view=view, limit=limit)


@command.command("update")
@named("job", "jobs", rename="--display-name")
@click.option("--display-name", metavar="TEXT", help="A new name.")
@click.option("--note", metavar="TEXT", help="A new note.")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="Set a tag; `KEY=` removes it. May be repeated.")
@click.option("--experiment", metavar="NAME", shell_complete=suggest("experiments"), help="Move it to another experiment.")
@click.option("--priority", type=int, help="Another place in the queue, while it waits: greater ones run first.")
@common
def update(session: Session, job: str, tags: tuple[str, ...], display_name: str | None, **options: Any) -> None:
    """Rename, annotate, tag or move a job; or change its priority while it waits."""
    options.update(tags=tag_changes(tags), name=display_name)
    check_changes(options, "--display-name", "--note", "--tag", "--experiment", "--priority")
    show.job_one(session, session.workspace.jobs.update(session.run_id(job), **options))


@command.command("archive")
@named("job", "jobs")
@common
def archive(session: Session, job: str) -> None:
    """Move a job that has ended to the bin, without a question; nothing is lost."""
    from jupyter_mlws.cli import deleting  # noqa: PLC0415 - most verbs do without

    found = session.workspace.jobs.show(session.run_id(job))
    deleting.archive(session, found.id)
    show.job_one(session, found.refresh())


@command.command("restore")
@named("job", "jobs_in_bin")
@common
def restore(session: Session, job: str) -> None:
    """Bring a job back from the bin."""
    show.job_one(session, session.workspace.jobs.restore(session.run_id(job)))


@command.command("delete")
@named("job", "jobs")
@click.option("--purge", is_flag=True, help="For good, not into the bin.")
@click.option("--dry-run", is_flag=True, help="Only tell what would go.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@common
def delete(session: Session, job: str, **options: bool) -> None:
    """Move a job that has ended, with its run and the runs below it, to the bin; `mlws job restore` brings them back."""
    from jupyter_mlws.cli import deleting  # noqa: PLC0415 - most verbs do without

    deleting.delete(session, session.workspace.jobs.show(session.run_id(job)).id, **options)


def _each(session: Session, jobs: tuple[str, ...], verb: Callable[[str], Job]) -> None:
    """Do it to each of them, and show their runs."""
    from jupyter_mlws.sdk.forms import runs  # noqa: PLC0415 - most verbs do without
    from jupyter_mlws.sdk.table import Table  # noqa: PLC0415

    show.run_rows(session, Table([verb(session.run_id(one)).run for one in jobs], runs()))


@command.command("cancel")
@named("job", "active_jobs", several=True)
@common
def cancel(session: Session, job: tuple[str, ...]) -> None:
    """Cancel jobs. A running one is interrupted, and killed with all its processes if it does not end."""
    _each(session, job, session.workspace.jobs.cancel)


@command.command("end-kernel")
@named("job", "jobs")
@common
def end_kernel(session: Session, job: str) -> None:
    """End the kernel that was kept when a cell of the job failed (`--keep-kernel`)."""
    run_id = session.run_id(job)
    session.workspace.jobs.end_kernel(run_id)
    show.said(f"The kernel of job {run_id[:SHORT]} ends.")


@command.command("pause")
@named("job", "active_jobs", several=True)
@common
def pause(session: Session, job: tuple[str, ...]) -> None:
    """Hold jobs that wait: they start no sooner than they are resumed."""
    _each(session, job, session.workspace.jobs.pause)


@command.command("resume")
@named("job", "active_jobs", several=True)
@common
def resume(session: Session, job: tuple[str, ...]) -> None:
    """Let jobs that are on hold wait for their turn again; those that failed and are to be tried again need not wait for it."""
    _each(session, job, session.workspace.jobs.resume)


@command.command("rerun")
@click.argument("job", shell_complete=suggest("jobs"))
@PARAMETER
@click.option("--name", "--display-name", metavar="TEXT", help="Name of the new run.")
@click.option("--experiment", metavar="NAME", shell_complete=suggest("experiments"), help="Another experiment.")
@click.option("--kernel", metavar="NAME", shell_complete=suggest("kernels"), help="Another kernel for the notebook.")
@click.option(
    "--environment",
    metavar="NAME",
    shell_complete=suggest("environment_names"),
    help="Another environment; an empty text for none.  [default: the very version that it had]",
)
@click.option("--command", metavar="LINE", help="Another shell line for a command job.")
@click.option("--target", metavar="NAME", shell_complete=suggest("targets"), help="Another compute target.")
@click.option("--priority", type=int, help="Another priority.")
@click.option("--timeout", type=Span(whole=True), metavar="SPAN", help="Another time limit: 90s, 45m, 2h.")
@click.option("--memory-limit", type=Size(), metavar="SIZE", help="Another memory limit: 4GiB, 512MB; 0 for none.")
@click.option("--max-retries", type=click.IntRange(0, 20), metavar="NUMBER", help="Try it again so often if it fails.")
@ASKS
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="A tag of the new run. May be repeated.")
@click.option("--env", multiple=True, metavar="KEY=VALUE", help="A new value for an environment variable. May be repeated.")
@click.option(
    *("--secret", "secrets"),
    multiple=True,
    metavar="VARIABLE=NAME",
    shell_complete=suggest("secrets"),
    help="Another secret; `VARIABLE=` takes one away. May be repeated.",
)
@click.option("--note", metavar="TEXT", help="A note.")
@click.option("--stream", is_flag=True, help="Follow the job until it ends.")
@common
def rerun(session: Session, job: str, given: tuple[str, ...], stream: bool, **options: Any) -> None:
    """Submit a job again from its own snapshot, with what is given changed."""
    options["tags"], options["env"] = pairs(options["tags"], "--tag"), pairs(options["env"], "--env")
    options["secrets"] = {variable: name or None for variable, name in secret_names(options["secrets"]).items()}
    made = session.workspace.jobs.rerun(session.run_id(job), parameters=parameters(given), **options)
    submitted(session, made, stream=stream)


@command.command("download")
@named("job", "jobs")
@click.option("--path", default="", metavar="PATH", help="A file or folder of it.  [default: everything]")
@click.option("--to", default=".", show_default=True, type=click.Path(file_okay=False), help="Folder to write into.")
@click.option("--snapshot", is_flag=True, help="The code as it was submitted, instead of what the job made.")
@common
def download(session: Session, job: str, path: str, to: str, snapshot: bool) -> None:
    """Save the files that a job left (outputs, logs, and what it logged), or its snapshot."""
    from jupyter_mlws.cli.run_commands import save_files  # noqa: PLC0415 - most verbs do without

    save_files(session, job, path, to, snapshot=snapshot)


job_file_commands.attach(command)
