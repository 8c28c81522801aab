"""The compute target `local`: processes on this machine, each under its own supervisor that outlives the server."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import mlws.jobdir as jobdir
from jupyter_mlws.domain.compute.schemas import Load

if TYPE_CHECKING:
    from collections.abc import Mapping

KERNEL_PATH = str(Path(jobdir.__file__).resolve().parent.parent)


class LocalCompute:
    """Starts supervisors here. All that is known of a job stands in its folder, so nothing is lost with the server."""

    kind = "local"
    description = "This machine"
    problem = ""
    takes_secrets = True

    def __init__(self, name: str, max_jobs: int) -> None:
        self.name = name
        self.max_jobs = max_jobs
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, job_dir: Path, secrets: Mapping[str, str] | None = None) -> None:
        """Start the supervisor of a job whose folder is ready. It detaches itself from this process.

        Secrets go through a pipe, which nobody else can read and which leaves nothing.
        """
        env = {**os.environ, "PYTHONPATH": KERNEL_PATH}
        log = job_dir / "system_logs" / "supervisor.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as out:
            child = subprocess.Popen(
                [sys.executable, "-m", "mlws.supervise", str(job_dir), *(["--secrets"] if secrets else [])],
                cwd=job_dir,
                env=env,
                stdin=subprocess.PIPE if secrets else subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                close_fds=True,
            )
        self._children[job_dir.name] = child
        if child.stdin is not None:
            with contextlib.suppress(BrokenPipeError), child.stdin:  # one that has ended already says itself why
                child.stdin.write(json.dumps(dict(secrets or {})).encode())

    def is_alive(self, job_dir: Path) -> bool:
        """Whether the supervisor lives."""
        child = self._children.get(job_dir.name)
        if child is not None and child.poll() is not None:
            self._children.pop(job_dir.name, None)
        elif child is not None:
            return True
        return jobdir.is_alive(str(job_dir))

    def cancel(self, job_dir: Path, reason: str = "canceled") -> None:
        """Ask the supervisor to end the job."""
        jobdir.request_cancel(str(job_dir), reason)

    def tidy(self) -> None:
        """Let the system forget supervisors that have ended."""
        for name, child in list(self._children.items()):
            if child.poll() is not None:
                self._children.pop(name, None)

    def load(self) -> Load:
        """CPU and memory of this machine now."""
        cpus = os.cpu_count()
        try:
            average: float | None = os.getloadavg()[0]
        except OSError:
            average = None
        total, used = _memory()
        return Load(cpus, total, average, used)


def _memory() -> tuple[int | None, int | None]:
    """(bytes of memory, bytes in use), from /proc/meminfo where there is one."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None, None
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines if line.endswith("kB")}
    total = kilobytes.get("MemTotal", 0) * 1024
    return total, total - kilobytes.get("MemAvailable", 0) * 1024
