"""Faults of a disk in another process, by libfiu: its writes or syncs fail while it runs, and then no more."""

from __future__ import annotations

import errno
import re
import shutil
import subprocess
from pathlib import Path

import pytest

WRITES = ("posix/io/rw/write", "posix/io/rw/writev", "posix/io/rw/pwrite", "posix/io/rw/pwritev")
SYNCS = ("posix/io/sync/fsync", "posix/io/sync/fdatasync")


class Faults:
    """Switches faults of one process on and off. `environment` is what that process must be started with."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._pipes = folder / "pipe"
        # What `fiu-run` would set, so that the process keeps its own command line and pid.
        command = ["fiu-run", "-n", "-x", "-f", str(self._pipes), "true"]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        self.environment = dict(re.findall(r'^(\w+)="(.*?)"', told, re.MULTILINE))
        assert "LD_PRELOAD" in self.environment, told

    def on(self, pid: int, points: tuple[str, ...], number: int = errno.EIO) -> None:
        """From now on these calls of the process fail."""
        self._tell(pid, [f"enable name={point},failinfo={number}" for point in points])

    def off(self, pid: int, points: tuple[str, ...]) -> None:
        """They work again."""
        self._tell(pid, [f"disable name={point}" for point in points])

    def _tell(self, pid: int, commands: list[str]) -> None:
        words = [word for command in commands for word in ("-c", command)]
        done = subprocess.run(
            ["fiu-ctrl", "-f", str(self._pipes), *words, str(pid)], capture_output=True, text=True, check=False, timeout=20
        )
        assert done.returncode == 0, done.stdout + done.stderr


def faults_or_skip(folder: Path) -> Faults:
    """Faults by libfiu; without it the test is skipped."""
    if shutil.which("fiu-run") is None or shutil.which("fiu-ctrl") is None:
        pytest.skip("libfiu is not installed here (Debian: apt install fiu-utils)")
    return Faults(folder)
