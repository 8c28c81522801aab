"""MkDocs hook: writes the reference pages from the program itself, so that they cannot fall behind it.

`reference/cli.md` from the commands, `reference/python.md` from the docstrings, `reference/rest.md` from openapi.json,
`reference/settings.md` from the settings' own texts; and the table in `reference/job-files.md` from that by which job files are read.
"""

from __future__ import annotations

import inspect
import json
from functools import cached_property
from pathlib import Path
from typing import Any

import click
from mkdocs.structure.files import File, Files

import mlws

ROOT = Path(__file__).parents[1]
FIELDS_MARK = "<!-- the table of fields -->"
METHODS = ("get", "post", "put", "patch", "delete")
REST_INTRODUCTION = """\
# REST API

All routes stand under `<base>/mlws/api/v1`. A running server shows them at `<base>/mlws/docs`, and gives the machine-readable
description at `<base>/mlws/api/v1/openapi.json`.

Sign in as with any Jupyter route: by cookie, or `Authorization: token …`. An error is always
`{"error": {"code", "message", "field"?}}`. Times are milliseconds since the epoch, UTC. Metric values that are no finite number
are the strings `NaN`, `Infinity` and `-Infinity`.
"""
PYTHON_INTRODUCTION = """\
# Python

`from jupyter_mlws import Workspace, connect` manages workspaces, runs and jobs; `import mlws` logs to a run from the training itself.
[Use Python](../how-to/use-python.md) and [Track from a cell](../how-to/track-from-a-cell.md) show both at work.
"""
ENVIRONMENT = """\
## Environment

What you may set:

| variable | meaning |
|---|---|
| `MLWS_DATA_DIR` | the data folder, for the server, the command line and Python alike |
| `MLWS_DATABASE_URL` | SQLAlchemy URL of the database |
| `MLWS_JOB_MEMORY_LIMIT` | memory limit of jobs that name none themselves, as `4GiB` |
| `MLWS_IDLE_TIMEOUT_S` | seconds after which a server that a command started ends when nobody needs it; 600 |
| `MLWS_URL`, `MLWS_TOKEN` | the server to talk to, instead of the one that is found |
| `MLWS_WORKSPACE`, `MLWS_EXPERIMENT` | where runs go; for kernels in JupyterLab's environment, their kernelspec, or a cell |
| `NO_COLOR` | no colours from the command line |
| `MLWS_DEBUG` | the command line shows where in itself something went wrong |

What kernels and jobs started by the server find besides (your own values win):

| variable | meaning |
|---|---|
| `MLWS_NOTEBOOK_FILE` | a file with the path of the notebook, in kernels; it follows when the notebook is renamed |
| `MLWS_NOTEBOOK` | path of the notebook, where you set it yourself |
| `MLWS_SPOOL_DIR` | where records wait until the server has them |
| `MLWS_RUN_ID`, `AZUREML_RUN_ID` | the job's run, in jobs |
| `MLWS_RUN_NAME` | the job's name, in jobs that were given one when they were submitted |
| `MLWS_JOB_DIR` | the job's folder, in jobs |
"""


def on_files(files: Files, config: Any) -> Files:
    """Add the written pages to the site."""
    pages = {"cli": cli_reference(), "python": python_reference(), "rest": rest_reference(), "settings": settings_reference()}
    for name, text in pages.items():
        files.append(File.generated(config, f"reference/{name}.md", content=text))
    return files


def on_page_markdown(markdown: str, **_context: Any) -> str:
    """Put the table of fields into the page that asks for it."""
    return markdown.replace(FIELDS_MARK, job_file_fields()) if FIELDS_MARK in markdown else markdown


# --- job files -----------------------------------------------------------------------------------------------------


def job_file_fields() -> str:
    """Every field of a job file, and what becomes of it."""
    from jupyter_mlws.specs.fields import FIELDS, Fate  # noqa: PLC0415 - the other pages do not need it

    lines = []
    for fate in Fate:
        lines += [f"### {fate.value.capitalize()}", "", "| field | of | meaning | example |", "|---|---|---|---|"]
        for field in FIELDS:
            if field.fate is fate:
                of = "both" if len(field.kinds) > 1 else field.kinds[0]
                lines.append(f"| `{field.path}` | {of} | {cell(field.about)} | `{cell(field.example)}` |")
        lines.append("")
    return "\n".join(lines)


# --- command line --------------------------------------------------------------------------------------------------


