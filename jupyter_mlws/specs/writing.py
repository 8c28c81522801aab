"""From a job to the text of a file that asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import yaml
from msgspec import UNSET

from jupyter_mlws.domain.jobs.schemas import JOB_FILE_CHARS, ExtensionSpec, JobFileText
from jupyter_mlws.kit.errors import BadInput
from jupyter_mlws.specs.errors import JobFileInvalid
from jupyter_mlws.specs.fields import FIELDS, SCHEMA_URL
from jupyter_mlws.specs.job_files import read_job_file
from jupyter_mlws.specs.values import EXPONENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyter_mlws.domain.jobs.schemas import JobCreate

OUTSIDE = {"priority": "--priority {}", "in_place": "--in-place", "confirm_large": "--confirm-large"}
"""Fields of a job that files do not have, and the options that say them."""
LINE_ENDS = "\r\x85\u2028\u2029"
"""Other ends of lines than the usual one: YAML folds them, unless they are escaped."""
LATE = ("environment_variables", "secrets", "compute")
DEFAULTS = {"max_retries": 0}
FILE = "job.yml"


class NoJobFile(BadInput):
    """Jobs of this kind cannot be written as a file."""

    code = "no_job_file"


def write_job_file(job: JobCreate, left: Sequence[str] = ()) -> JobFileText:
    """The file that asks for this job, with a comment for each thing that it cannot say; `left` are such sentences of the caller's.

    What is read back from it is compared: where it would be another job the comments say so. Raises `NoJobFile`.
    """
    spec = job.spec
    if isinstance(spec, ExtensionSpec):
        raise NoJobFile(f"Jobs of the kind {spec.extension!r} cannot be written as a file.")
    warnings = [*left, *_outside(job)]
    body = yaml.dump(_fields(job), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1 << 20)
    if difference := _difference(job, body):
        warnings.append(difference)
    comments = "".join(f"# {line}\n" for warning in warnings for line in warning.splitlines())
    return JobFileText(text=comments + body, warnings=warnings)


def in_file(job: JobCreate) -> JobCreate:
    """What of a job a file can say."""
    return msgspec.structs.replace(job, priority=0, in_place=False, confirm_large=False, parent_id=UNSET, manifest=UNSET)


def _fields(job: JobCreate) -> dict[str, Any]:
    """The fields of the file, by the table; what may be said of any job comes after what it runs."""
    given: dict[str, Any] = msgspec.to_builtins(job)
    kind = given["spec"]["kind"]
    found: dict[str, Any] = {"$schema": SCHEMA_URL, "type": kind} if kind == "command" else {"type": kind}
    late: dict[str, Any] = {}
    for field in FIELDS:
        section, _, below = field.into.rpartition(".")
        holder = given.get(section, {}) if section else given
        if kind not in field.kinds or below not in holder or holder[below] == DEFAULTS.get(field.into):
            continue
        head, dot, name = field.path.partition(".")
        place = late if dot or head in LATE else found
        if dot:
            place.setdefault(head, {})[name] = holder[below]
        else:
            place[head] = holder[below]
    data = {side: given["spec"][side] for side in ("inputs", "outputs") if given["spec"].get(side)}
    return {**found, **data, **late}


def _outside(job: JobCreate) -> list[str]:
    options = [option.format(getattr(job, name)) for name, option in OUTSIDE.items() if getattr(job, name)]
    found = [f"No field of a file says this; give it beside the file: {' '.join(options)}"] if options else []
    if job.parent_id is not UNSET:
        found.append(f"The job stands below the run {job.parent_id}; no field of a file says that.")
    return found


def _difference(job: JobCreate, body: str) -> str | None:
    """What is wrong with the file that was written, if anything."""
    if len(body) > JOB_FILE_CHARS:
        return f"This file has {len(body):,} characters, and at most {JOB_FILE_CHARS:,} are taken."
    try:
        found = read_job_file(body, file=FILE)
    except JobFileInvalid as error:
        return f"This file is not taken as it is: {error.message}"
    return None if found.job == in_file(job) else "This file asks for another job than the one that it was written from."


class _Dumper(yaml.SafeDumper):  # type: ignore[misc] # PyYAML ships no types
    """Text of several lines as a block; and no aliases, which nobody likes to read."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # A number to us, in the values of notebooks, and a text to YAML 1.1.
    quoted = EXPONENT.fullmatch(text) or any(char in LINE_ENDS for char in text)
    style = '"' if quoted else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
