"""Builds of environments on this machine: each under a supervisor of its own, kept by hash, and seen only once whole.

`<data folder>/environments/<hash>/` has a folder for each build that was begun, `current.json` that names the last one, and `ready.json`
that names the one that became whole. An environment knows its own path (the first lines of its programs name it), so it is made where
it stays; what is put in place in one step, when all of it is there, is the record that names it. What no record names is never used.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

import mlws.jobdir as jobdir
from jupyter_mlws.domain.environments import definitions, recipes
from jupyter_mlws.domain.environments.errors import UnusableEnvironment
from jupyter_mlws.domain.environments.logs import last_words
from jupyter_mlws.domain.environments.states import BuildStatus
from jupyter_mlws.kit.ids import is_id, new_id
from jupyter_mlws.kit.removal import bytes_on_disk

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Collection

    from jupyter_mlws.domain.environments.schemas import CondaDefinition, RequirementsDefinition

log = logging.getLogger(__name__)

TIMEOUT_S = 3600
AT_ONCE = 2
"""Builds that run at the same time; others wait for one of them."""
TICK_S = 0.1
GRACE_S = 5
INTERRUPTED_TIMES = 3
CURRENT, READY = "current.json", "ready.json"
PROGRAM = Path(__file__).parents[2] / "runner" / "environment.py"


class State(NamedTuple):
    """What is known of a build."""

    status: BuildStatus
    message: str = ""
    started_at: int | None = None
    ended_at: int | None = None
    interpreter: str | None = None
    has_kernel: bool = False


class Whose(NamedTuple):
    """An environment that is built: who looks at it is told of what changes."""

    workspace: str
    name: str


class _Live(NamedTuple):
    folder: Path
    child: subprocess.Popen[bytes] | None
    """None for one that an earlier server began."""


class Builds:
    """One a server that owns its data folder. `changed` is called, from a thread, when a build begins, says something, or ends."""

    def __init__(self, root: Path, changed: Callable[[Whose, bool], None], timeout_s: int = TIMEOUT_S) -> None:
        self._root = root
        self._changed = changed
        self._timeout_s = timeout_s
        self._lock = threading.RLock()
        self._live: dict[str, _Live] = {}
        self._waiting: dict[str, RequirementsDefinition | CondaDefinition] = {}
        self._dropped: set[str] = set()
        """Builds that were canceled before they began."""
        self._unable: dict[str, str] = {}
        """Why a build could not even begin."""
        self._interrupted: Counter[str] = Counter()
        self._whose: dict[str, set[Whose]] = {}
        self._sizes: dict[str, int] = {}
        self._old: list[Path] = []
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mlws-environments", daemon=True)

    def start(self) -> None:
        """Take up the builds of an earlier server."""
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in self._root.iterdir():
            build = self._current(folder.name) if is_id(folder.name) else None
            if build is not None and not (folder / READY).exists() and _may_go_on(build):
                self._live[folder.name] = _Live(build, None)
        self._thread.start()

    def stop(self) -> None:
        """Follow no longer; builds go on, and the next server takes them up."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def state(self, key: str, whose: Whose | None = None) -> State:
        """What is known of a build now."""
        ready = self._ready(key)
        if ready is not None:
            return ready
        with self._lock:
            # Once more: it may have become whole before the lock was ours.
            state = self._ready(key) or self._unready(key)
            if whose is not None and state.status is BuildStatus.BUILDING:
                self._whose.setdefault(key, set()).add(whose)
            return state

    def _ready(self, key: str) -> State | None:
        """What is there, if its record and its interpreter are."""
        found = jobdir.read_json(str(self._root / key / READY))
        if found is None or not Path(str(found.get("interpreter"))).exists():
            return None
        times = found.get("started_at"), found.get("ended_at")
        return State(BuildStatus.READY, "", *times, interpreter=found["interpreter"], has_kernel=found["has_kernel"])

    def _unready(self, key: str) -> State:
        if key in self._unable:
            return State(BuildStatus.FAILED, self._unable[key])
        if key in self._dropped:
            return State(BuildStatus.FAILED, "The build was canceled before it began.")
        if key in self._waiting:
            return State(BuildStatus.BUILDING, f"The build waits: {AT_ONCE} others run.")
        folder = self._current(key)
        if folder is None:
            return State(BuildStatus.NOT_BUILT)
        started = (jobdir.read_pid(str(folder)) or {}).get("started_at")
        if key in self._live:
            return State(BuildStatus.BUILDING, "", started)
        record = jobdir.read_exit(str(folder))
        if record is not None and record.get("exit_code") == 0:
            return State(BuildStatus.NOT_BUILT, "What was built is no longer there.")
        if record is not None:
            return State(BuildStatus.FAILED, self._why(folder, record), started, record.get("ended_at"))
        if self._interrupted[key] >= INTERRUPTED_TIMES:
            return State(BuildStatus.FAILED, f"The build was interrupted {INTERRUPTED_TIMES} times.", started)
        return State(BuildStatus.NOT_BUILT, "The last build was interrupted.", started)

    def ensure(
        self, key: str, definition: RequirementsDefinition | CondaDefinition, whose: Whose, *, again: bool = False
    ) -> State:
        """Begin a build unless it is there or being made. `again`: also one that failed."""
        with self._lock:
            if again:
                self._dropped.discard(key)
                self._unable.pop(key, None)
                self._interrupted.pop(key, None)
            status = self.state(key).status
            if status is BuildStatus.NOT_BUILT or (again and status is BuildStatus.FAILED):
                self._whose.setdefault(key, set()).add(whose)
                if self._current(key) is not None and status is BuildStatus.NOT_BUILT:
                    self._interrupted[key] += 1
                self._waiting[key] = definition
                self._begin_waiting()
                self._wake.set()
            return self.state(key, whose)

    def cancel(self, key: str) -> bool:
        """End a build, with all its processes. False where there is none."""
        with self._lock:
            if self._waiting.pop(key, None) is not None:
                self._dropped.add(key)
                self._wake.set()
                return True
            live = self._live.get(key)
        if live is None:
            return False
        jobdir.request_cancel(str(live.folder))
        return True

    def log_of(self, key: str) -> tuple[Path | None, bool]:
        """(log of the last build, whether more comes)."""
        with self._lock:
            going_on = key in self._live or key in self._waiting
            folder = None if key in self._waiting else self._current(key)
        return (None if folder is None else folder / jobdir.USER_LOG), going_on

    def note_use(self, key: str) -> None:
        """A job begins there, or did."""
        with contextlib.suppress(OSError):
            os.utime(self._root / key / READY)

    def unused(self, needed: Collection[str], grace_s: float) -> list[str]:
        """Builds of no definition whose hash is `needed` that nothing was begun in for so long."""
        with self._lock:
            return sorted(key for key in _ids_in(self._root) if self._is_unused(key, needed, time.time() - grace_s))

    def remove(self, key: str, needed: Collection[str], grace_s: float) -> int:
        """Remove a build that is unused still; the bytes that this freed."""
        size = self.size_of(key)
        with self._lock:
            if not self._is_unused(key, needed, time.time() - grace_s):
                return 0
            for record in (READY, CURRENT):  # what no record names is never used
                (self._root / key / record).unlink(missing_ok=True)
            self._interrupted.pop(key, None)
        for build in _ids_in(self._root / key):
            jobdir.kill_leftovers(str(self._root / key / build))
            shutil.rmtree(self._root / key / build, ignore_errors=True)
        with self._lock, contextlib.suppress(OSError):  # unless it is being built anew
            (self._root / key).rmdir()
        return size

    def size_of(self, key: str) -> int:
        """The bytes of all that was built under this name."""
        return bytes_on_disk(self._root / key)

    def _is_unused(self, key: str, needed: Collection[str], before: float) -> bool:
        build = self._current(key)
        if build is None or key in self._live or key in self._waiting or jobdir.is_alive(str(build)):
            return False
        made_of = ((jobdir.read_json(str(build / jobdir.JOB)) or {}).get("environment") or {}).get("definition")
        if not isinstance(made_of, str) or made_of in needed:
            return False
        return all(_time_of(self._root / key / record) < before for record in (READY, CURRENT))

    # ---- folders

    def _current(self, key: str) -> Path | None:
        """The folder of the last build that was begun."""
        name = (jobdir.read_json(str(self._root / key / CURRENT)) or {}).get("build")
        return self._root / key / name if isinstance(name, str) and is_id(name) else None

    def _begin_waiting(self) -> None:
        while self._waiting and len(self._live) < AT_ONCE:
            key = next(iter(self._waiting))
            definition = self._waiting.pop(key)
            try:
                self._live[key] = self._begin(key, definition)
            except (OSError, UnusableEnvironment) as error:
                log.warning("The environment %s cannot be built: %s", key, error)
                self._unable[key] = str(error)

    def _begin(self, key: str, definition: RequirementsDefinition | CondaDefinition) -> _Live:
        folder = self._root / key / new_id()
        (folder.parent / READY).unlink(missing_ok=True)
        with contextlib.suppress(FileNotFoundError):
            self._old += [one for one in folder.parent.iterdir() if one.is_dir() and not one.is_symlink()]
        folder.mkdir(mode=0o700, parents=True)
        recipe = recipes.recipe_of(definition, folder)
        for name, text in recipe.files.items():
            (folder / name).write_text(text, encoding="utf-8")
        for name in ("user_logs", "system_logs"):
            (folder / name).mkdir()
        section = {
            "steps": recipe.steps,
            "interpreter": recipe.interpreter,
            "needs_kernel": recipe.needs_kernel,
            "as_pip": recipe.as_pip,
            "definition": definitions.hash_of(definition),
        }
        job: dict[str, Any] = {
            "version": 1,
            "run_id": key,
            "attempt": 1,
            "kind": "environment",
            "cwd": str(folder),
            "env": recipes.variables(folder),
            "timeout_s": self._timeout_s,
            "grace_s": GRACE_S,
            "argv": [sys.executable, "-I", str(PROGRAM), str(folder)],
            "environment": section,
        }
        jobdir.write_atomic(str(folder / jobdir.JOB), msgspec.json.encode(job))
        jobdir.write_atomic(str(folder.parent / CURRENT), msgspec.json.encode({"build": folder.name}), durable=True)
        return _Live(folder, jobdir.supervise(str(folder)))

    def _remove_old(self) -> None:
        """What earlier builds left: none of them became whole, or no other would have begun."""
        folders, self._old = self._old, []
        for folder in folders:
            if jobdir.is_alive(str(folder)):  # a server that was killed had just begun it
                jobdir.request_cancel(str(folder))
                self._old.append(folder)
                continue
            jobdir.kill_leftovers(str(folder))
            shutil.rmtree(folder, ignore_errors=True)

    # ---- the thread that follows

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(TICK_S if self._live else None)
            self._wake.clear()
            try:
                self._look()
            except Exception:
                log.exception("Following the builds of environments failed; going on")
                self._stopping.wait(1)

    def _look(self) -> None:
        told: list[tuple[str, bool]] = []
        with self._lock:
            for key, live in list(self._live.items()):
                if not _lives(live):
                    self._end(key, live.folder)
                    told.append((key, True))
                elif self._grew(key, live.folder):
                    told.append((key, False))
            self._begin_waiting()
            told += [(key, True) for key in self._whose if key not in self._live and key not in self._waiting]
            hints = {(whose, ended) for key, ended in told for whose in self._whose.get(key, ())}
            for key, ended in told:
                if ended:
                    self._whose.pop(key, None)
        for whose, ended in hints:
            self._changed(whose, ended)
        self._remove_old()

    def _grew(self, key: str, folder: Path) -> bool:
        try:
            size = (folder / jobdir.USER_LOG).stat().st_size
        except OSError:
            size = 0
        grown = self._sizes.get(key) != size
        self._sizes[key] = size
        return grown

    def _end(self, key: str, folder: Path) -> None:
        self._live.pop(key)
        self._sizes.pop(key, None)
        record, result = jobdir.read_exit(str(folder)), jobdir.read_json(str(folder / jobdir.RESULT))
        if record is None:
            jobdir.kill_leftovers(str(folder))
            return
        if record.get("exit_code") == 0 and record.get("reason") == "exited" and result is not None:
            section = (jobdir.read_json(str(folder / jobdir.JOB)) or {}).get("environment") or {}
            ready = {
                "build": folder.name,
                "interpreter": section["interpreter"],
                "has_kernel": bool(result.get("has_kernel")),
                "python_version": result.get("python_version"),
                "started_at": record.get("started_at"),
                "ended_at": record.get("ended_at"),
            }
            jobdir.write_atomic(str(folder.parent / READY), msgspec.json.encode(ready), durable=True)
            self._interrupted.pop(key, None)

    def _why(self, folder: Path, record: dict[str, Any]) -> str:
        reason = record.get("reason")
        if reason == "canceled":
            return "The build was canceled."
        if reason == "timeout":
            return f"The build took longer than {self._timeout_s} s and was ended."
        last = last_words(folder / jobdir.USER_LOG)
        return (
            f"The build failed: {last.rstrip(chr(46))}."
            if last
            else f"The build failed with exit code {record.get('exit_code')}."
        )


def _ids_in(folder: Path) -> list[str]:
    with contextlib.suppress(OSError):
        return [one.name for one in folder.iterdir() if is_id(one.name) and one.is_dir() and not one.is_symlink()]
    return []


def _time_of(path: Path) -> float:
    """When a file was written last (seconds since the epoch); 0 for one that is not there."""
    with contextlib.suppress(OSError):
        return path.stat().st_mtime
    return 0.0


def _lives(live: _Live) -> bool:
    if live.child is not None:
        return live.child.poll() is None
    return jobdir.is_alive(str(live.folder))


def _may_go_on(folder: Path) -> bool:
    """Whether a build is still made, or was made and nobody noted it."""
    record = jobdir.read_exit(str(folder))
    return jobdir.is_alive(str(folder)) if record is None else record.get("exit_code") == 0
