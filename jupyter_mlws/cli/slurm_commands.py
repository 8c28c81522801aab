"""`mlws compute create slurm`, and what `update` changes of it."""

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

ASKED = (
    click.option("--partition", metavar="NAME", help="Slurm's partition.  [default: Slurm's own]"),
    click.option("--account", metavar="NAME", help="The account that jobs count against.  [default: Slurm's own]"),
    click.option("--qos", metavar="NAME", help="Quality of service.  [default: Slurm's own]"),
    click.option("--reservation", metavar="NAME", help="A reservation to run in."),
    click.option(
        "--time-limit",
        type=Span(whole=True),
        metavar="SPAN",
        help="For jobs without a --timeout: 30m, 2h.  [default: the partition's]",
    ),
    click.option("--via", metavar="TARGET", help="Target of the kind ssh whose host has sbatch.  [default: the server has it]"),
)
OF_SLURM = {"partition", "account", "qos", "reservation", "time_limit", "via"}
OF_BOTH = {"python", "server_url", "description"}


def asked_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What Slurm is asked for with each job."""
    for option in reversed(ASKED):
        command = option(command)
    return command


def attach(create: click.Group, one: Callable[[Session, ComputeTarget], None]) -> None:
    """Add the command; `one` shows a target."""

    @create.command("slurm")
    @named("target", "targets")
    @asked_options
    @click.option(
        "--max-jobs", type=click.IntRange(1, 1000), metavar="NUMBER", help="How many Slurm is given at once.  [default: 100]"
    )
    @click.option(
        "--python", metavar="PATH", help="Python on the nodes, 3.8 or newer.  [default: that of the server, or of --via]"
    )
    @click.option("--server-url", metavar="URL", help="How jobs reach this server, if they do.  [default: they do not]")
    @click.option("--description", metavar="TEXT", help="What the target is.")
    @common
    def create_slurm(session: Session, target: str, **options: Any) -> None:
        """Make a target of Slurm, which the server's machine submits to, or the host of another target. `mlws compute test TARGET` says
        what it lacks.

        The nodes must see the data folder of the server, under the same path; with --via the folder of that target on its host.
        """
        given = {name: UNSET if value is None else value for name, value in options.items()}
        one(session, session.workspace.compute.create_slurm(target, **given))


def is_asked(session: Session, target: str, given: dict[str, Any]) -> bool:
    """Whether what is to change is Slurm's. Raises `click.UsageError` for what is not, together with it."""
    kind = session.workspace.compute.show(target).kind
    others = sorted(set(given) - OF_BOTH - (OF_SLURM if kind == "slurm" else set()))
    wrong = [name for name in others if kind == "slurm" or name in OF_SLURM]
    refuse(target, kind, wrong)
    return kind == "slurm"


def refuse(target: str, kind: str, wrong: list[str]) -> None:
    """Raise `click.UsageError` where there are options that targets of this kind do not have."""
    if wrong:
        named_so = ", ".join(f"--{name.replace('_', '-')}" for name in wrong)
        raise click.UsageError(f"{target} is a target of the kind {kind}, which has no {named_so}.")


def rows(target: ComputeTarget) -> list[tuple[str, str]]:
    """What Slurm is asked for."""
    if target.slurm is None:
        return []
    place = target.slurm
    asked = [f"{name} {value}" for name in ("partition", "account", "qos", "reservation") if (value := getattr(place, name))]
    limit = [f"{text.duration(place.time_limit_s * 1000)} for jobs without a time limit"] if place.time_limit_s else []
    return [
        ("Asks for", ", ".join([*asked, *limit]) or "what Slurm gives by itself"),
        ("Via", place.via or ""),
        ("Python", place.python),
        ("Logs to", place.server_url or ("its spool, which is fetched" if place.via else "the folder of the job")),
    ]
