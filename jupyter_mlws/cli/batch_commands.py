"""`mlws compute create slurm`, `pbs` and `lsf`, and what `update` changes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from msgspec import UNSET

from jupyter_mlws.cli.context import Session, common, named
from jupyter_mlws.cli.spans import Span
from jupyter_mlws.sdk import text

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_mlws.domain.compute.schemas import ComputeTarget

ACCOUNT = click.option(
    "--account", metavar="NAME", help="The account that jobs count against.  [default: the batch system's own]"
)
ASKED_OF_SLURM = (
    click.option("--partition", metavar="NAME", help="Slurm's partition.  [default: Slurm's own]"),
    click.option("--qos", metavar="NAME", help="Slurm's quality of service.  [default: Slurm's own]"),
    click.option("--reservation", metavar="NAME", help="A reservation of Slurm to run in."),
)
QUEUE = click.option("--queue", metavar="NAME", help="The queue of PBS or LSF.  [default: its own]")
PROJECT = click.option("--project", metavar="NAME", help="The project of PBS Pro or LSF, which is its -P.")
DIALECT = click.option(
    "--dialect",
    type=click.Choice(["torque", "pro", ""]),
    metavar="torque|pro",
    help="How PBS is asked for resources.  [default: as it says it is]",
)
ASKED_OF_LSF = (
    click.option("--user-group", metavar="NAME", help="The group of users of LSF whose share jobs use, which is its -G."),
    click.option("--application", metavar="NAME", help="The application profile of LSF, which is its -app."),
)
ASKED = (
    click.option(
        "--time-limit",
        type=Span(whole=True),
        metavar="SPAN",
        help="For jobs without a --timeout: 30m, 2h.  [default: that of the partition or queue]",
    ),
    click.option(
        "--via",
        metavar="TARGET",
        help="Target of the kind ssh whose host has sbatch, qsub or bsub.  [default: the server has it]",
    ),
)
ABOUT = (
    click.option(
        "--max-jobs", type=click.IntRange(1, 1000), metavar="NUMBER", help="How many it is given at once.  [default: 100]"
    ),
    click.option(
        "--python", metavar="PATH", help="Python on the nodes, 3.8 or newer.  [default: that of the server, or of --via]"
    ),
    click.option("--server-url", metavar="URL", help="How jobs reach this server, if they do.  [default: they do not]"),
    click.option("--description", metavar="TEXT", help="What the target is."),
)
OF_EACH = {"time_limit", "via"}
OF_ALL = {"python", "server_url", "description"}
OF = {
    "slurm": {"partition", "account", "qos", "reservation"} | OF_EACH,
    "pbs": {"queue", "account", "project", "dialect"} | OF_EACH,
    "lsf": {"queue", "project", "user_group", "application"} | OF_EACH,
}
OF_SOME = set().union(*OF.values())


def asked_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What a batch system is asked for with each job."""
    return _given(command, (ACCOUNT, *ASKED_OF_SLURM, QUEUE, PROJECT, DIALECT, *ASKED_OF_LSF, *ASKED))


def _given(command: Callable[..., Any], options: tuple[Callable[..., Any], ...]) -> Callable[..., Any]:
    for option in reversed(options):
        command = option(command)
    return command


def attach(create: click.Group, one: Callable[[Session, ComputeTarget], None]) -> None:
    """Add the commands; `one` shows a target."""

    def of_slurm(session: Session, target: str, **options: Any) -> None:
        """Make a target of Slurm, which the server's machine submits to, or the host of another target. `mlws compute test TARGET` says
        what it lacks.

        The nodes must see the data folder of the server, under the same path; with --via the folder of that target on its host.
        """
        one(session, session.workspace.compute.create_slurm(target, **_set(options)))

    def of_pbs(session: Session, target: str, **options: Any) -> None:
        """Make a target of PBS (Torque, OpenPBS, PBS Pro), which the server's machine submits to, or the host of another target.
        `mlws compute test TARGET` says what it lacks.

        The nodes must see the data folder of the server, under the same path; with --via the folder of that target on its host.
        """
        one(session, session.workspace.compute.create_pbs(target, **_set(options)))

    def of_lsf(session: Session, target: str, **options: Any) -> None:
        """Make a target of IBM Spectrum LSF, which the server's machine submits to, or the host of another target.
        `mlws compute test TARGET` says what it lacks.

        The nodes must see the data folder of the server, under the same path; with --via the folder of that target on its host.
        """
        one(session, session.workspace.compute.create_lsf(target, **_set(options)))

    partition, *of_slurm_too = ASKED_OF_SLURM
    for kind, command, own in (
        ("slurm", of_slurm, (partition, ACCOUNT, *of_slurm_too)),
        ("pbs", of_pbs, (QUEUE, ACCOUNT, PROJECT, DIALECT)),
        ("lsf", of_lsf, (QUEUE, PROJECT, *ASKED_OF_LSF)),
    ):
        create.command(kind)(named("target", "targets")(_given(common(command), (*own, *ASKED, *ABOUT))))


def _set(options: dict[str, Any]) -> dict[str, Any]:
    return {name: UNSET if value is None else value for name, value in options.items()}


def kind_asked(session: Session, target: str, given: dict[str, Any]) -> str:
    """The batch system of which something is to change; empty where it is none. Raises `click.UsageError` for what the target has not."""
    kind = session.workspace.compute.show(target).kind
    others = sorted(set(given) - OF_ALL - OF.get(kind, set()))
    refuse(target, kind, [name for name in others if kind in OF or name in OF_SOME])
    return kind if kind in OF else ""


def refuse(target: str, kind: str, wrong: list[str]) -> None:
    """Raise `click.UsageError` where there are options that targets of this kind do not have."""
    if wrong:
        named_so = ", ".join(f"--{name.replace('_', '-')}" for name in wrong)
        raise click.UsageError(f"{target} is a target of the kind {kind}, which has no {named_so}.")


def rows(target: ComputeTarget) -> list[tuple[str, str]]:
    """What a batch system is asked for."""
    if (place := target.slurm or target.pbs or target.lsf) is None:
        return []
    names = ("partition", "queue", "account", "project", "user_group", "application", "qos", "reservation")
    asked = [f"{name.replace('_', ' ')} {value}" for name in names if (value := getattr(place, name, None))]
    limit = [f"{text.duration(place.time_limit_s * 1000)} for jobs without a time limit"] if place.time_limit_s else []
    system = "Slurm" if target.slurm else "PBS" if target.pbs else "LSF"
    return [
        ("Asks for", ", ".join([*asked, *limit]) or f"what {system} gives by itself"),
        ("Dialect", (target.pbs.dialect or "as qstat says") if target.pbs else ""),
        ("Via", place.via or ""),
        ("Python", place.python),
        ("Logs to", place.server_url or ("its spool, which is fetched" if place.via else "the folder of the job")),
    ]
