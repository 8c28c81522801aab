"""Compute targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET, UnsetType

from jupyter_mlws.domain.compute.schemas import ComputeList, ComputeTarget, ComputeUpdate
from jupyter_mlws.kit.sizes import read_bytes
from jupyter_mlws.sdk import forms
from jupyter_mlws.sdk.errors import BadInput
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

    def update(
        self,
        name: str = "local",
        *,
        max_jobs: int | UnsetType | None = UNSET,
        min_instances: int | UnsetType | None = UNSET,
        cpus: float | UnsetType | None = UNSET,
        memory: int | str | UnsetType | None = UNSET,
        gpus: int | UnsetType | None = UNSET,
        max_jobs_per_user: int | UnsetType | None = UNSET,
        cpus_per_user: float | UnsetType | None = UNSET,
        memory_per_user: int | str | UnsetType | None = UNSET,
        gpus_per_user: int | UnsetType | None = UNSET,
    ) -> ComputeTarget:
        """Set what jobs may have of a target, all together or of one user, from now on and after a restart.

        What is left out stays; None is what the server's settings say (which for one user is: no limit). Memory is a number of
        bytes, or `"16GiB"`. `min_instances` kernels are kept ready for notebook jobs, also while none comes. Jobs that run already
        go on, even if they have more.
        """
        body = ComputeUpdate(
            max_jobs=max_jobs,
            min_instances=min_instances,
            cpus=cpus,
            memory_bytes=_bytes(memory),
            gpus=gpus,
            max_jobs_per_user=max_jobs_per_user,
            cpus_per_user=cpus_per_user,
            memory_bytes_per_user=_bytes(memory_per_user),
            gpus_per_user=gpus_per_user,
        )
        return self._ask("PATCH", f"/compute/{segment(name)}", ComputeTarget, body=body)

    def pause(self, name: str = "local") -> ComputeTarget:
        """Start no more jobs on a target until it is resumed, also after a restart. Those that run go on."""
        return self._ask("PATCH", f"/compute/{segment(name)}", ComputeTarget, body=ComputeUpdate(paused=True))

    def resume(self, name: str = "local") -> ComputeTarget:
        """Start jobs on a target again."""
        return self._ask("PATCH", f"/compute/{segment(name)}", ComputeTarget, body=ComputeUpdate(paused=False))


def _bytes(memory: int | str | UnsetType | None) -> int | UnsetType | None:
    if not isinstance(memory, str):
        return memory
    found = read_bytes(memory)
    if found is None:
        words = f"{memory[:80]!r} is no size of memory; write 4GiB, 512 MB, or a number of bytes."
        raise BadInput(words, status=400, code="bad_input", field="memory")
    return found
