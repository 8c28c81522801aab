"""What is sent of a job, from the words that Python's callers use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, UnsetType

from jupyter_mlws.domain.compute.schemas import JobResources
from jupyter_mlws.domain.jobs.schemas import CommandSpec, NotebookSpec
from jupyter_mlws.kit.sizes import read_bytes
from jupyter_mlws.sdk.errors import BadInput
from jupyter_mlws.sdk.plain import plain_values

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from jupyter_mlws.sdk.sources import Source


def check_words(notebook: object, command: object, code: object, *, notebook_only: bool) -> None:
    """`BadInput` unless a job is one thing, with what goes with it."""
    wrong, field = None, None
    if (notebook is None) == (command is None):
        wrong = "A job is a `notebook` or a `command`: give one of them."
    elif notebook is None and notebook_only:
        wrong, field = "Only notebooks have parameters and a kernel.", "parameters"
    elif notebook is not None and code is not None:
        wrong, field = "`code` goes with a `command`; a notebook's code is its folder.", "code"
    if wrong is not None:
        raise BadInput(wrong, status=400, code="bad_input", field=field)


def spec_of(
    source: Source,
    notebook: str | Path | None,
    kernel: str | None,
    parameters: Mapping[str, Any] | None,
    command: str | None,
    code: str | Path | None,
    memory_limit: int | UnsetType,
    keep_kernel: bool,
) -> NotebookSpec | CommandSpec:
    """What to run, its sources named as the server finds them."""
    if notebook is not None:
        path = source.notebook(str(notebook))
        return NotebookSpec(
            notebook=path,
            kernel=kernel or UNSET,
            parameters=plain_values(parameters, "parameter") or UNSET,
            memory_limit=memory_limit,
            keep_kernel_on_failure=keep_kernel or UNSET,
        )
    folder = UNSET if code is None else source.folder(str(code))
    return CommandSpec(command=command or "", code=folder, memory_limit=memory_limit)


def size_of(given: str | int | None, field: str) -> int | UnsetType:
    """Bytes, of a number or of `4GiB`. Raises `BadInput` for that field."""
    if given is None:
        return UNSET
    size = read_bytes(given) if isinstance(given, str) else given
    if size is None:
        words = f"{str(given)[:80]!r} is no size of memory; write 4GiB, 512 MB, or a number of bytes."
        raise BadInput(words, status=400, code="bad_input", field=field)
    return size


def resources_of(cpus: float | None, memory: int | str | None, gpus: int | None) -> JobResources | UnsetType:
    """What a job asks for; `BadInput` for a size that is none."""
    size = size_of(memory, "memory")
    if cpus is None and size is UNSET and gpus is None:
        return UNSET
    return JobResources(cpus=UNSET if cpus is None else cpus, memory_bytes=size, gpus=UNSET if gpus is None else gpus)


def by_variable(secrets: Mapping[str, str] | Sequence[str] | None) -> dict[str, str]:
    """Secrets by variable."""
    return dict(secrets) if isinstance(secrets, Mapping) else {name: name for name in secrets or ()}
