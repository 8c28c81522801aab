"""Wire types of tokens."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from jupyter_mlws.kit.fields import ObjectId


class TokenCreate(Struct, kw_only=True, forbid_unknown_fields=True):
    """A token for a kernel: bound to one workspace, at most 30 days."""

    kind: Literal["kernel"] = "kernel"
    workspace: str = "default"
    lifetime_s: Annotated[int, Meta(ge=60, le=2_592_000)] = 2_592_000


class Token(Struct, kw_only=True):
    """A token just made. `secret` is shown this once."""

    id: ObjectId
    secret: str
