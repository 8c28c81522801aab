"""Zero configuration in kernels: those started by this server find the workspace in their environment, each with its own token.

The workspace is the one that `MLWS_WORKSPACE` names, in the kernelspec or in this server's environment. A kernel may exchange its token
for one of another workspace (`domain.access.service.exchange_token`); both end with the kernel.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import os
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from jupyter_client.kernelspec import NoSuchKernel
from tornado.httpclient import HTTPClientError

from jupyter_mlws.domain.access import service as access
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.domain.workspaces.errors import WorkspaceNotFound
from jupyter_mlws.kit.actors import ActorKind
from jupyter_mlws.server.notebooks import follow_notebooks

if TYPE_CHECKING:
    from jupyter_mlws.server.runtime import Runtime

log = logging.getLogger(__name__)

KERNEL_PATH = str(Path(__file__).resolve().parent.parent / "kernel_path")
LIFETIME_S = 30 * 24 * 3600
PATIENCE_S = 5.0
"""A kernel's start waits so long for the workspace, and then does without."""


def with_kernel_path(user_value: str | None) -> str:
    """PYTHONPATH with our folder after the user's entries."""
    entries = [entry for entry in (user_value or "").split(os.pathsep) if entry]
    return os.pathsep.join([*[entry for entry in entries if entry != KERNEL_PATH], KERNEL_PATH])


def follow_kernels(serverapp: Any, runtime: Runtime) -> None:
    """Wrap the kernel manager of this server, so that REST, sessions and restarts are covered."""
    manager = serverapp.kernel_manager
    # Kernels behind a gateway run elsewhere, and nobody can reach a unix socket by a URL.
    if serverapp.gateway_config.gateway_enabled or not runtime.settings.url or getattr(manager, "_mlws_follows", False):
        return
    start, shutdown, prepare = manager.start_kernel, manager.shutdown_kernel, manager.pre_start_kernel
    tokens: dict[str, str] = {}

    @functools.wraps(start)
    async def start_kernel(*args: Any, **kwargs: Any) -> Any:
        env = dict(kwargs.get("env") or os.environ)
        token_id = None
        try:
            own = await asyncio.to_thread(of_kernelspec, manager, kwargs.get("kernel_name"), env)
            token_id = await asyncio.wait_for(add_workspace(env, own, runtime), PATIENCE_S)
        except Exception:
            log.exception("A kernel starts without the workspace")
        kernel_id = await start(*args, **{**kwargs, "env": env})
        if token_id is not None:
            tokens[str(kernel_id)] = token_id
        return kernel_id

    @functools.wraps(shutdown)
    async def shutdown_kernel(kernel_id: str, *args: Any, **kwargs: Any) -> Any:
        result = shutdown(kernel_id, *args, **kwargs)
        if hasattr(result, "__await__"):
            result = await result
        token_id = None if kwargs.get("restart") else tokens.pop(str(kernel_id), None)
        if token_id is not None:
            try:
                await asyncio.wait_for(revoke(runtime, token_id), PATIENCE_S)
            except Exception as error:  # noqa: BLE001 - the kernel has ended, and its token ends with its time
                log.info("The token of kernel %s could not be revoked: %s", kernel_id, error)
        return result

    @functools.wraps(prepare)
    def pre_start_kernel(*args: Any, **kwargs: Any) -> Any:
        made = prepare(*args, **kwargs)
        keep_kernel_path(made[0])
        return made

    manager.start_kernel, manager.shutdown_kernel, manager.pre_start_kernel = start_kernel, shutdown_kernel, pre_start_kernel
    keep_path_in_updates(manager)
    follow_notebooks(manager, Path(serverapp.runtime_dir), Path(serverapp.root_dir))
    manager._mlws_follows = True


def keep_path_in_updates(manager: Any) -> None:
    """When a notebook is renamed, Jupyter writes this server's PYTHONPATH over the one that its kernel gets at the next start."""
    update = getattr(manager, "update_env", lambda **_: None)  # jupyter_client has it from 8.5 on

    def update_env(*, kernel_id: str, env: dict[str, str]) -> Any:
        return update(kernel_id=kernel_id, env={**env, "PYTHONPATH": with_kernel_path(env.get("PYTHONPATH"))})

    manager.update_env = update_env


