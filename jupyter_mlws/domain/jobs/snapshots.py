"""Finds out what a snapshot of a folder holds, and how the job's working folder will lie.

`freezing` stores the bytes, `layout` lays the folder.

**What is captured**: regular files below the source folder, left by the rules of `ignores`. What is left out, but was there for a
run by hand, becomes a symlink to the original: ignored files and folders (each topmost one only), links that lead outside,
sockets, files that cannot be read. These are listed as *not captured*. Links inside the folder are laid again, to the copy.

**How the working folder lies**: so that `../lib` is what it is by hand. The *project root* is the git root above the source folder;
without one the server's root, if the source lies below; else the folder that the source stands in, unless everybody may write
there (`/tmp`) or so much lies there that it is no project. It is never above the home folder, nor the machine's root, and a source in
our own data folder has none: then it is the source itself. If the source is
`<project>/a/b`, the job runs in `work/a/b`, and every neighbour on the way up (entries of `<project>` but `a`, entries of
`<project>/a` but `b`) is a symlink in its place (of the home folder only what is not hidden). Neighbours are not captured: one line
of *not captured* says so for each folder on the way, and what a job reads there is as it is when it reads it.

**What is never linked**: version control, caches, our own data folder and what holds it (or whoever follows links would walk through
all jobs, this one too, without end); and `outputs` and `logs` in the job's folder, which are
the job's own: a link there would have the job write into the originals, and have those captured as its results.

A walk follows no links; whatever is swapped in afterwards meets `freezing`, which follows none either.
"""

from __future__ import annotations

import itertools
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from jupyter_mlws.domain.jobs.errors import SourceMissing
from jupyter_mlws.kit.ignores import NEVER, SILENT, git_root, is_environment, is_ignored, rules_above, rules_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from jupyter_mlws.kit.ignores import Rules

LARGE_BYTES = 1 << 30
LARGE_FILES = 50_000
OWN_FOLDERS = frozenset({"outputs", "logs"})
MAX_NEIGHBOURS = 2000
MAX_BESIDE = 200
"""So much may lie beside a source whose project is only guessed."""


class SourceFile(NamedTuple):
    """A file to capture. `path` is relative to the source folder."""

    path: str
    absolute: str
    size: int
    mtime_ns: int
    inode: int
    mode: int

    @property
    def executable(self) -> bool:
        """Whether its owner may execute it."""
        return bool(self.mode & stat.S_IXUSR)


class Link(NamedTuple):
    """A symlink of the working folder. `path` is relative to `work/`; `target` absolute, or relative within the copy."""

    path: str
    target: str


class Left(NamedTuple):
    """An entry that is not captured. `path` is relative to the source folder; folders end in `/`."""

    path: str
    why: str


class Walk(NamedTuple):
    """What a snapshot of `source` holds, and how the working folder lies."""

    source: Path
    subdir: str
    """Where in the working folder the source lies, relative; empty for its top."""
    files: list[SourceFile]
    not_captured: list[Left]
    links: list[Link]
    size: int
    needs_confirmation: str | None
    """Why somebody should confirm first; `files` is then not complete."""


def walk(
    source: Path,
    *,
    server_root: Path | None = None,
    data_dir: Path | None = None,
    keep: Collection[str] = (),
    confirmed: bool = False,
    home: Path | None = None,
) -> Walk:
    """Look through `source`. `keep` are files (relative) that are captured whatever the rules say: the notebook itself.

    Without `confirmed` the walk ends early in the home or root folder, over 1 GB, and over 50,000 files.
    """
    try:
        source = source.resolve(strict=True)
    except OSError:
        raise SourceMissing(f"There is no folder {source.name!r} where it is looked for.") from None
    if not source.is_dir():
        raise SourceMissing(f"{source.name!r} is not a folder.")
    home = (home or Path.home()).resolve()
    data_dir = data_dir.resolve() if data_dir is not None else None
    project = _project_root(source, server_root, home, data_dir)
    subdir = "" if project == source else source.relative_to(project).as_posix()
    why = _too_much(source, home)
    if why is not None and not confirmed:
        return Walk(source, subdir, [], [], [], 0, why)
    state = _Walker(source, subdir, data_dir, frozenset(keep), confirmed=confirmed)
    state.folder("", rules_above(source))
    links = state.links + _neighbours(project, source, hidden_in=home, data_dir=data_dir)
    state.files.sort()
    state.left.sort()
    above = sorted({os.path.relpath(os.path.dirname(target), source) for _, target in links[len(state.links) :]})  # noqa: PTH120
    state.left += [Left(f"{folder}/", "beside the folder; read as it is when the job runs") for folder in above]
    return Walk(source, subdir, state.files, state.left, links, state.size, state.stopped)


def _too_much(source: Path, home: Path) -> str | None:
    if source == Path(source.anchor):
        return "This is the root folder of the machine."
    if source == home:
        return "This is your home folder."
    if source in home.parents:
        return "Your home folder lies in this folder."
    return None


def _project_root(source: Path, server_root: Path | None, home: Path, data_dir: Path | None) -> Path:
    """Where the working folder's top is; see the module's docstring."""

    def may_be(root: Path) -> bool:
        return root not in home.parents and root != Path(root.anchor)

    if data_dir is not None and data_dir in source.parents:
        return source
    candidates = [git_root(source), server_root.resolve() if server_root is not None else None]
    for root in candidates:
        if root is not None and root in source.parents and may_be(root):
            return root
    return source.parent if may_be(source.parent) and _is_like_a_project(source.parent) else source


