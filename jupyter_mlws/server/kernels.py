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

import msgspec
from jupyter_client.kernelspec import NoSuchKernel
from tornado.httpclient import HTTPClientError

from jupyter_mlws.domain.access import service as access
from jupyter_mlws.domain.access.schemas import Holder
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.domain.workspaces.errors import WorkspaceNotFound
from jupyter_mlws.kit.actors import ActorKind
from jupyter_mlws.kit.mlflow_env import mlflow_variables
from jupyter_mlws.server import far_kernels
from jupyter_mlws.server.early_kernels import why_untracked
from jupyter_mlws.server.mlflow_folders import LogsTo, logs_to
from jupyter_mlws.server.notebooks import follow_notebooks
from mlws.jobdir import KERNEL_PATH, boot_id, start_time

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from jupyter_mlws.server.runtime import Runtime

log = logging.getLogger(__name__)


LIFETIME_S = 30 * 24 * 3600
EXPERIMENT = "MLFLOW_EXPERIMENT_NAME"
NOTEBOOK = "IPYNB_FILE"
PATIENCE_S = 5.0
"""A kernel's start waits so long for the workspace, and then does without."""


class Given:
    """What a kernel was given: the ids of its tokens, MLflow's variables, and the notebook it serves, which may be renamed."""

    def __init__(self, tokens: list[str], variables: dict[str, str], notebook: Path | None) -> None:
        self.tokens = tokens
        self.variables = variables
        self.notebook = notebook


def with_kernel_path(user_value: str | None) -> str:
    """PYTHONPATH with our folder after the user's entries."""
    entries = [entry for entry in (user_value or "").split(os.pathsep) if entry]
    return os.pathsep.join([*[entry for entry in entries if entry != KERNEL_PATH], KERNEL_PATH])


def follow_kernels(serverapp: Any, runtime: Runtime) -> None:
    """Wrap the kernel manager of this server, so that REST, sessions and restarts are covered."""
    manager = serverapp.kernel_manager
    if why_untracked(serverapp) or getattr(manager, "_mlws_follows", False):
        return
    start, shutdown, prepare = manager.start_kernel, manager.shutdown_kernel, manager.pre_start_kernel
    tokens: dict[str, Given] = {}

    @functools.wraps(start)
    async def start_kernel(*args: Any, **kwargs: Any) -> Any:
        env = dict(kwargs.get("env") or os.environ)
        given = None
        try:
            own = await asyncio.to_thread(of_kernelspec, manager, kwargs.get("kernel_name"), env)
            folder = Path(manager.cwd_for_path(kwargs["path"])) if kwargs.get("path") else None
            given = await asyncio.wait_for(add_workspace(env, own, runtime, Path(serverapp.root_dir), folder), PATIENCE_S)
        except Exception:
            log.exception("A kernel starts without the workspace")
        await far_kernels.give(env, manager, kwargs.get("kernel_name"), runtime)
        kernel_id = await start(*args, **{**kwargs, "env": env})
        if given is not None:
            given.variables = {name: env[name] for name in given.variables}  # on another machine some have other values
            tokens[str(kernel_id)] = given
            await follow_process(manager.get_kernel(kernel_id), given, runtime)
        return kernel_id

    @functools.wraps(shutdown)
    async def shutdown_kernel(kernel_id: str, *args: Any, **kwargs: Any) -> Any:
        result = shutdown(kernel_id, *args, **kwargs)
        if hasattr(result, "__await__"):
            result = await result
        given = None if kwargs.get("restart") else tokens.pop(str(kernel_id), None)
        for token_id in given.tokens if given is not None else ():
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
    follow_renames(manager, tokens, runtime, Path(serverapp.root_dir))
    follow_notebooks(manager, Path(serverapp.runtime_dir), Path(serverapp.root_dir))
    manager._mlws_follows = True


def follow_renames(manager: Any, tokens: dict[str, Given], runtime: Runtime, root: Path) -> None:
    """Follow the names of notebooks, for the snapshots of running kernels and for the environment of the next start."""
    update = getattr(manager, "update_env", lambda **_: None)  # jupyter_client has it from 8.5 on

    def update_env(*, kernel_id: str, env: dict[str, str]) -> Any:
        """A session was changed. Jupyter writes this server's environment over the one that its kernel gets at the next start."""
        given, notebook = tokens.get(str(kernel_id)), notebook_of(env, root)
        ours = {"PYTHONPATH": with_kernel_path(env.get("PYTHONPATH"))}
        if given is not None:
            if notebook is not None:
                given.notebook = notebook
                in_background(note_holder(manager.get_kernel(kernel_id), given, runtime))
            ours.update(renamed(given))
        return update(kernel_id=kernel_id, env={**env, **ours})

    manager.update_env = update_env


def renamed(given: Given) -> dict[str, str]:
    """MLflow's variables that name the notebook, by its present name; those that the user set himself are not ours to change."""
    notebook = given.notebook
    if notebook is None:
        return given.variables
    named = {EXPERIMENT: notebook.stem, NOTEBOOK: str(notebook)}
    return {**given.variables, **{name: value for name, value in named.items() if name in given.variables}}


