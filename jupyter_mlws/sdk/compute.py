"""Compute targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_mlws.domain.compute.schemas import ComputeList, ComputeTarget
from jupyter_mlws.sdk.transport import segment

if TYPE_CHECKING:
    from jupyter_mlws.sdk.workspace import Workspace


class Compute:
    """`ws.compute`."""

    def __init__(self, workspace: Workspace) -> None:
        self._ask = workspace.transport.ask

    def list(self) -> list[ComputeTarget]:
        """All targets with their load and their queue."""
        return self._ask("GET", "/compute", ComputeList).targets

    def show(self, name: str = "local") -> ComputeTarget:
        """One target, with why each job in its queue waits."""
        return self._ask("GET", f"/compute/{segment(name)}", ComputeTarget)
