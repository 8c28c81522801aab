"""Job directories, and real supervisors to run them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

KERNEL_PATH = Path(__file__).resolve().parents[2] / "jupyter_mlws" / "kernel_path"


class JobFolder:
    """One job directory."""

    def __init__(self, path: Path, argv: list[str], **fields: Any) -> None:
        self.path = path
        (path / "work").mkdir(parents=True)
        env = {**os.environ, "MLWS_JOB_DIR": str(path), "PYTHONPATH": str(KERNEL_PATH)}
        job = {
            "version": 1,
            "run_id": "a" * 32,
            "attempt": 1,
            "kind": "command",
            "argv": argv,
            "cwd": str(path / "work"),
            "env": env,
        }
        job.update({"timeout_s": None, "grace_s": 1, "heartbeat_s": 0.2, "log_limit_bytes": None, **fields})
        (path / "job.json").write_text(json.dumps(job))

    def start(self, python: str = sys.executable) -> subprocess.Popen[bytes]:
        return subprocess.Popen([python, "-S", "-E", "-m", "mlws.supervise", str(self.path)], cwd=KERNEL_PATH)

    def run(self, python: str = sys.executable, within: float = 60) -> dict[str, Any]:
        """Run the job to its end; the exit record."""
        assert self.start(python).wait(within) == 0
        return self.exit

    @property
    def exit(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.path / "exit.json").read_text())
        return found

    @property
    def log(self) -> bytes:
        return (self.path / "user_logs" / "std_log.txt").read_bytes()

    @property
    def system_log(self) -> str:
        return (self.path / "system_logs" / "supervisor.log").read_text()


def until(condition: Any, within: float = 20) -> Any:
    """Wait for something to come true; its value."""
    end = time.monotonic() + within
    while not (value := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
    return value


@pytest.fixture
def job(tmp_path):
    def make(*argv: str, **fields: Any) -> JobFolder:
        return JobFolder(tmp_path / "job", list(argv), **fields)

    return make


@pytest.fixture
def make_folder(tmp_path):
    def make(name: str, *argv: str, **fields: Any) -> JobFolder:
        return JobFolder(tmp_path / name, list(argv), **fields)

    return make


@pytest.fixture
def shell(job):
    def make(line: str, **fields: Any) -> JobFolder:
        return job("/bin/bash", "-c", line, **fields)

    return make


@pytest.fixture
def eventually():
    return until
