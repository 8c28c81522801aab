"""Flat lists of paths seen as folders: pure functions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from jupyter_mlws.domain.storage.schemas import FileEntry, FileList

if TYPE_CHECKING:
    from collections.abc import Iterable

Part = tuple[bool, list[tuple[bool, int, str]], str]


class Leaf(NamedTuple):
    """A file or a link, or (as `folder`) the sum of what lies below a path."""

    path: str
    type: str
    size: int
    sha256: str | None = None
    modified_at: int | None = None
    target: str | None = None


def natural(name: str, *, folder: bool) -> Part:
    """Sort key of a name: folders first, numbers by value, any case; the name itself decides what is left."""
    pieces = [
        (True, int(piece), "") if piece.isdigit() and piece.isascii() and len(piece) < 300 else (False, 0, piece)
        for piece in re.split(r"([0-9]+)", name.casefold())
    ]
    return not folder, pieces, name


def tree_order(entry: Leaf) -> list[Part]:
    """Sort key that puts what is in a folder right after it."""
    parts = entry.path.split("/")
    return [natural(part, folder=n < len(parts) - 1 or entry.type == "folder") for n, part in enumerate(parts)]


def with_folders(leaves: Iterable[Leaf], root: str) -> list[Leaf]:
    """The leaves, and every folder between `root` and them with the sum of what it holds."""
    below = len(root) + 1 if root else 0
    folders: dict[str, tuple[int, int | None]] = {}
    found = []
    for leaf in leaves:
        found.append(leaf)
        end = leaf.path.find("/", below)
        while end != -1:
            size, modified_at = folders.get(leaf.path[:end], (0, None))
            latest = max((at for at in (modified_at, leaf.modified_at) if at is not None), default=None)
            folders[leaf.path[:end]] = (size + leaf.size, latest)
            end = leaf.path.find("/", end + 1)
    return found + [Leaf(path, "folder", size, None, modified_at) for path, (size, modified_at) in folders.items()]


def file_list(path: str, leaves: Iterable[Leaf], limit: int) -> FileList:
    """The wire type, in tree order, cut at `limit`."""
    entries = sorted(leaves, key=tree_order)
    return FileList(path=path, entries=[entry_of(leaf) for leaf in entries[:limit]], truncated=len(entries) > limit)


def entry_of(leaf: Leaf) -> FileEntry:
    """The wire type of one entry."""
    return FileEntry(
        path=leaf.path,
        type=leaf.type,  # type: ignore[arg-type]  # the database holds it to these words
        size=leaf.size,
        sha256=leaf.sha256,
        modified_at=leaf.modified_at,
        target=leaf.target,
    )
