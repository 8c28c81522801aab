"""Makes the notebook that will run out of the one on the disk: today's format, parameters injected."""

from __future__ import annotations

import ast
import difflib
import json
import re
from typing import Any

import nbformat as untyped_nbformat
from papermill.execute import prepare_notebook_metadata, remove_error_markers
from papermill.inspection import _infer_parameters
from papermill.parameterize import parameterize_notebook
from papermill.version import version as papermill_version

from jupyter_mlws.runner import translators
from jupyter_mlws.runner.report import Refused

MAGIC = re.compile(r"(?m)^[ \t]*[%!?].*$")
nbformat: Any = untyped_nbformat  # it ships no types
translators.register()


def prepared(raw: dict[str, Any], section: dict[str, Any], kernel: str, language: str) -> Any:
    """The notebook to run. `Refused` if a parameter is not declared, or the notebook cannot be read as one."""
    try:
        # Without the validation of `nbformat.reads`, which takes seconds on large notebooks and only logs.
        notebook = (
            nbformat.v4.nbjson.to_notebook(raw)
            if raw["nbformat"] == 4
            else nbformat.convert(nbformat.reader.reads(json.dumps(raw)), 4)
        )
        raw.clear()
        notebook = nbformat.v4.upgrade(notebook)
        _mark(notebook)
    except (AttributeError, KeyError, TypeError, ValueError, nbformat.ValidationError) as error:
        raise Refused(f"The notebook cannot be read: {type(error).__name__}: {error}.", kind="NotANotebook") from None
    parameters = section.get("parameters") or {}
    if parameters:
        _check_declared(notebook, parameters, section.get("declared"), kernel, language)
        try:
            notebook = parameterize_notebook(notebook, parameters, kernel_name=kernel, language=language)
        except (NotImplementedError, ValueError) as error:
            raise Refused(f"Parameters cannot be given to a notebook in {language}: {error}.", kind="UnknownParameter") from None
        _mark(notebook)
    return remove_error_markers(prepare_notebook_metadata(notebook, section["input"], None))


def _mark(notebook: Any) -> None:
    """What papermill expects to find in the metadata."""
    notebook.metadata.setdefault("papermill", {})
    for key, value in (
        ("default_parameters", {}),
        ("parameters", {}),
        ("environment_variables", {}),
        ("version", papermill_version),
    ):
        notebook.metadata.papermill.setdefault(key, nbformat.from_dict(value))
    for cell in notebook.cells:
        cell.metadata.setdefault("tags", [])
        cell.metadata.setdefault("papermill", nbformat.from_dict({}))


def _check_declared(notebook: Any, parameters: dict[str, Any], declared: list[str] | None, kernel: str, language: str) -> None:
    if not any("parameters" in cell.metadata.tags for cell in notebook.cells):
        raise Refused("The notebook has no cell tagged `parameters`, so it takes none.", kind="UnknownParameter")
    if declared is None and language.lower() == "python":
        declared = _assigned(notebook)
    if declared is None:
        notebook.metadata.setdefault("language_info", nbformat.from_dict({"name": language}))
        declared = [parameter.name for parameter in _infer_parameters(notebook, name=kernel, language=language)]
        if not declared:
            return  # papermill cannot tell for every language
    for name in parameters:
        if name not in declared:
            near = difflib.get_close_matches(name, declared, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            there = ", ".join(declared) or "none"
            raise Refused(f"The notebook has no parameter {name!r}.{hint} Declared are: {there}.", kind="UnknownParameter")


def _assigned(notebook: Any) -> list[str] | None:
    """Names that the `parameters` cell assigns, or None where it cannot be parsed. Papermill's own reading misses many forms."""
    source = next(cell.source for cell in notebook.cells if "parameters" in cell.metadata.tags)
    try:
        tree = ast.parse(MAGIC.sub("", source))
    except (SyntaxError, ValueError):
        return None
    names = []
    for statement in tree.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        names += [target.id for target in targets if isinstance(target, ast.Name)]
    return names
