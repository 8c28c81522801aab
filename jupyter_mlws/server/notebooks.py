"""Which notebook a kernel serves: told in a file that the kernel reads when a run starts, for a notebook may be renamed meanwhile.

The environment of a process stays as it was at its start. Jupyter Server tells the kernel manager of a renamed notebook
(`update_env`, for the kernel's next start); what it tells goes into the file as well.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import uuid
from typing import TYPE_CHECKING, Any

from mlws.jobdir import write_atomic

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)

VARIABLE = "MLWS_NOTEBOOK_FILE"


def follow_notebooks(manager: Any, folder: Path, root: Path) -> None:
    """Wrap a kernel manager, so that each kernel finds the path of its notebook in a file in `folder`.

    root: what Jupyter's paths are relative to.
    """
    start, shutdown = manager.start_kernel, manager.shutdown_kernel
    update = getattr(manager, "update_env", lambda **_: None)  # jupyter_client has it from 8.5 on
    files: dict[str, Path] = {}

    @functools.wraps(start)
    async def start_kernel(*args: Any, **kwargs: Any) -> Any:
        env = dict(kwargs.get("env") or os.environ)
        file = folder / f"mlws-notebook-{uuid.uuid4().hex}.txt"
        env[VARIABLE] = str(file)
        tell(file, env, root)
        kernel_id = await start(*args, **{**kwargs, "env": env})
        files[str(kernel_id)] = file
        return kernel_id

    def update_env(*, kernel_id: str, env: dict[str, str]) -> Any:
        file = files.get(str(kernel_id))
        if file is not None:
            tell(file, env, root)
        return update(kernel_id=kernel_id, env=env)

    @functools.wraps(shutdown)
    async def shutdown_kernel(kernel_id: str, *args: Any, **kwargs: Any) -> Any:
        result = shutdown(kernel_id, *args, **kwargs)
        if hasattr(result, "__await__"):
            result = await result
        file = None if kwargs.get("restart") else files.pop(str(kernel_id), None)
        if file is not None:
            with contextlib.suppress(OSError):
                file.unlink(missing_ok=True)
        return result

    manager.start_kernel, manager.shutdown_kernel, manager.update_env = start_kernel, shutdown_kernel, update_env


def tell(file: Path, env: dict[str, str], root: Path) -> None:
    """Write the path that Jupyter tells in a kernel's environment, if it is that of a notebook."""
    session = env.get("JPY_SESSION_NAME", "")
    if not session.endswith(".ipynb"):
        return
    try:
        write_atomic(str(file), os.fsencode(root / session))
    except OSError as error:
        log.warning("A kernel cannot be told of its notebook: %s", error)
