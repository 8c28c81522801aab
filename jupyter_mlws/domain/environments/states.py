"""Whether an environment can be used on this machine."""

from __future__ import annotations

from enum import Enum


class BuildStatus(str, Enum):
    """How far the build of an environment is. Kernels and interpreters that are there already are Ready without one."""

    NOT_BUILT = "NotBuilt"
    BUILDING = "Building"
    READY = "Ready"
    FAILED = "Failed"
