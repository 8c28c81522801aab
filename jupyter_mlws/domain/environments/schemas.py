"""Wire types of captured environments."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from jupyter_mlws.kit.fields import Count

Line = Annotated[str, Meta(max_length=4000)]


class GitState(Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The state of the git repository a run was started from."""

    commit: Line | None = None
    branch: Line | None = None
    remote: Line | None = None
    """URL of `origin`, with credentials removed."""
    dirty: bool = False
    patch: Annotated[str, Meta(max_length=2_000_000)] | None = None
    """`git diff HEAD`, cut at 1 MB."""


class EnvironmentCapture(Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a run ran in."""

    language: Line | None = None
    language_version: Line | None = None
    executable: Line | None = None
    kernel_name: Line | None = None
    kernel_display_name: Line | None = None
    platform: Line | None = None
    host: Line | None = None
    cpu_count: Count | None = None
    memory_bytes: Count | None = None
    packages: Annotated[dict[str, str], Meta(max_length=20_000)] = {}
    """Installed distributions: name to version."""
    git: GitState | None = None
