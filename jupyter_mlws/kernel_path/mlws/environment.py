"""What a run runs in: interpreter, machine, installed packages, and the state of the git repository."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import Any, Dict, List, Tuple

GIT_TIMEOUT_S = 5.0
MAX_PATCH = 1_000_000
MAX_LINE = 4000

_packages: Tuple[Tuple[Any, ...], Dict[str, str]] = ((), {})


def capture(folder: str | None = None) -> Dict[str, Any]:
    """The environment of this process, as the server takes it; `folder` is where the notebook or script lies.

    Takes up to some seconds.
    """
    import platform
    import socket

    found: Dict[str, Any] = {
        "language": "python",
        "language_version": platform.python_version(),
        "executable": sys.executable or None,
        "platform": platform.platform(),
        "host": socket.gethostname(),
        "cpu_count": os.cpu_count(),
        "memory_bytes": _memory(),
        "packages": packages(),
        "git": git_state(folder or os.getcwd()),
    }
    return {key: value[:MAX_LINE] if isinstance(value, str) else value for key, value in found.items() if value is not None}


def packages() -> Dict[str, str]:
    """Installed distributions, name to version; read again when a folder of the interpreter's path changed."""
    global _packages
    from importlib.metadata import distributions

    state = tuple((path, _changed_at(path)) for path in sys.path)
    if state != _packages[0]:
        found: Dict[str, str] = {}
        for distribution in distributions():
            name = distribution.metadata["Name"]
            if name:
                found.setdefault(str(name), str(distribution.version))
        _packages = (state, dict(sorted(found.items(), key=lambda pair: pair[0].lower())))
    return _packages[1]


def _changed_at(path: str) -> int:
    try:
        return os.stat(path or ".").st_mtime_ns
    except OSError:
        return 0


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def git_state(folder: str) -> Dict[str, Any] | None:
    """Commit, branch, remote without credentials, and changes as a patch of at most 1 MB; None where there is no git."""
    status = _git(folder, "status", "--porcelain=v2", "--branch", "--untracked-files=no")
    if status is None:
        return None
    facts = dict(line[2:].split(" ", 1) for line in status.splitlines() if line.startswith("# branch.") and line.count(" ") > 1)
    commit, branch = facts.get("branch.oid", ""), facts.get("branch.head", "")
    state: Dict[str, Any] = {"dirty": any(line and not line.startswith("#") for line in status.splitlines())}
    if commit and commit != "(initial)":
        state["commit"] = commit
    if branch and branch != "(detached)":
        state["branch"] = branch[:MAX_LINE]
    remote = _git(folder, "config", "--get", "remote.origin.url")
    if remote and remote.strip():
        state["remote"] = without_credentials(remote.strip())[:MAX_LINE]
    if state["dirty"] and "commit" in state:
        state["patch"] = _git(folder, "diff", "HEAD", "--no-color", "--no-ext-diff", "--no-textconv") or ""
    return state


def without_credentials(url: str) -> str:
    """A remote's URL without user name, password and query; `git@host:path` keeps its user, which is no secret."""
    bare = re.sub(r"^([a-zA-Z][a-zA-Z0-9+.-]*://)[^/@]*@", r"\1", url)
    return bare.split("?", 1)[0] if "://" in bare else bare


def _git(folder: str, *args: str) -> str | None:
    """The output of a git command, cut at 1 MB; None where git is missing, refuses, or takes too long."""
    command: List[str] = ["git", "--no-optional-locks", "-c", "core.fsmonitor=false", "-C", folder, *args]
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            timeout=GIT_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    if done.returncode:
        return None
    return done.stdout[:MAX_PATCH].decode("utf-8", "replace")
