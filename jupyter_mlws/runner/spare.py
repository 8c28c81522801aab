"""`python -m jupyter_mlws.runner.spare <kernel>`: a runner with all imports done and its kernel ready, which waits for one job.

Standard input is a socket to its supervisor (`mlws.supervise.spare`). It says `ready`; a JSON line with the job's folder, working folder
and environment comes; it answers `ready` again, or in words why it cannot have the job; `go` lets it begin. When the input ends, so does
it. From `go` on it is the runner of `notebook`, and nothing in it or in the kernel tells that it waited.

Exit code 4: the start of this kernel does what has to be done for each job anew (startup files of the user, his configuration).
"""

from __future__ import annotations

from jupyter_mlws.runner import notebook  # first: from then on our imports are looked for where ours are

# isort: split
import asyncio
import contextlib
import gc
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

from jupyter_mlws.runner.kernel import JobKernel, KernelDied
from jupyter_mlws.runner.report import Refused
from mlws.supervise import in_kernel
from mlws.supervise.spare import GO, READY, UNFIT

SOURCE = Path(in_kernel.__file__).read_text(encoding="utf-8")


class Unfit(Exception):
    """Kernels of this kind have to be started for each job."""


class SpareRunner:
    """The runner until it has a job."""

    def __init__(self, name: str, control: socket.socket) -> None:
        self.control = control
        self.base = dict(os.environ)
        """What the kernel is started with."""
        self.kernel = JobKernel(name)
        spec = self.kernel.spec
        self._taken = set(spec.env)
        """Variables that the kernel's own specification sets, whatever the job's are."""
        if not self.kernel.is_ipykernel or spec.language.lower() != "python" or any("$" in value for value in spec.env.values()):
            raise Unfit(name)
        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        self._stamps: dict[str, int] = {}

    def prepare(self) -> None:
        """Start the kernel, and import what a job needs. Raises `Unfit`, `KernelDied`, `Refused`."""
        self.loop.run_until_complete(self.kernel.start(str(Path.cwd())))
        notebook.import_all()
        self.loop.run_until_complete(self.kernel.ready())
        seen = self.loop.run_until_complete(self.kernel.ask(_call("look")))
        if seen["ran"]:
            raise Unfit(self.kernel.name)
        specification = str(Path(self.kernel.spec.resource_dir) / "kernel.json")
        packages = [path for path in sys.path if path.endswith("-packages")]
        self._stamps = {**seen["stamps"], **in_kernel.stamps([specification, *packages])}
        gc.collect()
        gc.freeze()

    def wait(self) -> dict[str, Any] | None:
        """The job; None at the end of the input."""
        line = b""
        while not line.endswith(b"\n"):
            data = self.control.recv(1 << 20)
            if not data:
                return None
            line += data
        job: dict[str, Any] = json.loads(line)
        return job

    def take(self, job: dict[str, Any]) -> str | None:
        """Become what a runner and a kernel of this job would be; else why that cannot be."""
        if in_kernel.stamps(list(self._stamps)) != self._stamps:
            return "the kernel's Python or its configuration has changed since"
        env = job["env"]
        changes = {name: env.get(name) for name in {*env, *self.base} if env.get(name) != self.base.get(name)}
        of_kernel = {name: value for name, value in changes.items() if name not in self._taken}
        try:
            in_kernel.change(job["cwd"], changes)
            self.loop.run_until_complete(self.kernel.ask(_call("arrive", job["cwd"], of_kernel)))
        except (OSError, ValueError, KernelDied) as error:
            return f"{type(error).__name__}: {error}"
        return None

    def end(self) -> None:
        """End the kernel, and leave nothing."""
        with contextlib.suppress(Exception):
            self.loop.run_until_complete(self.kernel.kill())
        self.loop.run_until_complete(self.kernel.finish())


def _call(function: str, *arguments: Any) -> str:
    """An expression that calls a function of `in_kernel`, in a namespace that is gone afterwards."""
    call = f"{SOURCE}\nanswer = __import__('json').dumps({function}(*{arguments!r}))"
    return f"(lambda space: (exec({call!r}, space), space['answer'])[1])({{'__name__': 'mlws'}})"


def begin(spare: SpareRunner) -> Path | None:
    """Get ready, wait, take the job; its folder, or None if there is none to run. Raises `Unfit`, `KernelDied`, `Refused`."""
    spare.prepare()
    spare.control.sendall(READY)
    job = spare.wait()
    if job is None:
        return None
    trouble = spare.take(job)
    spare.control.sendall(READY if trouble is None else f"{trouble[:900]}\n".encode())
    return Path(job["job_dir"]) if trouble is None and spare.control.recv(len(GO)) == GO else None


def main(name: str, control: socket.socket) -> int:
    """Wait for a job and run it; the exit code."""
    job_dir = None
    try:
        spare = SpareRunner(name, control)
        try:
            job_dir = begin(spare)
        finally:
            if job_dir is None:
                spare.end()
    except Unfit:
        return UNFIT
    except (KernelDied, Refused, OSError):
        return 1
    control.close()
    return 0 if job_dir is None else notebook.main(job_dir, (spare.loop, spare.kernel))


if __name__ == "__main__":
    given = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    code = main(sys.argv[1], given)
    os._exit(code)
