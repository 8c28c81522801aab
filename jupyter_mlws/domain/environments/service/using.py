"""Using environments on this machine: whether one is there, its build, and where its interpreter lies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from jupyter_mlws.domain.environments import definitions, recipes
from jupyter_mlws.domain.environments.capture import python_of
from jupyter_mlws.domain.environments.errors import NothingToBuild, UnusableDefinition, UnusableEnvironment
from jupyter_mlws.domain.environments.logs import read_build_log
from jupyter_mlws.domain.environments.schemas import (
    BuildLog,
    CondaDefinition,
    Definition,
    Environment,
    EnvironmentBuild,
    EnvironmentList,
    EnvironmentVersion,
    EnvironmentVersions,
    KernelDefinition,
    PythonDefinition,
    RequirementsDefinition,
)
from jupyter_mlws.domain.environments.states import BuildStatus
from jupyter_mlws.kit.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from jupyter_mlws.domain.environments.builds import Builds, State, Whose
    from jupyter_mlws.domain.environments.service.choosing import Chosen


T = TypeVar("T")


class Place(NamedTuple):
    """Where the interpreter of an environment lies."""

    interpreter: str

    def variables(self) -> dict[str, str]:
        """Variables of processes that run there: what activating it would set. `PATH` is the folder to put first."""
        folder = Path(self.interpreter).parent
        found = {"PATH": str(folder)}
        if (folder.parent / "conda-meta").is_dir():
            found["CONDA_PREFIX"] = str(folder.parent)
        elif (folder.parent / "pyvenv.cfg").is_file():
            found["VIRTUAL_ENV"] = str(folder.parent)
        return found


class Environments:
    """One a server that owns its data folder. All methods may block."""

    def __init__(self, builds: Builds, kernels: Callable[[], Collection[str]]) -> None:
        self.builds = builds
        self._kernels = kernels

    def tell(self, definition: Definition, whose: Whose | None = None) -> EnvironmentBuild:
        """How far a definition is built here."""
        if isinstance(definition, KernelDefinition):
            there = definition.kernel in self._kernels()
            return _told(there, f"The kernel {definition.kernel!r} is not installed here.", None)
        if isinstance(definition, PythonDefinition):
            there = Path(definition.python).is_file()
            return _told(there, f"There is no interpreter {definition.python} here.", definition.python)
        try:
            key = recipes.key_of(definition)
        except UnusableEnvironment as error:
            return EnvironmentBuild(
                status=BuildStatus.FAILED, message=error.message, hash=None, started_at=None, ended_at=None, interpreter=None
            )
        return _wire(key, self.builds.state(key, whose))

    def told(self, found: T) -> T:
        """What was read of environments, with how far each is built."""
        if isinstance(found, EnvironmentVersion):
            found.build = self.tell(found.definition)
        elif isinstance(found, Environment):
            self.told(found.latest)
        elif isinstance(found, EnvironmentVersions):
            for version in found.versions:
                self.told(version)
        elif isinstance(found, EnvironmentList):
            for one in found.environments:
                self.told(one)
        return found

    def check(self, definition: Definition) -> Definition:
        """A definition that can be kept and used here. Raises `UnusableDefinition` or `UnusableEnvironment`."""
        definition = definitions.checked(definition)
        if isinstance(definition, KernelDefinition) and definition.kernel not in self._kernels():
            there = ", ".join(sorted(self._kernels())) or "none"
            words = f"The kernel {definition.kernel!r} is not installed. Installed are: {there}."
            raise UnusableDefinition(words, field="definition.kernel")
        if isinstance(definition, PythonDefinition) and python_of(definition.python)[0] is None:
            words = f"{definition.python} is no Python interpreter that can be started on the server's machine."
            raise UnusableDefinition(words, field="definition.python")
        if isinstance(definition, (RequirementsDefinition, CondaDefinition)):
            recipes.key_of(definition)
            recipes.tool_for(definition)
        return definition

    def build(self, definition: Definition, whose: Whose, *, again: bool = True) -> EnvironmentBuild:
        """Begin to build what is not there; with `again` what failed, too."""
        if not isinstance(definition, (RequirementsDefinition, CondaDefinition)):
            raise NothingToBuild("Nothing of this environment is built: it names what is there already.")
        key = recipes.key_of(definition)
        return _wire(key, self.builds.ensure(key, definition, whose, again=again))

    def cancel(self, definition: Definition) -> EnvironmentBuild:
        """End the build. Raises `NothingToBuild`."""
        key = self.tell(definition).hash
        if key is None or not self.builds.cancel(key):
            raise NothingToBuild("Nothing of this environment is being built.")
        return self.tell(definition)

    def log(self, definition: Definition, offset: int, limit: int) -> BuildLog:
        """A piece of the log of the last build."""
        key = self.tell(definition).hash
        path, going_on = self.builds.log_of(key) if key is not None else (None, False)
        return read_build_log(path, offset, limit, ended=not going_on)

    def ready(self, chosen: Chosen, whose: Whose) -> EnvironmentBuild:
        """For a job that waits: whether it can begin. What is not built is begun to be; what failed is not tried again."""
        found = self.tell(chosen.definition, whose)
        if found.status is BuildStatus.NOT_BUILT and found.hash is not None:
            return self.build(chosen.definition, whose, again=False)
        return found

    def place(self, chosen: Chosen) -> Place | None:
        """Where its interpreter lies; None for a kernel. Raises `UnusableEnvironment` for one that is not there."""
        if isinstance(chosen.definition, KernelDefinition):
            return None
        found = self.tell(chosen.definition)
        if found.status is not BuildStatus.READY or found.interpreter is None:
            raise UnusableEnvironment(f"The environment {chosen.shown} is not there: {found.message or found.status.value}")
        if found.hash is not None:
            self.builds.note_use(found.hash)
            if self.tell(chosen.definition).status is not BuildStatus.READY:  # it was being removed as the last one looked
                raise Unavailable(
                    f"What was built of {chosen.shown} was just removed, for nobody had used it; it is built again."
                )
        return Place(found.interpreter)

    def check_notebooks(self, chosen: Chosen, *, field: str = "environment") -> None:
        """Raise `UnusableEnvironment` for one that is known to have no `ipykernel`, by which notebooks run."""
        definition = chosen.definition
        if isinstance(definition, KernelDefinition):
            return
        if isinstance(definition, PythonDefinition):
            if "ipykernel" not in python_of(definition.python)[1]:
                words = f"`{definition.python} -m pip install ipykernel` installs it."
                raise UnusableEnvironment(f"Notebooks need ipykernel, which {chosen.shown} has not: {words}", field=field)
            return
        if not definition.notebooks and not self._has_kernel(definition):
            raise UnusableEnvironment(
                f"Notebooks need ipykernel, and the environment {chosen.shown} was defined to do without: add it to its packages, or "
                "leave `notebooks` true.",
                field=field,
            )

    def _has_kernel(self, definition: RequirementsDefinition | CondaDefinition) -> bool:
        if isinstance(definition, RequirementsDefinition) and definitions.names_package(definition.requirements, "ipykernel"):
            return True
        state = self.builds.state(recipes.key_of(definition))
        return state.status is BuildStatus.READY and state.has_kernel


def _told(there: bool, why: str, interpreter: str | None) -> EnvironmentBuild:
    status = BuildStatus.READY if there else BuildStatus.FAILED
    return EnvironmentBuild(
        status=status,
        message="" if there else why,
        hash=None,
        started_at=None,
        ended_at=None,
        interpreter=interpreter if there else None,
    )


def _wire(key: str, state: State) -> EnvironmentBuild:
    return EnvironmentBuild(
        status=state.status,
        message=state.message,
        hash=key,
        started_at=state.started_at,
        ended_at=state.ended_at,
        interpreter=state.interpreter,
    )
