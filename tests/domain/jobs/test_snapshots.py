"""Snapshots: what is captured, that it is frozen, and how the working folder lies."""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
import time
from pathlib import Path

import pytest

from jupyter_mlws.domain.jobs import snapshots
from jupyter_mlws.domain.jobs.errors import SourceMissing
from jupyter_mlws.domain.jobs.freezing import Frozen, StatKey, freeze
from jupyter_mlws.domain.jobs.layout import materialize
from jupyter_mlws.domain.jobs.snapshots import walk


class MemoryCache:
    """A stat cache that forgets with the test."""

    def __init__(self):
        self.hashes: dict[StatKey, str] = {}

    def get_many(self, keys):
        return {key: self.hashes[key] for key in keys if key in self.hashes}

    def put_many(self, hashes):
        self.hashes.update(hashes)


class FolderBlobs:
    """A store of blobs in a folder; counts what was put."""

    def __init__(self, root: Path):
        self.root = root
        self.puts = 0
        root.mkdir()

    def missing(self, hashes):
        return {sha256 for sha256 in hashes if not self.path(sha256).exists()}

    def path(self, sha256: str) -> Path:
        return self.root / sha256

    def put(self, chunks):
        self.puts += 1
        data = b"".join(chunks)
        sha256 = hashlib.sha256(data).hexdigest()
        with tempfile.NamedTemporaryFile(dir=self.root, delete=False) as file:
            file.write(data)
        Path(file.name).rename(self.path(sha256))
        self.path(sha256).chmod(0o444)
        return sha256, len(data)


def write(root: Path, path: str, text: str = "x") -> Path:
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    return target


@pytest.fixture
def store(tmp_path):
    return MemoryCache(), FolderBlobs(tmp_path / "blobs")


@pytest.fixture
def project(tmp_path):
    """A git project with a notebook in a subfolder, as people have it."""
    root = tmp_path / "project"
    (root / ".git" / "info").mkdir(parents=True)
    write(root, ".git/info/exclude", "private.txt\n")
    write(root, ".gitignore", "data/\n*.bin\n!keep.bin\n/nb/tmp*\n")
    for path in (
        "nb/n.ipynb",
        "nb/data/x.csv",
        "nb/a.bin",
        "nb/keep.bin",
        "nb/tmp1",
        "nb/private.txt",
        "nb/sub/m.py",
        "lib/l.py",
    ):
        write(root, path, path)
    write(root, "nb/sub/.gitignore", "*.log\n!a.bin\n")
    write(root, "nb/sub/b.log")
    write(root, "nb/sub/a.bin")
    write(root, "nb/.venv/pyvenv.cfg")
    write(root, "nb/mlruns/0/meta.yaml")
    write(root, "nb/__pycache__/m.pyc")
    return root


def test_rules(project):
    found = walk(project / "nb")
    assert [file.path for file in found.files] == ["keep.bin", "n.ipynb", "sub/.gitignore", "sub/a.bin", "sub/m.py"]
    assert [left.path for left in found.not_captured] == [
        ".venv/",
        "a.bin",
        "data/",
        "mlruns/",
        "private.txt",
        "sub/b.log",
        "tmp1",
    ]
    assert found.size == sum(file.size for file in found.files)
    assert found.needs_confirmation is None


def test_own_ignore_files_win(project):
    write(project, "nb/.amlignore", "sub/\n!a.bin\n")
    write(project, "nb/.mlwsignore", "!sub/\n")
    paths = [file.path for file in walk(project / "nb").files]
    assert "a.bin" in paths
    assert "sub/m.py" in paths


def test_the_notebook_itself_is_captured_whatever_the_rules_say(project):
    write(project, ".gitignore", "*.ipynb\nnb/\n")
    assert "n.ipynb" in [file.path for file in walk(project / "nb", keep=["n.ipynb"]).files]
    write(project, "nb/data/deep.ipynb")
    write(project, ".gitignore", "data/\n")
    assert "data/deep.ipynb" in [file.path for file in walk(project / "nb", keep=["data/deep.ipynb"]).files]


