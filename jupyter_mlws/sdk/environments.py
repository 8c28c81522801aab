"""Environments: make, build and list them; and what runs ran in."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import UNSET

from jupyter_mlws.domain.environments.schemas import (
    AliasList,
    AliasUpdate,
    BuildLog,
    CondaDefinition,
    Definition,
    Environment,
    EnvironmentAlias,
    EnvironmentBuild,
    EnvironmentCapture,
    EnvironmentCreate,
    EnvironmentFromRun,
    EnvironmentList,
    EnvironmentVersion,
    EnvironmentVersions,
    KernelDefinition,
    PythonDefinition,
    RequirementsDefinition,
)
from jupyter_mlws.domain.environments.states import BuildStatus
from jupyter_mlws.domain.jobs.schemas import KernelChoice, KernelList
from jupyter_mlws.sdk import forms
from jupyter_mlws.sdk.errors import BadInput
from jupyter_mlws.sdk.table import Table
from jupyter_mlws.sdk.transport import SUBMIT_TIMEOUT_S, segment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jupyter_mlws.sdk.workspace import Workspace

POLL_S = 0.3
PAGE = 200


class Environments:
    """`ws.environments`. An environment is named as `name` (its newest version), `name:version` or `name@latest`."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._ask = workspace.transport.ask

    def create(
        self,
        name: str,
        *,
        requirements: str | Path | None = None,
        conda: str | Path | None = None,
        kernel: str | None = None,
        python: str | None = None,
        from_run: str | None = None,
        notebooks: bool = True,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> EnvironmentVersion:
        """Make an environment, or a further version of it: of one of these. The same definition again is the version that has it.

        `requirements` and `conda` are files of this machine, `kernel` an installed kernel and `python` the absolute path of an
        interpreter, both of the server's machine; beside `requirements`, `python` says which Python (a version, or such a path).
        `from_run`: what that run ran in. `notebooks=False`: do without `ipykernel`. Raises `BadInput` for a definition that cannot be
        kept. Nothing is built before `build`, or the first job.
        """
        texts = {"description": UNSET if description is None else description, "tags": dict(tags) if tags else UNSET}
        if from_run is not None:
            if not (requirements is conda is kernel is python is None):
                raise _bad("Of a run alone: `from_run` goes with no other definition.")
            body = EnvironmentFromRun(name=name, **texts)  # type: ignore[arg-type]
            return self._ask("POST", f"/runs/{segment(from_run)}/environment", EnvironmentVersion, body=body)
        definition = _definition(requirements, conda, kernel, python, notebooks=notebooks)
        new = EnvironmentCreate(name=name, definition=definition, **texts)  # type: ignore[arg-type]
        return self._ask("POST", self._path(), EnvironmentVersion, body=new, timeout=SUBMIT_TIMEOUT_S)

    def list(self, *, archived: bool = False) -> Table[Environment]:
        """The environments of the workspace, or the archived ones."""
        found: list[Environment] = []
        cursor: str | None = None
        while True:
            query = {"archived": archived, "limit": PAGE, "cursor": cursor}
            page = self._ask("GET", self._path(), EnvironmentList, query=query)
            found += page.environments
            cursor = page.next_cursor
            if cursor is None:
                return Table(found, forms.ENVIRONMENTS)

    def get(self, environment: str) -> EnvironmentVersion:
        """A version of an environment. Raises `NotFound`."""
        return self._ask("GET", self._version(environment), EnvironmentVersion)

    def versions(self, name: str) -> Table[EnvironmentVersion]:
        """All versions of an environment, the newest first."""
        found: list[EnvironmentVersion] = []
        cursor: str | None = None
        while True:
            page = self._ask("GET", self._path(name), EnvironmentVersions, query={"limit": PAGE, "cursor": cursor})
            found += page.versions
            cursor = page.next_cursor
            if cursor is None:
                return Table(found, forms.ENVIRONMENT_VERSIONS)

    def build(self, environment: str) -> EnvironmentBuild:
        """Begin to build it, also after a build that failed; what is there stays. Raises `Conflict` where nothing is to be built."""
        return self._ask("POST", f"{self._version(environment)}/build", EnvironmentBuild)

    def cancel_build(self, environment: str) -> EnvironmentBuild:
        """End the build, with all its processes. Raises `Conflict` where there is none."""
        return self._ask("POST", f"{self._version(environment)}/build/cancel", EnvironmentBuild)

    def log(self, environment: str, *, offset: int = 0) -> BuildLog:
        """A piece of the log of the last build, from a byte offset on."""
        return self._ask("GET", f"{self._version(environment)}/build/log", BuildLog, query={"offset": offset})

    def follow(self, environment: str, *, every: float = POLL_S) -> Iterator[str]:
        """The log of the build as it grows, until the build has ended."""
        found = self.get(environment)
        exact, offset = f"{found.name}:{found.version}", 0
        while True:
            piece = self.log(exact, offset=offset)
            offset, caught_up = piece.next_offset, piece.next_offset == offset
            if piece.text:
                yield piece.text
            if piece.done:
                return
            if caught_up:
                time.sleep(every)

    def wait(self, environment: str, *, every: float = POLL_S) -> EnvironmentVersion:
        """The version once no build of it goes on any more."""
        found = self.get(environment)
        while found.build.status is BuildStatus.BUILDING:
            time.sleep(every)
            found = self.get(f"{found.name}:{found.version}")
        return found

    def archive(self, name: str) -> Environment:
        """Hide an environment from lists and new jobs."""
        return self._ask("POST", f"{self._path(name)}/archive", Environment)

    def restore(self, name: str) -> Environment:
        """Bring it back."""
        return self._ask("POST", f"{self._path(name)}/restore", Environment)

    def aliases(self) -> Table[EnvironmentAlias]:
        """What job files of elsewhere call environments, and what that means on this server."""
        return Table(self._ask("GET", "/environment-aliases", AliasList).aliases, forms.ENVIRONMENT_ALIASES)

    def set_alias(self, alias: str, environment: str | None) -> Table[EnvironmentAlias]:
        """Let an alias (`azureml:sklearn-1.5@latest`; `*` for any text) mean an environment; None removes it. For all workspaces."""
        found = self._ask("PATCH", "/environment-aliases", AliasList, body=AliasUpdate(aliases={alias: environment}))
        return Table(found.aliases, forms.ENVIRONMENT_ALIASES)

    def kernels(self) -> Table[KernelChoice]:
        """The kernels that are installed on the server's machine."""
        return Table(self._ask("GET", "/kernels", KernelList).kernels, forms.KERNELS)

    def show(self, run: str) -> EnvironmentCapture:
        """What a run ran in: interpreter, platform, packages, git."""
        return self._ask("GET", f"/runs/{segment(run)}/environment", EnvironmentCapture)

    def _path(self, name: str | None = None) -> str:
        return f"{self._workspace.path}/environments" + ("" if name is None else f"/{segment(name)}")

    def _version(self, environment: str) -> str:
        name, colon, version = environment.removeprefix("azureml:").removesuffix("@latest").partition(":")
        return f"{self._path(name)}/versions/{segment(version if colon else 'latest')}"


def _definition(
    requirements: str | Path | None, conda: str | Path | None, kernel: str | None, python: str | None, *, notebooks: bool
) -> Definition:
    given = [one for one in (requirements, conda, kernel) if one is not None]
    if len(given) > 1 or (python is not None and requirements is None and given) or (not given and python is None):
        raise _bad(
            "Say one of `requirements` (with `python` beside it, if you like), `conda`, `kernel`, `python` and `from_run`."
        )
    if requirements is not None:
        text = _text(requirements)
        return RequirementsDefinition(requirements=text, python=UNSET if python is None else python, notebooks=notebooks)
    if conda is not None:
        return CondaDefinition(conda_file=_text(conda), notebooks=notebooks)
    return KernelDefinition(kernel=kernel) if kernel is not None else PythonDefinition(python=str(python))


def _text(file: str | Path) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise _bad(f"{file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise _bad(f"{file} is no text in UTF-8.") from None


def _bad(words: str) -> BadInput:
    return BadInput(words, status=400, code="bad_input", field="definition")
