"""Where an SQLite database may lie: not on a network file system, whose locks and shared memory do not bear it."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import URL, make_url

from jupyter_mlws.kit.errors import Unavailable

NETWORK = re.compile(
    r"nfs\d?|cifs|smb\d?|smbfs|afs|ncpfs|coda|ceph|lustre|gpfs|beegfs|glusterfs|pvfs2|orangefs"
    r"|fuse\.(sshfs|s3fs|rclone|glusterfs|ceph.*|cvmfs2)"
)
MOUNTS = Path("/proc/self/mountinfo")


class NetworkFileSystem(Unavailable):
    """The SQLite file would lie on a network file system, where it could be damaged."""

    code = "network_file_system"


def check(url: str | URL) -> None:
    """Raise `NetworkFileSystem` where the SQLite database of this URL would lie on one."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return
    path = Path(parsed.database).absolute()
    kind = kind_at(path.parent.resolve(), mounts())
    if NETWORK.fullmatch(kind):
        raise NetworkFileSystem(
            f"The folder {path.parent} lies on a network file system ({kind}), on which an SQLite database can be damaged. "
            "Either point `MlwsApp.data_dir` (MLWS_DATA_DIR) at a folder of a local disk, or use a PostgreSQL database: "
            "`MlwsApp.database_url = 'postgresql+psycopg://user@host/name'` (MLWS_DATABASE_URL)."
        )


def mounts() -> str:
    """The table of mounts of this process; empty where the system has none."""
    try:
        return MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""


def kind_at(path: Path, table: str) -> str:
    """The kind of file system that `path` lies on, by a table in the form of /proc/self/mountinfo; empty if it cannot be told."""
    found, depth = "", -1
    for line in table.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not after:
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code.group(1), 8)), fields[4]))
        # Of two mounts on one place the later one hides the other.
        if (point == path or point in path.parents) and len(point.parts) >= depth:
            found, depth = after.split(" ")[0], len(point.parts)
    return found
