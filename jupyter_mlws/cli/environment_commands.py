"""`mlws environment`: what jobs run in, what runs ran in, the kernels there are, and the alias table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from jupyter_mlws.cli import azure_views, show
from jupyter_mlws.cli.context import Session, common, named, pairs, refuses, suggest
from jupyter_mlws.cli.failures import FAILED
from jupyter_mlws.sdk import text

if TYPE_CHECKING:
    from jupyter_mlws.domain.environments.schemas import EnvironmentCapture, EnvironmentVersion

NONE = "No environments. `mlws environment create NAME --requirements requirements.txt` makes one."
NO_ALIASES = "No aliases. `mlws environment alias set azureml:sklearn-1.5@latest NAME` sets one."
NO_KERNELS = "No kernel is installed: `pip install ipykernel` brings one."


@click.group("environment")
def command() -> None:
    """Environments: what jobs run in, and what each run ran in.

    `mlws job create --environment NAME` runs a job in one; NAME:VERSION and NAME@latest name a version.
    """


KEPT = "A version of an environment never changes, so that runs can name it"
refuses(command, "update", f"{KEPT}; `mlws environment create NAME` makes a further version.")
refuses(command, "delete", f"{KEPT}; `mlws environment archive NAME` hides it.")


@command.command("create")
@named("name", "environment_names")
@click.option("--requirements", metavar="FILE", shell_complete=suggest("requirements"), help="Packages, as pip reads them.")
@click.option("--conda", metavar="FILE", shell_complete=suggest("job_files"), help="Conda file, for micromamba, mamba or conda.")
@click.option("--kernel", metavar="NAME", shell_complete=suggest("kernels"), help="An installed kernel, of whatever language.")
@click.option(
    "--python", metavar="PATH", help="An interpreter of the server's machine; with --requirements also a version, such as 3.11."
)
@click.option(
    "--from-run", metavar="RUN", shell_complete=suggest("runs"), help="What a run ran in: its packages with their versions."
)
@click.option("--no-ipykernel", is_flag=True, help="Do not add ipykernel, without which no notebook runs there.")
@click.option("--description", metavar="TEXT", help="What it is for.")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="A tag. May be repeated.")
@click.option("--build", is_flag=True, help="Build it, and follow the build.")
@common
def create(session: Session, name: str, tags: tuple[str, ...], **options: Any) -> None:
    """Make an environment, or a further version of it. The same definition again is the version that has it.

    It is built when the first job needs it, or now (--build).
    """
    build, run = options.pop("build"), options.pop("from_run")
    found = session.workspace.environments.create(
        name,
        from_run=None if run is None else session.run_id(run),
        notebooks=not options.pop("no_ipykernel"),
        tags=pairs(tags, "--tag"),
        **options,
    )
    if build and found.build.hash is not None:
        _build(session, found, follow=True)
        return
    _version(session, found)


@command.command("list")
@click.option("--kernels", is_flag=True, help="The kernels that are installed instead.")
@click.option("--archived-only", is_flag=True, help="The archived ones.")
@common
def list_environments(session: Session, kernels: bool, archived_only: bool) -> None:
    """List environments, or (--kernels) the kernels that there are."""
    if kernels:
        show.many(session, session.workspace.environments.kernels(), empty=NO_KERNELS)
        return
    show.many(session, session.workspace.environments.list(archived=archived_only), empty=NONE)


@command.command("show")
@named("environment", "environments")
@click.option("--packages", is_flag=True, help="Of a run: the installed packages, as requirements.")
@click.option("--versions", is_flag=True, help="List all versions.")
@common
def show_environment(session: Session, environment: str, packages: bool, versions: bool) -> None:
    """Show an environment; or a kernel; or, named by a run, what that run ran in: interpreter, platform, packages, git."""
    from jupyter_mlws.kit.ids import is_id  # noqa: PLC0415 - with the client it is there
    from jupyter_mlws.sdk.errors import NotFound  # noqa: PLC0415

    if is_id(environment):
        _capture(session, environment, packages=packages)
        return
    try:
        if versions:
            show.many(session, session.workspace.environments.versions(environment), empty="")
        else:
            _version(session, session.workspace.environments.get(environment))
    except NotFound as error:
        if error.code != "environment_not_found" or ":" in environment or versions:
            raise
        _kernel_or_run(session, environment, packages=packages)


def _kernel_or_run(session: Session, environment: str, *, packages: bool) -> None:
    kernel = next((one for one in session.workspace.environments.kernels() if one.name == environment), None)
    if kernel is None:
        _capture(session, session.run_id(environment), packages=packages)
        return
    rows = [("Kernel", kernel.name), ("Name", kernel.display_name), ("Language", kernel.language)]
    show.one(session, {"name": kernel.name, "display_name": kernel.display_name, "language": kernel.language}, rows)


@command.command("build")
@named("environment", "environment_names")
@click.option("--follow", is_flag=True, help="Print the log until the build has ended; the exit code tells whether it worked.")
@click.option("--cancel", is_flag=True, help="End the build that is going on.")
@common
def build(session: Session, environment: str, follow: bool, cancel: bool) -> None:
    """Build an environment, also after a build that failed. What is there already is not built again."""
    found = session.workspace.environments.get(environment)
    if cancel:
        session.workspace.environments.cancel_build(f"{found.name}:{found.version}")
        _version(session, session.workspace.environments.wait(f"{found.name}:{found.version}"))
        return
    _build(session, found, follow=follow)


@command.command("log")
@named("environment", "environment_names")
@common
def log(session: Session, environment: str) -> None:
    """Print the log of the last build."""
    found, offset = session.workspace.environments.get(environment), 0
    while True:
        piece = session.workspace.environments.log(f"{found.name}:{found.version}", offset=offset)
        click.echo(piece.text, nl=False)
        if piece.done or piece.next_offset == offset:
            return
        offset = piece.next_offset


@command.command("archive")
@named("name", "environment_names")
@common
def archive(session: Session, name: str) -> None:
    """Hide an environment: new jobs cannot name it, and lists leave it out."""
    _version(session, session.workspace.environments.archive(name).latest)


@command.command("restore")
@named("name", "environment_names")
@common
def restore(session: Session, name: str) -> None:
    """Bring an environment back from the archive."""
    _version(session, session.workspace.environments.restore(name).latest)


@command.group("alias")
def alias_group() -> None:
    """What environments of job files from elsewhere are called here. The table is the server's, for all its workspaces."""


