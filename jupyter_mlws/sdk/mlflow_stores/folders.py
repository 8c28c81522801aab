"""Reading from a folder that a stranger may have made: no link is followed, nothing is held that is too large, YAML is data only."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

MAX_VALUE = 1_000_000
MAX_YAML = 32_000_000
DEPTH = 20
META = "meta.yaml"


class Unreadable(Exception):
    """A file or folder is not what it should be; the message says why."""


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """An ordinary file, never a link to one, nor a pipe or device. Raises `Unreadable`."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        why = "it is a link, which could lead anywhere" if path.is_symlink() else error.strerror or str(error)
        raise Unreadable(why) from None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Unreadable("it is no ordinary file")
        yield file


def text(path: Path, most: int = MAX_VALUE) -> str:
    """What stands in a file. Raises `Unreadable`."""
    with opened(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise Unreadable(f"it is larger than {most:,} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise Unreadable("it is no UTF-8 text") from None


def yaml_of(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file: plain values, no tags, anchors or depths. Raises `Unreadable`."""
    import yaml  # noqa: PLC0415 - databases have none

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    content = text(path, MAX_YAML)
    try:
        _check_plain(yaml, loader, content)
        found = yaml.load(content, Loader=loader)  # noqa: S506 - a safe loader, over what was checked
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        first = str(error).partition("\n")[0]
        raise Unreadable(f"it is no YAML that MLflow writes: {first[:200]}") from None
    if not isinstance(found, dict):
        raise Unreadable("it has no names and values")
    return found


def _check_plain(yaml: Any, loader: Any, content: str) -> None:
    depth = 0
    for event in yaml.parse(content, Loader=loader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise Unreadable("it has YAML anchors, which MLflow never writes")
        if getattr(event, "tag", None) is not None:
            raise Unreadable(f"it has the YAML tag {str(event.tag)[:80]!r}, which MLflow never writes")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEPTH:
                raise Unreadable("it is nested too deep")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def subfolders(folder: Path) -> Iterator[str]:
    """Names of the folders in a folder, sorted; links are not folders."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return
    yield from sorted(names)


def is_folder(path: Path) -> bool:
    """Whether a folder stands there, and no link to one."""
    return path.is_dir() and not path.is_symlink()


class Found:
    """A file of a tree, or (`problem` says why) something in it that is none."""

    __slots__ = ("path", "problem", "relative", "size")

    def __init__(self, relative: str, path: Path, size: int, problem: str = "") -> None:
        self.relative, self.path, self.size, self.problem = relative, path, size, problem

    def checked(self) -> Path:
        """The path of the file. Raises `Unreadable` where there is a problem."""
        if self.problem:
            raise Unreadable(self.problem)
        return self.path


def tree(folder: Path, prefix: str = "", depth: int = 0) -> Iterator[Found]:
    """All files below a folder, sorted, by their paths from it. Links are told as problems and not followed."""
    try:
        with os.scandir(folder) as scan:
            entries = sorted(scan, key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    except OSError as error:
        yield Found(prefix.rstrip("/"), folder, 0, error.strerror or str(error))
        return
    for entry in entries:
        relative, path = prefix + entry.name, Path(entry.path)
        if entry.is_symlink():
            yield Found(relative, path, 0, "it is a link, which could lead anywhere")
        elif entry.is_dir(follow_symlinks=False):
            if depth < 100:
                yield from tree(path, f"{relative}/", depth + 1)
            else:
                yield Found(relative, path, 0, "it is nested too deep")
        elif entry.is_file(follow_symlinks=False):
            yield Found(relative, path, entry.stat(follow_symlinks=False).st_size)
        else:
            yield Found(relative, path, 0, "it is no ordinary file")