def keep_kernel_path(kernel: Any) -> None:
    """A kernelspec with a PYTHONPATH of its own replaces the one that we made: add our folder to its own, too."""
    try:
        spec = kernel.kernel_spec
    except NoSuchKernel:  # Jupyter will tell
        return
    if spec is not None and "PYTHONPATH" in (spec.env or {}):
        spec.env = {**spec.env, "PYTHONPATH": with_kernel_path(spec.env["PYTHONPATH"])}


def of_kernelspec(manager: Any, kernel_name: str | None, env: dict[str, str]) -> dict[str, str]:
    """The environment that a kernelspec sets; Jupyter adds it to the kernel's own when it starts it."""
    try:
        spec = manager.kernel_spec_manager.get_kernel_spec(kernel_name or manager.default_kernel_name)
    except (NoSuchKernel, OSError, ValueError):  # Jupyter will tell
        return {}
    return {name: Template(str(value)).safe_substitute(env) for name, value in (spec.env or {}).items()}


async def add_workspace(env: dict[str, str], of_spec: dict[str, str], runtime: Runtime) -> str | None:
    """Add our variables to a kernel's environment; what the user set himself wins. The id of the token that was made, if any."""
    env["PYTHONPATH"] = with_kernel_path(env.get("PYTHONPATH"))
    named = {**os.environ, **of_spec}
    if "MLWS_URL" in named:
        return None
    await runtime.ready()
    workspace = named.get("MLWS_WORKSPACE", "").strip() or workspaces.DEFAULT
    token_id, secret = await issue(runtime, workspace)
    ours = {
        "MLWS_URL": runtime.settings.url,
        "MLWS_TOKEN": secret,
        "MLWS_WORKSPACE": workspace,
        "MLWS_DATA_DIR": str(runtime.settings.data_dir),
        "MLWS_SPOOL_DIR": str(runtime.services.folders.spool),
    }
    env.update({name: value for name, value in ours.items() if name not in os.environ})
    return token_id


async def issue(runtime: Runtime, workspace: str) -> tuple[str, str]:
    """Id and secret of a token for a kernel. One whose workspace is not there (yet) gets the token of the default workspace."""
    try:
        return await _issue(runtime, workspace)
    except (WorkspaceNotFound, HTTPClientError) as error:
        missing = isinstance(error, WorkspaceNotFound) or error.code == 404
        if workspace == workspaces.DEFAULT or not missing:
            raise
        log.warning("MLWS_WORKSPACE names %r, which is not there; make it with `mlws workspace create`", workspace)
        return await _issue(runtime, workspaces.DEFAULT)


async def _issue(runtime: Runtime, workspace: str) -> tuple[str, str]:
    """By whichever server owns the data folder."""
    forwarder = runtime.forwarder
    if not runtime.is_owner and forwarder is not None:
        wanted = {"workspace": workspace, "lifetime_s": LIFETIME_S, "exchangeable": True}
        made = await forwarder.call("POST", "/tokens", wanted)
        return made["id"], made["secret"]
    user = access.local_name()
    new = await runtime.db.write(
        lambda s: access.issue_token(
            s,
            kind=ActorKind.KERNEL,
            user=user,
            workspace_id=workspaces.find(s, workspace).id,
            lifetime_ms=LIFETIME_S * 1000,
            exchangeable=True,
        )
    )
    return new.id, new.secret


async def revoke(runtime: Runtime, token_id: str) -> None:
    """The token of a kernel that has ended is worth nothing any more."""
    forwarder = runtime.forwarder
    if not runtime.is_owner and forwarder is not None:
        await forwarder.call("DELETE", f"/tokens/{token_id}")
        return
    await runtime.db.write(lambda s: access.revoke_token(s, token_id))
    runtime.forget_tokens()
