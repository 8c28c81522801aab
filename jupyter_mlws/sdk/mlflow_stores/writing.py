"""Writing a folder that MLflow's clients read: their file store. Names become files as they make them; what cannot be one is changed."""

from __future__ import annotations

import hashlib
import posixpath
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

UNSAFE = re.compile(r"[^/\w.\- :]")
MAX_SEGMENT = 240


class Names:
    """The files of one folder of params, tags or metrics: each key a path, no two the same, none a folder of another."""

    def __init__(self, folder: Path, renamed: Callable[[str, str], None]) -> None:
        """renamed: is told of keys that had to change, with what became of them."""
        self._folder = folder
        self._renamed = renamed
        self._files: set[str] = set()
        self._folders: set[str] = set()

    def path(self, key: str) -> Path:
        """Where the value of a key goes."""
        wanted = name = safe_key(key)
        number = 1
        while self._clashes(name):
            number += 1
            name = f"{wanted.replace('/', '_') if number > 2 else wanted} {number}"
        if name != key:
            self._renamed(key, name)
        self._files.add(name)
        self._folders.update(_above(name))
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _clashes(self, name: str) -> bool:
        """Whether a file or folder of this name is there; on some disks `A` is `a`."""
        above = _above(name)
        taken = name in self._files or name in self._folders or any(folder in self._files for folder in above)
        return taken or (self._folder / name).exists() or any((self._folder / folder).is_file() for folder in above)


def _above(name: str) -> list[str]:
    parts = name.split("/")
    return ["/".join(parts[:n]) for n in range(1, len(parts))]


def safe_key(key: str) -> str:
    """A key as MLflow takes it: letters, digits, `_-. :/`, and the same when read as a path."""
    plain = posixpath.normpath(UNSAFE.sub("_", key)).lstrip("/")
    parts = ["__" if part == ".." else _short(part) for part in plain.split("/")]
    name = "/".join(part for part in parts if part)
    return name if name not in ("", ".") else "_"


def _short(part: str) -> str:
    """A name that file systems take."""
    if len(part.encode()) <= MAX_SEGMENT:
        return part
    digest = hashlib.sha256(part.encode()).hexdigest()[:8]
    return part.encode()[: MAX_SEGMENT - 9].decode("utf-8", "ignore") + f"-{digest}"


def write_values(folder: Path, values: dict[str, str], renamed: Callable[[str, str], None]) -> None:
    """Params or tags: a file each."""
    folder.mkdir(parents=True, exist_ok=True)
    names = Names(folder, renamed)
    for key, value in values.items():
        names.path(key).write_bytes(value.encode("utf-8", "replace"))


def write_meta(folder: Path, fields: dict[str, Any]) -> None:
    """What MLflow keeps of a thing beside its files."""
    import yaml  # noqa: PLC0415 - only exports write it

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "meta.yaml").open("w", encoding="utf-8") as file:
        yaml.safe_dump(fields, file, default_flow_style=False, allow_unicode=True)


def write_lines(path: Path, lines: Iterable[str]) -> int:
    """Points of a metric, a line each; how many."""
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for line in lines:
            file.write(line + "\n")
            count += 1
    return count


def dataset_id(name: str, digest: str) -> str:
    """What MLflow calls the folder of a dataset."""
    return _md5(name, digest)


def input_id(source: str, run_id: str) -> str:
    """What MLflow calls the folder of an input."""
    return _md5(source, run_id)


def _md5(*words: str) -> str:
    return hashlib.md5("".join(words).encode(), usedforsecurity=False).hexdigest()
