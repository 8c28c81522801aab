"""Compute targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET, UnsetType

from jupyter_mlws.domain.compute.schemas import (
    ComputeCreate,
    ComputeList,
    ComputeTarget,
    ComputeTest,
    ComputeUpdate,
    ComputeUsage,
    EndedJob,
    EndedJobPage,
    GatewayCreate,
    GatewayUpdate,
    HostKeyQuery,
    KeySecret,
    ShownKey,
    ShownKeys,
    Span,
    SshCreate,
    SshUpdate,
)
from jupyter_mlws.kit.sizes import read_bytes
from jupyter_mlws.sdk import forms
from jupyter_mlws.sdk.batch_targets import BatchTargets
from jupyter_mlws.sdk.errors import BadInput
from jupyter_mlws.sdk.table import Table
from jupyter_mlws.sdk.transport import segment

if TYPE_CHECKING:
    import builtins


PAGE = 200
SLOW_S = 90.0
"""So long a host may take to answer, or not to."""


class Compute(BatchTargets):
    """`ws.compute`."""

    def list(self) -> Table[ComputeTarget]:
        """All targets with their load and their queue."""
        return Table(self._ask("GET", "/compute", ComputeList).targets, forms.COMPUTE)

    def show(self, name: str = "local") -> ComputeTarget:
        """One target, with why each job in its queue waits."""
        return self._ask("GET", f"/compute/{segment(name)}", ComputeTarget)

    def history(self, name: str = "local", *, limit: int | None = 50) -> Table[EndedJob]:
        """The jobs that have ended on a target, the last first: at most so many, all of them with `limit=None`."""
        found: builtins.list[EndedJob] = []
        cursor: str | None = None
        while limit is None or len(found) < limit:
            query = {"limit": PAGE if limit is None else min(PAGE, limit - len(found)), "cursor": cursor}
            page = self._ask("GET", f"/compute/{segment(name)}/jobs", EndedJobPage, query=query)
            found += page.jobs
            cursor = page.next_cursor
            if cursor is None:
                break
        return Table(found, forms.ENDED_JOBS)

    def usage(self, name: str = "local", *, span: Span = "7d") -> ComputeUsage:
        """Who has used a target, and how much: of the jobs that have ended within `24h`, `7d`, `30d`, or `all` of them."""
        return self._ask("GET", f"/compute/{segment(name)}/usage", ComputeUsage, query={"span": span})

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

    def create_ssh(
        self,
        name: str,
        *,
        host: str,
        host_key: str,
        user: str | UnsetType = UNSET,
        port: int | UnsetType = UNSET,
        folder: str | UnsetType = UNSET,
        python: str | UnsetType = UNSET,
        key_secret: str | UnsetType = UNSET,
        server_url: str | UnsetType = UNSET,
        wheelhouse: str | UnsetType = UNSET,
        max_jobs: int | UnsetType = UNSET,
        description: str | UnsetType = UNSET,
    ) -> ComputeTarget:
        """Make a target of another host, reached by SSH.

        `host_key` is the key that the host must show: its fingerprint (`SHA256:…`), as its owner tells it, or the public key. `host_keys`
        says what it shows now. `key_secret` names the secret of this workspace that holds the private key; without it the keys of the
        server's SSH agent are shown.
        """
        ssh = SshCreate(
            host=host,
            host_key=host_key,
            user=user,
            port=port,
            folder=folder,
            python=python,
            key=UNSET if key_secret is UNSET else KeySecret(workspace=self._workspace, name=key_secret),
            server_url=server_url,
            wheelhouse=wheelhouse,
        )
        body = ComputeCreate(name=name, ssh=ssh, max_jobs=max_jobs, description=description)
        return self._ask("POST", "/compute", ComputeTarget, body=body, timeout=SLOW_S)

    def move_ssh(
        self,
        name: str,
        *,
        host: str | UnsetType = UNSET,
        host_key: str | UnsetType = UNSET,
        user: str | UnsetType = UNSET,
        port: int | UnsetType = UNSET,
        folder: str | UnsetType = UNSET,
        python: str | UnsetType = UNSET,
        key_secret: str | UnsetType | None = UNSET,
        server_url: str | UnsetType | None = UNSET,
        wheelhouse: str | UnsetType | None = UNSET,
        description: str | UnsetType = UNSET,
    ) -> ComputeTarget:
        """Change where a host is and how to get in; what is left out stays. `key_secret=None`: the keys of the server's SSH agent;
        `server_url=None`: what jobs log is fetched from the host."""
        ssh = SshUpdate(
            host=host,
            host_key=host_key,
            user=user,
            port=port,
            folder=folder,
            python=python,
            key=KeySecret(workspace=self._workspace, name=key_secret) if isinstance(key_secret, str) else key_secret,
            server_url=server_url,
            wheelhouse=wheelhouse,
        )
        body = ComputeUpdate(description=description, ssh=ssh)
        return self._ask("PATCH", f"/compute/{segment(name)}", ComputeTarget, body=body, timeout=SLOW_S)

    def create_gateway(
        self,
        name: str,
        *,
        url: str,
        token_secret: str | UnsetType = UNSET,
        ca_file: str | UnsetType = UNSET,
        server_url: str | UnsetType = UNSET,
        kernel: str | UnsetType = UNSET,
        kernel_user: str | UnsetType = UNSET,
        patience: float | UnsetType = UNSET,
        fetch_limit: int | UnsetType = UNSET,
        insecure: bool | UnsetType = UNSET,
        max_jobs: int | UnsetType = UNSET,
        description: str | UnsetType = UNSET,
    ) -> ComputeTarget:
        """Make a target of another Jupyter server, or of a Jupyter Kernel or Enterprise Gateway: its kernels run notebooks.

        `token_secret` names the secret of this workspace that holds the server's token. `ca_file`, on the server's machine, has the
        certificates to trust. An Enterprise Gateway starts kernels for the `kernel_user`. So many seconds of `patience` a kernel's
        connection may be cut, and so many bytes of output and files (`fetch_limit`) a job brings to that machine. `insecure` sends the
        token over http:// to another machine.
        """
        place = GatewayCreate(
            url=url,
            token=UNSET if token_secret is UNSET else KeySecret(workspace=self._workspace, name=token_secret),
            ca_file=ca_file,
            server_url=server_url,
            kernel=kernel,
            kernel_user=kernel_user,
            patience_s=patience if patience is UNSET else int(patience),
            fetch_limit_bytes=fetch_limit,
            insecure=insecure,
        )
        body = ComputeCreate(name=name, gateway=place, max_jobs=max_jobs, description=description)
        return self._ask("POST", "/compute", ComputeTarget, body=body)

    def move_gateway(
        self,
        name: str,
        *,
        url: str | UnsetType = UNSET,
        token_secret: str | UnsetType | None = UNSET,
        ca_file: str | UnsetType | None = UNSET,
        server_url: str | UnsetType | None = UNSET,
        kernel: str | UnsetType | None = UNSET,
        kernel_user: str | UnsetType | None = UNSET,
        patience: float | UnsetType = UNSET,
        fetch_limit: int | UnsetType = UNSET,
        insecure: bool | UnsetType = UNSET,
        description: str | UnsetType = UNSET,
    ) -> ComputeTarget:
        """Change where another Jupyter server is and how to get in; what is left out stays, and None takes it away."""
        place = GatewayUpdate(
            url=url,
            token=KeySecret(workspace=self._workspace, name=token_secret) if isinstance(token_secret, str) else token_secret,
            ca_file=ca_file,
            server_url=server_url,
            kernel=kernel,
            kernel_user=kernel_user,
            patience_s=patience if patience is UNSET else int(patience),
            fetch_limit_bytes=fetch_limit,
            insecure=insecure,
        )
        body = ComputeUpdate(description=description, gateway=place)
        return self._ask("PATCH", f"/compute/{segment(name)}", ComputeTarget, body=body)

    def host_keys(self, host: str, port: int = 22) -> builtins.list[ShownKey]:
        """The keys that a host shows now, to compare with what its owner says."""
        return self._ask("POST", "/ssh/host-keys", ShownKeys, body=HostKeyQuery(host=host, port=port), timeout=SLOW_S).keys

    def test(self, name: str) -> ComputeTest:
        """Try what a target needs, step by step. Takes some seconds."""
        return self._ask("POST", f"/compute/{segment(name)}/test", ComputeTest, timeout=SLOW_S)

    def delete(self, name: str, *, force: bool = False) -> None:
        """Delete a target on which no job runs; with `force` the jobs that run there are given up. What lies on the host stays."""
        self._ask("DELETE", f"/compute/{segment(name)}" + ("?force=true" if force else ""), type(None))

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
