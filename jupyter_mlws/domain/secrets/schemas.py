"""Wire types of secrets. None holds a value on its way out."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from jupyter_mlws.kit.fields import matching

VALUE_CHARS = 32_768
SecretName = Annotated[
    str,
    matching(
        r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$(?!\n)",
        "The name of a secret has letters, digits, `_`, `-` and `.`, and begins with a letter, a digit or `_`",
        max_length=100,
    ),
]


class Secret(Struct, kw_only=True):
    """A secret, without its value."""

    name: str
    created_at: int
    created_by: str
    updated_at: int
    """When its value was set last."""
    updated_by: str
    readable: bool
    """False: the key that it was sealed with is not here; set it anew."""
    waiting: list[str]
    """Run ids of jobs that wait or run, and name it; at most 100."""
    jobs: int
    """How many jobs there are that name it, ended ones as well."""


class SecretList(Struct, kw_only=True):
    """The secrets of a workspace, by name."""

    secrets: list[Secret]
    kept: str
    """Where the key is that they are sealed with, in words."""


class SecretPut(Struct, kw_only=True, forbid_unknown_fields=True):
    """The value of a secret."""

    value: Annotated[str, Meta(max_length=VALUE_CHARS)]
    """4 characters at least: shorter ones could not be hidden in logs."""


class KeyRotation(Struct, kw_only=True):
    """What a new key did."""

    secrets: int
    """So many values were sealed anew, in all workspaces."""
    kept: str
    """Where the new key is, in words."""
    todo: str
    """What is left for a person to do, or empty."""
