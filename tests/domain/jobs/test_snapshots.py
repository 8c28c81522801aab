"""Snapshots: what is captured, that it is frozen, and how the working folder lies."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlws.db.base import Base
from jupyter_mlws.db.database import Database
from jupyter_mlws.db.engine import sqlite_url
from jupyter_mlws.domain.jobs import snapshots
from jupyter_mlws.domain.jobs.errors import SourceMissing
from jupyter_mlws.domain.jobs.freezing import Frozen, freeze
from jupyter_mlws.domain.jobs.layout import materialize
from jupyter_mlws.domain.jobs.snapshots import Left, Walk, walk
from jupyter_mlws.domain.storage import service as storage
from jupyter_mlws.domain.storage.blobs import BlobStore
from jupyter_mlws.domain.storage.service import SnapshotFile


def write(root: Path, path: str, text: str = "x") -> Path:
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    return target


class Store:
    """A real database and a real folder of blobs; counts what is written into it."""

    def __init__(self, db: Database, root: Path) -> None:
        self.db = db
        self.blobs = BlobStore(root)
        self.written: list[str] = []
        place = self.blobs._place

        def counted(temporary: Path, sha256: str, size: int) -> Path:
            self.written.append(sha256)
            return place(temporary, sha256, size)

        self.blobs._place = counted  # type: ignore[method-assign]

    def freeze(self, found: Walk) -> Frozen:
        frozen = freeze(self.db, self.blobs, found)
        self.db.write_sync(lambda s: storage.store_snapshot(s, frozen.files, frozen.fresh))
        return frozen

    def lay(self, found: Walk, work: Path) -> Path:
        return materialize(work, found.subdir, self.freeze(found).files, self.blobs.path, found.links)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    db = Database(sqlite_url(tmp_path / "mlws.db"))
    Base.metadata.create_all(db.writer_engine)
    db.start()
    made = Store(db, tmp_path / "objects")
    yield made
    made.blobs.close()
    db.close()


def age(folder: Path) -> None:
    """As if nothing had been written here for a while: what is younger than two seconds is read again, to be sure."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            os.utime(path, (time.time() - 60, time.time() - 60))


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
        "../",
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
    frozen = store.freeze(found)
    base = store.lay(found, tmp_path / "work")
    assert frozen.left == []
    assert base == tmp_path / "work" / "nb"
    assert (base / ".." / "lib" / "l.py").read_text() == "lib/l.py"
    assert (base / "data" / "x.csv").read_text() == "nb/data/x.csv"
    assert (base / "data").readlink() == project / "nb" / "data"
    assert not (base / "__pycache__").exists()
    assert not (tmp_path / "work" / ".git").exists()
    (base / "n.ipynb").write_text("changed by the job")
    assert (project / "nb" / "n.ipynb").read_text() == "nb/n.ipynb"
    assert {store.blobs.path(f.sha256).read_bytes() for f in frozen.files if f.path == "n.ipynb"} == {b"nb/n.ipynb"}


def test_without_git_the_servers_root_is_the_top(tmp_path, store):
    root = tmp_path / "root"
    write(root, "a/b/n.ipynb")
    write(root, "a/lib.py", "beside")
    write(root, ".hidden")
    found = walk(root / "a" / "b", server_root=root)
    base = store.lay(found, tmp_path / "work")
    assert (base / ".." / "lib.py").read_text() == "beside"
    assert (tmp_path / "work" / ".hidden").is_symlink()
    at_home = walk(root / "a" / "b", server_root=root, home=root)
    assert at_home.subdir == "a/b"
    assert ".hidden" not in [link.path for link in at_home.links]


def test_beside_the_top_lies_what_lies_there_by_hand(tmp_path, store):
    shared = tmp_path / "shared"
    write(shared, "root/n.ipynb")
    write(shared, "lib/l.py", "beside")
    root = shared / "root"
    for git in (False, True):
        if git:
            write(root, ".git/HEAD")
        found = walk(root, server_root=root)
        base = store.lay(found, tmp_path / f"work-{git}")
        assert (found.subdir, base.name) == ("root", "root")
        assert (base / ".." / "lib" / "l.py").read_text() == "beside"
        assert Left("../", "beside the folder; read as it is when the job runs") in found.not_captured
    # A server's root that is the machine's, or above the home folder, is no project.
    assert walk(root, server_root=Path("/")).subdir == "root"
    assert walk(root, server_root=shared, home=shared / "home").subdir == ""
    shared.chmod(0o1777)
    assert walk(root, server_root=root).subdir == ""


