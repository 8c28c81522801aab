"""Files on the host by their SHA-256: what came once does not travel again."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
from typing import Any, Dict, List

KEPT_S = 30 * 24 * 3600.0
"""A file that no job has needed for so long goes."""


class Blobs:
    """`<folder>/<first two digits>/<sha256>`."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def path(self, sha256: str) -> str:
        """Where it lies, or would."""
        if len(sha256) != 64 or sha256.strip("0123456789abcdef"):
            raise ValueError(f"{sha256!r:.80} is no SHA-256")
        return os.path.join(self.folder, sha256[:2], sha256)

    def missing(self, hashes: List[str]) -> List[str]:
        """Those that are not here. The others are as young as if they had just come."""
        found = []
        for sha256 in hashes:
            try:
                os.utime(self.path(sha256))
            except OSError:
                found.append(sha256)
        return found

    def put(self, sha256: str, offset: int, data: bytes, last: bool) -> Dict[str, Any]:
        """A piece of a file. After the last one it is checked, and has its name. Gives back where the next piece goes."""
        place = self.path(sha256)
        os.makedirs(os.path.dirname(place), mode=0o700, exist_ok=True)
        temporary = f"{place}.{os.getpid()}.tmp"
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | (0 if offset else os.O_TRUNC), 0o600)
        try:
            view, at = memoryview(data), offset
            while view:
                written = os.pwrite(fd, view, at)
                view, at = view[written:], at + written
            if last:
                os.ftruncate(fd, at)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        finally:
            os.close(fd)
        if last:
            if digest(temporary) != sha256:
                os.unlink(temporary)
                raise ValueError(f"the file {sha256} arrived damaged")
            os.replace(temporary, place)
        return {"offset": at}

    def copy(self, sha256: str, target: str, executable: bool) -> None:
        """Lay a file: a copy, so that a job that writes into it does not reach this one."""
        shutil.copyfile(self.path(sha256), target)
        os.chmod(target, 0o755 if executable else 0o644)

    def forget_old(self) -> None:
        """Remove what was not needed for long, and what interrupted transfers left."""
        before = time.time() - KEPT_S
        for folder, _, names in os.walk(self.folder):
            for name in names:
                path = os.path.join(folder, name)
                with contextlib.suppress(OSError):
                    if os.stat(path).st_mtime < (time.time() - 24 * 3600 if name.endswith(".tmp") else before):
                        os.unlink(path)


def digest(path: str) -> str:
    """SHA-256 of a file."""
    found = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            found.update(block)
    return found.hexdigest()
