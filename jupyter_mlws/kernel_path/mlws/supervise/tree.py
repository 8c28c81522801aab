"""Starts the job's process and finds, signals and reaps everything that comes of it."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from typing import Any, Dict, List, Sequence, Tuple

LINUX = sys.platform.startswith("linux")
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


class SpawnFailed(Exception):
    """The job's process could not be started."""


def _prctl() -> Any:
    """prctl(2) of the C library; None where there is none."""
    if not LINUX:
        return None
    try:
        import ctypes

        return ctypes.CDLL(None, use_errno=True).prctl
    except (ImportError, OSError, AttributeError):
        return None


PRCTL = _prctl()


def adopt_orphans() -> bool:
    """Become the parent of every descendant that loses its own; says whether this system can do that."""
    return PRCTL is not None and PRCTL(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0


def spawn(argv: Sequence[str], cwd: str, env: Dict[str, str], output: int, stdin: int | None = None) -> int:
    """Start `argv` in a process group of its own, with `output` as stdout and stderr; its pid, or `SpawnFailed`."""
    told, tell = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _become(argv, cwd, env, (stdin, output), tell, parent)
    os.close(tell)
    # Both sides set it: whoever comes first, the group exists before anybody signals it.
    with contextlib.suppress(OSError):
        os.setpgid(pid, pid)
    with os.fdopen(told, "rb") as pipe:
        failure = pipe.read()
    if failure:
        os.waitpid(pid, 0)
        raise SpawnFailed(failure.decode("utf-8", "replace"))
    return pid


def _become(argv: Sequence[str], cwd: str, env: Dict[str, str], streams: Tuple[int | None, int], tell: int, parent: int) -> None:
    """The child's side between fork and exec; never returns."""
    where = f"The command {argv[0]!r} cannot be started" if argv else "The command is empty"
    try:
        os.setpgid(0, 0)
        if PRCTL is not None:
            PRCTL(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != parent:
                os._exit(127)
        signal.set_wakeup_fd(-1)
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:  # whoever started the server may ignore some
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        stdin, output = streams
        os.dup2(os.open(os.devnull, os.O_RDONLY) if stdin is None else stdin, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.closerange(3, tell)
        os.closerange(tell + 1, 1024)
        os.chdir(cwd)
        os.execvpe(argv[0], list(argv), env)  # noqa: S606 - a shell where the user asked for one
    except BaseException as error:  # noqa: BLE001 - between fork and exec nothing may get away
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
        if isinstance(error, OSError) and error.filename == cwd:
            where = f"The working folder {cwd!r} cannot be entered"
        os.write(tell, f"{where}: {reason}.".encode("utf-8", "replace"))
    finally:
        os._exit(127)


def descendants(root: int) -> List[int]:
    """Living processes (no zombies) below `root`, parents before children."""
    if root == os.getpid() and not _has_children():
        return []
    children: Dict[int, List[int]] = {}
    zombies = set()
    for pid, parent, state in _processes():
        children.setdefault(parent, []).append(pid)
        if state == "Z":
            zombies.add(pid)
    found: List[int] = []
    queue = [root]
    for pid in queue:
        queue.extend(children.get(pid, ()))
        if pid != root and pid not in zombies:
            found.append(pid)
    return found


def _has_children() -> bool:
    """Whether anything is below this process, without a look at all processes of the machine: who has no child has no descendants."""
    if not LINUX:
        return True
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def read_stat(pid: int) -> List[bytes]:
    """Fields of /proc/<pid>/stat from the state on; the name before it may hold anything. A third of the calls that a file object makes."""
    fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(fd, 4096).rpartition(b")")[2].split()
    finally:
        os.close(fd)


def _processes() -> List[tuple[int, int, str]]:
    """(pid, parent, state) of all processes."""
    table = []
    if LINUX:
        for name in os.listdir("/proc"):
            if name.isdigit():
                with contextlib.suppress(OSError):
                    fields = read_stat(int(name))
                    table.append((int(name), int(fields[1]), "Z" if fields[0] in (b"Z", b"X") else "R"))
        return table
    import subprocess

    # -A: of all sessions. The listing holds ps itself, which is gone when anybody signals it.
    listing = subprocess.run(["/bin/ps", "-A", "-o", "pid=,ppid=,stat="], capture_output=True, text=True, check=False)
    for line in listing.stdout.splitlines():
        pid, parent, state = line.split(None, 2)
        table.append((int(pid), int(parent), "Z" if state.startswith("Z") else "R"))
    return table


def signal_group(group: int, number: int) -> None:
    """Signal the job's process group; no error where it is gone."""
    with contextlib.suppress(OSError):
        os.killpg(group, number)


def signal_all(group: int, number: int, *, spared: int = 0) -> int:
    """Signal the job's process group and every descendant outside of it; how many there were. `spared` alone is left out."""
    if not spared:
        signal_group(group, number)
    pids = [pid for pid in descendants(os.getpid()) if pid != spared]
    for pid in pids:
        with contextlib.suppress(OSError):
            if spared or os.getpgid(pid) != group:
                os.kill(pid, number)
    return len(pids)
