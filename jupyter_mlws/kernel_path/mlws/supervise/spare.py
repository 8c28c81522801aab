"""A spare: a supervisor whose runner and kernel are ready, and which waits for its one job.

The starter forks it, and holds the other end of `link`: a job's folder comes over it, and its end is the end of the spare. The
runner's end of `control` is its standard input. A spare is used once or never; what cannot be taken by its runner, for the kernel died
or the machine changed meanwhile, is started like any other job, by the same supervisor.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import time
from typing import Any, Callable, Dict, Tuple

from mlws.supervise import processes, tree

UNFIT = 4
"""Exit code of the runner, and then of the spare: this kernel is none that spares are made of."""
LOOK_EVERY_S = 5.0
ANSWER_WITHIN_S = 20.0
END_WITHIN_S = 5.0
READY, TAKEN, GO = b"ready\n", b"taken\n", b"go\n"


class Spare:
    """In the supervisor's process: the tree below it, until a job has it."""

    def __init__(self, link: socket.socket, recipe: Dict[str, Any]) -> None:
        self._link = link
        self._most = int(recipe["most_bytes"])
        tree.adopt_orphans()
        self.pipe = os.pipe()
        self._control, theirs = socket.socketpair()
        try:
            self.pid = tree.spawn(recipe["argv"], recipe["cwd"], recipe["env"], self.pipe[1], stdin=theirs.fileno())
        finally:
            theirs.close()
        self.status: int | None = None
        self.over = False
        """A job has the tree, or it has been ended."""

    def wait(self) -> Tuple[str, Dict[str, str]] | None:
        """The job's folder and its secrets, once it comes; None if there is no use for this spare any more."""
        poll = select.poll()
        for end in (self._link, self._control):
            poll.register(end, select.POLLIN)
        while True:
            for fd, _ in poll.poll(int(LOOK_EVERY_S * 1000)):
                if fd == self._link.fileno():
                    return None if signal.sigpending() else self._asked()
                if self._control.recv(len(READY)) != READY or not self._is_fine():
                    return None  # it was never ready: none of its kind can be
                poll.unregister(fd)  # from now on only its death is told, and that is found when a job comes
                with contextlib.suppress(OSError):  # the starter is gone: so its end is told next
                    self._link.sendall(READY)
            if signal.sigpending() or not self._is_fine():
                return None

    def _asked(self) -> Tuple[str, Dict[str, str]] | None:
        """The job: a line with its folder, and the file of its secrets beside it."""
        line, fds, _, _ = socket.recv_fds(self._link, 1 << 16, 1)
        secrets = read_secrets(fds[0]) if fds else {}
        return (str(json.loads(line)), secrets) if line.endswith(b"\n") else None

    def _is_fine(self) -> bool:
        """Whether its runner lives, and the tree holds no more memory than it may."""
        if self._reap():
            return False
        reader = processes.Reader(os.getpid())
        return reader.memory(reader.look(), exact=True) <= self._most

    def _reap(self) -> bool:
        """Whether the runner has ended."""
        while self.status is None:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            if pid == self.pid:
                self.status = status
        return self.status is not None

    def has_lock(self) -> None:
        """The job is this supervisor's: nobody need start another. Where the starter is gone there is nobody to tell."""
        with contextlib.suppress(OSError):
            self._link.sendall(TAKEN)
        self._link.close()

    def hand_over(self, job_dir: str, cwd: str, env: Dict[str, str], note: Callable[[str], None]) -> bool:
        """Let the runner have the job. False: it has not begun with it, and is gone."""
        try:
            self._control.settimeout(ANSWER_WITHIN_S)
            self._control.sendall(json.dumps({"job_dir": job_dir, "cwd": cwd, "env": env}).encode() + b"\n")
            answer = self._control.recv(1000)
            if answer == READY:
                self._control.sendall(GO)
                self._control.close()
                self.over = True
                return True
            note(f"the spare is not used: {answer.decode('utf-8', 'replace').strip() or 'its runner is gone'}")
        except OSError as error:
            note(f"the spare is not used: its runner does not answer ({error.strerror or error})")
        self.end()
        return False

    def end(self) -> int:
        """End the tree: the runner tidies up when its input ends; what is left after a while is killed. The exit code for the starter."""
        self.over = True
        self._control.close()
        until = time.monotonic() + END_WITHIN_S
        while not self._reap() and time.monotonic() < until:
            time.sleep(0.01)
        until = time.monotonic() + END_WITHIN_S
        while tree.descendants(os.getpid()) and time.monotonic() < until:
            tree.signal_all(self.pid, signal.SIGKILL)
            time.sleep(0.01)
            self._reap()
        for fd in self.pipe:
            os.close(fd)
        status = self.status
        return UNFIT if status is not None and os.WIFEXITED(status) and os.WEXITSTATUS(status) == UNFIT else 0


def read_secrets(fd: int) -> Dict[str, str]:
    """Variables from a file that lies in memory alone. It can be read again, by whoever comes after us."""
    try:
        found: Dict[str, str] = json.loads(os.pread(fd, os.fstat(fd).st_size, 0))
        return found
    finally:
        os.close(fd)
