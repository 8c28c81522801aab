"""What the job's processes use of NVIDIA's GPUs, told by `nvidia-smi` in a thread: it may take seconds, and it may hang."""

from __future__ import annotations

import shutil
import subprocess
import threading
from typing import Callable, Dict, List, Set

EVERY_S = 5.0
TIMEOUT_S = 5.0
GPUS = ["--query-gpu=index,uuid,utilization.gpu", "--format=csv,noheader,nounits"]
PROCESSES = ["--query-compute-apps=gpu_uuid,pid,used_memory", "--format=csv,noheader,nounits"]
Usage = List[Dict[str, float]]


class Gpus:
    """Asks every five seconds. `now` is what was told last; nothing is asked where there is no `nvidia-smi`."""

    def __init__(self, pids: Callable[[], List[int]], own: Set[int]) -> None:
        self.now: Usage = []
        self._pids = pids
        self._own = own
        self._over = threading.Event()
        self._asking: subprocess.Popen[str] | None = None
        self._program = shutil.which("nvidia-smi")
        if self._program is not None:
            threading.Thread(target=self._run, name="gpus", daemon=True).start()

    def close(self) -> None:
        """Ask no more; whoever is being asked is ended, so that nobody waits for it."""
        self._over.set()
        asking = self._asking
        if asking is not None and asking.poll() is None:
            asking.kill()

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                self.now = used(self._ask(GPUS), self._ask(PROCESSES), self._pids())
            except (OSError, ValueError, subprocess.SubprocessError):
                self.now = []  # a driver that does not answer now may later
            self._over.wait(EVERY_S)

    def _ask(self, arguments: List[str]) -> str:
        asking = subprocess.Popen(
            [str(self._program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._asking = asking
        self._own.add(asking.pid)
        try:
            return asking.communicate(timeout=TIMEOUT_S)[0]
        finally:
            if asking.poll() is None:
                asking.kill()
                asking.communicate()
            self._own.discard(asking.pid)


def used(gpus: str, processes: str, pids: List[int]) -> Usage:
    """The GPUs that processes of the job are on: index, utilization in percent (of all processes), bytes of the job's own.

    From the two listings of `nvidia-smi`; what it does not tell (`[N/A]`) counts as 0.
    """
    mine = set(pids)
    held: Dict[str, float] = {}
    for line in processes.splitlines():
        uuid, pid, memory = (part.strip() for part in line.split(","))
        if int(pid) in mine:
            held[uuid] = held.get(uuid, 0.0) + _number(memory) * (1 << 20)
    found = []
    for line in gpus.splitlines():
        index, uuid, busy = (part.strip() for part in line.split(","))
        if uuid in held:
            found.append({"i": int(index), "util": _number(busy), "mem": held[uuid]})
    return found


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