@alias_group.command("list")
@common
def list_aliases(session: Session) -> None:
    """List the aliases."""
    show.many(session, session.workspace.environments.aliases(), empty=NO_ALIASES)


@alias_group.command("set")
@click.argument("alias")
@click.argument("environment", shell_complete=suggest("environment_names"))
@common
def set_alias(session: Session, alias: str, environment: str) -> None:
    """Let ALIAS (azureml:sklearn-1.5@latest, an address of a registry; * for any text) mean ENVIRONMENT."""
    session.workspace.environments.set_alias(alias, environment)
    show.one(session, {"alias": alias, "environment": environment}, [("Alias", alias), ("Environment", environment)])


@alias_group.command("delete")
@click.argument("alias")
@common
def delete_alias(session: Session, alias: str) -> None:
    """Remove an alias."""
    if alias not in {one.alias for one in session.workspace.environments.aliases()}:
        raise click.UsageError(f"There is no alias {alias[:80]!r}; `mlws environment alias list` shows those there are.")
    session.workspace.environments.set_alias(alias, None)
    show.one(session, {"alias": alias, "deleted": True}, [("Deleted", alias)])


def _build(session: Session, found: EnvironmentVersion, *, follow: bool) -> None:
    exact, here = f"{found.name}:{found.version}", session.workspace.environments
    if found.build.status.value != "Ready" or found.build.hash is None:
        here.build(exact)
        if follow:
            for piece in here.follow(exact):
                click.echo(piece, nl=False, err=session.output != "table")
            found = here.wait(exact)
        else:
            found = here.get(exact)
    _version(session, found)
    if found.build.status.value == "Failed":
        raise click.exceptions.Exit(FAILED)


def _version(session: Session, found: EnvironmentVersion) -> None:
    definition: dict[str, Any] = azure_views.plain(found.definition)
    kind = definition.pop("kind")
    rows = [
        ("Environment", f"{found.name}:{found.version}"),
        ("Kind", kind),
        ("Status", text.status(found.build.status.value)),
        ("", found.build.message),
        ("Description", found.description),
        ("Archived", "yes" if found.archived else ""),
        ("Made", f"{text.moment(found.created_at)} by {found.created_by}"),
        ("Interpreter", found.build.interpreter or ""),
        ("Tags", "\n".join(f"{key} = {value}" for key, value in found.tags.items())),
        *((name.replace("_", " ").capitalize(), str(value).rstrip()) for name, value in definition.items()),
    ]
    show.one(session, azure_views.environment_version_json(found), rows)


def _capture(session: Session, run_id: str, *, packages: bool) -> None:
    found = session.workspace.environments.show(run_id)
    if packages and session.output == "table":
        for name, version in sorted(found.packages.items()):
            click.echo(text.printable(f"{name}=={version}"))
        return
    rows = _rows(found)
    if not any(value for _, value in rows) and session.output == "table":
        show.said("Nothing was captured of this run.")
    show.one(session, azure_views.environment_json(run_id, found), rows)


def _rows(found: EnvironmentCapture) -> list[tuple[str, str]]:
    git: Any = found.git
    return [
        ("Environment", found.environment or ""),
        ("Language", f"{found.language or ''} {found.language_version or ''}".strip()),
        ("Interpreter", found.executable or ""),
        ("Kernel", found.kernel_display_name or found.kernel_name or ""),
        ("Platform", found.platform or ""),
        ("Host", found.host or ""),
        ("CPUs", str(found.cpu_count or "")),
        ("Memory", text.size(found.memory_bytes)),
        ("Packages", f"{len(found.packages)} (--packages lists them)" if found.packages else ""),
        ("Commit", f"{git.commit}{' with uncommitted changes' if git.dirty else ''}" if git and git.commit else ""),
        ("Branch", git.branch or "" if git else ""),
        ("Remote", git.remote or "" if git else ""),
    ]
