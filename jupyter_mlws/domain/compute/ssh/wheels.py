"""The wheels that a target takes along, from which a host makes itself a Python for notebooks."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_mlws.domain.compute.errors import HostInstalls, HostUnfit
from jupyter_mlws.domain.compute.schemas import HostNotebooks
from jupyter_mlws.domain.compute.ssh.facts import of_notebooks
from jupyter_mlws.domain.compute.ssh.staging import Staged, StagedFile, digest, send
from jupyter_mlws.kit.errors import BadInput

if TYPE_CHECKING:
    import os

    from jupyter_mlws.domain.compute.ssh.link import Link

FIELD = "ssh.wheelhouse"
_digests: dict[Path, tuple[tuple[int, ...], str]] = {}
LOOK_EVERY_S = 0.5
MOST_S = 45.0
"""So long a test waits for a host that installs them."""


def checked(folder: str) -> str:
    """A folder of wheels on this machine. Raises `BadInput` for what is none."""
    path = Path()
    with contextlib.suppress(OSError, ValueError, RuntimeError):  # no name of a folder, or of a user
        named = Path(folder).expanduser()
        path = named if named.is_dir() else path
    if not path.is_absolute():
        raise BadInput(f"There is no folder {folder[:200]!r} on the server's machine; name it by its whole path.", field=FIELD)
    if not any(path.glob("*.whl")):
        words = f"{path} holds no wheels. `pip download papermill ipykernel --dest {path}` gets them."
        raise BadInput(words, field=FIELD)
    return str(path)


def _digest(path: Path, stat: os.stat_result) -> str:
    """SHA-256 of a wheel. They may be gigabytes: one that has not changed is read once."""
    stamp = (stat.st_size, stat.st_mtime_ns, stat.st_ino)
    known = _digests.get(path)
    if known is None or known[0] != stamp:
        known = _digests[path] = (stamp, digest(path))
    return known[1]


def _staged(folder: str) -> list[StagedFile]:
    try:
        found = [StagedFile(path.name, _digest(path, path.stat()), False, path) for path in sorted(Path(folder).glob("*.whl"))]
    except OSError as error:
        raise HostUnfit(f"The wheels in {folder} cannot be read: {error.strerror}.") from error
    if not found:
        raise HostUnfit(f"The wheels of the target are gone: there are none in {folder} on the server's machine.")
    return found


async def found(link: Link, folder: str | None, *, waits: bool = False) -> tuple[str | None, HostNotebooks]:
    """(the Python that was made of wheels, what there is for notebooks). Raises `HostInstalls`, and what `Link.ask` does.

    `folder`: where the target's wheels lie; None for one that has none. Of wheels that do not do, what is missing says so.
    """
    python = None
    try:
        python = await python_of(link, folder, waits=waits) if folder else None
    except HostUnfit as error:
        return None, HostNotebooks(missing=error.message.rstrip("."), papermill=None, ipykernel=None, kernels=[])
    return python, of_notebooks((await link.ask("notebooks", python=python))[0])


async def python_of(link: Link, folder: str, *, waits: bool = False) -> str:
    """The Python that a host has made of the wheels. `waits`: until it is made, trying anew what failed before.

    Raises `HostInstalls` while it is made, `HostUnfit` where that failed, and what `Link.ask` does.
    """
    files = await asyncio.to_thread(_staged, folder)
    named, again = [[file.path, file.sha256] for file in files], waits
    deadline = asyncio.get_running_loop().time() + MOST_S
    while True:
        answer, _ = await link.ask("wheels", wheels=named, again=again)
        again = False
        state = answer["state"]
        if state == "ready":
            return str(answer["python"])
        if state == "failed":
            raise HostUnfit(f"The wheels in {folder} do not make a Python for notebooks there: {str(answer['detail'])[:2000]}.")
        if state == "missing":
            await send(link, Staged([], files))
            again = waits
        elif not waits or asyncio.get_running_loop().time() > deadline:
            raise HostInstalls(f"{link.place.words} is installing what notebooks need.")
        else:
            await asyncio.sleep(LOOK_EVERY_S)
