"""The compute target `local`: processes on this machine, each under its own supervisor that outlives the server."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import mlws.jobdir as jobdir
from jupyter_mlws.domain.compute.schemas import Load
from jupyter_mlws.domain.compute.spares import NO_SPARES, Spares, SpareSettings, recipe_of
from jupyter_mlws.domain.compute.starter import Starter

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Mapping


class LocalCompute:
    """Starts supervisors here. All that is known of a job stands in its folder, so nothing is lost with the server."""

    kind = "local"
    description = "This machine"
    problem = ""
    takes_secrets = True

    def __init__(self, name: str, max_jobs: int, spares: SpareSettings = NO_SPARES) -> None:
        self.name = name
        self.max_jobs = max_jobs
        self.min_instances = 0
        self.when_this_ends: Callable[[str], None] = lambda _folder: None
        self.gpu_ids = gpus_here()
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        argv, env = [sys.executable, "-S", "-m", "mlws.supervise.starter"], {**os.environ, "PYTHONPATH": jobdir.KERNEL_PATH}
        self._starter = Starter(
            argv, env, jobdir.KERNEL_PATH, ended=self._ended, failed=self._start_otherwise, spare=self._heard_of_spare
        )
        self._spares = Spares(self._starter.send, _free, spares)
        self._given: dict[str, Mapping[str, str]] = {}
        """Secrets of the jobs that the starter was asked to start, should it fail."""

    def start(self, job_dir: Path, secrets: Mapping[str, str] | None = None) -> None:
        """Start the supervisor of a job whose folder is ready. It detaches itself from this process.

        Secrets go to the supervisor in a file in memory where spares wait, else to an interpreter of its own, through a pipe: nobody
        else can read either, and they leave nothing.
        """
        folder, secrets = str(job_dir), secrets or {}
        job = jobdir.read_json(str(job_dir / jobdir.JOB)) or {}
        kind = self._spares.kind_for(recipe_of(job, secrets))
        if secrets and not self._spares.ready:
            return self._spawn(job_dir, secrets)
        if secrets:
            self._given[folder] = secrets
        if not self._starter.start(folder, spare=kind, secrets=secrets):
            self._given.pop(folder, None)
            self._spawn(job_dir, secrets)
        return None

    @property
    def spares(self) -> int:
        """How many supervisors with a kernel that is ready wait for a job now."""
        return self._spares.ready

    @property
    def spares_end_at(self) -> int | None:
        """When (ms) those of them end that nobody asked to have always, unless a notebook job comes."""
        return self._spares.end_at

    def keep_spares(self, least: int, env: Mapping[str, str]) -> None:
        """Keep so many of them even while no job comes. `env` is what jobs begin with."""
        self.min_instances = least
        self._spares.keep(least, env)

    def _ended(self, folder: str) -> None:
        self._given.pop(folder, None)
        self._spares.soon()
        self.when_this_ends(folder)

    def _heard_of_spare(self, said: dict[str, Any] | None) -> None:
        if said is None:
            self._spares.gone()
        else:
            self._spares.heard(said["spare"], said["state"], ready=said["ready"])

    def _start_otherwise(self, folder: str) -> None:
        """What the starter did not come to. If it has just forked a supervisor, that one has the lock, and the second ends at once."""
        begun = jobdir.is_alive(folder) or jobdir.read_pid(folder) is not None or jobdir.read_exit(folder) is not None
        given = self._given.pop(folder, {})
        if not begun and (Path(folder) / jobdir.JOB).exists():
            self._spawn(Path(folder), given)

    def _spawn(self, job_dir: Path, secrets: Mapping[str, str] = MappingProxyType({})) -> None:
        """With an interpreter of its own."""
        self._children[str(job_dir)] = jobdir.supervise(str(job_dir), secrets)

    def is_alive(self, job_dir: Path) -> bool:
        """Whether the supervisor lives."""
        if self._starter.has(str(job_dir)):
            return True
        child = self._children.get(str(job_dir))
        if child is not None and child.poll() is not None:
            self._children.pop(str(job_dir), None)
        elif child is not None:
            return True
        return jobdir.is_alive(str(job_dir))

    def cancel(self, job_dir: Path, reason: str = "canceled") -> None:
        """Ask the supervisor to end the job."""
        jobdir.request_cancel(str(job_dir), reason)

    def tidy(self) -> None:
        """Let the system forget supervisors that have ended."""
        self._spares.tend()
        self._starter.tidy(needed=self._spares.wanted() > 0)
        for name, child in list(self._children.items()):
            if child.poll() is not None:
                self._children.pop(name, None)

    def close(self) -> None:
        """The server stops; what was started goes on."""
        self._spares.close()
        self._starter.close()

    def load(self) -> Load:
        """CPU and memory of this machine now."""
        cpus = os.cpu_count()
        try:
            average: float | None = os.getloadavg()[0]
        except OSError:
            average = None
        total, used = _memory()
        return Load(cpus, total, average, used)


def _free() -> int | None:
    """Bytes of memory that are free for use, if that is told."""
    total, used = _memory()
    return None if total is None or used is None else total - used


def gpus_here() -> list[int]:
    """Numbers of NVIDIA's GPUs in this machine, as their device files have them."""
    names = (path.name.removeprefix("nvidia") for path in Path("/dev").glob("nvidia[0-9]*"))
    return sorted(int(name) for name in names if name.isdigit())


def _memory() -> tuple[int | None, int | None]:
    """(bytes of memory, bytes in use), from /proc/meminfo where there is one."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None, None
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines if line.endswith("kB")}
    total = kilobytes.get("MemTotal", 0) * 1024
    return total, total - kilobytes.get("MemAvailable", 0) * 1024
