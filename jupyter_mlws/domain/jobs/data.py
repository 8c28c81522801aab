"""Inputs and outputs of command jobs: checked at submit, laid beside the job before it starts, delivered at its end.

While the job runs an input lies in `inputs/<name>/` of its folder, a link or a copy under its own name. An output lies in `outputs/` of
the folder that the job runs in, and is captured with it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec
from msgspec import UNSET

from jupyter_mlws.domain.jobs.errors import DataMissing
from jupyter_mlws.domain.jobs.layout import copy_file
from jupyter_mlws.domain.jobs.mirrors import mirrored
from jupyter_mlws.domain.jobs.schemas import CommandSpec
from jupyter_mlws.domain.runs.schemas import RunIO
from jupyter_mlws.kit.addresses import is_elsewhere
from jupyter_mlws.kit.errors import BadInput, MlwsError
from jupyter_mlws.kit.paths import open_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from jupyter_mlws.domain.jobs.schemas import DataType, JobInput, JobOutput

    Resolve = Callable[[str, str], Path]

FOLDER = "inputs"
OUTPUTS = "outputs"
EXPRESSION = re.compile(r"\$\{\{\s*(inputs|outputs)\.([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
DIGEST_BYTES = 64 * 1024 * 1024
"""Of a larger file no digest is noted: reading it would hold up the submit."""
KINDS: dict[str, Literal["uri_file", "uri_folder", "mltable", "model"]] = {
    "uri_file": "uri_file",
    "uri_folder": "uri_folder",
    "mltable": "mltable",
}
"""How a run calls types of data; all others are models."""


class Places(NamedTuple):
    """Where inputs and outputs lie while the job runs, by name."""

    inputs: dict[str, str]
    outputs: dict[str, str]

    def variables(self) -> dict[str, str]:
        """Environment variables as Azure's jobs have them."""
        named = {f"AZURE_ML_INPUT_{name}": path for name, path in self.inputs.items()}
        named |= {f"AZURE_ML_OUTPUT_{name}": path for name, path in self.outputs.items()}
        return named | {f"AZUREML_DATAREFERENCE_{name}": path for name, path in (self.inputs | self.outputs).items()}

    def put_into(self, command: str) -> str:
        """The command with paths in the place of its expressions, as they are: quotes are the command's to write."""
        by_side = {"inputs": self.inputs, "outputs": self.outputs}
        return EXPRESSION.sub(lambda found: by_side[found[1]].get(found[2], found[0]), command)


def inputs_of(spec: CommandSpec) -> dict[str, JobInput]:
    """The data that a command reads."""
    return spec.inputs if isinstance(spec.inputs, dict) else {}


def outputs_of(spec: CommandSpec) -> dict[str, JobOutput]:
    """The data that a command writes."""
    return spec.outputs if isinstance(spec.outputs, dict) else {}


# ---- at submit


def check_expressions(spec: CommandSpec, field: str = "spec.command") -> None:
    """A command that has data names none that is not declared."""
    sides: dict[str, Any] = {"inputs": inputs_of(spec), "outputs": outputs_of(spec)}
    if not any(sides.values()):
        return  # the expressions are the shell's own affair
    for side, name in EXPRESSION.findall(spec.command):
        if name not in sides[side]:
            there = ", ".join(sides[side]) or "none"
            raise BadInput(f"The command names {side}.{name}; declared {side} are: {there}.", field=field)


def placed(spec: CommandSpec, resolve: Resolve, mirrors: Mapping[str, str]) -> CommandSpec:
    """The spec with whole paths for what lies on this disk, once all is there. `resolve` takes a path and the name of its field."""
    check_expressions(spec)
    inputs = {name: _placed_input(name, one, resolve, mirrors) for name, one in inputs_of(spec).items()}
    outputs = {name: _placed_output(name, one, resolve, mirrors) for name, one in outputs_of(spec).items()}
    return msgspec.structs.replace(spec, inputs=inputs or UNSET, outputs=outputs or UNSET)