def test_a_crowd_is_no_project(tmp_path, monkeypatch):
    monkeypatch.setattr(snapshots, "MAX_BESIDE", 3)
    for name in ("a", "b", "root/n.ipynb"):
        write(tmp_path, f"crowd/{name}")
    root = tmp_path / "crowd" / "root"
    assert walk(root).subdir == "root"
    write(tmp_path, "crowd/c")
    assert walk(root).subdir == ""


def test_neither_our_data_nor_what_holds_it_lies_beside_a_job(tmp_path):
    for name in ("lib/l.py", "state/mlws/jobs/j/job.json", "nb/n.ipynb"):
        write(tmp_path, f"p/{name}")
    data_dir = tmp_path / "p" / "state" / "mlws"
    assert [link.path for link in walk(tmp_path / "p" / "nb", data_dir=data_dir).links] == ["lib"]
    # A job that submits its own folder does not find its token beside the next one.
    write(data_dir, "jobs/j/work/n.ipynb")
    for server_root in (None, tmp_path / "p"):
        assert walk(data_dir / "jobs" / "j" / "work", data_dir=data_dir, server_root=server_root).links == []


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
    base = store.lay(found, tmp_path / "work")
    assert (base / "out").read_text() == "outside"
    assert (base / "inside").resolve() == (base / "sub" / "m.py").resolve()


def test_a_pipe_in_the_place_of_rules_holds_nobody(project):
    source = project / "nb"
    (source / "sub" / ".gitignore").unlink(missing_ok=True)
    os.mkfifo(source / "sub" / ".gitignore")
    assert "sub/m.py" in {file.path for file in walk(source).files}


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
    age(project)
    first = store.freeze(walk(project / "nb"))
    assert len(store.written) == len(first.fresh) == 5
    again = store.freeze(walk(project / "nb"))
    assert (again.files, again.fresh) == (first.files, [])
    write(project, "nb/sub/m.py", "nb/sub/X.py")
    second = store.freeze(walk(project / "nb"))
    assert len(store.written) == 6
    assert [a.path for a, b in zip(first.files, second.files, strict=True) if a.sha256 != b.sha256] == ["sub/m.py"]
    young = store.freeze(walk(project / "nb"))
    assert len(young.fresh) == 1, "it was changed so lately that its time does not tell"


def test_a_blob_that_the_store_lost_is_stored_again(project, store):
    age(project)
    frozen = store.freeze(walk(project / "nb"))
    store.blobs.path(frozen.files[0].sha256).unlink()
    assert store.freeze(walk(project / "nb")).files == frozen.files
    assert store.blobs.missing([file.sha256 for file in frozen.files]) == set()


def test_vanished_and_unreadable_files_are_told(project, store):
    found = walk(project / "nb")
    (project / "nb" / "sub" / "m.py").unlink()
    frozen = store.freeze(found)
    assert [left.path for left in frozen.left] == ["sub/m.py"]
    assert "No such file" in frozen.left[0].why
    assert len(frozen.files) == len(found.files) - 1


@pytest.mark.parametrize("size", [1000, 3_000_000])
def test_a_file_that_is_written_to_all_the_time_is_taken_as_it_is(tmp_path, store, size):
    """Such as the log of a training that runs in the same folder."""
    log = write(tmp_path, "p/train.log", "x" * size)
    found = walk(tmp_path / "p")
    stop = threading.Event()

    def append():
        with log.open("a") as file:
            while not stop.is_set():
                file.write("x")
                file.flush()

    thread = threading.Thread(target=append)
    thread.start()
    try:
        frozen = store.freeze(found)
    finally:
        stop.set()
        thread.join()
    assert [file.path for file in frozen.files] == ["train.log"]
    assert set(store.blobs.path(frozen.files[0].sha256).read_text()) == {"x"}
    assert frozen.files[0].size >= size


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
            store.freeze(found)
    finally:
        stop.set()
        thread.join()
    assert store.blobs.missing([hashlib.sha256(b"SECRET").hexdigest()]), "the secret was stored"
    assert store.written


def test_bad_paths_are_refused(tmp_path):
    from jupyter_mlws.kit.paths import BadPath

    for path in ("../x", "/etc/x", "a/../../x"):
        with pytest.raises(BadPath):
            materialize(tmp_path / "work", "", [SnapshotFile(path, "0" * 64, 1)], lambda sha256: tmp_path / sha256, [])
