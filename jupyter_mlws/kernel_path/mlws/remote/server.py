"""Answers one question after the other until the connection ends."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import socket
import sys
import time
from typing import Any, Dict, List, Tuple

from mlws.remote import frames, notebooks
from mlws.remote.batch import Batch
from mlws.remote.blobs import Blobs
from mlws.remote.jobs import Jobs
from mlws.remote.wheelhouse import Wheelhouse
from mlws.spool import PART

HEALTH_S = 5.0
Answer = Tuple[Dict[str, Any], bytes]


class Host:
    """The questions that are answered, each a method."""

    def __init__(self, root: str, code: str) -> None:
        self.root = root
        self.code = code
        for name in ("blobs", "jobs"):
            os.makedirs(os.path.join(root, name), mode=0o700, exist_ok=True)
        self.blobs = Blobs(os.path.join(root, "blobs"))
        self.wheelhouse = Wheelhouse(os.path.join(root, "pythons"), self.blobs)
        self.jobs = Jobs(os.path.join(root, "jobs"), code, self.blobs)
        self._batch = Batch(self.jobs)

    def hello(self, _: Dict[str, Any], __: bytes) -> Answer:
        """What this host is, and has."""
        self.blobs.forget_old()
        return {
            "root": self.root,
            "host": socket.gethostname(),
            "system": platform.system(),
            "machine": platform.machine(),
            "python": platform.python_version(),
            "executable": sys.executable,
            "time": time.time(),
            "bash": os.access("/bin/bash", os.X_OK),
            "subreaper": sys.platform.startswith("linux"),
            **self._load(),
        }, b""

    def notebooks(self, asked: Dict[str, Any], _: bytes) -> Answer:
        """What there is for notebooks."""
        return notebooks.look(self.code, asked.get("python") or sys.executable), b""

    def wheels(self, asked: Dict[str, Any], _: bytes) -> Answer:
        """The Python that is made of wheels."""
        return self.wheelhouse.look(asked["wheels"], bool(asked["again"])), b""

    def load(self, _: Dict[str, Any], __: bytes) -> Answer:
        """What is free now."""
        return self._load(), b""

    def _load(self) -> Dict[str, Any]:
        total, used = _memory()
        average: float | None = None
        with contextlib.suppress(OSError):
            average = os.getloadavg()[0]
        return {
            "cpus": os.cpu_count(),
            "memory": total,
            "memory_used": used,
            "load": average,
            "gpus": _gpus(),
            "disk_free": shutil.disk_usage(self.root).free,
        }

    def reach(self, asked: Dict[str, Any], _: bytes) -> Answer:
        """Whether the server answers at an address, as seen from here."""
        import json
        from urllib.error import HTTPError
        from urllib.request import Request, urlopen

        url = str(asked["url"]).rstrip("/") + "/api/v1/health"
        if not url.startswith(("http://", "https://")):
            return {"reached": False, "why": "it is no http address"}, b""
        try:
            try:
                with urlopen(Request(url), timeout=HEALTH_S) as answer:  # noqa: S310 - the lines above
                    found = json.loads(answer.read(65536))
            except HTTPError as refused:  # it wants a token, which is not sent before it is known who asks for it
                found = json.loads(refused.read(65536))
        except (OSError, ValueError) as error:
            return {"reached": False, "why": str(getattr(error, "reason", error))}, b""
        told = found.get("error") if isinstance(found, dict) else None
        ours = isinstance(found, dict) and (found.get("status") == "ok" or (isinstance(told, dict) and "code" in told))
        return {"reached": ours, "why": "" if ours else "something else answers there"}, b""

    def missing(self, asked: Dict[str, Any], _: bytes) -> Answer:
        """Files that must travel."""
        return {"missing": self.blobs.missing(asked["hashes"])}, b""

    def put(self, asked: Dict[str, Any], data: bytes) -> Answer:
        """A piece of a file."""
        return self.blobs.put(asked["sha256"], asked["offset"], data, asked["last"]), b""

    def lay(self, asked: Dict[str, Any], _: bytes) -> Answer:
        """Make a job's folder."""
        return self.jobs.lay(asked), b""

    def start(self, asked: Dict[str, Any], _: bytes) -> Answer:
        """Start its supervisor."""
        return self.jobs.start(asked["key"], asked.get("secrets")), b""

    def look(self, asked: Dict[str, Any], _: bytes) -> Answer:
        """What is new of one job."""
        return self.jobs.look(asked["key"], asked["known"], asked.get("cancel"), bool(asked["spool"]))

    def spooled(self, asked: Dict[str, Any], _: bytes) -> Answer:
        """Contents of artifacts that wait in a job's spool: (name, size)."""
        folder = os.path.join(self.jobs.dir(asked["key"]), "spool")
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        blobs = [name for name in names if not name.endswith((".wal", ".ack", ".rejected", PART))]
        return {"blobs": [[name, os.lstat(os.path.join(folder, name)).st_size] for name in blobs]}, b""

    def manifest(self, asked: Dict[str, Any], _: bytes) -> Answer:
        """What a job made."""
        return {"files": self.jobs.manifest(asked["key"])}, b""

    def read(self, asked: Dict[str, Any], _: bytes) -> Answer:
        """A piece of it."""
        return {}, self.jobs.read(asked["key"], asked["name"], asked["offset"], asked["size"])

    def bury(self, asked: Dict[str, Any], _: bytes) -> Answer:
        """End what a dead supervisor left."""
        return self.jobs.bury(asked["key"]), b""

    def remove(self, asked: Dict[str, Any], _: bytes) -> Answer:
        """Remove a job's folder."""
        return self.jobs.remove(asked["key"]), b""

    def batch(self, asked: Dict[str, Any], _: bytes) -> Answer:
        """What a program of the batch system says."""
        return self._batch.run(asked["argv"], float(asked["seconds"])), b""

    def submit(self, asked: Dict[str, Any], _: bytes) -> Answer:
        """Give a job to the batch system."""
        return self._batch.submit(asked["key"], asked), b""

    def end(self, asked: Dict[str, Any], _: bytes) -> Answer:
        """Note the end of a job that the batch system ended."""
        return self._batch.end(asked["key"], asked["words"]), b""

    def recall(self, asked: Dict[str, Any], _: bytes) -> Answer:
        """A submission is taken back."""
        return self._batch.recall(asked["key"]), b""

    def void(self, asked: Dict[str, Any], _: bytes) -> Answer:
        """A job is given up."""
        return self._batch.void(asked["key"]), b""

    def of_owner(self, asked: Dict[str, Any], _: bytes) -> Answer:
        """The jobs of one server."""
        return {"keys": self.jobs.of_owner(asked["owner"])}, b""


