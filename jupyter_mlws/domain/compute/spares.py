"""Which spares there are to be, and which jobs fit them. The spares themselves: `mlws.supervise.spare`.

A spare is made for a kind: the kernel, and what was in the environment before the kernel started and counts then. All else of a job
(its folder, token, variables, secrets) is given to it afterwards.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import re
import shutil
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from jupyter_mlws.kit.clock import now_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

log = logging.getLogger(__name__)

RUNNER = "jupyter_mlws.runner.notebook"
SPARE = "jupyter_mlws.runner.spare"
HERE = "/"
"""Where a spare is until it has a job."""
ROOM = "MLWS_JOB_DIR"
"""In the environment that a spare starts with it only holds the place: what a process was started with is looked at from outside."""
DELAY_S = 1.0
"""After a job has begun or ended, for the next one may come at once."""
AGAIN_S = 600.0
"""A kind that no spare could be made of is tried again after so long."""
WHY = {"unfit": "its start runs what is the user's", "failed": "one could not be made"}
FIRST = "python3"
"""The kernel of the spares that are kept before any job came."""
EARLY = re.compile(
    r"PYTHON|PYZMQ|LD_|DYLD_|LC_|LANG$|LANGUAGE$|TZ$|TZDIR$|MALLOC_|GLIBC|GCONV|IPY|JUPYTER|JPY|TRAITLETS_|HOME$|PATH$|TMP$|TMPDIR$|TEMP$"
    r"|XDG_|MPLBACKEND$|DEBUGPY|PYDEVD|TERM$|COLORTERM$|COLUMNS$|LINES$|NO_COLOR$|FORCE_COLOR$|CLICOLOR|SHELL$|USER$|LOGNAME$|OPENSSL|SSL_"
    r"|VIRTUAL_ENV|CONDA_|EDITOR$|PAGER$|COV_|COVERAGE_|ZMQ_|DD_|SOURCE_DATE_EPOCH$|ASAN_|LSAN_|UBSAN_"
)
"""Names of variables that count while an interpreter or a kernel starts, by their beginnings."""


class SpareSettings(NamedTuple):
    """Of `MlwsApp`."""

    number: int = 1
    idle_s: float = 600.0
    most_bytes: int = 1 << 30
    """One that holds more is ended."""
    free_bytes: int = 1 << 30
    """None is made, and none kept, while less of the machine's memory is free."""
    load: float = 1.5
    """None is made while the load average is above this, for each CPU."""


NO_SPARES = SpareSettings(number=0)


class Recipe(NamedTuple):
    """What a spare is made of."""

    kind: str
    argv: list[str]
    env: dict[str, str]


def recipe_of(job: Mapping[str, Any], secrets: Collection[str] = ()) -> Recipe | None:
    """The kind of spare that a job (`job.json`) can have; None for one that needs a start of its own."""
    section = job.get("notebook")
    section = section if isinstance(section, dict) else {}
    kernel = None if section.get("python") else section.get("kernel")
    argv = job.get("argv") or []
    ours = argv[:3] == [sys.executable, "-m", RUNNER]
    if not sys.platform.startswith("linux") or not ours or not isinstance(kernel, str) or not Path(job["cwd"]).is_absolute():
        return None
    if any(EARLY.match(name) for name in secrets):
        return None
    if job.get("memory_limit_bytes") and shutil.which("systemd-run") is not None:
        return None  # the system keeps the limit, of processes that it is told of before they start
    return made_of(kernel, job["env"])


def made_of(kernel: str, env: Mapping[str, str]) -> Recipe:
    """The recipe for a kernel, out of the environment of a job."""
    early = {name: value for name, value in env.items() if EARLY.match(name) or os.environ.get(name) == value}
    argv = [sys.executable, "-m", SPARE, kernel]
    kind = hashlib.sha256(json.dumps([argv, sorted(early.items())]).encode()).hexdigest()
    return Recipe(kind, argv, early)


