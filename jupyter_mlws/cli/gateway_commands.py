"""`mlws compute create gateway`, and what `update` changes of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import UNSET

from jupyter_mlws.cli import batch_commands
from jupyter_mlws.cli.context import Session, common, named
from jupyter_mlws.cli.spans import Size, Span
from jupyter_mlws.sdk import text

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_mlws.domain.compute.schemas import ComputeTarget

PLACE = (
    click.option(
        "--token-secret", metavar="NAME", help="Secret that holds the token of the Jupyter server.  [default: none is sent]"
    ),
    click.option("--ca-file", metavar="FILE", help="Certificates to trust, on the server's machine.  [default: the system's]"),
    click.option("--kernel", metavar="NAME", help="For notebooks whose own kernel is not there.  [default: they are refused]"),
    click.option(
        "--kernel-user", metavar="USER", help="For whom an Enterprise Gateway starts kernels.  [default: the user it runs as]"
    ),
    click.option("--patience", type=Span(whole=True), metavar="SPAN", help="So long a kernel may be cut off.  [default: 5m]"),
    click.option(
        "--fetch-limit", type=Size(), metavar="SIZE", help="So much output and files a job brings here at most.  [default: 10GB]"
    ),
    click.option("--insecure/--secure", default=None, help="Send the token over http:// to another machine."),
)
OF_GATEWAY = {"url", "token_secret", "ca_file", "kernel", "kernel_user", "patience", "fetch_limit", "insecure"}
OF_ALL = {"server_url", "description"}
EMPTIED = ("token_secret", "ca_file", "kernel", "kernel_user")
"""What `""` takes away."""


def place_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """How to get into another Jupyter server."""
    for option in reversed(PLACE):
        command = option(command)
    return command


def attach(create: click.Group, one: Callable[[Session, ComputeTarget], None]) -> None:
    """Add the command; `one` shows a target."""

    @create.command("gateway")
    @named("target", "targets")
    @click.option("--url", required=True, metavar="URL", help="Address of the Jupyter server, with its base URL.")
    @place_options
    @click.option("--max-jobs", type=click.IntRange(1, 1000), metavar="NUMBER", help="How many jobs run at once.  [default: 1]")
    @click.option("--server-url", metavar="URL", help="How kernels there reach this server, if they do.  [default: they do not]")
    @click.option("--description", metavar="TEXT", help="What the target is.")
    @common
    def create_gateway(session: Session, target: str, **options: Any) -> None:
        """Make a target of another Jupyter server, or of a Kernel or Enterprise Gateway: its kernels run notebooks.

        `mlws compute test TARGET` says what it lacks. Its token lies in a secret: `mlws secret set NAME`.
        """
        given: dict[str, Any] = {name: UNSET if value is None else value for name, value in whole(options).items()}
        one(session, session.workspace.compute.create_gateway(target, **given))


def whole(options: dict[str, Any]) -> dict[str, Any]:
    """The options, with the whole path of the file of certificates."""
    path = options.get("ca_file")
    return {**options, "ca_file": str(Path(path).expanduser().absolute())} if path else options


def is_asked(session: Session, target: str, given: dict[str, Any]) -> bool:
    """Whether what is to change is of another Jupyter server. Raises `click.UsageError` for what is not, together with it."""
    kind = session.workspace.compute.show(target).kind
    wrong = sorted(set(given) - OF_ALL - OF_GATEWAY) if kind == "gateway" else sorted(set(given) & OF_GATEWAY)
    batch_commands.refuse(target, kind, wrong)
    return kind == "gateway"


def rows(target: ComputeTarget) -> list[tuple[str, str]]:
    """Where it is."""
    if target.gateway is None:
        return []
    place, found = target.gateway, None if target.facts is None else target.facts.notebooks
    return [
        (
            "Server",
            place.url + (" (over a network without encryption)" if place.insecure and place.url.startswith("http:") else ""),
        ),
        ("Token from", f"the secret {place.token.name} of {place.token.workspace}" if place.token else "none is sent"),
        ("Trusts", place.ca_file or ""),
        ("Kernel", place.kernel or "that of the notebook"),
        ("For user", place.kernel_user or ""),
        ("Kernels", ", ".join(kernel.name for kernel in found.kernels) if found is not None else ""),
        ("Patience", text.duration(place.patience_s * 1000)),
        ("Fetches", f"up to {text.size(place.fetch_limit_bytes)} of a job"),
        ("Logs to", place.server_url or "its spool, which is fetched"),
    ]
