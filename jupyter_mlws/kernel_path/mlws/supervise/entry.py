"""One job: sets up, follows it, and leaves the one exit record."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any, Dict

from mlws import jobdir
from mlws.supervise.loop import Supervisor, now_ms

if TYPE_CHECKING:
    from mlws.supervise.spare import Spare

RESERVED = 4096
ALREADY = 3
NOT_BEGUN = 4


class ExitRecord:
    """`exit.json` to be. Its room on the disk is taken at the start, so that it can be written when the disk is full."""

    def __init__(self, job_dir: str) -> None:
        self.path = os.path.join(job_dir, jobdir.EXIT)
        self.temporary = os.path.join(job_dir, ".exit.json.tmp")
        self.settled = False
        self.fd = os.open(self.temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with contextlib.suppress(OSError):
            os.pwrite(self.fd, b" " * RESERVED, 0)

    def settle(self, record: Dict[str, Any]) -> None:
        """Write the record and put it in place; one that stands there already stays."""
        if self.settled:
            return
        record["message"] = record["message"][:1000] if record["message"] else None
        data = json.dumps(record).encode()
        os.pwrite(self.fd, data, 0)
        os.ftruncate(self.fd, len(data))
        os.fsync(self.fd)
        try:
            os.link(self.temporary, self.path)
        except FileExistsError:
            note("an exit record stands there already; it stays")
        except OSError:
            # A file system without hard links: a rename is atomic too, and the lock keeps others out.
            os.replace(self.temporary, self.path)
        self.settled = True  # from here on the file is the record, and not written to again
        with contextlib.suppress(OSError):
            os.unlink(self.temporary)
        folder = os.open(os.path.dirname(self.path), os.O_RDONLY | os.O_CLOEXEC)
        with contextlib.suppress(OSError):
            os.fsync(folder)
        os.close(folder)


def note(text: str) -> None:
    """One line in the system's own log. A full disk costs only the line."""
    with contextlib.suppress(OSError):
        os.write(2, f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {text}\n".encode("utf-8", "replace"))


def main(job_dir: str, secrets: Dict[str, str] | None = None, spare: Spare | None = None) -> int:
    """Run the job in `job_dir`; 0 once its exit record is there, whatever became of the job. `secrets` are variables for it alone.

    `spare`: the processes below this one, which wait for a job.
    """
    job_dir = os.path.abspath(job_dir)
    for folder in ("user_logs", "system_logs"):
        os.makedirs(os.path.join(job_dir, folder), mode=0o700, exist_ok=True)
    lock = os.open(os.path.join(job_dir, jobdir.LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.stderr.write(f"Another supervisor has the job in {job_dir}.\n")
        return ALREADY
    if os.path.exists(os.path.join(job_dir, jobdir.EXIT)):
        sys.stderr.write(f"The job in {job_dir} has ended already.\n")
        return ALREADY
    if spare is not None:
        spare.has_lock()
    _detach(os.path.join(job_dir, jobdir.SYSTEM_LOG))
    record = ExitRecord(job_dir)
    started = now_ms()
    supervisor: Supervisor | None = None
    try:
        job = _read_job(job_dir)
        supervisor = Supervisor(job_dir, job, note, record.settle, secrets, spare)
        outcome = supervisor.run()
    except BaseException as error:  # noqa: BLE001 - the top: a job without a record would look lost
        import traceback

        note(f"the supervisor failed:\n{traceback.format_exc()}")
        outcome = _failed(error, supervisor, started)
    record.settle(outcome)
    note(f"ended: {outcome['reason']}, exit code {outcome['exit_code']}, signal {outcome['signal']}")
    return 0


def _failed(error: BaseException, supervisor: Supervisor | None, started: int) -> Dict[str, Any]:
    """The record of a job that its supervisor failed: `exited` with neither code nor signal, once the process ran."""
    message = f"The supervisor failed: {type(error).__name__}: {error}"
    if supervisor is not None and supervisor.pid:
        return supervisor.record(reason=supervisor.reason, message=message)
    return {
        "version": 1,
        "attempt": 1,
        "exit_code": None,
        "signal": None,
        "reason": "spawn_failed",
        "message": message,
        "started_at": started,
        "ended_at": now_ms(),
        "max_rss_bytes": 0,
        "cpu_s": 0.0,
    }


def _read_job(job_dir: str) -> Dict[str, Any]:
    with open(os.path.join(job_dir, jobdir.JOB), "rb") as file:
        job = json.loads(file.read())
    if not isinstance(job, dict) or not isinstance(job.get("argv"), list) or not job["argv"]:
        raise ValueError("job.json has no argv.")
    return job


def _detach(log: str) -> None:
    """Leave the starter's session, and let go of its terminal and pipes."""
    with contextlib.suppress(OSError):
        os.setsid()  # refused to one who leads a session already, which is as good
    nothing = os.open(os.devnull, os.O_RDONLY)
    own = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    os.dup2(nothing, 0)
    os.dup2(own, 1)
    os.dup2(own, 2)
    for fd in (nothing, own):
        if fd > 2:
            os.close(fd)