class Spares:
    """Keeps as many spares as there are to be. `send` gives the starter a line; False if it cannot be had."""

    def __init__(
        self, send: Callable[[Mapping[str, Any]], bool], free: Callable[[], int | None], settings: SpareSettings
    ) -> None:
        self.settings = settings
        self.least = 0
        """As `keep` says."""
        self._send = send
        self._free = free
        self._recipe: Recipe | None = None
        """Of the last job that fitted one."""
        self._used = -math.inf
        self._there: dict[str, list[bool]] = {}
        """By kind: whether each is ready."""
        self._unfit: dict[str, float] = {}
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._closed = False

    @property
    def ready(self) -> int:
        """How many wait for a job now."""
        return sum(sum(found) for found in list(self._there.values()))

    @property
    def end_at(self) -> int | None:
        """When (ms) those end that are more than are always kept, unless a job comes; None where there are none."""
        if self.ready <= self.least or math.isinf(self._used):
            return None
        left = self._used + self.settings.idle_s - time.monotonic()
        return now_ms() + round(max(0.0, left) * 1000)

    def keep(self, least: int, env: Mapping[str, str]) -> None:
        """So many are to be kept however long no job comes; until one has come, in the environment that jobs begin with."""
        with self._lock:
            self.least = least
            if least and self._recipe is None and sys.platform.startswith("linux"):
                self._recipe = made_of(FIRST, env)
        self.soon()

    def kind_for(self, recipe: Recipe | None) -> str | None:
        """A job begins: the kind of spare that it may have. From now on there are to be such."""
        if recipe is None or (self.settings.number == 0 and self.least == 0):
            return None
        with self._lock:
            self._recipe, self._used = recipe, time.monotonic()
        self.soon()
        return recipe.kind

    def soon(self) -> None:
        """See to them in a moment."""
        with self._lock:
            if self._closed or (self._timer is not None and self._timer.is_alive()) or self._recipe is None:
                return
            self._timer = threading.Timer(DELAY_S, self.tend)
            self._timer.daemon = True
            self._timer.start()

    def heard(self, kind: str, state: str, *, ready: bool) -> None:
        """What the starter tells of a spare; `ready`: whether it was, before it ended."""
        with self._lock:
            found = self._there.get(kind, [])
            if state == "ready" and False in found:
                found[found.index(False)] = True
            elif state != "ready" and ready in found:
                found.remove(ready)
            if state in ("unfit", "failed"):
                self._unfit[kind] = time.monotonic() + AGAIN_S
        if state in ("gone", "failed"):
            self.soon()
        if state in ("unfit", "failed"):
            log.info("Jobs of this kernel begin without spares for a while: %s", WHY[state])

    def gone(self) -> None:
        """The starter has ended, and all spares with it."""
        with self._lock:
            self._there.clear()

    def close(self) -> None:
        """Make no more."""
        with self._lock:
            self._closed = True
            if self._timer is not None:
                self._timer.cancel()

    def wanted(self) -> int:
        """How many there are to be now."""
        idle = self._recipe is None or time.monotonic() - self._used > self.settings.idle_s
        return max(self.least, 0 if idle else self.settings.number)

    def tend(self) -> None:
        """Make one, or end those that are too many."""
        with self._lock:
            if self._closed:
                return
            free, recipe = self._free(), self._recipe
            scarce = free is not None and free < self.settings.free_bytes
            wanted = 0 if scarce or recipe is None else self.wanted()
            for kind, found in self._there.items():
                most = wanted if recipe is not None and kind == recipe.kind else 0
                if len(found) > most:
                    self._send({"end": kind, "but": most})
            if recipe is None or self._unfit.get(recipe.kind, 0.0) > time.monotonic() or loaded(self.settings.load):
                return
            found = self._there.setdefault(recipe.kind, [])
            if len(found) < wanted and all(found):
                asked = {"argv": recipe.argv, "cwd": HERE, "env": with_room(recipe.env), "most_bytes": self.settings.most_bytes}
                if self._send({"make": recipe.kind, "recipe": asked}):
                    found.append(False)


def with_room(env: Mapping[str, str]) -> dict[str, str]:
    """An environment in which the job's folder can be written later, where it is looked for."""
    return {**env, ROOM: "/" * 4000}


def loaded(bound: float) -> bool:
    """Whether others need the machine's processors: they did in the last minute, and do now."""
    cpus = os.cpu_count() or 1
    try:
        if os.getloadavg()[0] <= bound * cpus:
            return False
        running = Path("/proc/loadavg").read_text(encoding="ascii").split()[3].partition("/")[0]
    except OSError:
        return False
    return int(running) > cpus