def test_folder_lies_as_by_hand(project, store, tmp_path):
    found = walk(project / "nb")
    frozen, left = freeze(found, *store)
    base = materialize(tmp_path / "work", found.subdir, frozen, store[1].path, found.links)
    assert left == []
    assert base == tmp_path / "work" / "nb"
    assert (base / ".." / "lib" / "l.py").read_text() == "lib/l.py"
    assert (base / "data" / "x.csv").read_text() == "nb/data/x.csv"
    assert (base / "data").readlink() == project / "nb" / "data"
    assert not (base / "__pycache__").exists()
    assert not (tmp_path / "work" / ".git").exists()
    (base / "n.ipynb").write_text("changed by the job")
    assert (project / "nb" / "n.ipynb").read_text() == "nb/n.ipynb"
    assert not freeze(found, *store)[1]
    assert {store[1].path(f.sha256).read_bytes() for f in frozen if f.path == "n.ipynb"} == {b"nb/n.ipynb"}


def test_without_git_the_servers_root_is_the_top(tmp_path, store):
    root = tmp_path / "root"
    write(root, "a/b/n.ipynb")
    write(root, "a/lib.py", "beside")
    write(root, ".hidden")
    found = walk(root / "a" / "b", server_root=root)
    base = materialize(tmp_path / "work", found.subdir, freeze(found, *store)[0], store[1].path, found.links)
    assert (base / ".." / "lib.py").read_text() == "beside"
    assert (tmp_path / "work" / ".hidden").is_symlink()
    at_home = walk(root / "a" / "b", server_root=root, home=root)
    assert at_home.subdir == "a/b"
    assert ".hidden" not in [link.path for link in at_home.links]
    assert walk(root / "a" / "b").subdir == ""


def test_links(project, store, tmp_path):
    source = project / "nb"
    outside = write(tmp_path, "elsewhere/secret.txt", "outside")
    (source / "out").symlink_to(outside)
    (source / "inside").symlink_to(source / "sub" / "m.py")
    (source / "loop").symlink_to(source)
    (source / "broken").symlink_to("no/where")
    os.mkfifo(source / "pipe")
    found = walk(source)
    assert not {"out", "inside", "loop", "pipe"} & {file.path for file in found.files}
    assert {"out": "a link that leads outside", "pipe": "a socket, pipe or device"}.items() <= dict(found.not_captured).items()
    base = materialize(tmp_path / "work", found.subdir, freeze(found, *store)[0], store[1].path, found.links)
    assert (base / "out").read_text() == "outside"
    assert (base / "inside").resolve() == (base / "sub" / "m.py").resolve()


def test_the_jobs_own_folders_are_never_links(tmp_path):
    write(tmp_path, "p/.git/HEAD")
    write(tmp_path, "p/.gitignore", "outputs/\nlogs/\n")
    write(tmp_path, "p/outputs/old.txt")
    write(tmp_path, "p/logs/old.txt")
    found = walk(tmp_path / "p")
    assert [left.path for left in found.not_captured] == ["logs/", "outputs/"]
    assert [link.path for link in found.links] == []


def test_confirmation(tmp_path, monkeypatch):
    home = tmp_path / "home"
    write(home, "p/a.txt", "12345")
    assert walk(home, home=home).needs_confirmation == "This is your home folder."
    assert "Your home folder lies" in (walk(tmp_path, home=home).needs_confirmation or "")
    assert walk(Path("/")).needs_confirmation == "This is the root folder of the machine."
    assert [file.path for file in walk(home, home=home, confirmed=True).files] == ["p/a.txt"]
    monkeypatch.setattr(snapshots, "LARGE_BYTES", 4)
    assert walk(home / "p", home=home).needs_confirmation == "The files to capture have over 1 GB."
    assert walk(home / "p", home=home, confirmed=True).needs_confirmation is None
    for path in (tmp_path / "none", home / "p" / "a.txt"):
        with pytest.raises(SourceMissing):
            walk(path)


