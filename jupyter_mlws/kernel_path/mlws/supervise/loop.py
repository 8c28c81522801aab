"""Follows one job from its start to its exit record."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import time
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Tuple

from mlws import jobdir
from mlws.masking import NAMES, Masker
from mlws.supervise import scope, signals, tree
from mlws.supervise.log import LogFile
from mlws.supervise.usage import Watch

if TYPE_CHECKING:
    from mlws.supervise.spare import Spare

CANCEL_EVERY_S = 0.2
LEFTOVER_GRACE_S = 2.0
KILL_PATIENCE_S = 10.0
CHUNK = 1 << 20
Note = Callable[[str], None]


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


class Supervisor:
    """One job. `run` returns its exit record.

    A notebook's kernel may be kept after a cell failed: then the job has ended for everybody, and its record is told early, to
    `on_end`; what is left is watched like the job was, until it ends, the run is deleted, or somebody asks.
    """

    def __init__(
        self,
        job_dir: str,
        job: Dict[str, Any],
        note: Note,
        on_end: Callable[[Dict[str, Any]], None],
        secrets: Dict[str, str] | None = None,
        spare: Spare | None = None,
    ) -> None:
        self.dir = job_dir
        self.job = job
        self.note = note
        self.secrets = secrets or {}
        self._spare = spare
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
        self.watch: Watch | None = None
        self._unit: str | None = None
        self._on_end = on_end
        self._keeps = False
        """The job has ended, its kernel is kept."""
        self._wake_read, self._wake_write = os.pipe()
        self._pipe_read, self._pipe_write = os.pipe()
        self.log = LogFile(os.path.join(job_dir, jobdir.USER_LOG), note, job.get("log_limit_bytes"))

    def run(self) -> Dict[str, Any]:
        """Start the job and follow it to its end."""
        self._catch_signals()
        if not tree.adopt_orphans():
            self.note("this system has no subreaper: a process that leaves its group and loses its parent will not be found")
        _enlarge(self._pipe_write)
        began = now_ms()  # once it has begun this process may be kept waiting
        try:
            self.pid = self._begin()
        except (tree.SpawnFailed, KeyError, TypeError, OSError) as error:
            message = f"job.json lacks {error}." if isinstance(error, KeyError) else str(error)
            self.note(f"not started: {message}")
            self.log.feed(f"{message}\n".encode())
            self.log.close()
            return self.record(reason="spawn_failed", message=message)
        self.started_at = began
        os.close(self._pipe_write)
        self.watch = Watch(self.dir, self.job)
        self.watch.unit = self._unit
        if self._spare is not None:
            self.watch.leave_out_what_was()
        self._write_pid()
        self.note(f"started process {self.pid}: {json.dumps(self.job['argv'])[:2000]}")
        try:
            self._follow()
        except BaseException:
            # Whatever went wrong here, nothing of the job may go on unwatched.
            self._kill_rest()
            raise
        return self.record(reason=self.reason, message=None)

    def _begin(self) -> int:
        """Start the job's process, or let a spare's have the job; its pid."""
        spare, env = self._spare, self._environment()
        if spare is not None and spare.hand_over(self.dir, self.job["cwd"], env, self.note):
            for fd in (self._pipe_read, self._pipe_write):
                os.close(fd)
            self._pipe_read, self._pipe_write = spare.pipe
            os.set_blocking(self._pipe_read, False)
            self.note("a spare takes the job")
            return spare.pid
        self._spare = None
        return tree.spawn(self._argv(), self.job["cwd"], env, self._pipe_write)

    def _environment(self) -> Dict[str, str]:
        """Variables of the job. Its secrets are nowhere else, and it is told which they are, so that what it logs is without them."""
        hidden = {NAMES: ",".join(self.secrets)} if self.secrets else {}
        begins = tuple(self.job.get("pass_env") or ())
        passed = {name: value for name, value in os.environ.items() if name.startswith(begins)} if begins else {}
        return {**passed, **self.job["env"], **self.secrets, **hidden}

    def record(self, *, reason: str, message: str | None) -> Dict[str, Any]:
        """The exit record."""
        import resource

        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu_s, max_rss = round(usage.ru_utime + usage.ru_stime, 3), usage.ru_maxrss * (1024 if tree.LINUX else 1)
        status = self.status
        if self.watch is not None:
            cpu_s = max(cpu_s, self.watch.cpu_s)
            self.watch.end(cpu_s, max_rss)
        return {
            "version": 1,
            "attempt": self.job.get("attempt", 1),
            "exit_code": 1 if self._keeps else os.WEXITSTATUS(status) if status is not None and os.WIFEXITED(status) else None,
            "signal": os.WTERMSIG(status) if status is not None and os.WIFSIGNALED(status) else None,
            "reason": reason,
            "signaled": self._signaled,  # somebody told the supervisor to end, be it that the job ended first
            "message": message,
            "started_at": self.started_at,
            "ended_at": now_ms(),
            "max_rss_bytes": max_rss,
            "cpu_s": cpu_s,
            **({} if self.watch is None else self.watch.record()),
        }

    def _argv(self) -> List[str]:
        """What to start: in a scope of systemd's if the job has a memory limit and this user has a systemd that keeps it."""
        argv, limit = list(self.job["argv"]), self.job.get("memory_limit_bytes")
        scopes = scope.find(os.environ.get("PATH")) if limit and argv else None
        if scopes is None or limit is None:
            return argv
        unit = f"mlws-{self.job.get('run_id', 'job')}-{self.job.get('attempt', 1)}"
        if not scopes.work(self.job["env"], f"{unit}-trial"):
            self.note("this user has no systemd that keeps memory limits: the supervisor does it")
            return argv
        self._unit = unit
        self.note(f"the kernel keeps the memory limit, in the scope {unit}")
        return scopes.wrapped(argv, int(limit), unit)

    def _catch_signals(self) -> None:
        os.set_blocking(self._wake_write, False)
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._pipe_read, False)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in signals.ENDING:
            signal.signal(number, self._on_signal)
        signals.unblock()

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
        if self._sweeping:
            return 20
        due = CANCEL_EVERY_S if self.watch is None else self.watch.due(time.monotonic())
        return int(min(CANCEL_EVERY_S, due) * 1000) + 1

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
                if self.watch is not None:
                    self.watch.note_kills(pid)
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
            self._look(now)
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

    def _look(self, now: float) -> None:
        """See what the job uses, and end it once it is over its memory limit."""
        watch = self.watch
        if watch is None or watch.due(now) > 0:
            return
        over = watch.tick(now)
        watch.note_kills(self.pid)
        if not over:
            return
        self.note(f"ending the job: it holds {watch.peak} bytes of memory; its limit is {watch.limit}")
        if self.reason == "exited":
            self.reason = "out_of_memory"
        self._plan = [(now, signal.SIGKILL)]
        if self.job.get("kind") == "notebook" and watch.largest() != self.pid:
            # The runner is ours and small: it is left to store what the notebook has shown until now, and where it was.
            count = tree.signal_all(self.pid, signal.SIGKILL, spared=self.pid)
            self.note(f"sent SIGKILL to {count} processes, not to the runner")
            self._plan = [(now + self.grace, signal.SIGKILL)]

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
        if self._keeps and not os.path.exists(os.path.join(self.dir, jobdir.JOB)):
            return self._stop("canceled", now)  # the job was deleted for good, with its folder
        if not self._keeps and os.path.exists(os.path.join(self.dir, jobdir.KERNEL)):
            self._keeps = True
            self.deadline = None
            self.note("a cell failed, and the kernel is kept: the job has ended")
            self._on_end(self.record(reason="exited", message=None))
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
        if self.watch is not None:
            self.watch.close_gpus()
        self._gave_up = now + LEFTOVER_GRACE_S + KILL_PATIENCE_S
        left = self._left()
        if left and not self._killed:
            self.note(f"{len(left)} processes outlive the job's own and are ended: {left[:20]}")
            self._plan = [(now, signal.SIGTERM), (now + LEFTOVER_GRACE_S, signal.SIGKILL)]
        else:
            self._plan = []

    def _over(self) -> bool:
        if not self._sweeping:
            return False
        if not self._left():
            return True
        if self._gave_up is not None and time.monotonic() > self._gave_up:
            self.note(f"these processes cannot be killed: {self._left()[:20]}")
            return True
        return False

    def _left(self) -> List[int]:
        """The job's living processes."""
        ours = set() if self.watch is None else self.watch.own
        return [pid for pid in tree.descendants(os.getpid()) if pid not in ours]

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
