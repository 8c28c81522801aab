"""From the text of a job file to the job that it asks for."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType

from jupyter_mlws.domain.compute.schemas import JobResources
from jupyter_mlws.domain.jobs.schemas import CommandSpec, JobCreate, JobFileSource, JobFileWarning, NotebookSpec, SourceManifest
from jupyter_mlws.kit.addresses import is_elsewhere
from jupyter_mlws.kit.decoding import convert
from jupyter_mlws.kit.errors import BadInput, MlwsError
from jupyter_mlws.specs.data import READERS
from jupyter_mlws.specs.errors import Problem, invalid, printable
from jupyter_mlws.specs.expressions import Input, Output, substitute
from jupyter_mlws.specs.fields import FIELDS, KINDS, SECTIONS, Fate, field_of
from jupyter_mlws.specs.nodes import Mapping, Place, Scalar, compose, shown
from jupyter_mlws.specs.overrides import overridden

if TYPE_CHECKING:
    from collections.abc import Mapping as Dict

    from jupyter_mlws.specs.fields import Field
    from jupyter_mlws.specs.nodes import Node

E = TypeVar("E", bound=MlwsError)

SPECS: dict[str, type[Struct]] = {"command": CommandSpec, "notebook": NotebookSpec}
SOURCES: dict[str, Literal["code", "notebook"]] = {"command": "code", "notebook": "notebook"}
"""The field that names what a job takes along, by type."""


class ParsedJobFile(Struct):
    """What a job file asks for. Paths in `job` are as the file writes them."""

    file: str
    job: JobCreate
    warnings: list[JobFileWarning]
    source: JobFileSource | None
    """What the job takes along, if anything."""
    places: dict[str, Place]
    """Where fields stand, by their path."""

    def seen(self, folder: str | UnsetType) -> JobCreate:
        """The job with its data as the server finds it. What lies beside a file that the server does not see is refused."""
        spec = self.job.spec
        if not isinstance(spec, CommandSpec):
            return self.job
        sides: dict[str, Any] = {}
        for side in ("inputs", "outputs"):
            named = getattr(spec, side)
            if isinstance(named, dict):
                sides[side] = {name: self._seen(f"{side}.{name}.path", one, folder) for name, one in named.items()}
        return msgspec.structs.replace(self.job, spec=msgspec.structs.replace(spec, **sides))

    def _seen(self, field: str, one: Any, folder: str | UnsetType) -> Any:
        if one.path is UNSET or is_elsewhere(one.path):
            return one
        if folder is UNSET:
            words = (
                "the server does not see the disk of this file. Put the data into the folder of `code`, or name it by an address "
                "or reference that the server's `MlwsApp.mirror_map` knows."
            )
            raise invalid([Problem(self.places.get(field) or Place(self.file), field, words)])
        return msgspec.structs.replace(one, path=beside(folder, one.path))

    def placed(self, folder: str | UnsetType, manifest: SourceManifest | UnsetType = UNSET) -> JobCreate:
        """The job with its paths as the server finds them: from where the file lies, or in what the client sends of the folder."""
        source = self.source
        job = self.seen(folder if manifest is UNSET else UNSET)
        if source is None:
            if manifest is not UNSET:
                raise BadInput("The file takes nothing along, and yet files were sent for it.", field="manifest")
            return job
        if manifest is not UNSET:
            path = "." if source.field == "code" else source.path.rpartition("/")[2]
        elif folder is UNSET:
            words = "say where the file lies (folder), or send what it takes along (manifest)."
            raise invalid([Problem(Place(self.file, source.line), source.field, words)])
        else:
            path = beside(folder, source.path)
        spec: Any = msgspec.structs.replace(job.spec, **{source.field: path})
        return msgspec.structs.replace(job, spec=spec, manifest=manifest)

    def located(self, error: E) -> E:
        """An error about a field of the job, in words that name the line of the file. Others stay as they are."""
        name = (error.field or "").removeprefix("spec.")
        field = PATHS.get(name) or PATHS.get(name.partition(".")[0])
        if field is None:
            return error
        path = field + name[name.find(".") :] if "." in name and name not in PATHS else field
        place = self.places.get(path) or self.places.get(path.rpartition(".")[0]) or self.places.get(field) or Place(self.file)
        error.message = str(Problem(place, path, error.message))
        error.field = path
        error.args = (error.message,)
        return error


def beside(folder: str, path: str) -> str:
    """A path that a file in `folder` names. Only `..` at its beginning go up, and not above the server's root."""
    if path.startswith("/"):
        return path
    if folder.startswith("/"):
        return f"{folder.rstrip('/')}/{path}"
    above, parts = [part for part in folder.split("/") if part not in ("", ".")], path.split("/")
    while parts and (parts[0] in ("", ".") or (parts[0] == ".." and above)):
        if parts.pop(0) == "..":
            above.pop()
    return "/".join([*above, *parts]) or "."


PATHS = {field.into.removeprefix("spec."): field.path for field in FIELDS if field.into} | {
    "inputs": "inputs",
    "outputs": "outputs",
}
"""Path of a field of the file, by the name of the field of `JobCreate` that it becomes."""


def read_job_file(text: str, *, file: str, changes: Dict[str, str] | None = None) -> ParsedJobFile:
    """Read a job file. `changes` are further fields by path, as YAML, which win over those of the file.

    Raises `JobFileInvalid`, whose message has a line for each thing that is wrong.
    """
    file = printable(file)
    try:
        root = overridden(compose(text, file), changes or {})
        reading = _Reading(root, file)
    except Problem as problem:
        raise invalid([problem]) from None
    return reading.result()


