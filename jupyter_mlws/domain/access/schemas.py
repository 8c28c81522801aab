"""Wire types of tokens."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from jupyter_mlws.kit.fields import Count, ObjectId

EXCHANGEABLE = ".kernel"
"""How a token ends that may be exchanged. The ending is hashed with the rest, so nobody can add it to another token."""


class TokenCreate(Struct, kw_only=True, forbid_unknown_fields=True):
    """A token for a kernel: bound to one workspace, at most 30 days.

    `exchangeable`: its holder may ask for tokens of the maker's other workspaces, as kernels that a server starts may.
    """

    kind: Literal["kernel"] = "kernel"
    workspace: str = "default"
    lifetime_s: Annotated[int, Meta(ge=60, le=2_592_000)] = 2_592_000
    exchangeable: bool = False


class Holder(Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The kernel that has a token: its process, and the notebook it was started for."""

    host: Annotated[str, Meta(max_length=255)]
    pid: Count
    start_time: Annotated[str, Meta(max_length=64)] | None = None
    boot_id: Annotated[str, Meta(max_length=64)] | None = None
    notebook: Annotated[str, Meta(max_length=4000)] | None = None
    """Its path on this machine."""


class TokenUpdate(Struct, kw_only=True, forbid_unknown_fields=True):
    """Who has the token now."""

    holder: Holder


class TokenExchange(Struct, kw_only=True, forbid_unknown_fields=True):
    """The workspace to exchange a token for."""

    workspace: str


class Token(Struct, kw_only=True):
    """A token just made. `secret` is shown this once."""

    id: ObjectId
    secret: str
