"""The git state of a folder, from real repositories."""

from __future__ import annotations

import subprocess
import tracemalloc
from pathlib import Path

import pytest

from jupyter_mlws.domain.environments import capture
from jupyter_mlws.domain.environments.capture import PATCH_LIMIT, git_state

CONFIG = (
    "-c",
    "user.name=Ada",
    "-c",
    "user.email=ada@example.org",
    "-c",
    "init.defaultBranch=main",
    "-c",
    "commit.gpgsign=false",
)


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *CONFIG, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One commit of one file, in the folder `repository`."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init")
    (folder / "a.txt").write_text("one\n")
    git(folder, "add", "a.txt")
    git(folder, "commit", "-m", "first")
    return folder


def test_no_repository_no_state(tmp_path: Path):
    assert git_state(tmp_path) is None


def test_a_repository_without_a_commit(tmp_path: Path):
    git(tmp_path, "init")
    state = git_state(tmp_path)
    assert state is not None
    assert (state.commit, state.branch, state.dirty, state.patch) == (None, "main", False, None)


def test_commit_branch_remote_and_changes(repository: Path):
    git(repository, "remote", "add", "origin", "https://ada:secret@example.org/a.git")
    (repository / "untracked.txt").write_text("not asked for")
    state = git_state(repository)
    assert state is not None
    assert (state.commit, state.branch, state.dirty, state.patch) == (git(repository, "rev-parse", "HEAD"), "main", False, None)
    assert state.remote == "https://example.org/a.git"
    below = repository / "below"
    below.mkdir()
    (repository / "a.txt").write_text("two\n")
    git(repository, "checkout", "--detach")
    state = git_state(below)
    assert state is not None
    assert (state.branch, state.dirty) == (None, True)
    assert "-one\n+two" in (state.patch or "")


def test_what_is_staged_is_a_change(repository: Path):
    (repository / "new.txt").write_text("staged\n")
    git(repository, "add", "new.txt")
    state = git_state(repository)
    assert state is not None
    assert state.dirty
    assert "+staged" in (state.patch or "")


def test_a_huge_patch_is_cut_and_never_held(repository: Path):
    (repository / "a.txt").write_text("a line of text, as many others\n" * 2_000_000)
    tracemalloc.start()
    try:
        state = git_state(repository)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert state is not None
    assert state.patch is not None
    assert PATCH_LIMIT - 10 < len(state.patch.encode()) <= PATCH_LIMIT
    assert peak < 10 * PATCH_LIMIT


def test_a_git_that_hangs_is_given_up(repository: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(capture, "GIT_TIMEOUT_S", 0.0)
    slow = repository.parent / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", str(slow.parent), prepend=":")
    state = git_state(repository)
    assert state is not None
    assert (state.commit, state.dirty) == (None, False)