def test_data_folder_of_ours_is_left_out(tmp_path):
    write(tmp_path, "p/mlws/mlws.db")
    found = walk(tmp_path / "p", data_dir=tmp_path / "p" / "mlws")
    assert (found.files, found.not_captured, found.links) == ([], [], [])


def test_unchanged_files_are_not_read_again(project, store):
    time.sleep(0.1)
    freeze(walk(project / "nb"), *store)
    puts = store[1].puts
    assert puts == 5
    first = freeze(walk(project / "nb"), *store)
    assert store[1].puts == puts
    time.sleep(0.1)
    write(project, "nb/sub/m.py", "nb/sub/X.py")
    second, _ = freeze(walk(project / "nb"), *store)
    assert store[1].puts == puts + 1
    assert [a.path for a, b in zip(first[0], second, strict=True) if a.sha256 != b.sha256] == ["sub/m.py"]


def test_a_blob_that_the_store_lost_is_stored_again(project, store):
    time.sleep(0.1)
    frozen, _ = freeze(walk(project / "nb"), *store)
    store[1].path(frozen[0].sha256).unlink()
    freeze(walk(project / "nb"), *store)
    assert store[1].missing([f.sha256 for f in frozen]) == set()


def test_vanished_and_unreadable_files_are_told(project, store):
    found = walk(project / "nb")
    (project / "nb" / "sub" / "m.py").unlink()
    frozen, left = freeze(found, *store)
    assert [(entry.path, entry.why) for entry in left] == [("sub/m.py", "cannot be read: No such file or directory")]
    assert len(frozen) == len(found.files) - 1


def test_swapped_links_never_lead_outside(tmp_path, store):
    """A thread swaps a folder and a file for links to a secret while they are read."""
    source = tmp_path / "p"
    write(source, "sub/a.txt", "mine")
    write(source, "f.txt", "mine")
    secret = write(tmp_path, "secret/a.txt", "SECRET")
    found = walk(source)
    stop = threading.Event()

    def swap():
        while not stop.is_set():
            (source / "sub").rename(source / "away")
            (source / "sub").symlink_to(secret.parent)
            (source / "f.txt").rename(source / "g.txt")
            (source / "f.txt").symlink_to(secret)
            (source / "sub").unlink()
            (source / "away").rename(source / "sub")
            (source / "f.txt").unlink()
            (source / "g.txt").rename(source / "f.txt")

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        for _ in range(500):
            freeze(found, MemoryCache(), store[1])
    finally:
        stop.set()
        thread.join()
    assert store[1].missing([hashlib.sha256(b"SECRET").hexdigest()]), "the secret was stored"
    assert store[1].puts > 0


def test_a_thousand_files(tmp_path, store):
    for number in range(1000):
        write(tmp_path, f"p/s{number % 20}/m{number}.py", f"x = {number}\n" * 10)
    time.sleep(0.1)
    began = time.perf_counter()
    frozen, _ = freeze(walk(tmp_path / "p"), *store)
    first = time.perf_counter() - began
    began = time.perf_counter()
    again, _ = freeze(walk(tmp_path / "p"), *store)
    second = time.perf_counter() - began
    assert frozen == again
    # The targets are 1 s and 50 ms on a quiet machine.
    assert first < 5
    assert second < 0.5


def test_bad_paths_are_refused(tmp_path):
    from jupyter_mlws.kit.paths import BadPath

    for path in ("../x", "/etc/x", "a/../../x"):
        with pytest.raises(BadPath):
            materialize(tmp_path / "work", "", [Frozen(path, "0" * 64, 1, False, 0)], lambda sha256: tmp_path / sha256, [])
