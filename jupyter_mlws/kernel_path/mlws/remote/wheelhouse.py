"""A Python for notebooks on the host, made there from wheels that the server sent: once for the same wheels and the same interpreter.

    python -S -m mlws.remote.wheelhouse <folder>

makes it, in a process that outlives the connection. It sees what the host's Python has installed, too.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Dict, List

from mlws import jobdir

if TYPE_CHECKING:
    from mlws.remote.blobs import Blobs

NEEDED = ("papermill", "ipykernel")
READY, FAILED, LOCK, LOG = "ready.json", "failed.json", "lock", "log.txt"
PYTHON = os.path.join("venv", "bin", "python")


class Wheelhouse:
    """All that were made, a folder each."""

    def __init__(self, folder: str, blobs: Blobs) -> None:
        self.folder = folder
        self.blobs = blobs

    def look(self, wheels: List[List[str]], again: bool) -> Dict[str, Any]:
        """`state` is `ready` (with `python`), `building`, `failed` (with `detail`), or `missing` (wheels that must travel first).

        `wheels` are (file name, SHA-256); `again`: what failed is tried once more.
        """
        what = json.dumps([sorted(wheels), os.path.realpath(sys.executable), sys.version, platform.machine(), NEEDED])
        place = os.path.join(self.folder, hashlib.sha256(what.encode()).hexdigest()[:32])
        python = os.path.join(place, PYTHON)
        if os.path.exists(os.path.join(place, READY)) and os.access(python, os.X_OK):
            return {"state": "ready", "python": python}
        os.makedirs(place, mode=0o700, exist_ok=True)
        lock = os.open(os.path.join(place, LOCK), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return {"state": "building"}
        else:
            failed = jobdir.read_json(os.path.join(place, FAILED))
            if failed is not None and not again:
                return {"state": "failed", **failed}
            missing = self.blobs.missing([sha256 for _, sha256 in wheels])
            if missing:
                return {"state": "missing", "missing": missing}
            self._begin(place, wheels, lock)
            return {"state": "building"}
        finally:
            os.close(lock)

    def _begin(self, place: str, wheels: List[List[str]], lock: int) -> None:
        """Start making it. The process inherits the lock, and holds it as long as it lives."""
        for name in os.listdir(place):
            if name != LOCK:
                path = os.path.join(place, name)
                shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
        os.mkdir(os.path.join(place, "wheels"))
        for name, sha256 in wheels:
            self.blobs.copy(sha256, os.path.join(place, "wheels", os.path.basename(name)), executable=False)
        with open(os.path.join(place, LOG), "ab") as log:
            subprocess.Popen(
                [sys.executable, "-S", "-m", "mlws.remote.wheelhouse", place],
                cwd=place,
                env={**os.environ, "PYTHONPATH": jobdir.KERNEL_PATH},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=(lock,),
            )


def make(place: str) -> None:
    """Make it, and say how that ended, if the disk has room for that."""
    try:
        _make(place)
    except OSError as error:
        jobdir.write_atomic(os.path.join(place, FAILED), json.dumps({"detail": str(error)}).encode())


def _make(place: str) -> None:
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    pip = ["-m", "pip", "install", "--no-index", "--no-input", "--disable-pip-version-check", "--find-links"]
    for step in (
        [sys.executable, "-m", "venv", "--system-site-packages", os.path.join(place, "venv")],
        [os.path.join(place, PYTHON), *pip, os.path.join(place, "wheels"), *NEEDED],
    ):
        done = subprocess.run(step, cwd=place, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        said = (done.stdout + done.stderr).decode("utf-8", "replace")
        sys.stdout.write(said)
        sys.stdout.flush()
        if done.returncode:
            jobdir.write_atomic(os.path.join(place, FAILED), json.dumps({"detail": _why(said)}).encode())
            return
    shutil.rmtree(os.path.join(place, "wheels"))
    jobdir.write_atomic(os.path.join(place, READY), b"{}", durable=True)


def _why(said: str) -> str:
    """The end of what a program said: its errors, if it marks them."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line[len("ERROR:") :].strip() for line in lines if line.startswith("ERROR:")]
    return "; ".join(errors or lines[-3:])[:2000] or "it said nothing"


if __name__ == "__main__":
    make(sys.argv[1])
