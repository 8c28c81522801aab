"""Watches what the job's tree uses: notes it in the job's folder, and tells when the memory limit is passed.

Why no RLIMIT_AS: it bounds addresses, not memory, and each process by itself. Threads, numpy, CUDA and memory-mapped files reserve
many times what they ever touch, so a job would fail far below its limit; and ten processes would get ten times the limit.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from typing import Any, Dict, Set, Tuple

from mlws import jobdir
from mlws.supervise import processes, scope, tree
from mlws.supervise.gpu import Gpus

FIRST_S = 0.5
EVERY_S = 1.0
THINNING = 350
"""Points are a 350th of the job's time apart, and at least a second: about 2,000 in 10 hours, and 300 more each time that doubles."""
ATTEMPT = 1_000_000
CHECK_S = 0.5
SLACK_S = 0.05
"""A point that is due so soon is made by the same look."""
QUICKEST_S = 0.02
LISTING_S = 5.0
"""Without /proc a look is a process of its own (`ps`)."""


class Watch:
    """One job, whose process runs already. `tick` as often as `due` says."""

    def __init__(self, job_dir: str, job: Dict[str, Any]) -> None:
        self.limit: int | None = job.get("memory_limit_bytes") or None
        self.peak = 0
        self.over = False
        self.unit: str | None = None
        """The scope that the job's processes are in, if any: the kernel keeps the limit, too."""
        self._group: str | None = None
        self._oom_kills = 0
        self._reader = processes.Reader(os.getpid())
        self._path = os.path.join(job_dir, jobdir.USAGE)
        # The points of another attempt come behind those of all earlier ones.
        self._number = (int(job.get("attempt") or 1) - 1) * ATTEMPT
        self._began = time.monotonic()
        self._point_at = self._began + FIRST_S
        self._check_at = self._began if self.limit is not None else self._point_at
        self._last: processes.Look | None = None
        self._noted: processes.Look | None = None
        self._disk: Tuple[int, int] = (0, 0)
        self._recent_peak = 0
        self._machine_kills = scope.machine_oom_kills()
        self._gpus = Gpus(lambda: self._last.pids if self._last is not None else [], self._reader.own)
        self._recording = True

    def leave_out_what_was(self) -> None:
        """The tree was there before the job: processor time that it took until now is in no point (it is in the sum, as ever)."""
        self._noted = self._last = self._reader.look()
        self._disk = self._reader.disk(self._last)

    def due(self, now: float) -> float:
        """In how many seconds the next look is due."""
        return max(0.0, min(self._check_at, self._point_at) - now)

    def tick(self, now: float) -> bool:
        """Look if it is time; True when the tree has just been found over its limit."""
        if now < self._check_at and now < self._point_at:
            return False
        before, self._last = self._last, self._reader.look()
        look = self._last
        memory = self._reader.memory(look)
        if self.limit is not None and memory > self.limit:
            memory = self._reader.memory(look, exact=True)
        growth = 0.0 if before is None else (look.rss - before.rss) / max(look.at - before.at, 0.001)
        self.peak, self._recent_peak = max(self.peak, memory), max(self._recent_peak, memory)
        self._check_at = now + self._patience(memory, growth)
        if now >= self._point_at - SLACK_S:
            self._note(look)
        found = not self.over and self.limit is not None and memory > self.limit
        self.over = self.over or found
        return found

    def note_kills(self, pid: int) -> None:
        """Ask how many processes of the scope of `pid` the kernel has killed; once the scope is gone the last answer stays."""
        if self.unit is not None and self._group is None:
            self._group = scope.group_of(pid, self.unit)
        if self._group is not None:
            self._oom_kills = max(self._oom_kills, scope.oom_kills(self._group))

    def largest(self) -> int:
        """The job's process with the most memory at the last look; 0 if there was none."""
        return 0 if self._last is None else self._last.largest[0]

    def _patience(self, memory: int, growth: float) -> float:
        """How long the next check may wait: a third of the time in which the tree would be at its limit, as fast as it grows now."""
        if not tree.LINUX or self.limit is None:
            return EVERY_S if tree.LINUX else LISTING_S / (1 if self.limit is None else 5)
        room = self.limit - memory
        slowest = CHECK_S if room > self.limit * 0.3 else CHECK_S / 5
        return min(slowest, max(QUICKEST_S, room / growth / 3)) if growth > 0 else slowest

    def _note(self, look: processes.Look) -> None:
        """Add a point to the file."""
        self._point_at = look.at + max(EVERY_S if tree.LINUX else LISTING_S, (look.at - self._began) / THINNING)
        if not self._recording:
            return
        before, disk = self._noted, self._reader.disk(look)
        span = max(look.at - (before.at if before is not None else self._began), 0.001)
        point: Dict[str, Any] = {
            "cpu": round(max(0.0, look.cpu_s - (before.cpu_s if before is not None else 0.0)) / span, 3),
            "cpu_s": round(look.cpu_s, 3),
            "mem": self._recent_peak,
            "procs": len(look.pids),
        }
        if tree.LINUX:
            # What an orphan has read and written goes with it: less is none.
            point["read"], point["write"] = (round(max(0, now - then) / span) for now, then in zip(disk, self._disk))
        if self._gpus.now:
            point["gpu"] = self._gpus.now
        self._noted, self._disk, self._recent_peak = look, disk, 0
        self._append(point)

    def _append(self, point: Dict[str, Any]) -> None:
        line = json.dumps({"n": self._number, "t": time.time_ns() // 1_000_000, **point}, separators=(",", ":")) + "\n"
        self._number += 1
        # A full disk costs the point.
        with contextlib.suppress(OSError):
            fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                os.write(fd, line.encode())
            finally:
                os.close(fd)

    @property
    def cpu_s(self) -> float:
        """CPU seconds of the job until the last look."""
        return 0.0 if self._last is None else round(self._last.cpu_s, 3)

    @property
    def own(self) -> Set[int]:
        """Processes below the supervisor that are not the job's."""
        return self._reader.own

    def close_gpus(self) -> None:
        """Nothing of our own may be among the processes that the end waits for."""
        self._gpus.close()

    def end(self, cpu_s: float, largest_rss: int) -> None:
        """The job is over: a last point, with what the system says of its ended processes. Nothing more is noted after it."""
        if not self._recording:
            return
        self._recording = False
        if self._machine_lacked():
            # What grew from one look to the next, and was killed for it, is told by the system alone.
            self.peak = self._recent_peak = max(self.peak, largest_rss)
        # A job too short to be looked at has the size of its largest process.
        memory = self._recent_peak or (0 if self.peak else largest_rss)
        self.peak = max(self.peak, memory)
        self._append({"cpu_s": cpu_s, **({"mem": memory} if memory else {})})

    def record(self) -> Dict[str, Any]:
        """What the exit record says of memory."""
        pids = self._last.pids if self._last is not None else []
        return {
            "peak_memory_bytes": self.peak,
            "memory_limit_bytes": self.limit,
            "oom_kills": self._oom_kills,
            "machine_ran_out": self._machine_lacked() and self.peak >= processes.largest_elsewhere(pids),
        }

    def _machine_lacked(self) -> bool:
        """Whether the system has killed a process of this machine for want of memory since the job began, whosever it was."""
        kills, before = scope.machine_oom_kills(), self._machine_kills
        return kills is not None and before is not None and kills > before
