"""What a spare's kernel is asked before the user's first cell. The kernel gets the text of this file, and keeps nothing of it.

Standard library only, Python 3.8 or newer: the kernel may be another interpreter than ours.
"""

from __future__ import annotations

import glob
import os
import sys
from importlib import import_module
from typing import Any, Dict, List

ROOM = b"MLWS_JOB_DIR="


def look() -> Dict[str, Any]:
    """Whether anything of the user's ran at the start, for that would have been told of no job; and what a kernel's start depends on."""
    app = import_module("traitlets.config").Application.instance()
    shell = import_module("IPython").get_ipython()
    profile: str = shell.profile_dir.location
    folders = [profile, os.path.join(profile, "startup"), shell.ipython_dir]
    ran: List[str] = [str(path) for path in app.loaded_config_files]
    ran += glob.glob(os.path.join(profile, "startup", "*.py")) + glob.glob(os.path.join(profile, "startup", "*.ipy"))
    ran += [
        name
        for name in ("extensions", "exec_lines", "exec_files", "code_to_run", "module_to_run", "file_to_run")
        if getattr(app, name, None)
    ]
    ran += [name for name in ("PYTHONSTARTUP",) if os.environ.get(name)]
    for name in ("usercustomize", "sitecustomize"):
        file = getattr(sys.modules.get(name), "__file__", None) or ""
        if name in sys.modules and not file.startswith(("/usr/", "/etc/", os.path.dirname(os.__file__) + os.sep + name)):
            ran.append(name)
    packages = [path for path in sys.path if path.endswith("-packages")]
    return {"ran": ran, "stamps": stamps([*folders, *packages, sys.executable])}


def stamps(paths: List[str]) -> Dict[str, int]:
    """When each of these was changed; 0 for what is not there."""
    found = {}
    for path in paths:
        try:
            found[path] = os.stat(path).st_mtime_ns
        except OSError:
            found[path] = 0
    return found


def arrive(cwd: str, changes: Dict[str, Any]) -> bool:
    """Be where the job is, in its environment; None takes a variable away."""
    change(cwd, changes)
    shell = import_module("IPython").get_ipython()
    shell.starting_dir = os.getcwd()
    visited = shell.user_ns["_dh"]
    visited[:] = [type(visited[0])(os.getcwd())]
    return True


def change(cwd: str, changes: Dict[str, Any]) -> None:
    """Enter the folder, and change the environment: also what others see of it, who look for the processes of a job."""
    os.chdir(cwd)
    for name, value in changes.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    with open("/proc/self/environ", "rb") as file:
        seen = file.read()
    with open("/proc/self/stat", "rb") as file:
        start = int(file.read().rpartition(b")")[2].split()[47])
    begin = seen.index(ROOM)
    room = seen.index(b"\0", begin) - begin
    mark = ROOM + os.fsencode(os.environ["MLWS_JOB_DIR"])
    if len(mark) > room:
        raise ValueError("the job's folder has too long a path")
    with open("/proc/self/mem", "r+b", 0) as memory:
        memory.seek(start + begin)
        memory.write(mark.ljust(room, b"\0"))