def _placed_input(name: str, one: JobInput, resolve: Resolve, mirrors: Mapping[str, str]) -> JobInput:
    field = f"spec.inputs.{name}.path"
    if is_elsewhere(one.path):
        if one.mode != "direct":
            _there(mirrored(mirrors, one.path, field=field), one, field)
        return one
    real = resolve(one.path, field)
    _there(real, one, field)
    return msgspec.structs.replace(one, path=str(real))


def _placed_output(name: str, one: JobOutput, resolve: Resolve, mirrors: Mapping[str, str]) -> JobOutput:
    field = f"spec.outputs.{name}.path"
    if one.path is UNSET:
        return one
    target = mirrored(mirrors, one.path, field=field) if is_elsewhere(one.path) else resolve(one.path, field)
    if target.is_dir() if is_file(one.type) else target.is_file():
        what, other = ("file", "folder") if is_file(one.type) else ("folder", "file")
        raise BadInput(f"A {what} is to be written at {one.path[:200]!r}, where a {other} lies.", field=field)
    return one if is_elsewhere(one.path) else msgspec.structs.replace(one, path=str(target))


def is_file(kind: DataType) -> bool:
    """Whether data of this type is one file."""
    return kind == "uri_file"


def _there(real: Path, one: JobInput, field: str) -> None:
    wanted = "file" if is_file(one.type) else "file or folder" if one.type.endswith("_model") else "folder"
    if (real.is_file() and "file" in wanted) or (real.is_dir() and "folder" in wanted):
        return
    found = "a folder" if real.is_dir() else "a file" if real.is_file() else "nothing that can be read"
    at = f" (there: {real})" if is_elsewhere(one.path) else ""
    raise DataMissing(f"An input of the type {one.type} is a {wanted}; at {one.path[:200]!r} is {found}{at}.", field=field)


def noted(spec: Any, mirrors: Mapping[str, str]) -> tuple[list[RunIO], list[RunIO]]:
    """What the run says of its inputs and outputs."""
    if not isinstance(spec, CommandSpec):
        return [], []
    inputs = [
        RunIO(name=name, type=KINDS.get(one.type, "model"), uri=one.path[:4000], digest=_digest(one, mirrors))
        for name, one in inputs_of(spec).items()
    ]
    outputs = [
        RunIO(
            name=name,
            type=KINDS.get(one.type, "model"),
            uri=one.path[:4000] if isinstance(one.path, str) else output_path(name, one),
        )
        for name, one in outputs_of(spec).items()
    ]
    return inputs, outputs


def _digest(one: JobInput, mirrors: Mapping[str, str]) -> str | None:
    """SHA-256 of a file that is not large."""
    try:
        real = mirrored(mirrors, one.path, field="path") if is_elsewhere(one.path) else Path(one.path)
        with open_regular(real) as file:
            if os.fstat(file.fileno()).st_size > DIGEST_BYTES:
                return None
            digest = hashlib.sha256()
            while piece := file.read(1 << 20):
                digest.update(piece)
    except (OSError, MlwsError):
        return None
    return f"sha256:{digest.hexdigest()}"


# ---- before the start


def lay(spec: CommandSpec, job_dir: Path, cwd: Path, mirrors: Mapping[str, str], wanted: Callable[[Any], Any]) -> Places:
    """Lay the inputs beside the job. `wanted` goes through what is to be copied, and raises where it is wanted no longer."""
    found = Places({}, {})
    for name, one in inputs_of(spec).items():
        if one.mode == "direct":
            found.inputs[name] = one.path
            continue
        field = f"spec.inputs.{name}.path"
        original = mirrored(mirrors, one.path, field=field) if is_elsewhere(one.path) else Path(one.path)
        _there(original, one, field)
        place = job_dir / FOLDER / name / (original.name or "data")
        place.parent.mkdir(parents=True)
        if one.mode == "download":
            copy(original, place, wanted)
        else:
            place.symlink_to(original)
        found.inputs[name] = str(place)
    for name, output in outputs_of(spec).items():
        direct = output.mode == "direct" and isinstance(output.path, str)
        target = _target(name, output, mirrors) if direct else cwd / output_path(name, output)
        (target.parent if is_file(output.type) else target).mkdir(parents=True, exist_ok=True)
        found.outputs[name] = str(target)
    return found


