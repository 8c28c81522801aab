"""Kinds of jobs: what each freezes at submit, and what it starts.

Kinds are entry points of the group `jupyter_mlws.job_kinds`. A package that brings one derives it from `ExtensionKind`; its jobs are
submitted with the spec `{"kind": "extension", "extension": <name>, "settings": {…}}`.
"""

from __future__ import annotations

import functools
import logging
import sys
from importlib.metadata import entry_points
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

import msgspec
from msgspec import UNSET

from jupyter_mlws.domain.jobs import sources
from jupyter_mlws.domain.jobs.errors import UnknownKind
from jupyter_mlws.domain.jobs.schemas import CommandSpec, ExtensionSpec, NotebookSpec, Spec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_mlws.domain.jobs.schemas import JobCreate
    from jupyter_mlws.domain.jobs.service import Prepared
    from jupyter_mlws.kit.actors import Actor
    from jupyter_mlws.kit.transactions import Transactions

log = logging.getLogger(__name__)

GROUP = "jupyter_mlws.job_kinds"


class Launch(NamedTuple):
    """What a job's supervisor starts."""

    argv: list[str]
    sections: Mapping[str, Any] = MappingProxyType({})
    """What the program that is started reads from `job.json`, by name."""
    folders: tuple[str, ...] = ()
    """Folders to make in the working folder, where they are not there."""


class JobKind(Protocol):
    """One kind of job. All methods may block; they are called from threads."""

    def freeze(self, db: Transactions, services: Any, actor: Actor, body: JobCreate) -> Prepared:
        """Check what is asked for, and store the bytes that it runs."""

    def launch(self, spec: Any, cwd: Path, job_dir: Path) -> Launch:
        """What to start in the working folder `cwd`; `job_dir` is the job's folder."""


class NotebookKind:
    """A notebook, run by papermill."""

    def freeze(self, db: Transactions, services: Any, actor: Actor, body: JobCreate) -> Prepared:
        """The notebook and the files of its folder."""
        return sources.notebook(db, services, actor, body)

    def launch(self, spec: NotebookSpec, cwd: Path, job_dir: Path) -> Launch:
        """Our runner; what it runs stands in `job.json`."""
        notebook = {
            "input": str(cwd / Path(spec.notebook).name),
            "kernel": spec.kernel if isinstance(spec.kernel, str) else None,
            "parameters": spec.parameters if isinstance(spec.parameters, dict) else {},
            "cwd": str(cwd),
        }
        return Launch([sys.executable, "-m", "jupyter_mlws.runner.notebook", str(job_dir)], {"notebook": notebook})


class CommandKind:
    """A shell line, run by bash."""

    def freeze(self, db: Transactions, services: Any, actor: Actor, body: JobCreate) -> Prepared:
        """The files of the code folder, if one is named, once the data is there."""
        assert isinstance(body.spec, CommandSpec)  # noqa: S101 - the kind was chosen by it
        spec = sources.placed_data(services, actor, body.spec)
        body = msgspec.structs.replace(body, spec=spec)
        return sources.code(db, services, actor, body, source=spec.command, experiment="commands")

    def launch(self, spec: CommandSpec, cwd: Path, job_dir: Path) -> Launch:
        """Bash, in a folder with `outputs/` and `logs/`."""
        del cwd, job_dir
        return Launch(["/bin/bash", "-c", spec.command], folders=("outputs", "logs"))


class ExtensionKind:
    """What kinds of other packages derive from: they check their settings and name the program to start."""

    def check(self, settings: dict[str, Any]) -> dict[str, Any]:
        """The settings, completed by defaults. Raises `BadInput` with a sentence and `field="spec.settings.<name>"`."""
        return settings

    def params(self, settings: dict[str, Any]) -> dict[str, str]:
        """Params of the run; all settings, unless the kind knows better."""
        return {name: str(value) for name, value in settings.items()}

    def argv(self, settings: dict[str, Any], cwd: Path) -> list[str]:
        """The program and its arguments; it is started in `cwd`, a copy of the code folder."""
        raise NotImplementedError(f"{type(self).__name__} says nothing about what to start")

    def freeze(self, db: Transactions, services: Any, actor: Actor, body: JobCreate) -> Prepared:
        """The files of the code folder, if one is named."""
        spec = body.spec
        assert isinstance(spec, ExtensionSpec)  # noqa: S101 - the kind was chosen by it
        settings = self.check(dict(spec.settings) if spec.settings is not UNSET else {})
        prepared = sources.code(db, services, actor, body, source=spec.extension, experiment=spec.extension)
        return prepared._replace(spec=msgspec.structs.replace(spec, settings=settings), params=self.params(settings))

    def launch(self, spec: ExtensionSpec, cwd: Path, job_dir: Path) -> Launch:
        """The program, in a folder with `outputs/` and `logs/`."""
        del job_dir
        settings = dict(spec.settings) if spec.settings is not UNSET else {}
        return Launch(self.argv(settings, cwd), folders=("outputs", "logs"))


@functools.cache
def _kinds() -> tuple[dict[str, JobKind], dict[str, str]]:
    """The kinds that are installed, and why some of them cannot be used; both by name."""
    found: dict[str, JobKind] = {}
    broken: dict[str, str] = {}
    for point in entry_points(group=GROUP):
        try:
            found[point.name] = cast("JobKind", point.load()())
        except Exception as error:  # another package's code: whatever is wrong there must not stop ours
            log.exception("The kind of jobs %r could not be loaded from %s", point.name, point.value)
            broken[point.name] = f"{type(error).__name__}: {error}"
    return found, broken


def kind_of(spec: Spec) -> JobKind:
    """The kind that a spec names. Raises `UnknownKind`."""
    extension = isinstance(spec, ExtensionSpec)
    name = spec.extension if isinstance(spec, ExtensionSpec) else str(spec.__struct_config__.tag)
    kinds, broken = _kinds()
    found = kinds.get(name)
    if found is not None and extension is isinstance(found, ExtensionKind):
        return found
    if name in broken:
        raise UnknownKind(
            f"Jobs of the kind {name!r} cannot run here: its package fails with {broken[name]}", field="spec.extension"
        )
    there = sorted(name for name, kind in kinds.items() if isinstance(kind, ExtensionKind))
    raise UnknownKind(
        f"No installed package brings jobs of the kind {name[:80]!r}; there are: {', '.join(there) or 'none'}.",
        field="spec.extension",
    )
