"""Wire types of environments: those that are defined in a workspace, and what runs ran in."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from jupyter_mlws.domain.environments.states import BuildStatus
from jupyter_mlws.kit.fields import Count, Tags, matching
from jupyter_mlws.kit.pagination import Limit

Line = Annotated[str, Meta(max_length=4000)]


class GitState(Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The state of the git repository a run was started from."""

    commit: Line | None = None
    branch: Line | None = None
    remote: Line | None = None
    """URL of `origin`, with credentials removed."""
    dirty: bool = False
    patch: Annotated[str, Meta(max_length=2_000_000)] | None = None
    """`git diff HEAD`, cut at 1 MB."""


class EnvironmentCapture(Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a run ran in."""

    language: Line | None = None
    language_version: Line | None = None
    executable: Line | None = None
    kernel_name: Line | None = None
    kernel_display_name: Line | None = None
    platform: Line | None = None
    host: Line | None = None
    cpu_count: Count | None = None
    memory_bytes: Count | None = None
    packages: Annotated[dict[str, str], Meta(max_length=20_000)] = {}
    """Installed distributions: name to version."""
    local_packages: Annotated[list[Line], Meta(max_length=20_000)] = []
    """Those of the packages that came from a folder, file or repository: no index has them by name and version."""
    environment: Line | None = None
    """The environment that the job named, as `name:version`."""
    git: GitState | None = None


# --- environments of a workspace

NAME_CHARS = 100
TEXT_CHARS = 65_536
EnvironmentName = Annotated[
    str,
    matching(
        r"^[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?$(?!\n)",
        "The name of an environment has letters, digits, `_`, `-` and `.`, begins with a letter or digit, and ends with no `-` or `.`",
        max_length=NAME_CHARS,
    ),
]
Reference = Annotated[str, Meta(min_length=1, max_length=500)]
"""`name`, `name:version` or `name@latest`, with `azureml:` before it or not; an address of a registry; or an alias."""
DefinitionText = Annotated[str, Meta(min_length=1, max_length=TEXT_CHARS)]


class KernelDefinition(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True, tag="kernel", tag_field="kind"):
    """A kernel that is installed, of whatever language; for notebooks."""

    kernel: Annotated[str, Meta(min_length=1, max_length=255)]
    """As `jupyter kernelspec list` names it."""


class PythonDefinition(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True, tag="python", tag_field="kind"):
    """A Python interpreter that is there already."""

    python: Annotated[str, Meta(min_length=1, max_length=4096)]
    """Absolute path of the interpreter, on the server's machine."""


class RequirementsDefinition(
    Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True, tag="requirements", tag_field="kind"
):
    """A virtual environment with the packages of a requirements.txt."""

    requirements: DefinitionText
    """The text of the file. It names no other files but wheels and folders by absolute paths."""
    python: Annotated[str, Meta(min_length=1, max_length=4096)] | UnsetType = UNSET
    """Python version (`3.11`) or absolute path of an interpreter; the server's own if left out."""
    notebooks: bool = True
    """Install `ipykernel` too, which notebooks need, where the packages do not bring it."""


class CondaDefinition(
    Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True, tag="conda", tag_field="kind"
):
    """An environment of conda's, built by micromamba, mamba or conda, whichever is there."""

    conda_file: DefinitionText
    """The text of the file (YAML)."""
    notebooks: bool = True
    """As of `requirements`."""


Definition = KernelDefinition | PythonDefinition | RequirementsDefinition | CondaDefinition


class EnvironmentCreate(Struct, kw_only=True, forbid_unknown_fields=True):
    """A new environment, or a new version of one."""

    name: EnvironmentName
    definition: Definition
    description: Annotated[str, Meta(max_length=10_000)] | UnsetType = UNSET
    tags: Tags | UnsetType = UNSET


class EnvironmentFromRun(Struct, kw_only=True, forbid_unknown_fields=True):
    """An environment to be made of what a run ran in."""

    name: EnvironmentName
    description: Annotated[str, Meta(max_length=10_000)] | UnsetType = UNSET
    tags: Tags | UnsetType = UNSET


class EnvironmentBuild(Struct, kw_only=True):
    """Whether a version can be used on this server's machine."""

    status: BuildStatus
    message: str
    """Why it cannot be used, or what is being waited for; empty where there is nothing to say."""
    hash: str | None
    """Of the definition, the interpreter and the platform: what has the same is built once. null where nothing is built."""
    started_at: int | None
    ended_at: int | None
    interpreter: str | None
    """Path of its Python interpreter, once it is there."""


class EnvironmentVersion(Struct, kw_only=True):
    """A version of an environment. It never changes."""

    name: str
    version: int
    definition: Definition
    description: str
    tags: dict[str, str]
    created_at: int
    created_by: str
    archived: bool
    build: EnvironmentBuild


class Environment(Struct, kw_only=True):
    """An environment of a workspace."""

    name: str
    archived: bool
    versions: int
    """How many there are; the numbers begin at 1."""
    latest: EnvironmentVersion


class EnvironmentList(Struct, kw_only=True):
    """Environments by name."""

    environments: list[Environment]
    next_cursor: str | None


class EnvironmentVersions(Struct, kw_only=True):
    """The versions of an environment, the newest first."""

    versions: list[EnvironmentVersion]
    next_cursor: str | None


class EnvironmentQuery(Struct):
    """Which environments."""

    archived: bool = False
    """The archived ones instead of the others."""
    limit: Limit = 100
    cursor: Annotated[str, Meta(max_length=1000)] | None = None


class VersionQuery(Struct):
    """Which versions."""

    limit: Limit = 50
    cursor: Annotated[str, Meta(max_length=1000)] | None = None


class BuildLogQuery(Struct):
    """From where on."""

    offset: Count = 0
    limit: Annotated[int, Meta(ge=1024, le=4 * 1024 * 1024)] = 512 * 1024


class BuildLog(Struct, kw_only=True):
    """A piece of the log of a build, in whole lines. Ask again from `next_offset` until it is `done`."""

    text: str
    offset: int
    next_offset: int
    size: int
    done: bool
    """No more comes: the build has ended, and `text` reaches its end."""


class EnvironmentAlias(Struct, kw_only=True):
    """A name that job files use elsewhere, and the environment that it means here."""

    alias: str
    """A reference; `*` in it stands for any text."""
    environment: str
    """`name`, `name:version` or `name@latest` of the workspace that the job is submitted to."""
    from_settings: bool
    """It stands in the server's settings; it can be given another meaning here, and not be removed."""


class AliasList(Struct, kw_only=True):
    """The alias table of this server."""

    aliases: list[EnvironmentAlias]


class AliasUpdate(Struct, kw_only=True, forbid_unknown_fields=True):
    """Changes of the alias table."""

    aliases: Annotated[dict[Reference, Reference | None], Meta(max_length=1000)]
    """The environment by alias; null removes an alias."""
