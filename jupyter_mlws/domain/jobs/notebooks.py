"""Looks into notebooks on the disk: kernel, language, declared parameters. Starts nothing and runs nothing.

The checks raise the errors that a person sees; the routes only pass them on.
"""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from jupyter_mlws.domain.compute.service import parts_of
from jupyter_mlws.domain.jobs.errors import KernelMissing, NotANotebook, NotebookNotFound, ParameterType, UnknownParameter
from jupyter_mlws.domain.jobs.parameters import declared, type_of
from jupyter_mlws.kit import surrogates
from jupyter_mlws.kit.paths import open_regular

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from jupyter_mlws.domain.jobs.schemas import ParameterField

NEWEST_FORMAT = 4


class Inspected(NamedTuple):
    """What a notebook says of itself."""

    name: str
    """File name without `.ipynb`."""
    kernel: str | None
    kernel_display_name: str | None
    language: str | None
    parameters: list[ParameterField]
    has_parameters_cell: bool
    cells: int


def inspect_notebook(path: Path, *, shown: str | None = None) -> Inspected:
    """Read the notebook at `path`; messages call it `shown`. Raises `NotebookNotFound` or `NotANotebook`."""
    notebook = read_notebook(path, shown=shown)
    metadata = _object(notebook.get("metadata"))
    kernelspec = _object(metadata.get("kernelspec"))
    language = _text(kernelspec.get("language")) or _text(_object(metadata.get("language_info")).get("name"))
    cells = notebook["cells"]
    cell = next((cell for cell in cells if cell.get("cell_type") == "code" and "parameters" in _tags(cell)), None)
    return Inspected(
        name=path.name[:-6] if path.name.endswith(".ipynb") else path.name,
        kernel=_text(kernelspec.get("name")),
        kernel_display_name=_text(kernelspec.get("display_name")),
        language=language,
        parameters=declared(source_of(cell), language or "python") if cell is not None else [],
        has_parameters_cell=cell is not None,
        cells=len(cells),
    )


def read_notebook(path: Path, *, shown: str | None = None) -> dict[str, Any]:
    """The notebook as an object of format 4, `cells` checked to be a list of objects; no further validation."""
    shown = shown or path.name
    try:
        with open_regular(path) as file:
            data = file.read()
    except IsADirectoryError:
        raise NotANotebook(f"{shown} is a folder, not a notebook.", field="notebook") from None
    except (FileNotFoundError, NotADirectoryError):
        raise NotebookNotFound(f"There is no notebook {shown}.", field="notebook") from None
    except OSError as error:
        raise NotANotebook(f"{shown} cannot be read: {error.strerror}.", field="notebook") from None
    return parse_notebook(data, shown=shown)


def parse_notebook(data: bytes, *, shown: str) -> dict[str, Any]:
    """The notebook in `data`, as `read_notebook` gives it."""
    notebook = _parse(data, shown)
    version = notebook.get("nbformat") if isinstance(notebook, dict) else None
    if not isinstance(notebook, dict) or not isinstance(version, int):
        raise NotANotebook(f"{shown} is JSON, but not a notebook: it has no `nbformat`.", field="notebook")
    if version > NEWEST_FORMAT:
        raise NotANotebook(f"{shown} has notebook format {version}; formats up to {NEWEST_FORMAT} can be read.", field="notebook")
    if version < NEWEST_FORMAT:
        notebook = _converted(data, shown)
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        raise NotANotebook(f"{shown} is not a notebook: it has no list of `cells`.", field="notebook")
    for number, cell in enumerate(cells, start=1):
        if fault := _fault_of(cell):
            raise NotANotebook(
                f"{shown} is not a notebook: cell {number} {fault}. Open it in JupyterLab and save it, which mends most of these.",
                field="notebook",
            )
    checked: dict[str, Any] = notebook
    return checked


def _fault_of(cell: Any) -> str | None:
    """What keeps a cell from being run or shown."""
    if not isinstance(cell, dict):
        return "is not an object"
    if not isinstance(cell.get("cell_type"), str):
        return "has no `cell_type`"
    source = cell.get("source")
    if not isinstance(source, str) and not _is_list_of(source, str):
        return "has no `source` that is text"
    if not isinstance(cell.get("metadata"), dict):
        return "has no `metadata`"
    if "outputs" in cell and not _is_list_of(cell["outputs"], dict):
        return "has `outputs` that are no list of outputs"
    return None


