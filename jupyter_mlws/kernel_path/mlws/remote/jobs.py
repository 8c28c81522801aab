"""The folders of jobs on the host: laid, started, looked at, read, and removed."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import sys
import time
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Tuple

from mlws import jobdir
from mlws.remote.notebooks import environment

if TYPE_CHECKING:
    from mlws.remote.blobs import Blobs

LAID = "laid.json"
"""Which files of the working folder came with the job, with size and time: the others are its own."""
OWNER = "owner"
GROWING = (jobdir.USER_LOG, jobdir.SYSTEM_LOG, jobdir.RUNNER_LOG, jobdir.USAGE, jobdir.NOTEBOOK)
SMALL = (jobdir.PID, jobdir.HEARTBEAT, jobdir.PROGRESS, jobdir.RESULT, jobdir.EXIT)
PIECE = 2 << 20
"""More than the longest line of a log."""
BEGIN_S = 10.0


class Jobs:
    """All of them, below one folder."""

    def __init__(self, folder: str, code: str, blobs: Blobs) -> None:
        self.folder = folder
        self.code = code
        self.blobs = blobs

    def dir(self, key: str) -> str:
        """The folder of a job."""
        if not key or key.strip("0123456789abcdef-"):
            raise ValueError(f"{key!r:.80} is no name of a job")
        return os.path.join(self.folder, key)

    # ---- begin

    def lay(self, asked: Dict[str, Any]) -> Dict[str, Any]:
        """Make the folder of a job that was never started: its `files` are (path, SHA-256, executable); `local` is how its folder is
        called in `job`.

        One that was is left as it is. The answer names files that are not here after all.
        """
        place, files = self.dir(asked["key"]), asked["files"]
        if has_begun(place):
            return {"begun": True}
        lock = _lock(place)
        try:
            for name in os.listdir(place):
                if name != jobdir.LOCK:
                    _remove(os.path.join(place, name))
            missing = self.blobs.missing([sha256 for _, sha256, _ in files])
            if missing:
                return {"missing": missing}
            laid = {}
            job = _moved(asked["job"], asked["local"], place)
            for name in ("user_logs", "system_logs", "spool", *asked["folders"]):
                os.makedirs(_below(place, name), mode=0o700, exist_ok=True)
            for path, sha256, executable in files:
                target = _below(place, path)
                os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
                self.blobs.copy(sha256, target, bool(executable))
                stat = os.stat(target)
                laid[path] = [stat.st_size, stat.st_mtime_ns]
            for name, value in ((OWNER, asked["owner"]), (LAID, laid), (jobdir.JOB, self._completed(job, asked.get("python")))):
                jobdir.write_atomic(os.path.join(place, name), json.dumps(value).encode(), durable=True)
        finally:
            os.close(lock)
        return {}

    def _completed(self, job: Dict[str, Any], python: str | None) -> Dict[str, Any]:
        """The job with the variables of this host below its own. `python`: the one that runs notebooks, where that is another."""
        python = python if python and "notebook" in job else sys.executable
        words = {"{python}": python, "{runner}": self.code}
        argv = [*(words.get(word, word) for word in job["argv"][:2]), *job["argv"][2:]]
        # What a job has from who starts its supervisor is not that of this host.
        passed = tuple(job.get("pass_env") or ())
        env = {name: value for name, value in environment(python).items() if not name.startswith(passed)}
        return {**job, "argv": argv, "env": {**env, **job["env"]}}

    def start(self, key: str, secrets: Dict[str, str] | None) -> Dict[str, Any]:
        """Start the supervisor, once: whoever asks again is told that it has begun."""
        place = self.dir(key)
        if has_begun(place):
            return {"begun": True}
        child = jobdir.supervise(place, secrets)
        until = time.monotonic() + BEGIN_S
        while time.monotonic() < until and not has_begun(place):
            if child.poll() is not None and not has_begun(place):
                raise RuntimeError(f"the supervisor ended at once, with code {child.returncode}: {_last_words(place)}")
            time.sleep(0.01)
        return {"begun": has_begun(place)}

    # ---- look

    def look(self, key: str, known: Dict[str, Any], cancel: str | None, spool: bool) -> Tuple[Dict[str, Any], bytes]:
        """What is new of a job. `known`: per file the offset from which on it is wanted, and the stamp of what was seen last;
        `spool`: whether what the job logs is wanted.

        A job that has an exit record has written all else before.
        """
        place = self.dir(key)
        begun = has_begun(place)
        if cancel and begun:
            with contextlib.suppress(OSError):
                jobdir.request_cancel(place, cancel)
        alive = jobdir.is_alive(place)
        found: Dict[str, Any] = {"begun": begun, "alive": alive, "ended": os.path.exists(os.path.join(place, jobdir.EXIT))}
        files, parts = [], []
        for name, kind in _followed(place, spool):
            offset, stamp = known.get(name) or (0, None)
            part = _piece(os.path.join(place, name), kind, int(offset), stamp)
            if part is not None:
                files.append({"name": name, "kind": kind, **part[0]})
                parts.append(part[1])
        found["files"] = files
        return found, b"".join(parts)

    def manifest(self, key: str) -> List[List[Any]]:
        """(path, size, time in ns) of the files that a job made or changed: below its working folder, and what its runner left."""
        place = self.dir(key)
        laid = jobdir.read_json(os.path.join(place, LAID)) or {}
        found: List[List[Any]] = []
        for root, folders, names in os.walk(os.path.join(place, "work")):
            folders[:] = sorted(one for one in folders if not os.path.islink(os.path.join(root, one)) and one != "__pycache__")
            for name in sorted(names):
                path = os.path.join(root, name)
                stat = os.lstat(path)
                relative = os.path.relpath(path, place)
                if os.path.isfile(path) and not os.path.islink(path) and laid.get(relative) != [stat.st_size, stat.st_mtime_ns]:
                    found.append([relative, stat.st_size, stat.st_mtime_ns])
        for name in (jobdir.OUTPUT_NOTEBOOK,):
            with contextlib.suppress(OSError):
                stat = os.lstat(os.path.join(place, name))
                found.append([name, stat.st_size, stat.st_mtime_ns])
        return found

    def read(self, key: str, name: str, offset: int, size: int) -> bytes:
        """A piece of a file of a job."""
        fd = os.open(_below(self.dir(key), name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            return os.pread(fd, min(size, 16 << 20), offset)
        finally:
            os.close(fd)

    # ---- end

    def bury(self, key: str) -> Dict[str, Any]:
        """Kill what a supervisor that was killed itself has left behind."""
        return {"killed": jobdir.kill_leftovers(self.dir(key))}

    def remove(self, key: str) -> Dict[str, Any]:
        """Remove the folder of a job that has ended, or was never begun. One that lives is canceled, and stays for now."""
        place = self.dir(key)
        if not os.path.isdir(place):
            return {"removed": True}
        if jobdir.is_alive(place):
            with contextlib.suppress(OSError):
                jobdir.request_cancel(place)
            return {"removed": False}
        jobdir.kill_leftovers(place)
        shutil.rmtree(place, ignore_errors=True)
        return {"removed": not os.path.isdir(place)}

    def of_owner(self, owner: str) -> List[str]:
        """The jobs whose folders this server made."""
        found = []
        for name in os.listdir(self.folder):
            with contextlib.suppress(OSError, ValueError), open(os.path.join(self.folder, name, OWNER), "rb") as file:
                if json.loads(file.read()) == owner:
                    found.append(name)
        return found


def has_begun(place: str) -> bool:
    """Whether a supervisor was ever started there."""
    return any(os.path.exists(os.path.join(place, name)) for name in (jobdir.PID, jobdir.EXIT)) or jobdir.is_alive(place)


def _followed(place: str, spool: bool) -> Iterator[Tuple[str, str]]:
    """(name, kind) of what is followed, in the order in which it is to be stored: what a record of the spool names, before it."""
    for name in GROWING:
        yield name, "log" if name == jobdir.USER_LOG else "grows"
    folder = os.path.join(place, "spool")
    names = sorted(os.listdir(folder)) if spool and os.path.isdir(folder) else []
    for name in names:
        if name.endswith(".wal"):
            yield os.path.join("spool", name), "grows"
    for name in SMALL:
        yield name, "whole"


def _piece(path: str, kind: str, offset: int, stamp: Any) -> Tuple[Dict[str, Any], bytes] | None:
    """What is new of a file; None where nothing is."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        stat = os.fstat(fd)
        now = [stat.st_size, stat.st_mtime_ns]
        if now == stamp or (kind == "grows" and stat.st_size <= offset):
            return None
        start = 0 if kind == "whole" else offset
        data = os.pread(fd, PIECE, start)
        at_end = start + len(data) >= stat.st_size
        return {"offset": start, "length": len(data), "stamp": now if at_end else None, "more": not at_end}, data
    finally:
        os.close(fd)


def _moved(value: Any, before: str, now: str) -> Any:
    """A value of JSON with another folder in all of its texts."""
    if isinstance(value, str):
        return value.replace(before, now)
    if isinstance(value, dict):
        return {name: _moved(one, before, now) for name, one in value.items()}
    return [_moved(one, before, now) for one in value] if isinstance(value, list) else value


def _below(place: str, name: str) -> str:
    path = os.path.normpath(os.path.join(place, name))
    if not path.startswith(place + os.sep):
        raise ValueError(f"{name!r:.200} leads out of the job's folder")
    return path


def _lock(place: str) -> int:
    """The supervisor's lock, so that none begins meanwhile."""
    os.makedirs(place, mode=0o700, exist_ok=True)
    lock = os.open(os.path.join(place, jobdir.LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise
    return lock


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)


def _last_words(place: str) -> str:
    try:
        with open(os.path.join(place, jobdir.SYSTEM_LOG), "rb") as file:
            return file.read()[-2000:].decode("utf-8", "replace").strip()
    except OSError:
        return ""
