"""Secrets: values that jobs are given as variables. They can be set and never read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_mlws.domain.secrets.schemas import KeyRotation, Secret, SecretList, SecretPut
from jupyter_mlws.sdk import forms
from jupyter_mlws.sdk.table import Table
from jupyter_mlws.sdk.transport import segment

if TYPE_CHECKING:
    from jupyter_mlws.sdk.workspace import Workspace


class Secrets:
    """`ws.secrets`."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._ask = workspace.transport.ask

    def list(self) -> Table[Secret]:
        """All secrets of the workspace, without their values, and which jobs name them."""
        return Table(self._ask("GET", self._path(), SecretList).secrets, forms.SECRETS)

    def kept(self) -> str:
        """Where the key is that they are sealed with, in words."""
        return self._ask("GET", self._path(), SecretList).kept

    def set(self, name: str, value: str) -> Secret:
        """Make a secret, or give it another value. Jobs that run keep what they were given.

        A job gets it by `ws.jobs.create(..., secrets={"VARIABLE": name})`. Raises `BadInput` for a value under 4 characters.
        """
        return self._ask("PUT", self._path(name), Secret, body=SecretPut(value=value))

    def delete(self, name: str) -> None:
        """Delete a secret. Jobs that wait and name it fail when they are to begin. Raises `NotFound`."""
        self._ask("DELETE", self._path(name), type(None))

    def rotate_key(self) -> KeyRotation:
        """Seal all values of all workspaces with a new key."""
        return self._ask("POST", "/secrets/rotate-key", KeyRotation)

    def _path(self, name: str | None = None) -> str:
        return f"{self._workspace.path}/secrets" + ("" if name is None else f"/{segment(name)}")