def _is_like_a_project(folder: Path) -> bool:
    """Whether a folder may be taken for a project without a mark of one: not everybody writes there, and not too much lies there."""
    try:
        with os.scandir(folder) as scan:
            return (
                not folder.stat().st_mode & stat.S_IWOTH and sum(1 for _ in itertools.islice(scan, MAX_BESIDE + 1)) <= MAX_BESIDE
            )
    except OSError:
        return False


class _Walker:
    """State of one walk."""

    def __init__(self, source: Path, subdir: str, data_dir: Path | None, keep: frozenset[str], *, confirmed: bool) -> None:
        self.source = str(source)
        self.prefix = f"{subdir}/" if subdir else ""
        self.data_dir = data_dir
        self.keep = keep
        self.kept_folders = {"/".join(path.split("/")[:n]) for path in keep for n in range(1, path.count("/") + 1)}
        self.confirmed = confirmed
        self.files: list[SourceFile] = []
        self.left: list[Left] = []
        self.links: list[Link] = []
        self.size = 0
        self.stopped: str | None = None

    def folder(self, relative: str, rules: list[Rules]) -> None:
        """Look through one folder; `relative` is empty or ends in `/`."""
        absolute = f"{self.source}/{relative}".rstrip("/")
        try:
            with os.scandir(absolute) as scan:
                entries = list(scan)
        except OSError as error:
            self._leave(relative.rstrip("/"), absolute, f"cannot be read: {error.strerror}", is_dir=True)
            return
        own = rules_of(absolute, {entry.name for entry in entries})
        if own is not None:
            rules = [own, *rules]
        for entry in entries:
            if self.stopped is not None:
                return
            if entry.name not in SILENT:
                self._entry(entry, relative + entry.name, rules)

    def _entry(self, entry: os.DirEntry[str], path: str, rules: list[Rules]) -> None:
        try:
            if not is_text(entry.name):
                return self._leave(path, entry.path, "its name is no UTF-8")
            if entry.is_symlink():
                return self._link(entry.path, path)
            if entry.is_dir(follow_symlinks=False):
                return self._subfolder(entry, path, rules)
            if not entry.is_file(follow_symlinks=False):
                return self._leave(path, entry.path, "a socket, pipe or device")
            if path not in self.keep and (entry.name in NEVER or is_ignored(rules, entry.path, is_dir=False)):
                return self._leave(path, entry.path, "ignored")
            found = entry.stat(follow_symlinks=False)
        except OSError as error:
            return self._leave(path, entry.path, f"cannot be read: {error.strerror}")
        self.files.append(
            SourceFile(path, entry.path, found.st_size, found.st_mtime_ns, found.st_ino, stat.S_IMODE(found.st_mode))
        )
        self.size += found.st_size
        if not self.confirmed:
            if self.size > LARGE_BYTES:
                self.stopped = "The files to capture have over 1 GB."
            elif len(self.files) > LARGE_FILES:
                self.stopped = f"There are over {LARGE_FILES:,} files to capture."
        return None

    def _subfolder(self, entry: os.DirEntry[str], path: str, rules: list[Rules]) -> None:
        if self.data_dir is not None and self.data_dir == Path(entry.path):
            return
        if entry.name in NEVER or is_environment(entry.path):
            self._leave(path, entry.path, "an environment or a store", is_dir=True)
        elif path not in self.kept_folders and is_ignored(rules, entry.path, is_dir=True):
            self._leave(path, entry.path, "ignored", is_dir=True)
        else:
            self.folder(f"{path}/", rules)

    def _link(self, absolute: str, path: str) -> None:
        resolved = os.path.realpath(absolute)
        if resolved.startswith(f"{self.source}/"):
            # Written anew: the text may go up beyond the source, and there the copy has other names.
            self.links.append(Link(self.prefix + path, os.path.relpath(resolved, os.path.dirname(absolute))))  # noqa: PTH120
        else:
            self._leave(path, resolved, "a link that leads outside")

    def _leave(self, path: str, target: str, why: str, *, is_dir: bool = False) -> None:
        self.left.append(Left(readable(f"{path}/" if is_dir else path), why))
        if path and path not in OWN_FOLDERS and is_text(path + target):
            self.links.append(Link(self.prefix + path, target))


def is_text(name: str) -> bool:
    """Whether a name that the file system gave is UTF-8; others can be kept in no row and no JSON."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def readable(path: str) -> str:
    """A path to show, whatever its bytes are."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _neighbours(project: Path, source: Path, *, hidden_in: Path, data_dir: Path | None) -> list[Link]:
    """Links to what stands beside the folders on the way from `project` to `source`."""
    links = []
    ours = set() if data_dir is None else {data_dir, *data_dir.parents}
    below = source
    while below != project:
        above = below.parent
        here = "" if above == project else above.relative_to(project).as_posix() + "/"
        try:
            names = sorted(os.listdir(above))[:MAX_NEIGHBOURS]  # noqa: PTH208 - names are wanted
        except OSError:
            names = []
        for name in names:
            hidden = above == hidden_in and name.startswith(".")
            if name != below.name and name not in SILENT and not hidden and above / name not in ours and is_text(name):
                links.append(Link(here + name, str(above / name)))
        below = above
    return links