ASKED = frozenset(name for name in vars(Host) if not name.startswith("_"))


def serve(root: str, code: str) -> None:
    """Answer until the connection ends."""
    reading, writing = sys.stdin.buffer, sys.stdout.buffer
    host = Host(root, code)
    while True:
        try:
            asked, data = frames.read(reading)
        except EOFError:
            return
        _reap()
        writing.write(_answered(host, asked, data))
        writing.flush()


def _answered(host: Host, asked: Dict[str, Any], data: bytes) -> bytes:
    if asked.get("ask") not in ASKED:
        return frames.packed({"error": f"{asked.get('ask')!r:.80} is not asked here", "errno": None})
    try:
        head, body = getattr(host, asked["ask"])(asked, data)
    except OSError as error:
        return frames.packed({"error": f"{error.strerror or error}: {error.filename or ''}".rstrip(": "), "errno": error.errno})
    except Exception as error:  # noqa: BLE001 - the top of the loop: the server is told, and decides
        return frames.packed({"error": f"{type(error).__name__}: {error}", "errno": None})
    return frames.packed(head, body)


def _reap() -> None:
    """Let go of supervisors that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _gpus() -> List[int]:
    try:
        names = os.listdir("/dev")
    except OSError:
        return []
    return sorted(int(name[6:]) for name in names if name.startswith("nvidia") and name[6:].isdigit())


def _memory() -> Tuple[int | None, int | None]:
    found = {}
    with contextlib.suppress(OSError), open("/proc/meminfo", encoding="ascii") as file:
        for line in file:
            if line.rstrip().endswith("kB"):
                found[line.split(":")[0]] = int(line.split()[1]) * 1024
    total = found.get("MemTotal")
    return total, None if total is None else total - found.get("MemAvailable", 0)
