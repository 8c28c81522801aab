"""Job files: their text goes to the server, which reads them; what they take along goes too, if the server does not see it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET

from jupyter_mlws.domain.jobs import schemas as job_types
from jupyter_mlws.domain.jobs.schemas import JOB_FILE_CHARS, JobFile, JobFileSubmit, JobFileValidation
from jupyter_mlws.kit.ids import new_id
from jupyter_mlws.sdk.errors import BadInput, NotFound
from jupyter_mlws.sdk.plain import plain_values
from jupyter_mlws.sdk.results import Job, bound
from jupyter_mlws.sdk.sources import Source
from jupyter_mlws.sdk.transport import SUBMIT_TIMEOUT_S

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_mlws.domain.jobs.schemas import JobFileSource
    from jupyter_mlws.sdk.workspace import Workspace


class JobFileNotice(UserWarning):
    """A field of a job file is accepted and not honoured."""


class YamlText(str):
    """A value of `set` that is YAML already, as it would stand in the file: `0.10`, `"1"`, `[1, 2]`."""

    __slots__ = ()


class JobFileSubmission(job_types.JobFileSubmission, kw_only=True):
    """The job that a file asked for, and what of the file is not honoured."""

    job: Job


def submit(
    workspace: Workspace,
    file: str | Path,
    changes: Mapping[str, Any] | None = None,
    *,
    priority: int = 0,
    in_place: bool = False,
    confirm_large: bool = False,
    parent: str | None = None,
) -> JobFileSubmission:
    """Submit a job file. `changes` are fields by path that win over those of the file."""
    path, source = Path(file).expanduser(), Source(workspace, in_place=in_place)
    if source.same_disk():
        asked, manifest = _asked(path, changes, folder=_folder(path)), None
    else:
        asked = _asked(path, changes, folder=None)
        manifest = _sent(source, path, _validation(workspace, asked).source)
    body = JobFileSubmit(
        **msgspec.structs.asdict(asked),
        manifest=manifest or UNSET,
        priority=priority,
        in_place=in_place,
        confirm_large=confirm_large,
        parent_id=UNSET if parent is None else parent,
    )
    made = workspace.transport.ask(
        "POST",
        f"{workspace.path}/jobs/file",
        JobFileSubmission,
        body=body,
        headers={"Idempotency-Key": new_id()},
        timeout=SUBMIT_TIMEOUT_S,
    )
    bound(made.job, workspace)
    return made


def validate(workspace: Workspace, file: str | Path, changes: Mapping[str, Any] | None = None) -> JobFileValidation:
    """Whether a job file could be submitted, and what it asks for. Raises `BadInput`, with a line for each thing that is wrong."""
    path, source = Path(file).expanduser(), Source(workspace, in_place=False)
    if source.same_disk():
        return _validation(workspace, _asked(path, changes, folder=_folder(path)))
    found = _validation(workspace, _asked(path, changes, folder=None))
    if found.source is not None:
        _there(path, found.source)
    return found


def _validation(workspace: Workspace, asked: JobFile) -> JobFileValidation:
    return workspace.transport.ask("POST", f"{workspace.path}/jobs/file/validate", JobFileValidation, body=asked)


def _asked(path: Path, changes: Mapping[str, Any] | None, *, folder: str | None) -> JobFile:
    yaml = {name: value for name, value in (changes or {}).items() if isinstance(value, YamlText)}
    values = plain_values({name: value for name, value in (changes or {}).items() if name not in yaml}, "value of")
    given = {name: str(yaml[name]) if name in yaml else _as_yaml(name, values[name]) for name in changes or {}}
    return JobFile(text=_text(path), file_name=path.name, folder=UNSET if folder is None else folder, set=given or UNSET)


def _as_yaml(name: str, value: Any) -> str:
    """A value as JSON, which is YAML."""
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, UnicodeEncodeError, RecursionError) as error:
        raise BadInput(
            f"The value of {name} cannot be written as YAML: {error}", status=400, code="bad_input", field=name
        ) from error


def _text(path: Path) -> str:
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= 4 * JOB_FILE_CHARS else None
    except FileNotFoundError:
        raise NotFound(f"There is no file {path}.", status=404, code="file_not_found", field="file") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.", status=400, code="bad_input", field="file") from None
    if data is None:
        words = f"{path} has {size:,} bytes; a job file has at most {JOB_FILE_CHARS:,} characters."
        raise BadInput(words, status=400, code="bad_input", field="file")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{path} is no text: byte {error.start} is not UTF-8.", status=400, code="bad_input", field="file"
        ) from None


def _folder(path: Path) -> str:
    """The folder of the file, links kept."""
    return str(path.absolute().parent)


def _sent(source: Source, path: Path, named: JobFileSource | None) -> job_types.SourceManifest | None:
    """Send what the file takes along."""
    if named is None:
        return None
    there = _there(path, named)
    if named.field == "notebook":
        source.notebook(there)
    else:
        source.folder(there)
    return source.manifest


def _there(path: Path, named: JobFileSource) -> str:
    """Where something lies that a file takes along. Raises `NotFound`."""
    there = Path(_folder(path)) / named.path
    if there.is_file() if named.field == "notebook" else there.is_dir():
        return str(there)
    what = "notebook" if named.field == "notebook" else "folder"
    where = path.name if named.line is None else f"{path.name}, line {named.line}"
    words = f"{where}, {named.field}: there is no {what} {named.path!r} beside the file."
    raise NotFound(words, status=404, code="source_missing", field=named.field)