def output_path(name: str, output: JobOutput) -> str:
    """Where an output lies in the folder that the job runs in; a file ends as the one that it becomes."""
    if not is_file(output.type) or not isinstance(output.path, str):
        return f"{OUTPUTS}/{name}"
    return f"{OUTPUTS}/{name}{Path(output.path).suffix}"


def _target(name: str, output: JobOutput, mirrors: Mapping[str, str]) -> Path:
    path = str(output.path)
    return mirrored(mirrors, path, field=f"spec.outputs.{name}.path") if is_elsewhere(path) else Path(path)


# ---- at the end


def deliver(spec: CommandSpec, cwd: Path, mirrors: Mapping[str, str], leave: Callable[[str, str], None]) -> None:
    """Copy the outputs of a job that completed to where they belong; `leave` is told of those that cannot be. May be done again."""
    for name, output in outputs_of(spec).items():
        if output.path is UNSET or output.mode == "direct":
            continue
        source = cwd / output_path(name, output)
        if source.is_symlink() or not (source.is_file() or source.is_dir()):
            made = "is no file or folder of its own" if os.path.lexists(source) else "the job did not make it"
            leave(output_path(name, output), f"{made}, nothing was copied to {output.path}")
            continue
        try:
            copy(source, _target(name, output, mirrors), iter)
        except (OSError, MlwsError) as error:
            words = error.message if isinstance(error, MlwsError) else error.strerror
            leave(output_path(name, output), f"was not copied to {output.path}: {words}")


def copy(source: Path, target: Path, wanted: Callable[[Any], Any]) -> None:
    """Copy a file or a folder (into one that is there: its files are added and replaced). Links stay links: those that lead out of the
    folder to their originals, the others to the copies. Nothing is written through a link that lies in the target, and no folder
    there goes. Raises `BadInput` for a target in the folder itself.
    """
    if not source.is_dir():
        target.parent.mkdir(parents=True, exist_ok=True)
        _copy_one(source, target)
        return
    root, there = source.resolve(), target.resolve()
    if there == root:
        return
    if root in there.parents:
        raise BadInput(f"A folder cannot be copied into itself: {str(there)[:200]!r} lies in {str(root)[:200]!r}.")
    target.mkdir(parents=True, exist_ok=True)
    for entry, relative in wanted(_below(source)):
        place = target / relative
        if entry.is_symlink():
            _link(Path(entry.path), place, root)
        elif entry.is_dir():
            if place.is_symlink():
                place.unlink()
            place.mkdir(exist_ok=True)
        elif entry.is_file():
            _copy_one(Path(entry.path), place)


def _below(root: Path) -> Iterator[tuple[os.DirEntry[str], str]]:
    """(entry, relative path) of all below a folder, folders before what is in them; links are not followed."""
    stack = [""]
    while stack:
        folder = stack.pop()
        with os.scandir(root / folder) as entries:
            for entry in entries:
                relative = f"{folder}{entry.name}"
                yield entry, relative
                if entry.is_dir(follow_symlinks=False):
                    stack.append(f"{relative}/")


def _copy_one(source: Path, target: Path) -> None:
    """A file, whole or not at all."""
    temporary = target.with_name(f".{target.name[:200]}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        copy_file(source, temporary, executable=bool(source.stat().st_mode & stat.S_IXUSR))
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _link(source: Path, place: Path, root: Path) -> None:
    try:
        real = source.resolve()
    except (OSError, RuntimeError):  # a link in a circle
        return
    target = os.path.relpath(real, source.parent.resolve()) if real.is_relative_to(root) else str(real)
    if place.is_dir() and not place.is_symlink():
        raise FileExistsError(errno.EEXIST, f"a folder lies where the link {place.name[:200]!r} would", str(place))
    place.unlink(missing_ok=True)
    place.symlink_to(target)