def _is_list_of(value: Any, kind: type) -> bool:
    return isinstance(value, list) and all(isinstance(one, kind) for one in value)


def _parse(data: bytes, shown: str) -> Any:
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    # Slower, but it knows the line; and it takes what msgspec refuses and Jupyter writes (NaN, half an emoji).
    try:
        return surrogates.loads(data)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise NotANotebook(f"{shown} is not a notebook: no JSON at {where} ({error.msg}).", field="notebook") from None
    except UnicodeDecodeError as error:
        raise NotANotebook(f"{shown} is not a notebook: byte {error.start} is not UTF-8.", field="notebook") from None
    except RecursionError:
        raise NotANotebook(f"{shown} is not a notebook: it is nested too deeply.", field="notebook") from None


def _converted(data: bytes, shown: str) -> dict[str, Any]:
    """A notebook of an old format as one of format 4."""
    import nbformat

    convert: Any = nbformat.convert  # nbformat ships no types
    reads: Any = nbformat.reader.reads
    try:
        converted: dict[str, Any] = convert(reads(json.dumps(_parse(data, shown))), NEWEST_FORMAT)
    except (AttributeError, KeyError, TypeError, ValueError, nbformat.ValidationError) as error:
        raise NotANotebook(f"{shown} has an old notebook format that cannot be converted: {error}.", field="notebook") from None
    return converted


def check_kernel(kernel: str | None, installed: Collection[str] | None, *, shown: str, where: str = "") -> str:
    """The kernel to use, or `KernelMissing` with the list of those that are installed, which is None while it is not known.

    `where` says on which machine, if it is another one.
    """
    there = "" if installed is None else f" Installed{where} are: {', '.join(sorted(installed)) or 'none'}."
    if not kernel:
        raise KernelMissing(f"{shown} names no kernel; choose one.{there}", field="kernel")
    if installed is not None and kernel not in installed:
        if (parts := parts_of(kernel)) is not None:
            raise KernelMissing(
                f"The kernel of {shown} is {parts[1]} on the compute target {parts[0]}: choose that target, or another kernel.{there}",
                field="kernel",
            )
        raise KernelMissing(f"The kernel {kernel!r} is not installed{where}; choose another.{there}", field="kernel")
    return kernel


def check_parameters(notebook: Inspected, given: Mapping[str, Any]) -> None:
    """`UnknownParameter` or `ParameterType` if a value is given that the notebook does not take."""
    if given and not notebook.has_parameters_cell:
        raise UnknownParameter(
            f"{notebook.name}.ipynb takes no parameters: none of its cells has the tag `parameters`.",
            field=f"parameters.{next(iter(given))}",
        )
    fields = {field.name: field for field in notebook.parameters}
    for name, value in given.items():
        field = fields.get(name)
        if field is None:
            near = difflib.get_close_matches(name, fields, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            there = ", ".join(fields) or "none"
            raise UnknownParameter(
                f"{notebook.name}.ipynb has no parameter {name!r}.{hint} Declared are: {there}.", field=f"parameters.{name}"
            )
        if not _fits(field, value):
            raise ParameterType(
                f"The parameter {name!r} is {_a(field.type)} (default {field.default_source[:100]}), not {_a(type_of(value))}.",
                field=f"parameters.{name}",
            )


def _fits(field: ParameterField, value: Any) -> bool:
    """Whether the value may stand for the parameter. Numbers are told apart only where the notebook says the type itself."""
    kind = type_of(value)
    if (
        field.type in ("unknown", "none")
        or kind == field.type
        or (value is None and field.required_literal and field.default is None)
    ):
        return True
    if field.type == "float" and kind == "int":
        return True
    return field.type == "int" and kind == "float" and (not field.annotated or value.is_integer())


def _a(kind: str) -> str:
    return {"int": "an int", "none": "null", "unknown": "of an unknown type"}.get(kind, f"a {kind}")


def source_of(cell: Mapping[str, Any]) -> str:
    """The source of a cell, which files keep as text or as a list of lines."""
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(line for line in source if isinstance(line, str))


def _tags(cell: Mapping[str, Any]) -> list[Any]:
    tags = _object(cell.get("metadata")).get("tags")
    return tags if isinstance(tags, list) else []


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
