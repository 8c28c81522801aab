"""Kernels of other Jupyter servers as kernels of this one, for notebooks and consoles: where they stand, and what one is given when it
starts."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from jupyter_client.kernelspec import NoSuchKernel

from jupyter_mlws.domain.compute import service as compute
from jupyter_mlws.kit.errors import MlwsError

if TYPE_CHECKING:
    from jupyter_mlws.server.runtime import Runtime

log = logging.getLogger(__name__)


def show(serverapp: Any, runtime: Runtime) -> None:
    """Have this server's kernel manager find them. They are those of the server that owns the data folder: it alone has the tokens."""
    specs = serverapp.kernel_spec_manager
    folder = str(runtime.settings.data_dir / "kernels")
    if runtime.is_owner and hasattr(specs, "kernel_dirs") and folder not in specs.kernel_dirs:
        specs.kernel_dirs = [*specs.kernel_dirs, folder]


async def give(env: dict[str, str], manager: Any, kernel_name: str | None, runtime: Runtime) -> None:
    """Add to the environment of a kernel that starts what its bridge needs, if it has one: the token of the other server, and how this
    server is reached from there."""
    try:
        await _give(env, manager, kernel_name, runtime)
    except Exception:  # whatever is wrong with ours must keep no kernel from its start
        log.exception("A kernel starts as if it were no kernel of another server")


async def _give(env: dict[str, str], manager: Any, kernel_name: str | None, runtime: Runtime) -> None:
    name = await asyncio.to_thread(_target_of, manager, kernel_name)
    if name is None or not runtime.is_owner:
        return
    target = runtime.services.jobs.computes.get(name)
    if target is None or not getattr(target, "kernels_elsewhere", False):
        log.warning("The compute target %r, whose kernel is to start, is not there any more", name)
        return
    try:
        variables = await asyncio.to_thread(target.variables)
    except MlwsError as error:  # the kernel says that it lacks the token
        log.warning("A kernel on %s starts without its token: %s", name, error.message)
        return
    env.update(variables)
    if url := target.place.server_url:
        for variable in ("MLWS_URL", "MLFLOW_TRACKING_URI"):
            if env.get(variable, "").startswith(runtime.settings.url):
                env[variable] = url.rstrip("/") + env[variable].removeprefix(runtime.settings.url)


def _target_of(manager: Any, kernel_name: str | None) -> str | None:
    try:
        spec = manager.kernel_spec_manager.get_kernel_spec(kernel_name or manager.default_kernel_name)
    except (NoSuchKernel, OSError, ValueError):  # Jupyter will tell
        return None
    return compute.target_of(spec.metadata)
