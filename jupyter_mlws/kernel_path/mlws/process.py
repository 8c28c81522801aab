"""Who and where this process is: its identity, the notebook or script it runs, and the defaults that follow from them."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Dict, List

if TYPE_CHECKING:
    import threading


def identity() -> Dict[str, Any]:
    """Host, pid, start time and boot id of this process: enough to tell later whether it still lives."""
    import socket

    found: Dict[str, Any] = {"host": socket.gethostname()[:255], "pid": os.getpid()}
    start, boot = start_time(), boot_id()
    if start:
        found["start_time"] = start
    if boot:
        found["boot_id"] = boot
    return found


def start_time(pid: int | None = None) -> str | None:
    """Start of a process (by default this one) in clock ticks since boot: field 22 of /proc/<pid>/stat. None without /proc."""
    try:
        with open(f"/proc/{pid or os.getpid()}/stat", "rb") as stat:
            return stat.read().rpartition(b")")[2].split()[19].decode()
    except (OSError, IndexError):
        return None


def boot_id() -> str | None:
    """The id of this boot of the machine, or None where the system has none."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return None


def ipython() -> Any:
    """The running IPython shell, or None; IPython is never imported for it."""
    module = sys.modules.get("IPython")
    shell = getattr(module, "get_ipython", None)
    return shell() if shell is not None else None


def in_kernel() -> bool:
    """Whether this is a Jupyter kernel, which gets only a few seconds to end."""
    return getattr(ipython(), "kernel", None) is not None


def notebook_path() -> str | None:
    """The absolute path of the notebook that this kernel serves, where it is known; what it is called now, if it was renamed."""
    path = os.environ.get("MLWS_NOTEBOOK") or _told_notebook() or os.environ.get("JPY_SESSION_NAME") or ""
    shell = ipython()
    if not path.endswith(".ipynb") and shell is not None:
        path = str(shell.user_ns.get("__vsc_ipynb_file__") or "")
    return os.path.abspath(path) if path.endswith(".ipynb") else None


def _told_notebook() -> str:
    """The path that the server keeps up to date in a file; empty where there is none."""
    try:
        with open(os.environ.get("MLWS_NOTEBOOK_FILE", ""), "rb") as file:
            return os.fsdecode(file.read())
    except OSError:
        return ""


def script_path() -> str | None:
    """The absolute path of the script that Python runs; None in an interactive session, and for a script from stdin."""
    path = getattr(sys.modules.get("__main__"), "__file__", None)
    if not isinstance(path, str) or path.startswith("<") or ipython() is not None:
        return None
    return os.path.abspath(path)


def source() -> str:
    """What a run of this process comes from: the notebook's path, the script's path, or the empty text.

    A script that a notebook starts inherits what tells the notebook, and yet the run is the script's. A worker of an installed
    package (joblib's, say) runs what the notebook gave to it.
    """
    script = script_path()
    if script is not None and not os.environ.get("MLWS_NOTEBOOK") and not _is_installed(script):
        return script
    return notebook_path() or script or ""


def _is_installed(script: str) -> bool:
    library = os.path.dirname(os.path.abspath(os.__file__))
    return script.startswith(library + os.sep) or bool({"site-packages", "dist-packages"} & set(script.split(os.sep)))


def default_experiment() -> str:
    """`MLWS_EXPERIMENT`, else the notebook's or script's name without its ending, else `Default`."""
    named = os.environ.get("MLWS_EXPERIMENT", "").strip()
    if named:
        return named
    path = source()
    stem = os.path.splitext(os.path.basename(path))[0]
    if stem == "__main__":  # python -m package
        stem = os.path.basename(os.path.dirname(path))
    return stem.strip() or "Default"


def say(message: str) -> None:
    """One line on stderr; never an error."""
    try:
        sys.stderr.write(f"mlws: {message}\n")
        sys.stderr.flush()
    except (AttributeError, OSError, ValueError):  # no stderr, or a closed one
        return


def started(threads: List[threading.Thread]) -> bool:
    """Start threads; False where an interpreter that is shutting down starts none."""
    try:
        for thread in threads:
            thread.start()
    except RuntimeError:
        return False
    return True
