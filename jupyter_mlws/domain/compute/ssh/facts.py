"""What a host says of itself. It is another machine's word: only what has the right form is kept, and shown."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from jupyter_mlws.domain.compute.errors import HostUnfit
from jupyter_mlws.domain.compute.schemas import HostKernel, HostNotebooks

Text = Annotated[str, Meta(max_length=1000)]
Size = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class Now(Struct, kw_only=True):
    """What is free there now."""

    cpus: Annotated[int, Meta(ge=1, le=100_000)] | None
    memory: Size | None
    memory_used: Size | None
    load: Annotated[float, Meta(ge=0)] | None
    gpus: Annotated[list[Annotated[int, Meta(ge=0, le=10_000)]], Meta(max_length=1000)]
    disk_free: Size


class Told(Now, kw_only=True):
    """All of it."""

    root: Text
    host: Text
    system: Text
    machine: Text
    python: Text
    executable: Text
    time: float
    bash: bool
    subreaper: bool


class Kernel(Struct, kw_only=True):
    """A kernel there."""

    name: Annotated[str, Meta(max_length=255)]
    display_name: Text
    language: Annotated[str, Meta(max_length=255)]


class ForNotebooks(Struct, kw_only=True):
    """What there is for notebooks."""

    missing: Annotated[str, Meta(max_length=4000)]
    packages: dict[str, Annotated[str, Meta(max_length=100)] | None]
    kernels: Annotated[list[Kernel], Meta(max_length=1000)]


def of_notebooks(head: dict[str, Any]) -> HostNotebooks:
    """What a host says it has for notebooks. Raises `HostUnfit`."""
    told = _checked(head, ForNotebooks)
    return HostNotebooks(
        missing=told["missing"],
        papermill=told["packages"].get("papermill"),
        ipykernel=told["packages"].get("ipykernel"),
        kernels=[HostKernel(**msgspec.structs.asdict(one)) for one in told["kernels"]],
    )


def of_host(head: dict[str, Any]) -> dict[str, Any]:
    """All that a host says of itself. Raises `HostUnfit` for what no host can be."""
    return _checked(head, Told)


def of_now(head: dict[str, Any]) -> dict[str, Any]:
    """What a host says is free. Raises `HostUnfit`."""
    return _checked(head, Now)


def _checked(head: dict[str, Any], form: type[Struct]) -> dict[str, Any]:
    try:
        return msgspec.structs.asdict(msgspec.convert(head, form))
    except msgspec.ValidationError as error:
        raise HostUnfit(f"What the host says of itself cannot be true: {error}.") from None
