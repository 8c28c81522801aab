"""Wire types of workspaces."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from jupyter_mlws.kit.fields import matching

WorkspaceName = Annotated[
    str,
    matching(
        r"^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?$(?!\n)",
        "A workspace's name has letters, digits, `-` and `_`, at most 63, and begins and ends with a letter or digit, for it stands "
        "in addresses; its display name may be any text",
    ),
]
Text = Annotated[str, Meta(max_length=10_000)]


class Workspace(Struct, kw_only=True):
    """A workspace."""

    name: str
    display_name: str
    description: str
    archived: bool
    created_at: int
    created_by: str
    experiments: int
    runs: int
    version: int


class WorkspaceList(Struct, kw_only=True):
    """All workspaces that the caller may see."""

    workspaces: list[Workspace]


class WorkspaceCreate(Struct, kw_only=True, forbid_unknown_fields=True):
    """A new workspace. Names: letters, digits, `-` and `_`, at most 63, beginning and ending with a letter or digit."""

    name: WorkspaceName
    display_name: Text | UnsetType = UNSET
    description: Text | UnsetType = UNSET


class WorkspaceUpdate(Struct, kw_only=True, forbid_unknown_fields=True):
    """What may change of a workspace. A new `name` moves its URL; `default` keeps its name."""

    name: WorkspaceName | UnsetType = UNSET
    display_name: Text | UnsetType = UNSET
    description: Text | UnsetType = UNSET


class Resource(Struct, kw_only=True):
    """Something a workspace stands on."""

    kind: Literal["database", "artifact_store", "jobs_folder", "secret_store"]
    location: str
    bytes: int | None
    health: Literal["ok", "degraded", "absent"]
    detail: str


class ResourceList(Struct, kw_only=True):
    """The associated resources of a workspace, with their health as checked just now."""

    resources: list[Resource]


class WorkspaceDeletion(Struct, kw_only=True):
    """What deleting a workspace removes (or removed, when `dry_run` is false)."""

    workspace: str
    experiments: int
    runs: int
    artifacts: int
    bytes_freed: int
    dry_run: bool
    blocked_by: str | None = None
    """Why it cannot be deleted now: the words of the refusal. Only a dry run has any."""
