"""Compute targets of batch systems: Slurm, PBS and LSF."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import UNSET, UnsetType

from jupyter_mlws.domain.compute.schemas import (
    ComputeCreate,
    ComputeTarget,
    ComputeUpdate,
    LsfCreate,
    LsfUpdate,
    PbsCreate,
    PbsUpdate,
    SlurmCreate,
    SlurmUpdate,
)
from jupyter_mlws.sdk.transport import segment

if TYPE_CHECKING:
    from jupyter_mlws.sdk.workspace import Workspace


class BatchTargets:
    """What `ws.compute` has for them."""

    def __init__(self, workspace: Workspace) -> None:
        self._ask = workspace.transport.ask
        self._workspace = workspace.name

    def create_slurm(
        self,
        name: str,
        *,
        partition: str | UnsetType = UNSET,
        account: str | UnsetType = UNSET,
        qos: str | UnsetType = UNSET,
        reservation: str | UnsetType = UNSET,
        time_limit: float | UnsetType = UNSET,
        python: str | UnsetType = UNSET,
        server_url: str | UnsetType = UNSET,
        via: str | UnsetType = UNSET,
        max_jobs: int | UnsetType = UNSET,
        description: str | UnsetType = UNSET,
    ) -> ComputeTarget:
        """Make a target of Slurm, as the server's machine submits to it, or the host of the target `via`, of the kind ssh. `time_limit`
        (seconds) is for jobs without a `timeout`."""
        place = SlurmCreate(
            partition=partition,
            account=account,
            qos=qos,
            reservation=reservation,
            time_limit_s=_whole(time_limit),
            python=python,
            server_url=server_url,
            via=via,
        )
        return self._made(ComputeCreate(name=name, slurm=place, max_jobs=max_jobs, description=description))

    def change_slurm(
        self,
        name: str,
        *,
        partition: str | UnsetType | None = UNSET,
        account: str | UnsetType | None = UNSET,
        qos: str | UnsetType | None = UNSET,
        reservation: str | UnsetType | None = UNSET,
        time_limit: float | UnsetType | None = UNSET,
        python: str | UnsetType = UNSET,
        server_url: str | UnsetType | None = UNSET,
        via: str | UnsetType | None = UNSET,
        description: str | UnsetType = UNSET,
    ) -> ComputeTarget:
        """Change what Slurm is asked for with each job from now on; what is left out stays, and None is what Slurm has."""
        place = SlurmUpdate(
            partition=partition,
            account=account,
            qos=qos,
            reservation=reservation,
            time_limit_s=_whole(time_limit),
            python=python,
            server_url=server_url,
            via=via,
        )
        return self._changed(name, ComputeUpdate(description=description, slurm=place))

    def create_pbs(
        self,
        name: str,
        *,
        queue: str | UnsetType = UNSET,
        account: str | UnsetType = UNSET,
        project: str | UnsetType = UNSET,
        dialect: Literal["torque", "pro"] | UnsetType = UNSET,
        time_limit: float | UnsetType = UNSET,
        python: str | UnsetType = UNSET,
        server_url: str | UnsetType = UNSET,
        via: str | UnsetType = UNSET,
        max_jobs: int | UnsetType = UNSET,
        description: str | UnsetType = UNSET,
    ) -> ComputeTarget:
        """Make a target of PBS (Torque, OpenPBS, PBS Pro), as `create_slurm` does of Slurm. `dialect` is how it is asked for resources; if
        it is left out it is asked what it is."""
        place = PbsCreate(
            queue=queue,
            account=account,
            project=project,
            dialect=dialect,
            time_limit_s=_whole(time_limit),
            python=python,
            server_url=server_url,
            via=via,
        )
        return self._made(ComputeCreate(name=name, pbs=place, max_jobs=max_jobs, description=description))

    def change_pbs(
        self,
        name: str,
        *,
        queue: str | UnsetType | None = UNSET,
        account: str | UnsetType | None = UNSET,
        project: str | UnsetType | None = UNSET,
        dialect: Literal["torque", "pro"] | UnsetType | None = UNSET,
        time_limit: float | UnsetType | None = UNSET,
        python: str | UnsetType = UNSET,
        server_url: str | UnsetType | None = UNSET,
        via: str | UnsetType | None = UNSET,
        description: str | UnsetType = UNSET,
    ) -> ComputeTarget:
        """Change what PBS is asked for with each job from now on; what is left out stays, and None is what PBS has."""
        place = PbsUpdate(
            queue=queue,
            account=account,
            project=project,
            dialect=dialect,
            time_limit_s=_whole(time_limit),
            python=python,
            server_url=server_url,
            via=via,
        )
        return self._changed(name, ComputeUpdate(description=description, pbs=place))

    def create_lsf(
        self,
        name: str,
        *,
        queue: str | UnsetType = UNSET,
        project: str | UnsetType = UNSET,
        user_group: str | UnsetType = UNSET,
        application: str | UnsetType = UNSET,
        time_limit: float | UnsetType = UNSET,
        python: str | UnsetType = UNSET,
        server_url: str | UnsetType = UNSET,
        via: str | UnsetType = UNSET,
        max_jobs: int | UnsetType = UNSET,
        description: str | UnsetType = UNSET,
    ) -> ComputeTarget:
        """Make a target of IBM Spectrum LSF, as `create_slurm` does of Slurm."""
        place = LsfCreate(
            queue=queue,
            project=project,
            user_group=user_group,
            application=application,
            time_limit_s=_whole(time_limit),
            python=python,
            server_url=server_url,
            via=via,
        )
        return self._made(ComputeCreate(name=name, lsf=place, max_jobs=max_jobs, description=description))

    def change_lsf(
        self,
        name: str,
        *,
        queue: str | UnsetType | None = UNSET,
        project: str | UnsetType | None = UNSET,
        user_group: str | UnsetType | None = UNSET,
        application: str | UnsetType | None = UNSET,
        time_limit: float | UnsetType | None = UNSET,
        python: str | UnsetType = UNSET,
        server_url: str | UnsetType | None = UNSET,
        via: str | UnsetType | None = UNSET,
        description: str | UnsetType = UNSET,
    ) -> ComputeTarget:
        """Change what LSF is asked for with each job from now on; what is left out stays, and None is what LSF has."""
        place = LsfUpdate(
            queue=queue,
            project=project,
            user_group=user_group,
            application=application,
            time_limit_s=_whole(time_limit),
            python=python,
            server_url=server_url,
            via=via,
        )
        return self._changed(name, ComputeUpdate(description=description, lsf=place))

    def _made(self, body: ComputeCreate) -> ComputeTarget:
        return self._ask("POST", "/compute", ComputeTarget, body=body)

    def _changed(self, name: str, body: ComputeUpdate) -> ComputeTarget:
        return self._ask("PATCH", f"/compute/{segment(name)}", ComputeTarget, body=body)


def _whole(span: float | UnsetType | None) -> int | UnsetType | None:
    return int(span) if isinstance(span, (int, float)) else span
