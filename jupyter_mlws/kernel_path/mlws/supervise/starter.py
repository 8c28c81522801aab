"""Starts supervisors by fork, from a process that has imported all they need: a twentieth of the time that a new interpreter takes.

    python -S -m mlws.supervise.starter

Reads one JSON line a job (its folder) and answers with one JSON line for each supervisor that ended, or that could not be forked. It
ends with its input, when the server stops or is killed; the supervisors, sessions of their own, go on. It has one thread and starts
nothing else, so that nothing can be half done when it forks.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import sys
from typing import Any, Dict

from mlws.supervise import __main__ as entry
from mlws.supervise import tree

PR_SET_NAME = 15
BLOCKED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""Importing `entry` blocked them: a supervisor wants it so, this process does not."""


class Starter:
    """The loop, and which supervisor has which folder."""

    def __init__(self) -> None:
        self._folders: Dict[int, str] = {}
        self._buffer = b""
        self._woken, self._wake = os.pipe()
        for fd in (self._woken, self._wake):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, BLOCKED)

    def run(self) -> None:
        """Serve until the input ends."""
        poll = select.poll()
        poll.register(0, select.POLLIN)
        poll.register(self._woken, select.POLLIN)
        while True:
            for fd, _ in poll.poll():
                if fd == 0 and not self._read():
                    return
                if fd == self._woken:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._woken, 4096)
            self._reap()

    def _read(self) -> bool:
        """Start what was asked for; False at the end of the input."""
        data = os.read(0, 1 << 16)
        self._buffer += data
        *lines, self._buffer = self._buffer.split(b"\n")
        for line in lines:
            self._start(str(json.loads(line)))
        return bool(data)

    def _start(self, folder: str) -> None:
        try:
            pid = os.fork()
        except OSError as error:
            tell(folder=folder, failed=error.strerror or str(error))
            return
        if pid == 0:
            self._become(folder)
        self._folders[pid] = folder

    def _become(self, folder: str) -> None:
        """The child's side of the fork; never returns."""
        code = 1
        try:
            signal.pthread_sigmask(signal.SIG_BLOCK, BLOCKED)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for fd in (self._woken, self._wake):
                os.close(fd)
            os.setsid()
            if tree.PRCTL is not None:  # the command line is still ours: this is what lists of processes call it
                tree.PRCTL(PR_SET_NAME, b"mlws-" + os.path.basename(folder).encode()[:10], 0, 0, 0)
            os.chdir(folder)
            code = entry.main(folder)
        except BaseException:  # noqa: BLE001 - nothing of a supervisor may come back into the loop
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(code)

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, _ = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if (folder := self._folders.pop(pid, None)) is not None:
                    tell(folder=folder)


def tell(**answer: Any) -> None:
    """One line for the server; nobody may be there to read it."""
    with contextlib.suppress(OSError):
        os.write(1, json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    gc.freeze()
    Starter().run()
