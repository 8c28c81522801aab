"""Compute targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_mlws.domain.compute.schemas import ComputeList, ComputeTarget, ComputeUpdate
from jupyter_mlws.sdk import forms
from jupyter_mlws.sdk.table import Table
from jupyter_mlws.sdk.transport import segment

if TYPE_CHECKING:
    from jupyter_mlws.sdk.workspace import Workspace


class Compute:
    """`ws.compute`."""

    def __init__(self, workspace: Workspace) -> None:
        self._ask = workspace.transport.ask

    def list(self) -> Table[ComputeTarget]:
        """All targets with their load and their queue."""
        return Table(self._ask("GET", "/compute", ComputeList).targets, forms.COMPUTE)

    def show(self, name: str = "local") -> ComputeTarget:
        """One target, with why each job in its queue waits."""
        return self._ask("GET", f"/compute/{segment(name)}", ComputeTarget)

    def update(self, name: str = "local", *, max_jobs: int | None) -> ComputeTarget:
        """Set how many jobs run on a target at once, from now on and after a restart; None: as many as the server's settings say.

        Jobs that run already go on, even if there are more of them.
        """
        return self._ask("PATCH", f"/compute/{segment(name)}", ComputeTarget, body=ComputeUpdate(max_jobs=max_jobs))
