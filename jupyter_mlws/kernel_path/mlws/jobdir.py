"""The job directory: what stands in it, and what can be told from it without asking anybody.

The supervisor writes it, the server reads it, and neither needs the other to be alive. Standard library only.

Whether a supervisor lives is told by pid, start time and boot id together, so that neither a reused pid nor a reboot deceives.
Where there is no /proc (macOS) the lock file that the supervisor holds tells it instead, and on another machine that shares the
folder the heartbeat does.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import time
from typing import TYPE_CHECKING, Any, Dict, List, Mapping

if TYPE_CHECKING:
    import subprocess

KERNEL_PATH = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
"""The folder that `mlws` lies in: what is on the PYTHONPATH of supervisors and jobs."""

JOB = "job.json"
PID = "pid.json"
HEARTBEAT = "heartbeat"
CANCEL = "cancel"
EXIT = "exit.json"
LOCK = "lock"
SENT = "sent.json"
"""Made before a job is started on another host: from then on it may run there."""
SECRETS = "secrets.json"
"""What a job on a batch system is given, until its supervisor begins."""
BATCH = "batch.json"
"""How a batch system says that it ended a job."""
USER_LOG = os.path.join("user_logs", "std_log.txt")
SYSTEM_LOG = os.path.join("system_logs", "supervisor.log")
USAGE = "usage.jsonl"
NOTEBOOK = "notebook.jsonl"
PROGRESS = "progress.json"
RESULT = "result.json"
KERNEL = "kernel.json"
"""Made when the kernel of a failed notebook is kept: its process, its connection file, and until when."""
OUTPUT_NOTEBOOK = "output.ipynb"
RUNNER_LOG = os.path.join("system_logs", "runner.log")
FRESH_MS = 30_000
"""A heartbeat comes every five seconds; the clocks of two machines and the cache of a network file system take their share."""
NEXT_LINE = b"\x1bE"
"""Stands between the unfinished lines of a log: a terminal goes to the next line there, and yet the file has no newline that a later
write would change."""


def write_atomic(path: str, data: bytes, *, durable: bool = False) -> None:
    """Replace `path` by `data` in one step; `durable` also waits for the disk. New files are readable by the user alone."""
    temporary = f"{path}.{os.getpid()}.tmp"
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(fd, view) :]
            if durable:
                os.fsync(fd)
        finally:
            os.close(fd)
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def supervise(job_dir: str, secrets: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start a supervisor with an interpreter of its own for a folder that is ready. It detaches itself from this process.

    Secrets go through a pipe, which nobody else can read and which leaves nothing.
    """
    import subprocess

    log = os.path.join(job_dir, SYSTEM_LOG)
    os.makedirs(os.path.dirname(log), exist_ok=True)
    with open(log, "ab") as out:
        child = subprocess.Popen(
            [sys.executable, "-S", "-m", "mlws.supervise", job_dir, *(["--secrets"] if secrets else [])],
            cwd=job_dir,
            env={**os.environ, "PYTHONPATH": KERNEL_PATH},
            stdin=subprocess.PIPE if secrets else subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            close_fds=True,
        )
    if child.stdin is not None:
        with contextlib.suppress(BrokenPipeError), child.stdin:  # one that has ended already says itself why
            child.stdin.write(json.dumps(dict(secrets or {})).encode())
    return child


def read_json(path: str) -> Dict[str, Any] | None:
    """The JSON object in `path`, or None where there is none (missing, or not an object)."""
    try:
        with open(path, "rb") as file:
            value = json.loads(file.read())
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def boot_id() -> str | None:
    """Identifies this boot of the machine; None without /proc."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return None


def start_time(pid: int) -> str | None:
    """Start of a living process in clock ticks since boot, as text; None for a dead one, a zombie, or without /proc."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The name in parentheses may itself hold spaces and parentheses.
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if fields[0] in (b"Z", b"X") else fields[19].decode()


def read_pid(job_dir: str) -> Dict[str, Any] | None:
    """`pid.json`, or None before the job's process runs."""
    return read_json(os.path.join(job_dir, PID))


def read_exit(job_dir: str) -> Dict[str, Any] | None:
    """The exit record, or None while there is none."""
    return read_json(os.path.join(job_dir, EXIT))


def read_heartbeat(job_dir: str) -> int | None:
    """When the supervisor last said that it lives (ms since the epoch), or None."""
    try:
        with open(os.path.join(job_dir, HEARTBEAT), encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):
        return None


def is_foreign(job_dir: str) -> bool:
    """Whether the supervisor of this job is on another machine, which shares the folder: of that one only the heartbeat is seen."""
    record = read_pid(job_dir)
    return record is not None and record.get("host") != socket.gethostname()


def is_alive(job_dir: str) -> bool:
    """Whether the supervisor of this job lives; on another machine, whether its heart beat just now."""
    record = read_pid(job_dir)
    if record is None:
        return _locked(job_dir)
    if record.get("host") != socket.gethostname():
        beat = read_heartbeat(job_dir)
        return beat is not None and abs(time.time() * 1000 - beat) < FRESH_MS
    if record.get("start_time") is None:
        return _locked(job_dir)
    try:
        started = start_time(int(record["pid"]))
    except (KeyError, TypeError, ValueError):  # somebody wrote into the folder
        return _locked(job_dir)
    return record.get("boot_id") == boot_id() and started == record["start_time"]


def _locked(job_dir: str) -> bool:
    """Whether a supervisor holds the lock: also true in the moments before it has written `pid.json`."""
    import fcntl

    try:
        fd = os.open(os.path.join(job_dir, LOCK), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False


def read_kernel(job_dir: str) -> Dict[str, Any] | None:
    """What `kernel.json` says of a kernel that is kept now; None where none is, or its process is gone."""
    found = read_json(os.path.join(job_dir, KERNEL))
    if found is None or not is_alive(job_dir):
        return None
    try:
        started = start_time(int(found["pid"]))
    except (KeyError, TypeError, ValueError, OverflowError):  # somebody wrote into the folder
        return None
    return found if started == found.get("start_time") else None


def request_cancel(job_dir: str, reason: str = "canceled") -> None:
    """Ask the supervisor to end the job; it looks every 0.2 s. The first reason (`canceled` or `timeout`) stays."""
    if reason not in ("canceled", "timeout"):
        raise ValueError(f"A job is canceled for `canceled` or `timeout`, not {reason!r}.")
    path = os.path.join(job_dir, CANCEL)
    if not os.path.exists(path):
        write_atomic(path, reason.encode())


def leftovers(job_dir: str) -> List[int]:
    """Processes of this user that still carry `MLWS_JOB_DIR` of this job: what a killed supervisor left behind (Linux)."""
    mark = b"MLWS_JOB_DIR=" + os.fsencode(job_dir)
    found = []
    try:
        names = os.listdir("/proc")
    except OSError:
        return []
    for name in names:
        if name.isdigit() and int(name) != os.getpid():
            with contextlib.suppress(OSError), open(f"/proc/{name}/environ", "rb") as file:
                if mark in file.read().split(b"\0"):
                    found.append(int(name))
    return found


def kill_leftovers(job_dir: str, wait_s: float = 5.0) -> int:
    """Kill what a dead supervisor left behind, and say how many processes that were. Does nothing while the supervisor lives."""
    if is_alive(job_dir):
        return 0
    killed = set()
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        alive = [pid for pid in leftovers(job_dir) if start_time(pid) is not None]
        if not alive:
            break
        for pid in alive:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
                killed.add(pid)
        time.sleep(0.02)
    return len(killed)
