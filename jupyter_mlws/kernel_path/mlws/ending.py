"""What is the same wherever a batch system is: how a job's script is submitted, what that leaves, and the exit record of a job that was
ended before its supervisor came to it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import time
from typing import Dict, Sequence

from mlws import jobdir

LAST = 2000
"""So many bytes of a log are told."""
LOG = os.path.join("system_logs", "batch.log")
"""What the start of the supervisor printed."""

SCRIPTS = "batch"
"""The folder of a job's script and of what that needs, where it lies in that of the job."""
SUBMIT = {
    "slurm": ("sbatch", "--no-requeue", "--parsable"),
    # A variable that is named keeps all others of this process from the job where `qsub` is Slurm's.
    "pbs": ("qsub", "-r", "n", "-v", "MLWS_BATCH=pbs", "-o", "/dev/null", "-e", "/dev/null"),
    "lsf": ("bsub", "-rn"),
}
"""How a script is submitted: it is not begun a second time by itself."""
BY_INPUT = ("bsub",)
"""Programs that read the script from their input: what asks for resources in that of `bsub SCRIPT` is read only where LSF is set up so."""
TRIES = {"bsub": "1", "bjobs": "2", "bkill": "2", "bqueues": "2"}
"""How often programs of LSF try to reach it, which else is for ever; and `bsub` would wait, where as many jobs are pending as may be."""


def run(argv: Sequence[str], seconds: float, script: str = os.devnull) -> subprocess.CompletedProcess[str]:
    """Run a program of a batch system, which may read this script. Raises as `subprocess.run` does."""
    tries = TRIES.get(argv[0])
    with open(script, "rb") as given:
        return subprocess.run(
            argv,
            stdin=given,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
            env={**_without_habits(), "LSB_NTRIES": tries} if tries else None,
        )


def _without_habits() -> Dict[str, str]:
    """This environment without what somebody has `bsub` do who types it: say nothing (BSUB_QUIET), or only check (BSUB_CHK_RESREQ)."""
    return {name: value for name, value in os.environ.items() if not name.startswith("BSUB_")}


def submit(kind: str, script: str, seconds: float) -> subprocess.CompletedProcess[str]:
    """Submit a script. Raises as `subprocess.run` does."""
    argv = SUBMIT[kind]
    return run(argv, seconds, script) if argv[0] in BY_INPUT else run([*argv, script], seconds)


def bury(job_dir: str, words: str) -> bool:
    """Write the record, with this message, under the supervisor's lock; one that stands there stays. False while the supervisor lives, and
    writes its own."""
    lock = os.open(os.path.join(job_dir, jobdir.LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if jobdir.read_exit(job_dir) is None:
            _put(job_dir, words)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True


def _put(job_dir: str, words: str) -> None:
    printed = last_of(os.path.join(job_dir, LOG))
    record = {
        "version": 1,
        "exit_code": None,
        "signal": None,
        "reason": "batch",
        "message": words + (f": {printed}" if printed else ""),
        "started_at": (jobdir.read_pid(job_dir) or {}).get("started_at"),
        "ended_at": int(time.time() * 1000),
    }
    target = os.path.join(job_dir, jobdir.EXIT)
    made = os.path.join(job_dir, f".{jobdir.EXIT}.of-server")
    jobdir.write_atomic(made, json.dumps(record).encode(), durable=True)
    try:
        # A network file system may not show yet what the supervisor wrote: its record stays.
        with contextlib.suppress(FileExistsError):
            os.link(made, target)
    except OSError:  # a file system without hard links: the lock keeps others out
        os.replace(made, target)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(made)


def last_of(path: str) -> str:
    """The end of a log. A job's folder is the user's, too: what stands there may be huge, a link, or a pipe that nobody writes to."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - LAST))
            return file.read(LAST).decode("utf-8", "replace").strip()
    except OSError:
        return ""
