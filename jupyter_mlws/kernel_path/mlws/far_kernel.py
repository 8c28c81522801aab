"""What runs in the Python of a kernel on another Jupyter server. It is sent there as text, and imports nothing of ours.

A job there has a folder of its own: its working folder, and the spool that is fetched from it. All of it goes with the kernel.
"""

from __future__ import annotations

import atexit
import base64
import hashlib
import json
import os
import shutil
import sys
import tempfile
from typing import Any, Dict, List, Tuple

AT_ONCE = 2 << 20
"""Bytes of an answer, about."""
_at: Dict[str, str] = {}
"""Folders of this kernel."""

File = Tuple[str, str, int]
"""Its name to the other side, where it lies, and its size."""


def look(digest: str) -> bool:
    """Whether the package of this hash is here already."""
    path = _package(digest)
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest() == digest
    except OSError:
        return False


def _package(digest: str) -> str:
    folder = os.path.join(os.path.expanduser("~"), ".cache", "mlws")
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        mine = os.stat(folder)
        if os.access(folder, os.W_OK) and not mine.st_mode & 0o022 and mine.st_uid == os.getuid():
            return os.path.join(folder, digest + ".zip")
    except (OSError, AttributeError):
        pass
    if "package" not in _at:
        _at["package"] = tempfile.mkdtemp(prefix="mlws-")
        atexit.register(shutil.rmtree, _at["package"], ignore_errors=True)
    return os.path.join(_at["package"], digest + ".zip")


def take(digest: str, text: str) -> bool:
    """Keep the package."""
    data = base64.b64decode(text)
    path = _package(digest)
    part = f"{path}.{os.getpid()}"
    with open(part, "wb") as file:
        file.write(data)
    os.replace(part, path)
    return look(digest)


def arrive(digest: str, variables: Dict[str, str], folder: bool) -> bool:
    """Be a kernel of ours: its variables, `mlws`, and, if it is a job's, a folder of its own."""
    os.environ.update(variables)
    path = _package(digest)
    if path not in sys.path:
        sys.path.insert(0, path)  # it holds nothing but `mlws`, of which this is the version that we speak
        os.environ["PYTHONPATH"] = os.pathsep.join(x for x in (os.environ.get("PYTHONPATH", ""), path) if x)
    if folder and "home" not in _at:
        _at["home"] = home = tempfile.mkdtemp(prefix="mlws-job-")
        _at["work"] = os.path.join(home, "work")
        os.environ["MLWS_SPOOL_DIR"] = os.path.join(home, "spool")
        for name in ("outputs", "logs"):
            os.makedirs(os.path.join(_at["work"], name))
        os.chdir(_at["work"])
        if "" not in sys.path:
            sys.path.insert(0, "")
        atexit.register(shutil.rmtree, home, ignore_errors=True)
        import mlws  # noqa: F401 - its exit handler is to run before that: the last one that is registered comes first
    return True


def reach(url: str) -> str:
    """Why this server is not reached from here; empty where it is."""
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    try:
        try:
            with urlopen(Request(url + "/api/v1/health"), timeout=10) as answer:  # noqa: S310 - our server checked the address
                found = json.loads(answer.read(65536))
        except HTTPError as refused:  # it wants a token, which is not sent before it is known who asks for it
            found = json.loads(refused.read(65536))
    except (OSError, ValueError) as error:
        return str(getattr(error, "reason", error)) or type(error).__name__
    told = found.get("error") if isinstance(found, dict) else None
    ours = isinstance(found, dict) and (found.get("status") == "ok" or (isinstance(told, dict) and "code" in told))
    return "" if ours else "something else answers there"


def fetch(had: Dict[str, int], ends: bool) -> Dict[str, Any]:
    """The next of what is in the spool and, when the job `ends`, of its files, beyond what was `had` (name -> bytes); and how many bytes
    are left, these among them."""
    _flush(ends)
    names = _spool(os.path.join(_at["home"], "spool"))
    if ends:
        names += [file for top in ("outputs", "logs") for file in _files(_at["work"], top)]
    room = AT_ONCE
    left = sum(max(0, size - max(0, had.get(name, 0))) for name, _, size in names)
    found: List[Any] = []
    for name, path, size in names:
        begin = had.get(name, -1)
        if begin >= size:
            continue
        if room <= 0:
            return {"files": found, "more": True, "left": left}
        begin = max(begin, 0)
        try:
            with open(path, "rb") as file:
                file.seek(begin)
                data = file.read(min(room, size - begin))
        except OSError as error:
            found.append([name, -1, str(error)])
            continue
        room -= len(data) + 1000
        found.append([name, begin, base64.b64encode(data).decode()])
        if begin + len(data) < size:
            return {"files": found, "more": True, "left": left}
    return {"files": found, "more": False, "left": left}


def _flush(ends: bool) -> None:
    """All that was logged is in the spool."""
    sender = sys.modules.get("mlws.sender")
    if sender is not None:
        for hook in sender.exit_hooks if ends else ():
            hook()
        sender.flush(5.0)


def _spool(folder: str) -> List[File]:
    """Its files as they are now: contents before the records that name them."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    records = [
        ("spool/" + x, os.path.join(folder, x), os.path.getsize(os.path.join(folder, x))) for x in names if x.endswith(".wal")
    ]
    blobs = [x for x in sorted(os.listdir(folder)) if x.endswith(".blob")]
    return [("spool/" + x, os.path.join(folder, x), os.path.getsize(os.path.join(folder, x))) for x in blobs] + records


def _files(work: str, top: str) -> List[File]:
    found = []
    for folder, _, names in os.walk(os.path.join(work, top)):
        for name in sorted(names):
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path):
                found.append(("work/" + os.path.relpath(path, work).replace(os.sep, "/"), path, os.path.getsize(path)))
    return found


def call(name: str, arguments: List[Any]) -> str:
    """The answer of a function of this file, as text of JSON."""
    return json.dumps(globals()[name](*arguments))
