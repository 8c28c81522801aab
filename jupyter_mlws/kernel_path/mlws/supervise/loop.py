"""Follows one job from its start to its exit record."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import time
from typing import Any, Callable, Dict, List, Tuple

from mlws import jobdir
from mlws.masking import NAMES, Masker
from mlws.supervise import tree
from mlws.supervise.log import LogFile

CANCEL_EVERY_S = 0.2
LEFTOVER_GRACE_S = 2.0
KILL_PATIENCE_S = 10.0
CHUNK = 1 << 20
Note = Callable[[str], None]


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


class Supervisor:
    """One job. `run` returns its exit record."""

    def __init__(self, job_dir: str, job: Dict[str, Any], note: Note, secrets: Dict[str, str] | None = None) -> None:
        self.dir = job_dir
        self.job = job
        self.note = note
        self.secrets = secrets or {}
        self._hiding = Masker(self.secrets.values()).of_bytes()
        self.pid = 0
        self.status: int | None = None
        self.reason = "exited"
        self.started_at = now_ms()
        self.grace = float(job.get("grace_s") or 10)
        timeout = job.get("timeout_s")
        self.deadline = None if timeout is None else time.monotonic() + float(timeout)
        self.heartbeat_every = float(job.get("heartbeat_s") or 5)
        self._next_heartbeat = 0.0
        self._next_cancel = 0.0
        self._signaled = False
        self._plan: List[Tuple[float, int]] = []
        self._sweeping = False
        self._killed = False
        self._gave_up: float | None = None
        self._wake_read, self._wake_write = os.pipe()
        self._pipe_read, self._pipe_write = os.pipe()
        self.log = LogFile(os.path.join(job_dir, jobdir.USER_LOG), note, job.get("log_limit_bytes"))

    def run(self) -> Dict[str, Any]:
        """Start the job and follow it to its end."""
        self._catch_signals()
        if not tree.adopt_orphans():
            self.note("this system has no subreaper: a process that leaves its group and loses its parent will not be found")
        _enlarge(self._pipe_write)
        try:
            self.pid = tree.spawn(self.job["argv"], self.job["cwd"], self._environment(), self._pipe_write)
        except (tree.SpawnFailed, KeyError, TypeError, OSError) as error:
            message = f"job.json lacks {error}." if isinstance(error, KeyError) else str(error)
            self.note(f"not started: {message}")
            self.log.feed(f"{message}\n".encode())
            self.log.close()
            return self.record(reason="spawn_failed", message=message)
        self.started_at = now_ms()
        os.close(self._pipe_write)
        self._write_pid()
        self.note(f"started process {self.pid}: {json.dumps(self.job['argv'])[:2000]}")
        try:
            self._follow()
        except BaseException:
            # Whatever went wrong here, nothing of the job may go on unwatched.
            self._kill_rest()
            raise
        return self.record(reason=self.reason, message=None)

    def _environment(self) -> Dict[str, str]:
        """Variables of the job. Its secrets are nowhere else, and it is told which they are, so that what it logs is without them."""
        hidden = {NAMES: ",".join(self.secrets)} if self.secrets else {}
        return {**self.job["env"], **self.secrets, **hidden}

    def record(self, *, reason: str, message: str | None) -> Dict[str, Any]:
        """The exit record."""
        import resource

        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        status = self.status
        return {
            "version": 1,
            "attempt": self.job.get("attempt", 1),
            "exit_code": os.WEXITSTATUS(status) if status is not None and os.WIFEXITED(status) else None,
            "signal": os.WTERMSIG(status) if status is not None and os.WIFSIGNALED(status) else None,
            "reason": reason,
            "message": message,
            "started_at": self.started_at,
            "ended_at": now_ms(),
            "max_rss_bytes": usage.ru_maxrss * (1024 if tree.LINUX else 1),
            "cpu_s": round(usage.ru_utime + usage.ru_stime, 3),
        }

    def _catch_signals(self) -> None:
        os.set_blocking(self._wake_write, False)
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._pipe_read, False)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM, signal.SIGINT, signal.SIGHUP))

    def _on_signal(self, *_: object) -> None:
        self._signaled = True

    def _write_pid(self) -> None:
        mine = os.getpid()
        record = {
            "pid": mine,
            "start_time": jobdir.start_time(mine),
            "boot_id": jobdir.boot_id(),
            "host": socket.gethostname(),
            "child_pid": self.pid,
            "child_start_time": jobdir.start_time(self.pid),
            "started_at": self.started_at,
        }
        try:
            jobdir.write_atomic(os.path.join(self.dir, jobdir.PID), json.dumps(record).encode())
        except OSError as error:
            self.note(f"pid.json could not be written: {error.strerror}")

    def _follow(self) -> None:
        poll = select.poll()
        poll.register(self._wake_read, select.POLLIN)
        poll.register(self._pipe_read, select.POLLIN)
        pipe_open = True
        while not self._over():
            for fd, _ in poll.poll(self._patience_ms()):
                if fd == self._wake_read:
                    with contextlib.suppress(BlockingIOError):
                        os.read(fd, 4096)
                elif not self._read_output():
                    poll.unregister(fd)
                    pipe_open = False
            self._reap()
            self._tick(time.monotonic())
        while pipe_open and self._read_output():
            if not select.select([self._pipe_read], [], [], 0)[0]:
                break
        self.log.feed(self._hiding.end())
        self.log.close()

    def _read_output(self) -> bool:
        """Take what the pipe holds; False at its end."""
        try:
            data = os.read(self._pipe_read, CHUNK)
        except BlockingIOError:
            return True
        if data:
            self.log.feed(self._hiding.feed(data))
        return bool(data)

    def _patience_ms(self) -> int:
        return 20 if self._sweeping else int(CANCEL_EVERY_S * 1000)

    def _reap(self) -> None:
        """Collect the job's process, and every orphan that came to us."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.pid:
                self.status = status
                self.note(f"process {pid} ended: {_ending(status)}")

    def _tick(self, now: float) -> None:
        if now >= self._next_heartbeat:
            self._next_heartbeat = now + self.heartbeat_every
            self._beat()
        self.log.show_live(now=now)
        if self.status is None:
            if now >= self._next_cancel:
                self._next_cancel = now + CANCEL_EVERY_S
                self._check_cancel(now)
        elif not self._sweeping:
            self._sweep(now)
        while self._plan and now >= self._plan[0][0]:
            number = self._plan.pop(0)[1]
            if number == signal.SIGINT:
                # Only the group: a kernel is told by its runner, and a shell's background work ignores SIGINT anyhow.
                tree.signal_group(self.pid, number)
                self.note(f"sent SIGINT to process group {self.pid}")
            else:
                self._killed = self._killed or number == signal.SIGKILL
                count = tree.signal_all(self.pid, number)
                self.note(f"sent {signal.Signals(number).name} to {count} processes")
        if self._sweeping and not self._plan:
            tree.signal_all(self.pid, signal.SIGKILL)  # ones that were being forked while we looked

    def _beat(self) -> None:
        try:
            # In place: a rename would need room on a full disk.
            fd = os.open(os.path.join(self.dir, jobdir.HEARTBEAT), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.pwrite(fd, str(now_ms()).encode(), 0)
            finally:
                os.close(fd)
        except OSError as error:
            self.note(f"heartbeat could not be written: {error.strerror}")

    def _check_cancel(self, now: float) -> None:
        if self.reason != "exited":
            return None
        if self.deadline is not None and now >= self.deadline:
            return self._stop("timeout", now)
        path = os.path.join(self.dir, jobdir.CANCEL)
        if self._signaled or os.path.exists(path):
            asked = "canceled"
            with contextlib.suppress(OSError), open(path, encoding="utf-8", errors="replace") as file:
                asked = "timeout" if file.read(64).strip() == "timeout" else "canceled"
            self._stop(asked, now)
        return None

    def _stop(self, reason: str, now: float) -> None:
        self.reason = reason
        self.note(f"ending the job: {reason}")
        self._plan = [
            (now, signal.SIGINT),
            (now + self.grace, signal.SIGTERM),
            (now + 2 * self.grace, signal.SIGKILL),
        ]

    def _sweep(self, now: float) -> None:
        """The job's process is gone: what it left behind gets SIGTERM, two seconds, SIGKILL."""
        self._sweeping = True
        self._gave_up = now + LEFTOVER_GRACE_S + KILL_PATIENCE_S
        left = tree.descendants(os.getpid())
        if left and not self._killed:
            self.note(f"{len(left)} processes outlive the job's own and are ended: {left[:20]}")
            self._plan = [(now, signal.SIGTERM), (now + LEFTOVER_GRACE_S, signal.SIGKILL)]
        else:
            self._plan = []

    def _over(self) -> bool:
        if not self._sweeping:
            return False
        if not tree.descendants(os.getpid()):
            return True
        if self._gave_up is not None and time.monotonic() > self._gave_up:
            self.note(f"these processes cannot be killed: {tree.descendants(os.getpid())[:20]}")
            return True
        return False

    def _kill_rest(self) -> None:
        until = time.monotonic() + KILL_PATIENCE_S
        while tree.signal_all(self.pid, signal.SIGKILL) and time.monotonic() < until:
            self._reap()
            time.sleep(0.02)
        self._reap()


def _enlarge(pipe: int) -> None:
    """A larger pipe lets a job that prints much run on while we write."""
    import fcntl

    setter = getattr(fcntl, "F_SETPIPE_SZ", 1031 if tree.LINUX else None)
    if setter is not None:
        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe, setter, CHUNK)


def _ending(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"signal {os.WTERMSIG(status)}"
    return f"exit code {os.WEXITSTATUS(status)}"
