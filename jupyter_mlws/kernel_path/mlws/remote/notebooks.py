"""What there is on the host for notebooks, and what all processes of jobs begin with there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any, Dict

from mlws import jobdir

PRIVATE = ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY", "SSH_AUTH_SOCK", "SSH_ORIGINAL_COMMAND")
LOOK_S = 45.0
LEAST_PYTHON = (3, 10)
"""For the runner; the supervisor does with less."""


def environment() -> Dict[str, str]:
    """The variables of this host, and how its programs and ours are found."""
    env = {name: value for name, value in os.environ.items() if name not in PRIVATE and not name.startswith("MLWS_")}
    path = [os.path.dirname(sys.executable), env.get("PATH", os.defpath)]
    modules = [*(entry for entry in env.get("PYTHONPATH", "").split(os.pathsep) if entry), jobdir.KERNEL_PATH]
    return {**env, "PATH": os.pathsep.join(path), "PYTHONPATH": os.pathsep.join(modules)}


def look(code: str) -> Dict[str, Any]:
    """What an interpreter of its own finds, with the site packages that we do without: `missing` says in words why notebooks cannot run.

    `code` is the folder in which the runner lies.
    """
    found: Dict[str, Any] = {"missing": "", "packages": {}, "kernels": []}
    if sys.version_info < LEAST_PYTHON:
        there, least = (".".join(map(str, version[:2])) for version in (sys.version_info, LEAST_PYTHON))
        return {**found, "missing": f"{sys.executable} is Python {there}; notebooks need {least} or newer"}
    try:
        asked = subprocess.run(
            [sys.executable, code, "abilities"],
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LOOK_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {**found, "missing": f"{sys.executable} did not say within {LOOK_S:.0f} s what it has"}
    try:
        return {**found, **json.loads(asked.stdout.splitlines()[-1])}
    except (ValueError, IndexError):
        last = (asked.stderr.decode("utf-8", "replace").strip().splitlines() or [f"exit code {asked.returncode}"])[-1]
        return {**found, "missing": f"{sys.executable} cannot say what it has: {last[:500]}"}
