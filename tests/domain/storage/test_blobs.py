"""The blob store on a real disk."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlws.domain.storage import blobs as module
from jupyter_mlws.domain.storage.blobs import BlobStore, StoredSource
from jupyter_mlws.domain.storage.errors import (
    BadHash,
    BlobMissing,
    FileChanged,
    HashMismatch,
    NotAFile,
    StorageFailed,
    StorageFull,
)
from jupyter_mlws.kit.errors import MlwsError
from jupyter_mlws.kit.paths import BadPath
from tests.domain.storage.conftest import BAD_PATHS

MB = 1024 * 1024
SWAPS = 500


def files(store: BlobStore) -> list[Path]:
    return [path for path in store.root.rglob("*") if path.is_file()]


def test_put_open_verify(blobs: BlobStore) -> None:
    blob = blobs.put_bytes(b"hello")
    assert blob == (hashlib.sha256(b"hello").hexdigest(), 5)
    path = blobs.path(blob.sha256)
    assert path == blobs.root / blob.sha256[:2] / blob.sha256[2:]
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    with blobs.open(blob.sha256) as file:
        assert file.read() == b"hello"
    assert blobs.exists(blob.sha256)
    assert blobs.verify(blob.sha256)
    assert blobs.size(blob.sha256) == 5
    assert [found.sha256 for found in blobs.all()] == [blob.sha256]


def test_missing_and_malformed(blobs: BlobStore) -> None:
    gone = "0" * 64
    assert not blobs.exists(gone)
    for ask in (blobs.open, blobs.verify, blobs.size):
        with pytest.raises(BlobMissing):
            ask(gone)
    for bad in ("", "..", "0" * 63, "0" * 65, "G" * 64, "A" * 64, "../" + "0" * 61, "0" * 64 + "\n", *BAD_PATHS):
        asks: list[Any] = [blobs.path, blobs.exists, blobs.open, blobs.verify, blobs.size, lambda sha: blobs.discard(sha, 1e12)]
        for attempt in asks:
            with pytest.raises(BadHash):
                attempt(bad)


def test_abort_and_failure_leave_nothing(blobs: BlobStore) -> None:
    with blobs.writer() as writer:
        writer.write(b"x")
    writer = blobs.writer()
    writer.write(b"x")
    with pytest.raises(HashMismatch):
        writer.commit("0" * 64)
    writer.abort()
    assert files(blobs) == []


def test_is_synced_before_it_is_visible(blobs: BlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """File, then name, then folder."""
    steps = []
    fsync, replace = os.fsync, Path.replace

    def note_sync(descriptor: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def note_replace(self: Path, target: Path) -> Path:
        steps.append("name")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(Path, "replace", note_replace)
    blobs.put_bytes(b"x")
    assert steps.index("file") < steps.index("name")
    assert steps[-1] == "folder"


def test_same_content_from_many_writers(blobs: BlobStore) -> None:
    data = os.urandom(2 * MB)
    with ThreadPoolExecutor(8) as pool:
        stored = list(pool.map(lambda _: blobs.put_bytes(data), range(24)))
    assert len(set(stored)) == 1
    assert len(files(blobs)) == 1
    assert blobs.verify(stored[0].sha256)


def test_storing_again_renews_and_heals(blobs: BlobStore) -> None:
    sha = blobs.put_bytes(b"hello").sha256
    path = blobs.path(sha)
    os.utime(path, (1, 1))
    blobs.put_bytes(b"hello")
    assert time.time() - path.stat().st_mtime < 60
    path.chmod(0o600)
    path.write_bytes(b"hel")
    assert not blobs.verify(sha)
    blobs.put_bytes(b"hello")
    assert blobs.verify(sha)


@pytest.mark.parametrize("size", [0, 10, 3 * MB + 5])
def test_put_file(blobs: BlobStore, tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    source = tmp_path / "source"
    source.write_bytes(data)
    source.chmod(0o755)
    stored = blobs.put_file(source)
    status = source.stat()
    assert stored == (hashlib.sha256(data).hexdigest(), size, status.st_mtime_ns, status.st_ino, True)
    assert blobs.verify(stored.sha256)
    source.write_bytes(b"other")
    assert blobs.verify(stored.sha256)


def test_put_files_stores_what_it_can(blobs: BlobStore, tmp_path: Path) -> None:
    for n in range(30):
        (tmp_path / f"f{n}").write_text(str(n % 10))
    done = blobs.put_files([*(f"f{n}" for n in range(30)), "gone", "../x", "."], below=tmp_path)
    assert all(isinstance(one, StoredSource) for one in done[:30])
    assert [type(one) for one in done[30:]] == [NotAFile, BadPath, BadPath]
    assert len(files(blobs)) == 10


def test_refuses_what_is_no_regular_file(blobs: BlobStore, tmp_path: Path) -> None:
    (tmp_path / "real").write_text("x")
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "folder", "pipe", "gone"):
        with pytest.raises(NotAFile):
            blobs.put_file(tmp_path / name)
    assert files(blobs) == []


@pytest.mark.parametrize("path", BAD_PATHS)
def test_paths_cannot_leave_the_folder(blobs: BlobStore, tmp_path: Path, path: str) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "x").write_text("canary")
    with pytest.raises((BadPath, NotAFile)):
        blobs.put_file(path, below=inside)
    assert files(blobs) == []


def test_link_swapped_in_while_reading_is_not_followed(blobs: BlobStore, tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    for folder, text in ((inside / "sub", "mine"), (outside, "canary")):
        folder.mkdir(parents=True)
        (folder / "file").write_text(text)
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            (inside / "sub").rename(inside / "aside")
            (inside / "sub").symlink_to(outside)
            (inside / "sub").unlink()
            (inside / "aside").rename(inside / "sub")

    swapper = threading.Thread(target=swap)
    swapper.start()
    taken = set()
    for _ in range(SWAPS):
        with contextlib.suppress(NotAFile):
            taken.add(blobs.put_file("sub/file", below=inside).sha256)
    stop.set()
    swapper.join()
    assert taken <= {hashlib.sha256(b"mine").hexdigest()}
    assert not blobs.exists(hashlib.sha256(b"canary").hexdigest())


@pytest.mark.parametrize("size", [1000, 3 * MB])
def test_file_that_changes_meanwhile(blobs: BlobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    source = tmp_path / "source"
    source.write_bytes(bytes(size))
    fstat, calls = os.fstat, []

    def change_before_second_look(descriptor: int) -> os.stat_result:
        if not stat.S_ISREG(fstat(descriptor).st_mode) or fstat(descriptor).st_ino != source.stat().st_ino:
            return fstat(descriptor)
        calls.append(1)
        if len(calls) == 2:
            with source.open("ab") as file:
                file.write(b"more")
        return fstat(descriptor)

    monkeypatch.setattr(os, "fstat", change_before_second_look)
    with pytest.raises(FileChanged):
        blobs.put_file(source)
    assert len(calls) == 2
    assert files(blobs) == []


def test_full_disk(blobs: BlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFull):
        blobs.put_bytes(b"x")
    assert files(blobs) == []


def test_a_disk_that_fails_is_told_and_the_folder_is_synced_with_the_next(
    blobs: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []

    def fails(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fails)
    for _ in range(2):
        with pytest.raises(StorageFailed, match=r"disk .* failed"):
            blobs.put_bytes(b"x")
        assert list(blobs.root.iterdir()) == []
    monkeypatch.setattr(os, "fsync", synced.append)
    blobs.put_bytes(b"x")
    assert len(synced) >= 3, "the root, the file, its folder"


KILLED = """
import os, sys
from pathlib import Path
from jupyter_mlws.domain.storage.blobs import BlobStore
writer = BlobStore(Path(sys.argv[1])).writer()
writer.write(bytes(5_000_000))
print("written", flush=True)
sys.stdin.read()
"""


def test_killed_writer_leaves_no_blob(blobs: BlobStore) -> None:
    command = [sys.executable, "-c", KILLED, str(blobs.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "written\n"
        writer.kill()
    assert list(blobs.all()) == []
    (left,) = files(blobs)
    assert blobs.sweep_leftovers() == 0
    os.utime(left, (time.time() - module.LEFTOVER_S - 60,) * 2)
    assert blobs.sweep_leftovers() >= 0
    assert files(blobs) == []


def test_discard_respects_what_is_stored_just_now(blobs: BlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    sha = blobs.put_bytes(b"hello").sha256
    path = blobs.path(sha)
    assert blobs.discard(sha, time.time() - 100) == 0
    os.utime(path, (1, 1))
    rename = Path.rename

    def renewed_at_the_last_moment(self: Path, target: Path) -> Path:
        os.utime(self)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", renewed_at_the_last_moment)
    assert blobs.discard(sha, time.time() - 100) == 0
    assert blobs.verify(sha)
    monkeypatch.undo()
    os.utime(path, (1, 1))
    assert blobs.discard(sha, time.time() - 100) == 5
    assert blobs.discard(sha, time.time() - 100) == 0
    assert files(blobs) == []


async def test_run_keeps_errors_and_values(blobs: BlobStore) -> None:
    assert (await blobs.run(blobs.put_bytes, b"x")).size == 1
    with pytest.raises(MlwsError):
        await blobs.run(blobs.size, "0" * 64)
