"""The server's side of `mlws.supervise.starter`: a process that forks supervisors, and tells when one has ended."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

log = logging.getLogger(__name__)

REST_S = 600.0
"""Unused for so long, it is let go; the next job starts another."""


class Starter:
    """Started with the first job. Whatever happens to it, the supervisors that it started go on."""

    def __init__(
        self,
        argv: list[str],
        env: Mapping[str, str],
        cwd: str,
        *,
        ended: Callable[[str], None],
        failed: Callable[[str], None],
        spare: Callable[[dict[str, Any] | None], None] = lambda _: None,
    ) -> None:
        self._argv = argv
        self._env = env
        self._cwd = cwd
        self._ended = ended
        self._failed = failed
        self._spare = spare
        """Told what it says of a spare; None when it has ended, and all of them with it."""
        self._process: subprocess.Popen[bytes] | None = None
        self._link: socket.socket | None = None
        self._alive: dict[str, subprocess.Popen[bytes]] = {}
        """Which process was asked for the supervisor of a folder."""
        self._lock = threading.Lock()
        self._used = 0.0

    def start(self, folder: str, *, spare: str | None = None, secrets: Mapping[str, str] | None = None) -> bool:
        """Ask for the supervisor of a job's folder, of a `spare` of this kind if there is one. False: start it another way."""
        asked: Any = {"folder": folder, "spare": spare, "secrets": bool(secrets)} if spare or secrets else folder
        with self._lock:
            self._used = time.monotonic()
            try:
                process = self._running()
                self._alive[folder] = process
                self._write(asked, secrets)
            except OSError as error:
                log.warning("Supervisors are started one by one now, for their starter cannot be used: %s", error)
                self._alive.pop(folder, None)
                self._drop()
                return False
        return True

    def send(self, asked: Mapping[str, Any]) -> bool:
        """A line about spares. False: there is nobody to read it; one is started only to make some."""
        with self._lock:
            try:
                if "make" in asked:
                    self._running()
                elif self._process is None:
                    return False
                self._write(asked)
            except OSError as error:
                log.warning("There are no spares, for the starter cannot be used: %s", error)
                self._drop()
                return False
        return True

    def _write(self, asked: Any, secrets: Mapping[str, str] | None = None) -> None:
        """One line. Secrets come beside it, in a file that has no name and lies in memory alone."""
        assert self._link is not None  # noqa: S101 - it runs
        line = json.dumps(asked).encode() + b"\n"
        if not secrets:
            return self._link.sendall(line)
        held = os.memfd_create("secrets")
        try:
            os.pwrite(held, json.dumps(dict(secrets)).encode(), 0)
            sent = socket.send_fds(self._link, [line], [held])
        finally:
            os.close(held)
        return self._link.sendall(line[sent:])

    def has(self, folder: str) -> bool:
        """Whether the supervisor of a folder was started here and has not ended."""
        return folder in self._alive

    def tidy(self, *, needed: bool = False) -> None:
        """Let go of it once it has rested for long; `needed`: it has spares, which would end with it."""
        with self._lock:
            if needed or self._process is None:
                return
            if not self._alive and time.monotonic() - self._used > REST_S:
                self._drop()

    def close(self) -> None:
        """Let go of it; what it started goes on."""
        with self._lock:
            self._drop()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._drop()
            self._link, theirs = socket.socketpair()
            with theirs:
                self._process = subprocess.Popen(
                    self._argv,
                    cwd=self._cwd,  # Python looks for modules there first: in the user's folder it would find his
                    env=dict(self._env),
                    stdin=theirs.fileno(),
                    stdout=subprocess.PIPE,
                    start_new_session=True,
                )
            threading.Thread(target=self._listen, args=(self._process,), name="mlws-starter", daemon=True).start()
        return self._process

    def _drop(self) -> None:
        self._process = None
        link, self._link = self._link, None
        if link is not None:
            with contextlib.suppress(OSError):
                link.close()  # ends it

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        for line in process.stdout:
            answer = json.loads(line)
            if "spare" in answer:
                self._spare(answer)
                continue
            folder = answer["folder"]
            self._alive.pop(folder, None)
            if "failed" in answer:
                log.warning("A supervisor could not be forked (%s); starting it another way", answer["failed"])
                self._otherwise(folder)
            else:
                self._ended(folder)
        process.stdout.close()
        crashed = process.wait() != 0
        if self._process in (None, process):
            self._spare(None)
        for folder, asked in list(self._alive.items()):
            if asked is process:  # nobody tells of those that live: their folders do
                self._alive.pop(folder, None)
                if crashed:
                    self._otherwise(folder)

    def _otherwise(self, folder: str) -> None:
        """Nothing that fails for one job may end the thread that hears of all."""
        try:
            self._failed(folder)
        except OSError as error:
            log.warning("The supervisor of %s could not be started: %s", folder, error)