def cli_reference() -> str:
    """Every command of `mlws` with its options."""
    from jupyter_mlws.cli import main  # noqa: PLC0415 - the other pages do not need it

    lines = ["# Command line", "", prose(main.help or ""), ""]
    for path, command in commands(main, "mlws"):
        lines += [f"## `{path}`", "", *command_page(path, command)]
    return "\n".join(lines)


def prose(text: str) -> str:
    """A help text as Markdown; paragraphs that click is told not to wrap (`\\b`) keep their lines."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(
        "```text\n" + part.removeprefix("\b\n") + "\n```" if part.startswith("\b") else part for part in paragraphs
    )


def commands(group: click.Group, path: str) -> list[tuple[str, click.Command]]:
    """The commands below `group` with the words that call them, groups before what they hold."""
    found: list[tuple[str, click.Command]] = []
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is not None and not command.hidden:
            found.append((f"{path} {name}", command))
            if isinstance(command, click.Group):
                found += commands(command, f"{path} {name}")
    return found


def command_page(path: str, command: click.Command) -> list[str]:
    """Help text, usage line and table of options."""
    lines = [prose(command.help or command.short_help or ""), ""]
    if isinstance(command, click.Group):
        return lines
    context = click.Context(command, info_name=path)
    lines += ["```text", " ".join([path, *command.collect_usage_pieces(context)]), "```", ""]
    options = [p.get_help_record(context) for p in command.params if isinstance(p, click.Option) and not p.hidden]
    rows = [f"| `{record[0]}` | {cell(record[1])} |" for record in options if record]
    if rows:
        lines += ["| option | meaning |", "|---|---|", *rows, ""]
    return lines


# --- Python --------------------------------------------------------------------------------------------------------


def python_reference() -> str:
    """The client by its parts, what its lists and results can do, its errors; and what `import mlws` logs with."""
    from jupyter_mlws import sdk  # noqa: PLC0415 - the other pages do not need it
    from jupyter_mlws.sdk import compute, environments, experiments, jobs, results, runs  # noqa: PLC0415

    parts: dict[str, type] = {
        "Workspace": sdk.Workspace,
        "ws.jobs": jobs.Jobs,
        "ws.runs": runs.Runs,
        "ws.experiments": experiments.Experiments,
        "ws.compute": compute.Compute,
        "ws.environments": environments.Environments,
        "Table": sdk.Table,
        "Run": results.Run,
        "Job": results.Job,
    }
    lines = [PYTHON_INTRODUCTION, "## `jupyter_mlws`", "", *function_page("connect", sdk.connect), ""]
    for name, part in parts.items():
        lines += class_page(name, part)
    lines += ["## Errors", "", "| class | when |", "|---|---|"]
    for name in sdk.__all__:
        found = getattr(sdk, name)
        if isinstance(found, type) and issubclass(found, Exception):
            lines.append(f"| `jupyter_mlws.sdk.{name}` | {cell(inspect.getdoc(found) or '')} |")
    lines += ["", "## `mlws`", "", "What logs to a run, in kernels, jobs and scripts; standard library only.", ""]
    for name in mlws.__all__:
        found = getattr(mlws, name)
        if not isinstance(found, type):
            lines += function_page(name, found)
    return "\n".join([*lines, *class_page("mlws.Run", mlws.Run)])


def class_page(name: str, kind: type) -> list[str]:
    """A class with its public methods and properties, those of its bases in this package included."""
    lines = [f"## `{name}`", "", inspect.getdoc(kind) or "", ""]
    made = vars(kind).get("__init__")
    if made is not None and (words := inspect.getdoc(made)):
        lines += ["```python", f"{kind.__name__}{signature(made).removesuffix(' -> None')}", "```", "", words, ""]
    for attribute in dir(kind):
        found = inspect.getattr_static(kind, attribute)
        if attribute.startswith("_") or not inspect.getdoc(found):
            continue
        if isinstance(found, (staticmethod, classmethod)):
            lines += function_page(attribute, getattr(kind, attribute))
        elif inspect.isfunction(found):
            lines += function_page(attribute, found)
        elif isinstance(found, (property, cached_property)):
            lines += [f"### `{attribute}`", "", inspect.getdoc(found) or "", ""]
    return lines


def function_page(name: str, function: Any) -> list[str]:
    """A function with its signature and its docstring."""
    called = f"{name}{signature(function)}"
    return [f"### `{name}`", "", "```python", called, "```", "", inspect.getdoc(function) or "", ""]


class Words(str):
    """An annotation as it is written."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def signature(function: Any) -> str:
    """What a function takes and gives, as it is written; without `self`."""
    found = inspect.signature(function)
    taken = [
        parameter.replace(annotation=Words(parameter.annotation))
        for parameter in found.parameters.values()
        if parameter.name not in ("self", "cls")
    ]
    return str(found.replace(parameters=taken, return_annotation=Words(found.return_annotation)))


