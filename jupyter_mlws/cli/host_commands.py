"""`mlws compute create ssh`, `test` and `delete`: other hosts as compute targets."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import UNSET

from jupyter_mlws.cli import batch_commands, gateway_commands, show
from jupyter_mlws.cli.azure_views import plain
from jupyter_mlws.cli.context import Session, common, confirm, named

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_mlws.domain.compute.schemas import ComputeTarget, ShownKey

WORDS = {"ok": "ok", "missing": "MISSING", "failed": "FAILED", "skipped": "skipped"}
PLACE = (
    click.option("--user", metavar="NAME", help="Who to log in as.  [default: the user of the server]"),
    click.option("--port", type=click.IntRange(1, 65535), metavar="NUMBER", help="Port of its SSH server.  [default: 22]"),
    click.option("--folder", metavar="PATH", help="Folder there for jobs and files.  [default: ~/.mlws]"),
    click.option("--python", metavar="PATH", help="Python there, 3.8 or newer.  [default: python3]"),
    click.option("--key-secret", metavar="NAME", help="Secret that holds the private key.  [default: the server's SSH agent]"),
    click.option("--server-url", metavar="URL", help="How jobs there reach this server, if they do.  [default: they do not]"),
    click.option(
        "--wheelhouse", metavar="FOLDER", help="Wheels here, of which the host makes a Python for notebooks.  [default: none]"
    ),
    click.option("--host-key", metavar="KEY", help="Key that the host must show: SHA256:..., or the public key."),
    click.option("--description", metavar="TEXT", help="What the target is."),
)


def place_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Where a host is, and how to get in."""
    for option in reversed(PLACE):
        command = option(command)
    return command


def attach(group: click.Group, one: Callable[[Session, ComputeTarget], None]) -> click.Group:
    """Add the commands; `one` shows a target. The group that makes targets."""

    @group.group("create")
    def create() -> None:
        """Make a compute target, of a kind."""

    @create.command("ssh")
    @named("target", "targets")
    @click.option("--host", required=True, metavar="HOST", help="Name or address of the host.")
    @click.option("--max-jobs", type=click.IntRange(1, 1000), metavar="NUMBER", help="How many jobs run at once.  [default: 1]")
    @place_options
    @common
    def create_ssh(session: Session, target: str, host: str, host_key: str | None, **options: Any) -> None:
        """Make a target of another host, reached by SSH. `mlws compute test TARGET` says what it lacks.

        The key of the host is never believed without: without --host-key what it shows is compared with known_hosts of the server's user,
        and else shown and asked about.
        """
        given = {name: UNSET if value is None else value for name, value in options.items()}
        if options["wheelhouse"]:
            given["wheelhouse"] = str(Path(options["wheelhouse"]).expanduser().absolute())
        key = host_key or _agreed(session, host, options["port"] or 22)
        one(session, session.workspace.compute.create_ssh(target, host=host, host_key=key, **given))

    @group.command("delete")
    @named("target", "targets")
    @click.option("--force", is_flag=True, help="Also while jobs run there: they end as lost. For a host that never comes back.")
    @click.option("-y", "--yes", is_flag=True, help="Do not ask.")
    @common
    def delete(session: Session, target: str, force: bool, yes: bool) -> None:
        """Delete a target on which no job runs. Jobs that wait for it stay in the queue; what lies on the host stays there."""
        found = session.workspace.compute.show(target)
        running = f" {found.running} jobs that run there are given up." if found.running and force else ""
        waiting = f" {found.queued} jobs wait for it." if found.queued else ""
        confirm(f"Delete the compute target {target!r}?{running}{waiting}", yes=yes)
        session.workspace.compute.delete(target, force=force)
        show.one(session, {"name": target, "deleted": True}, [("Deleted", target)])

    @group.command("test")
    @named("target", "targets")
    @common
    def test(session: Session, target: str) -> None:
        """Try what a target needs, step by step, and say what is missing. Exit code 1 if jobs cannot run there."""
        found = session.workspace.compute.test(target)
        if session.output == "json":
            show.one(session, plain(found), [])
        else:
            for step in found.steps:
                click.echo(f"{WORDS[step.state]:8} {step.name}" + (f": {step.detail}" if step.detail else ""))
                if step.todo:
                    click.echo(f"         {step.todo}")
            click.echo(f"{target} {'can run jobs.' if found.usable else 'cannot run jobs yet.'}")
        if not found.usable:
            sys.exit(1)

    return create


def move(session: Session, target: str, options: dict[str, Any]) -> ComputeTarget | None:
    """Change where a host is, or what a batch system is asked for, if that is wanted."""
    given = {name: value for name, value in options.items() if value is not None}
    if given.get("wheelhouse"):
        given["wheelhouse"] = str(Path(given["wheelhouse"]).expanduser().absolute())
    given = gateway_commands.whole(given)
    for name in ("key_secret", "server_url", "wheelhouse", *batch_commands.OF_SOME, *gateway_commands.EMPTIED):
        if given.get(name) == "":
            given[name] = None
    if not given:
        return None
    if gateway_commands.is_asked(session, target, given):
        return session.workspace.compute.move_gateway(target, **given)
    compute = session.workspace.compute
    changes: dict[str, Callable[..., ComputeTarget]] = {
        "slurm": compute.change_slurm,
        "pbs": compute.change_pbs,
        "lsf": compute.change_lsf,
    }
    return changes.get(batch_commands.kind_asked(session, target, given), compute.move_ssh)(target, **given)


def _agreed(session: Session, host: str, port: int) -> str:
    """The key that a host shows, if somebody knows it."""
    shown = session.workspace.compute.host_keys(host, port)
    known = [key for key in shown if key.known]
    if known:
        click.echo(f"The key of {host} stands in known_hosts: {_words(known[0])}", err=True)
        return known[0].public_key
    lines = "\n".join(f"  {_words(key)}" for key in shown)
    if not sys.stdin.isatty():
        raise click.UsageError(
            f"The key of {host} is not known here. It shows:\n{lines}\nAsk the owner of the host which is right, and give it: "
            f"--host-key {shown[0].fingerprint}"
        )
    click.echo(f"The key of {host} is not known here. It shows:\n{lines}", err=True)
    confirm(f"Does the owner of {host} tell the first of them?", yes=False)
    return shown[0].public_key


def _words(key: ShownKey) -> str:
    return f"{key.fingerprint} ({key.type})"