_TASKS: set[asyncio.Task[None]] = set()


def in_background(work: Coroutine[Any, Any, None]) -> None:
    """Do it without making anybody wait."""
    task = asyncio.get_running_loop().create_task(work)
    _TASKS.add(task)
    task.add_done_callback(_TASKS.discard)


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


async def add_workspace(
    env: dict[str, str], of_spec: dict[str, str], runtime: Runtime, root: Path, folder: Path | None = None
) -> Given | None:
    """Add our variables to the environment of a kernel that starts in `folder`; what the user set himself wins.

    What the kernel was given, if anything.
    """
    env["PYTHONPATH"] = with_kernel_path(env.get("PYTHONPATH"))
    named = {**os.environ, **of_spec}
    if "MLWS_URL" in named:
        return None
    await runtime.ready()
    workspace = named.get("MLWS_WORKSPACE", "").strip() or workspaces.DEFAULT
    token_id, secret = await issue(runtime, workspace)
    tokens = [token_id]
    ours = {
        "MLWS_URL": runtime.settings.url,
        "MLWS_TOKEN": secret,
        "MLWS_WORKSPACE": workspace,
        "MLWS_DATA_DIR": str(runtime.settings.data_dir),
        "MLWS_SPOOL_DIR": str(runtime.services.folders.spool),
    }
    notebook = notebook_of(env, root)
    variables: dict[str, str] = {}
    env.update({name: value for name, value in ours.items() if name not in os.environ})
    if runtime.settings.mlflow_in_kernels and (
        folder is None or await asyncio.to_thread(logs_to, runtime.services.folders.root, folder) is LogsTo.WORKSPACE
    ):
        # A token of its own, which opens one workspace: it goes along when somebody points MLflow at another server.
        mlflow_id, mlflow_secret = await issue(runtime, workspace, exchangeable=False)
        variables = mlflow_variables(
            url=runtime.settings.url,
            workspace=workspace,
            token=mlflow_secret,
            experiment=notebook.stem if notebook is not None else None,
            notebook=str(notebook) if notebook is not None else None,
            given={**env, **named},
        )
        env.update(variables)
        tokens.append(mlflow_id)
    return Given(tokens, variables, notebook)


def notebook_of(env: dict[str, str], root: Path) -> Path | None:
    """The notebook that Jupyter names in the environment of a kernel."""
    session = env.get("JPY_SESSION_NAME", "")
    return root / session if session.endswith(".ipynb") else None


async def follow_process(kernel: Any, given: Given, runtime: Runtime) -> None:
    """Tell which process has the kernel's tokens, now and after each restart, by hand or after a crash."""
    restart = kernel.restart_kernel

    @functools.wraps(restart)
    async def restart_kernel(*args: Any, **kwargs: Any) -> Any:
        result = await restart(*args, **kwargs)
        await note_holder(kernel, given, runtime)
        return result

    kernel.restart_kernel = restart_kernel
    await note_holder(kernel, given, runtime)


async def note_holder(kernel: Any, given: Given, runtime: Runtime) -> None:
    """Keep the process of a kernel of this machine with its tokens."""
    pid = getattr(kernel.provisioner, "pid", None)
    if not isinstance(pid, int):
        return
    notebook = str(given.notebook) if given.notebook is not None else None
    holder = Holder(host=os.uname().nodename, pid=pid, start_time=start_time(pid), boot_id=boot_id(), notebook=notebook)
    forwarder = runtime.forwarder
    try:
        for token_id in given.tokens:
            if not runtime.is_owner and forwarder is not None:
                await forwarder.call("PATCH", f"/tokens/{token_id}", {"holder": msgspec.to_builtins(holder)})
            else:
                await runtime.db.write(lambda s, token_id=token_id: access.note_holder(s, token_id, holder))  # type: ignore[misc]
    except Exception as error:  # noqa: BLE001 - the kernel works; only the end of its runs is not noticed by itself
        log.info("The process of a kernel could not be noted: %s", error)


async def issue(runtime: Runtime, workspace: str, *, exchangeable: bool = True) -> tuple[str, str]:
    """Id and secret of a token for a kernel. One whose workspace is not there (yet) gets the token of the default workspace."""
    try:
        return await _issue(runtime, workspace, exchangeable=exchangeable)
    except (WorkspaceNotFound, HTTPClientError) as error:
        missing = isinstance(error, WorkspaceNotFound) or error.code == 404
        if workspace == workspaces.DEFAULT or not missing:
            raise
        log.warning("MLWS_WORKSPACE names %r, which is not there; make it with `mlws workspace create`", workspace)
        return await _issue(runtime, workspaces.DEFAULT, exchangeable=exchangeable)


async def _issue(runtime: Runtime, workspace: str, *, exchangeable: bool) -> tuple[str, str]:
    """By whichever server owns the data folder."""
    forwarder = runtime.forwarder
    if not runtime.is_owner and forwarder is not None:
        wanted = {"workspace": workspace, "lifetime_s": LIFETIME_S, "exchangeable": exchangeable}
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
            exchangeable=exchangeable,
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
