"""Captures what a job runs in: the interpreter of its kernel, the packages there, the machine, the git state of its folder. Blocks."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from jupyter_mlws.domain.environments.schemas import EnvironmentCapture, GitState
from jupyter_mlws.kit.child_env import inherited

GIT_TIMEOUT_S = 10
PACKAGES_TIMEOUT_S = 30
PATCH_LIMIT = 1_000_000
# Nothing that a repository configures may be executed by looking at it.
GIT_SAFE = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "diff.external=")
LIST_PACKAGES = (
    "import json,platform,importlib.metadata as m;ds=[d for d in m.distributions() if d.metadata['Name']];"
    "print(json.dumps([platform.python_version(),{d.metadata['Name']:d.version for d in ds},"
    "sorted({d.metadata['Name'] for d in ds if d.read_text('direct_url.json')})]))"
)
"""Version, packages, and those of them that came from elsewhere than an index (PEP 610)."""


def capture(
    kernel: str | None, git: GitState | None, *, interpreter: str | None = None, environment: str | None = None
) -> EnvironmentCapture:
    """What a job with `kernel` (a kernelspec's name; None: this server's interpreter) runs in, and the `git` state of its code.

    `interpreter`: the one of the `environment` that it named, if that has one.
    """
    found = _kernel(kernel) if interpreter is None else ("python", None, interpreter)
    return _captured(kernel, found, git, environment)


def capture_at_once(kernel: str | None, git: GitState | None, *, environment: str | None = None) -> EnvironmentCapture | None:
    """The same, if the interpreter was asked before and has the same packages; else None."""
    found = _kernel(kernel)
    executable = found[2]
    if executable is not None and _answer_of(executable, _stamp(executable)) is None:
        return None
    return _captured(kernel, found, git, environment)


def _captured(
    kernel: str | None, found: tuple[str, str | None, str | None], git: GitState | None, environment: str | None
) -> EnvironmentCapture:
    language, display_name, executable = found
    version, packages, local = python_of(executable) if executable is not None else (None, {}, [])
    return EnvironmentCapture(
        language=language,
        language_version=version,
        executable=executable,
        kernel_name=kernel,
        kernel_display_name=display_name,
        platform=platform.platform(),
        host=socket.gethostname(),
        cpu_count=os.cpu_count(),
        memory_bytes=_memory(),
        packages=packages,
        local_packages=local,
        environment=environment,
        git=git,
    )


def _kernel(name: str | None) -> tuple[str, str | None, str | None]:
    """(language, display name, Python interpreter if it is one) of a kernel."""
    if name is None:
        return "python", None, sys.executable
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel  # noqa: PLC0415 - needed for notebooks only
    from traitlets import TraitError  # noqa: PLC0415 - likewise

    manager: Any = KernelSpecManager()
    try:
        spec = manager.get_kernel_spec(name)
    except (NoSuchKernel, OSError, ValueError, TypeError, TraitError):
        # It is gone, or its `kernel.json` is none: the job itself will say so.
        return "unknown", None, None
    first = spec.argv[0] if spec.argv else ""
    if spec.language != "python":
        return spec.language, spec.display_name, None
    if first in ("python", "python3"):
        return spec.language, spec.display_name, sys.executable
    return spec.language, spec.display_name, shutil.which(first)


Answer = tuple[str | None, dict[str, str], list[str]]
_answers: dict[str, tuple[tuple[int, ...], Answer]] = {}
"""What interpreters answered, each with the stamp of its packages then, the latest last."""
ANSWERS = 32
"""So many are kept."""


def python_of(executable: str) -> Answer:
    """(version, packages, those that no index has) of an interpreter; remembered as long as its site-packages do not change.

    The version is None for what is no Python, or does not answer.
    """
    stamp = _stamp(executable)
    if (found := _answer_of(executable, stamp)) is None:
        found = _ask_python(executable)
        _answers.pop(executable, None)
        while len(_answers) >= ANSWERS:
            _answers.pop(next(iter(list(_answers)), ""), None)
        _answers[executable] = (stamp, found)
    return found


def _answer_of(executable: str, stamp: tuple[int, ...]) -> Answer | None:
    known = _answers.get(executable)
    return known[1] if known is not None and known[0] == stamp else None


def _stamp(executable: str) -> tuple[int, ...]:
    times = []
    for path in Path(executable).parent.parent.glob("lib/python*/site-packages"):
        with contextlib.suppress(OSError):  # it is replaced just now
            times.append(path.stat().st_mtime_ns)
    return tuple(sorted(times))


def _ask_python(executable: str) -> Answer:
    try:
        asked = subprocess.run(
            [executable, "-I", "-c", LIST_PACKAGES],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PACKAGES_TIMEOUT_S,
            check=True,
            env=inherited(),
        )
        version, packages, local = json.loads(asked.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None, {}, []
    return str(version), {str(name): str(number) for name, number in packages.items()}, [str(name) for name in local]


def git_state(folder: Path) -> GitState | None:
    """Commit, branch, remote and uncommitted changes of the repository that `folder` lies in; None outside one, or without git."""
    if shutil.which("git") is None or not any((parent / ".git").exists() for parent in (folder, *folder.parents)):
        return None
    status = _git(folder, "status", "--porcelain=v2", "--branch", "--no-ahead-behind", "--untracked-files=no")
    if status is None:  # too slow, or an old git: what is known at once is better than nothing
        commit, branch, dirty = _git(folder, "rev-parse", "HEAD"), _git(folder, "symbolic-ref", "--short", "-q", "HEAD"), False
    else:
        commit, branch, dirty = _read_status(status)
    remote = _git(folder, "config", "--get", "remote.origin.url")
    patch = _git(folder, "diff", "--no-ext-diff", "--no-textconv", "HEAD") if dirty else None
    return GitState(
        commit=commit or None,
        branch=branch or None,
        remote=without_credentials(remote) if remote else None,
        dirty=dirty,
        patch=patch or None,
    )


def _read_status(status: str) -> tuple[str | None, str | None, bool]:
    """(commit, branch, whether files were changed) from the second form of `git status --porcelain`."""
    lines = status.splitlines()
    told = dict(line[2:].split(" ", 1) for line in lines if line.startswith("# branch."))
    commit, branch = told.get("branch.oid"), told.get("branch.head")
    dirty = any(line and not line.startswith("#") for line in lines)
    return (None if commit == "(initial)" else commit), (None if branch == "(detached)" else branch), dirty


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints, at most `PATCH_LIMIT` bytes of it: a patch may have gigabytes. None if it fails or takes too long."""
    try:
        git = subprocess.Popen(
            ("git", *GIT_SAFE, *arguments),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except OSError:
        return None
    too_slow = threading.Timer(GIT_TIMEOUT_S, git.kill)
    too_slow.start()
    try:
        with git:
            assert git.stdout is not None  # noqa: S101 - a pipe was asked for
            printed = git.stdout.read(PATCH_LIMIT)
            cut = bool(git.stdout.read(1))
            if cut:
                git.kill()
    finally:
        too_slow.cancel()
    return printed.decode("utf-8", "replace").strip("\n") if cut or git.returncode == 0 else None


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None


def without_credentials(url: str) -> str:
    """A git remote without user name and password (`git@host:path` names no secret and stays)."""
    if "://" not in url:
        user, at, place = url.rpartition("@")
        return f"{user.partition(':')[0]}{at}{place}"
    scheme, _, rest = url.partition("://")
    place = re.split(r"[?#]", rest, maxsplit=1)[0]
    host, slash, path = place.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
