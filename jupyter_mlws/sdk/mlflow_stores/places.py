"""Where the files of runs and logged models lie: only in their own folder, inside the source or the folder of artifacts that was named."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

OWNED = re.compile(r"(?:^|.*/)(?P<owner>[0-9a-f]{32}|models/m-[0-9a-f]{32})/artifacts(?:/(?P<path>.*))?", re.DOTALL)
LOCAL = ("", "file")
PROXIED = "mlflow-artifacts"
TRASH = ".trash"
"""Where the file store keeps deleted experiments, which still name their old paths."""


class Place(NamedTuple):
    """Where files lie: a folder; or the address of another store; or (`reason`) nowhere that may be read."""

    folder: Path | None = None
    remote: str = ""
    reason: str = ""


class Places:
    """Finds the folders of owners, which are run ids or `models/<id>`.

    A recorded path counts if it is the owner's and lies inside one of the roots. A store that was moved still names its old paths: then
    the owner's folder is looked for below the roots, by its last names.
    """

    def __init__(self, roots: list[Path]) -> None:
        """`roots`: the source's folder, and that of the artifacts."""
        self.roots = [Path(os.path.realpath(root)) for root in roots]

    def find(self, uri: str, owner: str, experiment_id: str) -> Place:
        """The place of an owner that the store says is at `uri`."""
        scheme = scheme_of(uri)
        if scheme not in (*LOCAL, PROXIED):
            return Place(remote=uri)
        recorded = path_of(uri)
        if recorded is None or not recorded.endswith(f"/{owner}/artifacts"):
            return Place(reason="its files are said to lie in a folder that is not its own")
        if scheme == PROXIED:
            candidates = [root / recorded.lstrip("/") for root in self.roots]
        else:
            candidates = [Path(recorded)] if recorded.startswith("/") else []
        if plain_name(experiment_id):
            homes = [above / experiment_id for root in self.roots for above in (root, root / TRASH)]
            candidates += [home / owner / "artifacts" for home in homes]
        tail = PurePosixPath(recorded).parts[-4:]
        candidates += [root.joinpath(*tail[n:]) for root in self.roots for n in range(len(tail) - 1) if ".." not in tail]
        for candidate in candidates:
            if self._inside(candidate, owner):
                return Place(folder=Path(os.path.realpath(candidate)))
        if scheme == PROXIED:
            return Place(reason="its files lie in the artifact store of a server; --artifacts names the folder of that store")
        real = Path(os.path.realpath(recorded)) if recorded.startswith("/") else None
        if real is not None and any(root in real.parents for root in self.roots):
            return Place()  # nothing was ever stored
        return Place(reason="its files lie outside the source; --artifacts names the folder where they are")

    def _inside(self, candidate: Path, owner: str) -> bool:
        """Whether a folder stands there that is, links resolved, still the owner's and inside a root."""
        try:
            if not candidate.is_dir():
                return False
            real = Path(os.path.realpath(candidate))
        except (OSError, ValueError):
            return False
        return real.as_posix().endswith(f"/{owner}/artifacts") and any(root in real.parents for root in self.roots)


def scheme_of(uri: str) -> str:
    """The scheme of an address; empty for a path. A single letter is a drive of Windows."""
    try:
        scheme = urlsplit(uri).scheme
    except ValueError:
        return ""
    return scheme if len(scheme) > 1 else ""


def path_of(uri: str) -> str | None:
    """The path in an address, or the path that it is; None for one that leaves its place."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    if parts.scheme == "file" and parts.netloc not in ("", "localhost"):
        return None
    path = unquote(parts.path) if len(parts.scheme) > 1 else uri
    path = path.rstrip("/")
    return None if "\0" in path or ".." in path.replace("\\", "/").split("/") else path


def owner_of(uri: str) -> tuple[str, str] | None:
    """The owner (a run id, or `models/<id>`) and the path below its artifacts that an address means."""
    scheme, path = scheme_of(uri), path_of(uri)
    if scheme == "runs" and path is not None:
        run_id, _, rest = path.strip("/").partition("/")
        return run_id, rest
    if scheme not in (*LOCAL, PROXIED) or path is None:
        return None
    found = OWNED.fullmatch(path)
    return (found["owner"], found["path"] or "") if found is not None else None


def plain_name(name: str) -> bool:
    """Whether a name is one folder's."""
    return bool(name) and name not in (".", "..") and "/" not in name and "\\" not in name and "\0" not in name