class _Reading:
    """State of one reading: what was found, what was wrong, what is to be warned of."""

    def __init__(self, root: Mapping, file: str) -> None:
        self._file = file
        self._root = root
        self._problems: list[Problem] = []
        self._warnings: list[JobFileWarning] = []
        self._places: dict[str, Place] = {}
        self._found: dict[str, Any] = {}
        self._inputs: dict[str, Input] = {}
        self._outputs: dict[str, Output] = {}
        given = root.entries.get("type")
        self._kind: str = KINDS[0] if given is None else READERS["kind"]("type", given.node)

    def result(self) -> ParsedJobFile:
        """The job, or `JobFileInvalid`."""
        self._fields("", self._root)
        self._put_inputs_in()
        if self._kind not in self._root.entries:  # each type needs the field of its own name
            self._problems.append(Problem(Place(self._file), self._kind, f"a {self._kind} job needs this field."))
        if self._problems:
            raise invalid(self._problems)
        return self._job_file()

    def _fields(self, prefix: str, mapping: Mapping) -> None:
        for name, entry in mapping.entries.items():
            path = f"{prefix}{name}"
            self._places[path] = entry.place
            try:
                if path in SECTIONS:
                    self._section(path, entry.node)
                else:
                    self._field(path, entry.place, entry.node)
            except Problem as problem:
                self._problems.append(problem)

    def _section(self, path: str, node: Node) -> None:
        if not isinstance(node, Mapping):
            raise Problem(node.place, path, f"a mapping is needed, not {shown(node)}.")
        self._fields(f"{path}.", node)

    def _field(self, path: str, place: Place, node: Node) -> None:
        row = field_of(path)
        if row is None:
            raise Problem(place, path[:120], f"job files have no such field.{_did_you_mean(path)}")
        if row.fate is Fate.REFUSED:
            raise Problem(place, path, row.about)
        if self._kind not in row.kinds:
            raise Problem(
                place, path, f"this field is for {row.kinds[0]} jobs (`type: {row.kinds[0]}`); this is a {self._kind} job."
            )
        if row.fate is Fate.WARNED:
            self._warn(place, path, row.about)
            return
        self._keep(row, path, node)

    def _keep(self, row: Field, path: str, node: Node) -> None:
        value = READERS[row.shape](path, node)
        self._places[path] = node.place
        if isinstance(node, Mapping):
            self._places |= {f"{path}.{name}": entry.node.place for name, entry in node.entries.items()}
        if row.shape in ("inputs", "outputs"):
            self._keep_data(row.shape, path, node, value)
        elif row.into:
            self._found[row.into] = self._within_limits(row, path, node, value)

    def _keep_data(self, side: str, path: str, node: Node, found: Any) -> None:
        for name, entry in node.entries.items() if isinstance(node, Mapping) else ():
            if isinstance(entry.node, Mapping):
                self._places |= {f"{path}.{name}.{below}": one.node.place for below, one in entry.node.entries.items()}
        if side == "inputs":
            self._inputs = found
        else:
            self._outputs = found
        data = {name: one.data for name, one in found.items() if one.data is not None}
        if data:
            self._found[f"spec.{side}"] = convert(msgspec.to_builtins(data), LIMITS[CommandSpec][side], strict=True)

    def _within_limits(self, row: Field, path: str, node: Node, value: Any) -> Any:
        """The value, if it is one that the API takes: lengths, ranges, numbers of entries."""
        within, _, name = row.into.rpartition(".")
        holders: dict[str, type[Struct]] = {"": JobCreate, "spec": SPECS[self._kind], "resources": JobResources}
        shape = LIMITS[holders[within]][name]
        try:
            return convert(value, shape, strict=True)
        except BadInput as error:
            raise Problem(node.place, path, error.message[:1].lower() + error.message[1:]) from None

    def _put_inputs_in(self) -> None:
        entry = self._root.entries.get("command")
        if entry is None or not isinstance(entry.node, Scalar) or "spec.command" not in self._found:
            return
        if any(problem.field.startswith(("inputs", "outputs")) for problem in self._problems):
            return  # which inputs there are is not known then
        try:
            command, used = substitute("command", entry.node, self._inputs, self._outputs)
        except Problem as problem:
            self._problems.append(problem)
            return
        self._found["spec.command"] = command
        for name, one in self._inputs.items():
            if f"inputs.{name}" not in used:
                self._warn(one.place, f"inputs.{name}", "The command does not use this input.")
        for name, output in self._outputs.items():
            if f"outputs.{name}" not in used:
                self._warn(output.place, f"outputs.{name}", "The command does not name this output.")

    def _warn(self, place: Place, path: str, words: str) -> None:
        self._warnings.append(JobFileWarning(line=place.line, field=path, message=f"{place}, {path}: {words}"))

    def _job_file(self) -> ParsedJobFile:
        spec: dict[str, Any] = {"kind": self._kind}
        job: dict[str, Any] = {"spec": spec}
        for into, value in self._found.items():
            within, _, name = into.rpartition(".")
            (job.setdefault(within, {}) if within else job)[name] = value
        made = msgspec.convert(job, JobCreate)
        field = SOURCES[self._kind]
        path = getattr(made.spec, field)
        source = JobFileSource(field=field, path=path, line=self._places[field].line) if isinstance(path, str) else None
        warnings = sorted(self._warnings, key=lambda warning: warning.line or 0)
        return ParsedJobFile(self._file, made, warnings, source, self._places)


LIMITS: dict[type[Struct], dict[str, Any]] = {
    shape: {field.name: field.type for field in msgspec.structs.fields(shape)}
    for shape in (JobCreate, JobResources, CommandSpec, NotebookSpec)
}


def _did_you_mean(path: str) -> str:
    near = difflib.get_close_matches(path[:120], [field.path for field in FIELDS if "<" not in field.path], 1)
    return f" Did you mean {near[0]}?" if near else ""
