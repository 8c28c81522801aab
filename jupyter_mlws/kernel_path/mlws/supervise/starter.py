"""Starts supervisors by fork, from a process that has imported all they need: a twentieth of the time that a new interpreter takes.

    python -S -m mlws.supervise.starter

Reads one JSON line for each thing to do, and answers with JSON lines. It ends with its input, when the server stops or is killed; the
supervisors, sessions of their own, go on, and the spares end. It has one thread and starts nothing else, so that nothing can be half
done when it forks.

- A folder, or `{"folder", "spare"}`: start the supervisor of a job, or let a spare of this kind have it. `{"folder"}` tells when it has
  ended; with `"failed"`, that it could not be started.
- `{"make", "recipe"}`: make a spare of the kind `make`. `{"spare", "state", "ready"}` tells that it is `ready`, and later `gone`: a job has
  it, or it has ended; or that none could be made (`failed`, `unfit`).
- `{"end", "but"}`: end the spares of a kind, but so many.

Where the input is a socket, a file descriptor may come with the line of a job: a file in memory with the job's secrets. Nobody but the
supervisor reads it.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import stat
import sys
from typing import Any, Dict, List

from mlws.supervise import entry, signals, tree
from mlws.supervise.spare import READY, TAKEN, UNFIT, Spare, read_secrets

PR_SET_NAME = 15


class Waiting:
    """A spare, as the starter knows it."""

    def __init__(self, kind: str, pid: int, link: socket.socket) -> None:
        self.kind = kind
        self.pid = pid
        self.link = link
        self.ready = self.ending = False
        self.folder: str | None = None
        """The job that it was given, and has not taken yet."""
        self.secrets: int | None = None


class Starter:
    """The loop, and which supervisor has which folder."""

    def __init__(self) -> None:
        self._folders: Dict[int, str] = {}
        self._spares: Dict[int, Waiting] = {}
        """By process."""
        self._buffer = b""
        self._files: List[int] = []
        """Secrets of jobs whose lines are not whole yet."""
        self._input = socket.socket(fileno=os.dup(0)) if stat.S_ISSOCK(os.fstat(0).st_mode) else None
        self._woken, self._wake = os.pipe()
        for fd in (self._woken, self._wake):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signals.unblock()
        self._poll = select.poll()

    def run(self) -> None:
        """Serve until the input ends."""
        self._poll.register(0, select.POLLIN)
        self._poll.register(self._woken, select.POLLIN)
        while True:
            for fd, _ in self._poll.poll():
                if fd == 0 and not self._read():
                    return
                if fd == self._woken:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._woken, 4096)
                for spare in [one for one in self._spares.values() if one.link.fileno() == fd]:
                    self._hear(spare)
            self._reap()

    # ---- what is asked for

    def _read(self) -> bool:
        """Do what was asked for; False at the end of the input."""
        if self._input is None:
            data = os.read(0, 1 << 16)
        else:
            data, files, _, _ = socket.recv_fds(self._input, 1 << 16, 8)
            self._files += files
        self._buffer += data
        *lines, self._buffer = self._buffer.split(b"\n")
        for line in lines:
            asked = json.loads(line)
            if not isinstance(asked, dict):
                self._start(str(asked))
            elif "make" in asked:
                self._make(asked["make"], asked["recipe"])
            elif "end" in asked:
                self._end(asked["end"], asked["but"])
            elif asked.get("secrets") and not self._files:
                tell(folder=asked["folder"], failed="its secrets did not come")
            else:
                self._give(asked["folder"], asked.get("spare"), self._files.pop(0) if asked.get("secrets") else None)
        return bool(data)

    def _start(self, folder: str, secrets: int | None = None) -> None:
        try:
            pid = fork()
        except OSError as error:
            tell(folder=folder, failed=error.strerror or str(error))
        else:
            if pid == 0:
                self._become(folder, secrets)
            self._folders[pid] = folder
        finally:
            if secrets is not None:
                os.close(secrets)

    def _give(self, folder: str, kind: str | None, secrets: int | None) -> None:
        """Let a spare have a job, if there is one that is ready."""
        spare = next((one for one in self._free(kind) if one.ready), None)
        if spare is None:
            return self._start(folder, secrets)
        spare.folder, spare.secrets = folder, secrets
        with contextlib.suppress(OSError):  # one that has just ended is found below, by its end
            socket.send_fds(spare.link, [json.dumps(folder).encode() + b"\n"], [] if secrets is None else [secrets])
        return None

    def _make(self, kind: str, recipe: Dict[str, Any]) -> None:
        ours, theirs = socket.socketpair()
        try:
            pid = fork()
        except OSError:
            ours.close()
            theirs.close()
            return tell(spare=kind, state="failed", ready=False)
        if pid == 0:
            ours.close()
            self._become_spare(theirs, recipe)
        theirs.close()
        self._spares[pid] = Waiting(kind, pid, ours)
        self._poll.register(ours, select.POLLIN)
        return None

    def _free(self, kind: str | None) -> List[Waiting]:
        return [one for one in self._spares.values() if one.kind == kind and one.folder is None and not one.ending]

    def _end(self, kind: str, but: int) -> None:
        """End all spares of a kind but so many; those that are still being made first."""
        for spare in sorted(self._free(kind), key=lambda one: not one.ready)[but:]:
            spare.ending = True
            with contextlib.suppress(OSError):
                spare.link.shutdown(socket.SHUT_RDWR)  # its end of the link ends

    # ---- what comes of it

    def _hear(self, spare: Waiting) -> None:
        """A spare says that it is ready, or that it has taken its job."""
        try:
            said = spare.link.recv(64)
        except OSError:
            said = b""
        if TAKEN in said:
            assert spare.folder is not None  # noqa: S101 - it was given one
            self._folders[spare.pid] = spare.folder
            self._forget(spare)
        elif READY in said:
            spare.ready = True
            tell(spare=spare.kind, state="ready", ready=True)
        else:
            self._poll.unregister(spare.link)  # it ends; what becomes of its job is seen when it has

    def _forget(self, spare: Waiting, state: str = "gone") -> None:
        if state == "gone" and not spare.ready and not spare.ending:
            state = "failed"
        del self._spares[spare.pid]
        with contextlib.suppress(KeyError):
            self._poll.unregister(spare.link)
        spare.link.close()
        if spare.secrets is not None:
            os.close(spare.secrets)
        tell(spare=spare.kind, state=state, ready=spare.ready)

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid in self._spares:
                    self._bury(self._spares[pid], status)
                if (folder := self._folders.pop(pid, None)) is not None:
                    tell(folder=folder)

    def _bury(self, spare: Waiting, status: int) -> None:
        """A spare has ended. One that had taken its job was that job's supervisor; else the job is started like others."""
        spare.link.setblocking(False)
        with contextlib.suppress(OSError):
            if TAKEN in spare.link.recv(64):
                self._folders[spare.pid] = str(spare.folder)
                return self._forget(spare)
        folder, secrets, spare.secrets = spare.folder, spare.secrets, None
        self._forget(spare, "unfit" if os.WIFEXITED(status) and os.WEXITSTATUS(status) == UNFIT else "gone")
        if folder is not None:
            self._start(folder, secrets)
        return None

    # ---- the children's side of the forks; never returns

    def _become(self, folder: str, secrets: int | None) -> None:
        code = 1
        try:
            self._leave(os.path.basename(folder))
            os.chdir(folder)
            code = entry.main(folder, None if secrets is None else read_secrets(secrets))
        except BaseException:  # noqa: BLE001 - nothing of a supervisor may come back into the loop
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(code)

    def _become_spare(self, link: socket.socket, recipe: Dict[str, Any]) -> None:
        code = 1
        spare: Spare | None = None
        try:
            self._leave("spare")
            spare = Spare(link, recipe)
            asked = spare.wait()
            if asked is not None:
                _name(os.path.basename(asked[0]))
                os.chdir(asked[0])
                code = entry.main(*asked, spare)
        except BaseException:  # noqa: BLE001 - as above
            sys.excepthook(*sys.exc_info())
        finally:
            if spare is not None and not spare.over:
                code = spare.end()
            os._exit(code)

    def _leave(self, name: str) -> None:
        """Let go of all that is the starter's."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for fd in (self._woken, self._wake):
            os.close(fd)
        for spare in self._spares.values():
            spare.link.close()
            if spare.secrets is not None:
                os.close(spare.secrets)
        for file in self._files:
            os.close(file)
        if self._input is not None:
            self._input.close()
        nothing = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1):
            os.dup2(nothing, fd)
        os.close(nothing)
        os.setsid()
        _name(name)


def fork() -> int:
    """Fork with the signals blocked, and hear them again on this side alone: a child that one came to before it had blocked them itself
    would leave no record."""
    signals.block()
    pid = -1
    try:
        pid = os.fork()
    finally:
        if pid:
            signals.unblock()
    return pid


def _name(folder: str) -> None:
    if tree.PRCTL is not None:  # the command line is still ours: this is what lists of processes call it
        tree.PRCTL(PR_SET_NAME, b"mlws-" + folder.encode()[:10], 0, 0, 0)


def tell(**answer: Any) -> None:
    """One line for the server; nobody may be there to read it."""
    with contextlib.suppress(OSError):
        os.write(1, json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    gc.freeze()
    Starter().run()
