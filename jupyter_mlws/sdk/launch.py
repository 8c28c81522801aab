"""Starting a server of our own, without a browser, where none runs. It ends by itself when it is idle."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_mlws.kit.paths import Folders, default_data_dir
from jupyter_mlws.sdk.discovery import Server, from_owner_file
from jupyter_mlws.sdk.errors import StartFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

START_S = 60.0
POLL_S = 0.05
LOG_NAME = "headless.log"

_started: list[subprocess.Popen[bytes]] = []
"""They outlive this process, which need not wait for them."""


def start() -> Server:
    """Start a server. Of several processes that come here at once one does; the others find that server."""
    folder = default_data_dir()
    with _alone(folder):
        return from_owner_file() or _start(folder)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """While this process may start a server; others wait, and then find that server."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (folder / "start.lock").open("a")
    except OSError as error:
        raise StartFailed(
            f"The data folder {folder} cannot be used: {error.strerror}. MLWS_DATA_DIR names another one."
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _start(folder: Path) -> Server:
    log = folder / LOG_NAME
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_mlws.server.headless"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=Path.home() if Path.home().is_dir() else "/",
            env={**_environment(), "MLWS_DATA_DIR": str(Folders(folder).root.absolute())},
            start_new_session=True,
            close_fds=True,
        )
    _started.append(process)
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        found = from_owner_file(folder)
        if found is not None:
            return found
        if process.poll() not in (None, 0):
            raise StartFailed(f"The server that was to be started ended at once: {_reason(log)}\nIts log is {log}.")
        time.sleep(POLL_S)
    raise StartFailed(f"The server that was started does not answer after {START_S:.0f} s. Its log is {log}.")


def _environment() -> dict[str, str]:
    """Ours, without what belongs to the run or kernel that this process may be part of."""
    own = {"MLWS_RUN_ID", "MLWS_JOB_DIR", "MLWS_NOTEBOOK", "MLWS_SPOOL_DIR", "MLWS_URL", "MLWS_TOKEN", "MLWS_EXPERIMENT"}
    own |= {
        "MLWS_WORKSPACE",
        "MLWS_NOTEBOOK_FILE",
        "MLWS_RUN_NAME",
        "AZUREML_RUN_ID",
        "JPY_PARENT_PID",
        "JUPYTER_SERVER_ROOT",
        "JUPYTER_SERVER_URL",
    }
    return {name: value for name, value in os.environ.items() if name not in own}


def _reason(log: Path) -> str:
    """What the server said for a person, else its last line."""
    try:
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    except OSError:
        return ""
    said = [line.removeprefix("mlws: ") for line in lines if line.startswith("mlws: ")]
    return (said or lines or [""])[-1]
