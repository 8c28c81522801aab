"""Environments, as runs captured them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_mlws.domain.environments.schemas import EnvironmentCapture
from jupyter_mlws.domain.jobs.schemas import KernelChoice, KernelList
from jupyter_mlws.sdk import forms
from jupyter_mlws.sdk.table import Table
from jupyter_mlws.sdk.transport import segment

if TYPE_CHECKING:
    from jupyter_mlws.sdk.workspace import Workspace


class Environments:
    """`ws.environments`."""

    def __init__(self, workspace: Workspace) -> None:
        self._ask = workspace.transport.ask

    def list(self) -> Table[KernelChoice]:
        """The kernels that a notebook job can choose."""
        return Table(self._ask("GET", "/kernels", KernelList).kernels, forms.KERNELS)

    def show(self, run: str) -> EnvironmentCapture:
        """What a run ran in: interpreter, platform, packages, git."""
        return self._ask("GET", f"/runs/{segment(run)}/environment", EnvironmentCapture)
