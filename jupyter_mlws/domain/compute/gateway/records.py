"""Notes of the kernels that may live on another Jupyter server, which their bridges write, and whether anybody minds those still."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

from mlws import jobdir

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

log = logging.getLogger(__name__)

RECORD = "gateway.json"
"""In the folder of a job: the kernel that it has over there, as long as that may live."""


def folder_of(kernels: Path) -> Path:
    """Where the bridges of notebooks note their kernels."""
    return kernels.with_name("far-kernels")


def of_notebooks(kernels: Path) -> list[Path]:
    """Those of notebooks and consoles."""
    return list(folder_of(kernels).glob("*.json"))


def of_jobs(jobs: Path) -> list[Path]:
    """Those of jobs. Looks into each folder of a job."""
    return [*jobs.glob(f"*/{RECORD}"), *jobs.glob(f"*/attempts/*/{RECORD}")]


def read(path: Path) -> dict[str, Any]:
    """What a note says; nothing where it is gone."""
    return jobdir.read_json(str(path)) or {}


def is_minded(told: Mapping[str, Any]) -> bool:
    """Whether the bridge that wrote it lives: it ends its kernel itself."""
    pid, began = told.get("pid"), told.get("start_time")
    if not isinstance(pid, int) or pid <= 0:
        return False
    return jobdir.start_time(pid) == began if began is not None else _is_there(pid)


def _is_there(pid: int) -> bool:
    """Whether there is such a process; where there is no /proc (macOS) more is not known of it."""
    try:
        os.kill(pid, 0)
    except (OSError, OverflowError):  # there is none, or it is somebody else's
        return False
    return True


def drop_unknown(jobs: Path, kernels: Path, places: Mapping[str, str]) -> None:
    """Remove what names a target that is not there, or is at another address: nobody can end those kernels any more. `places`: the
    address of each target."""
    for path in [*of_notebooks(kernels), *of_jobs(jobs)]:
        told = read(path)
        if not told or places.get(str(told.get("target"))) == told.get("url") or is_minded(told):
            continue
        log.warning("The kernel %s may live on at %s, for which there is no target any more", names(told), told.get("url"))
        path.unlink(missing_ok=True)


def names(told: Mapping[str, Any]) -> str:
    """The kernels that a note names."""
    asked = told.get("asked")
    return ", ".join(str(one) for one in [told.get("kernel_id"), *(asked if isinstance(asked, list) else ())] if one)
