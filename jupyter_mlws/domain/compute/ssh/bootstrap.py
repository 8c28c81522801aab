"""What the server sends to a host so that `mlws.remote` and the runner of notebooks run there: their files, once, and a line.

They lie there as they lie here, so that each finds the other in the same way.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import shlex
from pathlib import Path
from typing import NamedTuple

import mlws.jobdir as jobdir

PACKAGE = Path(jobdir.__file__).resolve().parents[2]
PARTS = ("kernel_path/mlws", "runner")
HERE_ALONE = frozenset({"runner/spare.py", "runner/environment.py"})
"""Kernels that are ready, and the builds of environments, are this machine's."""
START = "import runpy, sys\nrunpy.run_module('jupyter_mlws.runner.' + sys.argv.pop(1), run_name='__main__', alter_sys=True)\n"
"""`python <the folder> notebook <job>` is `python -m jupyter_mlws.runner.notebook <job>` where nothing of ours is installed."""
LEAST_PYTHON = (3, 8)
BOOT = """
import sys, os, json, struct
root, name, least = os.path.abspath(os.path.expanduser(sys.argv[1])), sys.argv[2], (3, 8)
out, inp = getattr(sys.stdout, "buffer", sys.stdout), getattr(sys.stdin, "buffer", sys.stdin)
def say(head):
    text = json.dumps(head).encode()
    out.write(struct.pack("!II", len(text), 0) + text); out.flush()
def take():
    a, b = struct.unpack("!II", inp.read(8))
    return json.loads(inp.read(a)), inp.read(b)
out.write(b"MLWS-HOST-1\\n")
about = {"version": list(sys.version_info[:3]), "executable": sys.executable, "root": root}
if sys.version_info < least:
    say(about); sys.exit(0)
import hashlib, shutil
code = os.path.join(root, "mlws", name)
def digest(folder):
    found = hashlib.sha256()
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(one for one in folders if one != "__pycache__")
        for one in sorted(names):
            path = os.path.join(place, one)
            with open(path, "rb") as file:
                found.update(os.path.relpath(path, folder).encode() + b"\\0" + hashlib.sha256(file.read()).digest())
    return found.hexdigest()
try:
    os.makedirs(root, mode=0o700, exist_ok=True)
    have = os.path.isdir(code) and digest(code) == name
    about["have"] = have
    say(about)
    if not have:
        files, _ = take()
        new = code + ".%d.tmp" % os.getpid()
        shutil.rmtree(new, ignore_errors=True)
        for path, text in files.items():
            place = os.path.join(new, *path.split("/"))
            os.makedirs(os.path.dirname(place), mode=0o700, exist_ok=True)
            with open(place, "w", encoding="utf-8", newline="") as file:
                file.write(text)
        if digest(new) != name:
            raise ValueError("the supervisor arrived damaged")
        try:
            os.rename(new, code)
        except OSError:
            if os.path.isdir(code) and digest(code) == name:  # another connection was first, and works with it
                shutil.rmtree(new, ignore_errors=True)
            else:
                shutil.rmtree(code, ignore_errors=True)
                os.rename(new, code)
        say({})
except Exception as error:
    say({"error": "%s: %s" % (type(error).__name__, error)})
    sys.exit(0)
sys.path.insert(0, os.path.join(code, "jupyter_mlws", "kernel_path"))
from mlws.remote.server import serve
serve(root, code)
"""
"""Runs in whatever Python there is, to say so where it is too old."""


class Package(NamedTuple):
    """The files, by path, and what they are called together."""

    name: str
    files: dict[str, str]


@functools.cache
def package() -> Package:
    """`mlws` and the runner as they are here."""
    paths = [PACKAGE / "__init__.py", *(path for part in PARTS for path in (PACKAGE / part).rglob("*.py"))]
    names = {path.relative_to(PACKAGE).as_posix(): path for path in paths if "__pycache__" not in path.parts}
    files = {f"{PACKAGE.name}/{name}": path.read_text(encoding="utf-8") for name, path in names.items() if name not in HERE_ALONE}
    files["__main__.py"] = START
    return Package(_digest(files), files)


def _digest(files: dict[str, str]) -> str:
    """As the host makes it: folder by folder, files before the folders in them."""
    found = hashlib.sha256()
    for path in sorted(files, key=_walked):
        found.update(path.encode() + b"\0" + hashlib.sha256(files[path].encode()).digest())
    return found.hexdigest()


def _walked(path: str) -> list[tuple[int, str]]:
    *folders, name = path.split("/")
    return [*((1, folder) for folder in folders), (0, name)]


def command(python: str, folder: str) -> str:
    """The line for the host's shell, whichever that is: nothing in it means something to one."""
    boot = base64.b64encode(BOOT.encode()).decode()
    line = f'import base64;exec(base64.b64decode("{boot}"))'
    return f"exec {shlex.quote(python)} -S -c {shlex.quote(line)} {shlex.quote(folder)} {package().name}"
