"""How an environment is made on this machine: by which interpreter and tools, in which steps, and kept under which hash. May block."""

from __future__ import annotations

import hashlib
import platform
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import UNSET

from jupyter_mlws.domain.environments import definitions
from jupyter_mlws.domain.environments.capture import python_of
from jupyter_mlws.domain.environments.errors import UnusableEnvironment
from jupyter_mlws.domain.environments.schemas import CondaDefinition, Definition, RequirementsDefinition
from jupyter_mlws.kit.child_env import inherited

CONDAS = ("micromamba", "mamba", "conda")
FORM = 2
"""Of the recipes: a change of what they do makes new environments."""
FOLDER = "env"
REQUIREMENTS = "requirements.txt"
CONDA_FILE = "environment.yml"
LEFT_OUT = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONSTARTUP", "UV_PROJECT_ENVIRONMENT")


class Recipe(NamedTuple):
    """What a build does."""

    steps: list[list[str]]
    """Programs with their arguments, one after the other."""
    files: dict[str, str]
    """Text of the files that the steps read, by name; they lie in the folder of the build."""
    interpreter: str
    """Path of the interpreter that is there afterwards."""
    needs_kernel: bool
    """Install `ipykernel` at the end if it is not there by then."""
    as_pip: bool = False
    """The steps are uv's, which is to ask the indexes that pip is set up for."""


def is_built(definition: Definition) -> bool:
    """Whether something has to be made before it can be used."""
    return isinstance(definition, (RequirementsDefinition, CondaDefinition))


def key_of(definition: RequirementsDefinition | CondaDefinition) -> str:
    """Under which name a build is kept: the same for whatever would become the same. Raises `UnusableEnvironment`."""
    made_with = ["conda"] if isinstance(definition, CondaDefinition) else list(_interpreter(definition))
    parts = [FORM, definitions.hash_of(definition), made_with, sys.platform, platform.machine(), *platform.libc_ver()]
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:32]


def recipe_of(definition: RequirementsDefinition | CondaDefinition, folder: Path) -> Recipe:
    """What is done in the folder of a build. Raises `UnusableEnvironment` where a tool is missing."""
    return _conda(definition, folder) if isinstance(definition, CondaDefinition) else _venv(definition, folder)


def tool_for(definition: RequirementsDefinition | CondaDefinition) -> str:
    """The program that builds it. Raises `UnusableEnvironment`."""
    if isinstance(definition, RequirementsDefinition):
        uv = _uv() if definitions.options_of(definition.requirements) <= definitions.OF_UV else None
        return uv or "pip"
    found = next((path for name in CONDAS if (path := shutil.which(name)) is not None), None)
    if found is None:
        raise UnusableEnvironment(
            f"A conda file needs one of {', '.join(CONDAS)} on the PATH of the server, and none is there. Install one of them, or make "
            "the environment of a requirements.txt.",
            field="definition.conda_file",
        )
    return found


def variables(folder: Path) -> dict[str, str]:
    """Variables of a build: the server's, without what would mix its packages with those that are installed."""
    env = {name: value for name, value in inherited().items() if name not in LEFT_OUT}
    return {
        **env,
        "PYTHONNOUSERSITE": "1",
        "PYTHONUNBUFFERED": "1",
        "UV_NO_PROGRESS": "1",
        "NO_COLOR": "1",
        "MLWS_JOB_DIR": str(folder),  # by which a supervisor's leavings are found
    }


def _uv() -> str | None:
    beside = Path(sys.executable).with_name("uv")
    return shutil.which("uv") or (str(beside) if beside.is_file() else None)


def _venv(definition: RequirementsDefinition, folder: Path) -> Recipe:
    env = folder / FOLDER
    python, _ = _interpreter(definition)
    interpreter, tool = str(env / "bin" / "python"), tool_for(definition)
    wanted = ["-r", str(folder / REQUIREMENTS)]
    if definition.notebooks and not definitions.names_package(definition.requirements, definitions.KERNEL_PACKAGE):
        wanted.append(definitions.KERNEL_PACKAGE)  # in one go with the others, so that their versions fit
    if tool != "pip" and "no-index" not in definitions.options_of(definition.requirements):
        wanted.append("pip")  # which uv leaves out, and people look for
    if tool == "pip":
        steps = [
            [python, "-m", "venv", str(env)],
            [interpreter, "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--progress-bar", "off", *wanted],
        ]
    else:
        steps = [
            [tool, "venv", "--no-project", "--no-config", "--python", python, str(env)],
            [tool, "pip", "install", "--python", interpreter, *wanted],
        ]
    return Recipe(steps, {REQUIREMENTS: definition.requirements}, interpreter, needs_kernel=False, as_pip=tool != "pip")


def _conda(definition: CondaDefinition, folder: Path) -> Recipe:
    tool, env = tool_for(definition), folder / FOLDER
    interpreter, file = str(env / "bin" / "python"), str(folder / CONDA_FILE)
    create = ["create"] if Path(tool).name == "micromamba" else ["env", "create"]
    steps = [[tool, *create, "--yes", "--prefix", str(env), "--file", file]]
    return Recipe(steps, {CONDA_FILE: definition.conda_file}, interpreter, needs_kernel=definition.notebooks)


def _interpreter(definition: RequirementsDefinition) -> tuple[str, str]:
    """(path, version) of the Python that a virtual environment is made with."""
    asked = definition.python
    if asked is UNSET:
        return sys.executable, platform.python_version()
    if definitions.VERSION.fullmatch(asked) is None:
        version, _, _ = python_of(asked)
        if version is None:
            raise UnusableEnvironment(f"{asked} is no Python interpreter that can be started here.", field="definition.python")
        return asked, version
    found = _of_version(asked)
    if found is None:
        raise UnusableEnvironment(
            f"There is no Python {asked} on the PATH of the server, which itself runs {platform.python_version()}. Install it, or name "
            "another version, or an interpreter by its path.",
            field="definition.python",
        )
    return found


def _of_version(asked: str) -> tuple[str, str] | None:
    candidates = [sys.executable] if _fits(platform.python_version(), asked) else []
    short = ".".join(asked.split(".")[:2])
    candidates += [path for name in (f"python{short}", "python3", "python") if (path := shutil.which(name)) is not None]
    for path in candidates:
        version = platform.python_version() if path == sys.executable else python_of(path)[0]
        if version is not None and _fits(version, asked):
            return path, version
    return None


def _fits(version: str, asked: str) -> bool:
    return version == asked or version.startswith(f"{asked}.")
