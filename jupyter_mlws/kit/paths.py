"""The one resolver of relative paths, and the layout of the data folder."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple

from jupyter_mlws.kit.errors import BadInput

MAX_PATH = 4096
READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class BadPath(BadInput):
    """A path that is empty, absolute, too long, leaves its root, or has characters that paths may not have."""

    code = "bad_path"


def open_regular(path: Path | str, *, follow: bool = True) -> BinaryIO:
    """The regular file at `path`, to read; OSError for anything else: a pipe in its place would hold the reader for ever.

    `follow`: whether `path` itself may be a link.
    """
    descriptor = os.open(path, READ if follow else READ | getattr(os, "O_NOFOLLOW", 0))
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    raise OSError(errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL, "not a regular file", str(path))


def clean_relative(path: str, *, field: str = "path", empty_ok: bool = False) -> str:
    """`path` as a normal relative POSIX path, or `BadPath`.

    Refuses `..`, absolute and drive paths, backslashes, control characters, and percent-encoded forms of `/`, `\\`, `.` and NUL
    (a client that encodes twice means to get past somebody).
    """
    if len(path.encode("utf-8", "surrogatepass")) > MAX_PATH:
        raise BadPath(f"This path has more than {MAX_PATH} bytes.", field=field)
    if any(ord(c) < 32 or ord(c) == 127 for c in path):
        raise BadPath("A path may not have control characters.", field=field)
    if any(0xD800 <= ord(c) <= 0xDFFF for c in path):
        raise BadPath("This path is not valid Unicode.", field=field)
    lowered = path.lower()
    if "\\" in path or any(code in lowered for code in ("%2f", "%5c", "%2e", "%00")):
        raise BadPath(f"The path {path[:200]!r} has an encoded or backward slash; use plain `/`.", field=field)
    if path.startswith("/") or (len(path) > 1 and path[1] == ":" and path[0].isalpha()):
        raise BadPath(f"The path {path[:200]!r} is absolute; give it relative to its root.", field=field)
    parts = [part for part in PurePosixPath(path).parts if part not in ("", ".")]
    if ".." in parts:
        raise BadPath(f"The path {path[:200]!r} leaves its root.", field=field)
    if not parts and not empty_ok:
        raise BadPath("The path is empty.", field=field)
    if any(len(part.encode()) > 255 for part in parts):
        raise BadPath("A name in this path has more than 255 bytes.", field=field)
    return "/".join(parts)


def inside(root: Path, relative: str, *, field: str = "path") -> Path:
    """The real path of `relative` below `root`, links resolved; `BadPath` if it leaves `root`."""
    base = root.resolve()
    target = resolved(base / clean_relative(relative, field=field, empty_ok=True), relative, field=field)
    if target != base and base not in target.parents:
        raise BadPath(f"The path {relative[:200]!r} leads outside its root through a link.", field=field)
    return target


def resolved(path: Path, shown: str, *, field: str) -> Path:
    """`path` without links; `BadPath` for one that no file system can have."""
    try:
        real = path.resolve()
        if any(len(os.fsencode(part)) > 255 for part in real.parts):
            raise BadPath("A name in this path has more than 255 bytes.", field=field)
    except (OSError, RuntimeError, ValueError):  # links in a circle, NUL
        raise BadPath(f"The path {shown[:200]!r} leads nowhere: a link in a circle, or no path at all.", field=field) from None
    return real


def job_key(job_dir: Path) -> str:
    """The name of a job's folder outside of this server: the run's id, and from the second attempt on its number."""
    return f"{job_dir.parent.parent.name}-{job_dir.name}" if job_dir.parent.name == "attempts" else job_dir.name


class Folders(NamedTuple):
    """Where everything lies, below one data folder."""

    root: Path

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.root / "mlws.db"

    @property
    def objects(self) -> Path:
        """Content-addressed blobs."""
        return self.root / "objects"

    @property
    def jobs(self) -> Path:
        """One folder a job."""
        return self.root / "jobs"

    def job(self, run_id: str, attempt: int = 1) -> Path:
        """The folder of an attempt to run a job; those of later ones lie in that of the first, which holds all there is of the job."""
        first = self.jobs / run_id
        return first if attempt == 1 else first / "attempts" / str(attempt)

    @property
    def spool(self) -> Path:
        """What clients could not send."""
        return self.root / "spool"

    @property
    def compute(self) -> Path:
        """What was set of the compute targets of this machine."""
        return self.root / "compute.json"

    @property
    def environments(self) -> Path:
        """What was built of environments, one folder a hash."""
        return self.root / "environments"

    @property
    def environment_aliases(self) -> Path:
        """The alias table, as far as it was changed here."""
        return self.root / "environment_aliases.json"

    @property
    def removed(self) -> Path:
        """What went by itself: a line of JSON each time."""
        return self.root / "removed.jsonl"

    @property
    def secrets_key(self) -> Path:
        """The key that secrets are sealed with, where it is kept in a file here."""
        return self.root / "secrets.key"

    @property
    def lock(self) -> Path:
        """Held by the one server that owns this folder."""
        return self.root / "owner.lock"

    @property
    def owner(self) -> Path:
        """Address and token of that server, readable by the user alone."""
        return self.root / "owner.json"

    def make(self) -> None:
        """Create what is missing, closed to other users."""
        for folder in (self.root, self.objects, self.jobs, self.spool):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = self.root.stat()
        if found.st_mode & 0o077 and hasattr(os, "geteuid") and found.st_uid == os.geteuid():
            self.root.chmod(0o700)


def default_data_dir() -> Path:
    """`$MLWS_DATA_DIR`, else `mlws` in Jupyter's data folder. Uses no Jupyter module, so that light clients can ask too."""
    if chosen := os.environ.get("MLWS_DATA_DIR"):
        return Path(chosen).expanduser()
    if jupyter := os.environ.get("JUPYTER_DATA_DIR"):
        return Path(jupyter).expanduser() / "mlws"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Jupyter" / "mlws"
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "jupyter" / "mlws"