# --- REST ----------------------------------------------------------------------------------------------------------


def rest_reference() -> str:
    """Every route of openapi.json with its query, body and answer."""
    document = json.loads((ROOT / "openapi.json").read_text(encoding="utf-8"))
    lines = [REST_INTRODUCTION]
    for path, item in sorted(document["paths"].items()):
        for method in METHODS:
            if method in item:
                lines += [f"## `{method.upper()} {path}`", "", *operation_page(item[method])]
    lines += ["## Types", ""]
    for name, schema in sorted(document["components"]["schemas"].items()):
        lines += [f"### {name}", "", *type_page(schema)]
    return "\n".join(lines)


def operation_page(operation: dict[str, Any]) -> list[str]:
    """Summary, parameters, body and answers of one verb."""
    lines = [operation.get("description") or operation.get("summary") or "", ""]
    rows = [
        f"| `{p['name']}` | {p['in']} | {shape(p.get('schema', {}))} | {cell(p.get('description', ''))} |"
        for p in operation.get("parameters", [])
    ]
    if rows:
        lines += ["| parameter | in | type | meaning |", "|---|---|---|---|", *rows, ""]
    for body in operation.get("requestBody", {}).get("content", {}).values():
        lines += [f"Body: {shape(body.get('schema', {}))}", ""]
    answers = []
    for status, answer in operation.get("responses", {}).items():
        content: dict[str, Any] = next(iter(answer.get("content", {}).values()), {})
        answers.append(f"{status} {shape(content.get('schema', {}))}".rstrip())
    return [*lines, f"Answers: {', '.join(answers)}", ""] if answers else lines


def type_page(schema: dict[str, Any]) -> list[str]:
    """Description and fields of one type."""
    lines = [schema.get("description", ""), ""]
    if "enum" in schema:
        return [*lines, "One of " + ", ".join(f"`{value}`" for value in schema["enum"]) + ".", ""]
    required = set(schema.get("required", []))
    rows = [
        f"| `{name}` | {shape(field)} | {'yes' if name in required else ''} | {cell(field.get('description', ''))} |"
        for name, field in schema.get("properties", {}).items()
    ]
    return [*lines, "| field | type | always | meaning |", "|---|---|---|---|", *rows, ""] if rows else lines


def shape(schema: dict[str, Any]) -> str:
    """A JSON Schema in a few words, linked where it has a name."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})"
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(shape(part) for part in schema[key])
    if "enum" in schema:
        return " or ".join(f"`{json.dumps(value)}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if schema.get("type") == "array":
        return f"list of {shape(schema.get('items', {})) or 'anything'}"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {shape(schema['additionalProperties'])}"
    kind = schema.get("type", "")
    return " or ".join(kind) if isinstance(kind, list) else kind


# --- settings ------------------------------------------------------------------------------------------------------


def settings_reference() -> str:
    """The server's settings from their traits, and JupyterLab's from the settings schema."""
    from jupyter_mlws.server.app import MlwsApp  # noqa: PLC0415 - the other pages do not need it

    lines = [
        "# Settings",
        "",
        "Nothing needs to be set.",
        "",
        "## Server",
        "",
        "In `jupyter_server_config.py` as `c.MlwsApp.<name> = …`, or on the command line as `--MlwsApp.<name>=…`.",
        "",
        "| name | type | meaning |",
        "|---|---|---|",
    ]
    traits = MlwsApp.class_own_traits(config=True)
    lines += [f"| `{name}` | {type(trait).__name__} | {cell(trait.help)} |" for name, trait in sorted(traits.items())]
    lines += ["", "## JupyterLab", "", "In JupyterLab's settings editor, under *Jupyter ML Workspace*.", ""]
    lines += ["| name | default | meaning |", "|---|---|---|"]
    for path in sorted((ROOT / "schema").glob("*.json")):
        for name, field in json.loads(path.read_text(encoding="utf-8")).get("properties", {}).items():
            meaning = cell(": ".join(filter(None, [field.get("title"), field.get("description")])))
            lines.append(f"| `{name}` | `{json.dumps(field.get('default'))}` | {meaning} |")
    return "\n".join([*lines, "", ENVIRONMENT])


def cell(text: str) -> str:
    """Text that fits into a table cell."""
    return " ".join(text.split()).replace("|", "\\|")
