"""The server's side of `mlws.supervise.starter`: a process that forks supervisors, and tells when one has ended."""

from __future__ import annotations

import contextlib
import json
import logging
import subprocess
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

log = logging.getLogger(__name__)

REST_S = 600.0
"""Unused for so long, it is let go; the next job starts another."""


class Starter:
    """Started with the first job. Whatever happens to it, the supervisors that it started go on."""

    def __init__(
        self, argv: list[str], env: Mapping[str, str], cwd: str, *, ended: Callable[[str], None], failed: Callable[[str], None]
    ) -> None:
        self._argv = argv
        self._env = env
        self._cwd = cwd
        self._ended = ended
        self._failed = failed
        self._process: subprocess.Popen[bytes] | None = None
        self._alive: dict[str, subprocess.Popen[bytes]] = {}
        """Which process was asked for the supervisor of a folder."""
        self._lock = threading.Lock()
        self._used = 0.0

    def start(self, folder: str) -> bool:
        """Ask for the supervisor of a job's folder. False: that cannot be done now, start it another way."""
        with self._lock:
            self._used = time.monotonic()
            try:
                process = self._running()
                assert process.stdin is not None  # noqa: S101 - it is a pipe
                self._alive[folder] = process
                process.stdin.write(json.dumps(folder).encode() + b"\n")
                process.stdin.flush()
            except OSError as error:
                log.warning("Supervisors are started one by one now, for their starter cannot be used: %s", error)
                self._alive.pop(folder, None)
                self._drop()
                return False
        return True

    def has(self, folder: str) -> bool:
        """Whether the supervisor of a folder was started here and has not ended."""
        return folder in self._alive

    def tidy(self) -> None:
        """Let go of it once it has rested for long."""
        with self._lock:
            if self._process is not None and not self._alive and time.monotonic() - self._used > REST_S:
                self._drop()

    def close(self) -> None:
        """Let go of it; what it started goes on."""
        with self._lock:
            self._drop()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._drop()
            self._process = subprocess.Popen(
                self._argv,
                cwd=self._cwd,  # Python looks for modules there first: in the user's folder it would find his
                env=dict(self._env),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
            )
            threading.Thread(target=self._listen, args=(self._process,), name="mlws-starter", daemon=True).start()
        return self._process

    def _drop(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()  # ends it

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        for line in process.stdout:
            answer = json.loads(line)
            folder = answer["folder"]
            self._alive.pop(folder, None)
            if "failed" in answer:
                log.warning("A supervisor could not be forked (%s); starting it another way", answer["failed"])
                self._otherwise(folder)
            else:
                self._ended(folder)
        process.stdout.close()
        crashed = process.wait() != 0
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
