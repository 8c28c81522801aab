"""Which files of a folder a snapshot leaves out.

Rules, the deepest folder first, and within a folder `.mlwsignore` before `.amlignore` before `.gitignore` (git's syntax in all
three); rules of folders above count up to the git root, as in git itself. Some names are left out whatever the rules say:
- `SILENT`: version control and caches. They are not even mentioned, and the job's folder has no link to them.
- `NEVER`: environments, package folders, local tracking stores. They are mentioned and linked.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from pathspec import GitIgnoreSpec

from jupyter_mlws.kit.paths import open_regular

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

VERSION_CONTROL = frozenset({".git", ".hg", ".svn"})
TEST_CACHES = frozenset({".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".tox", ".nox"})
SILENT = VERSION_CONTROL | TEST_CACHES | {"__pycache__", ".ipynb_checkpoints", ".DS_Store", ".virtual_documents"}
NEVER = frozenset({"node_modules", "mlruns", "mlartifacts", "mlflow.db", "mlflow.db-wal", "mlflow.db-shm", "mlflow.db-journal"})
ENVIRONMENT_MARKS = ("pyvenv.cfg", "conda-meta")
RULE_FILES = (".mlwsignore", ".amlignore", ".gitignore")
MAX_RULE_FILE = 1_000_000


class Rules(NamedTuple):
    """The rules that one folder adds: where they stand, and the specs in order of precedence."""

    folder: str
    specs: tuple[GitIgnoreSpec, ...]


def rules_of(folder: str, names: set[str]) -> Rules | None:
    """The rules in `folder`, whose entries are `names`; None where there are none."""
    specs = []
    for name in RULE_FILES:
        if name in names:
            spec = _read(os.path.join(folder, name))  # noqa: PTH118 - once a folder of a walk that must be fast
            if spec is not None:
                specs.append(spec)
    return Rules(folder, tuple(specs)) if specs else None


def rules_above(folder: Path) -> list[Rules]:
    """Rules of the folders above `folder` up to its git root, deepest first; none outside of a repository."""
    top = git_root(folder)
    if top is None:
        return []
    found = []
    for above in [folder, *folder.parents]:
        if above != folder:
            try:
                rules = rules_of(str(above), {name for name in RULE_FILES if (above / name).is_file()})
            except OSError:
                rules = None
            if rules is not None:
                found.append(rules)
        if above == top:
            break
    exclude = _read(str(top / ".git" / "info" / "exclude"))
    if exclude is not None:
        found.append(Rules(str(top), (exclude,)))
    return found


def git_root(folder: Path) -> Path | None:
    """The nearest folder at or above `folder` that holds `.git`."""
    for above in [folder, *folder.parents]:
        if os.path.lexists(above / ".git"):
            return above
    return None


def is_ignored(rules: list[Rules], path: str, *, is_dir: bool) -> bool:
    """Whether `path` (absolute) is left out; `rules` deepest first."""
    for level in rules:
        relative = path[len(level.folder) :].lstrip("/") + ("/" if is_dir else "")
        for spec in level.specs:
            decision = spec.check_file(relative).include
            if decision is not None:
                return decision
    return False


def is_environment(path: str) -> bool:
    """Whether the folder is a virtual or conda environment."""
    return any(os.path.lexists(f"{path}/{mark}") for mark in ENVIRONMENT_MARKS)


def files_below(folder: Path, *, keep: Collection[str] = ()) -> Iterator[str]:
    """Paths, relative to `folder`, of the regular files that the rules do not leave out; those named in `keep` in any case."""
    yield from keep
    stack = [("", rules_above(folder))]
    while stack:
        below, rules = stack.pop()
        with os.scandir(folder / below) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        own = rules_of(str(folder / below), {entry.name for entry in entries})
        rules = [own, *rules] if own is not None else rules
        for entry in entries:
            path = f"{below}{entry.name}"
            is_dir = entry.is_dir(follow_symlinks=False)
            if entry.name in SILENT or entry.name in NEVER or path in keep or is_ignored(rules, entry.path, is_dir=is_dir):
                continue
            if entry.is_file(follow_symlinks=False):
                yield path
            elif is_dir and not is_environment(entry.path):
                stack.append((f"{path}/", rules))


def _read(path: str) -> GitIgnoreSpec | None:
    try:
        with open_regular(path) as file:
            lines = file.read(MAX_RULE_FILE).decode(errors="replace").splitlines()
    except OSError:
        return None
    kept = [line for line in lines if line.strip() and not line.startswith("#")]
    try:
        return GitIgnoreSpec.from_lines(kept) if kept else None
    except ValueError:
        # One bad pattern must not bring back what all others keep out.
        return _without_bad_lines(kept)


def _without_bad_lines(lines: list[str]) -> GitIgnoreSpec:
    good = []
    for line in lines:
        try:
            GitIgnoreSpec.from_lines([line])
        except ValueError:
            continue
        good.append(line)
    return GitIgnoreSpec.from_lines(good)
