"""Artifacts, snapshots and the stat cache over a real database."""

from __future__ import annotations

import hashlib
import time
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from jupyter_mlws.db.database import Database
from jupyter_mlws.domain.storage import service, store
from jupyter_mlws.domain.storage.errors import (
    ArtifactClash,
    ArtifactNotFound,
    BadHash,
    BadManifest,
    BlobMissing,
    SnapshotFileNotFound,
    SnapshotNotFound,
)
from jupyter_mlws.domain.storage.service import FileStat, SnapshotFile, StoredBlob
from jupyter_mlws.kit.paths import BadPath
from tests.domain.storage.conftest import BAD_PATHS

RUN, OTHER = "a" * 32, "b" * 32


def blob(text: str) -> StoredBlob:
    return StoredBlob(hashlib.sha256(text.encode()).hexdigest(), len(text))


def add(db: Database, path: str, text: str = "x", run: str = RUN, at: int = 5) -> Any:
    return db.write_sync(lambda s: service.add_artifact(s, run, path, *blob(text), at))


def listing(db: Database, path: str = "", **options: Any) -> list[tuple[str, str, int]]:
    found = db.read_sync(lambda s: service.list_artifacts(s, RUN, path, **options))
    return [(entry.path, entry.type, entry.size) for entry in found.entries]


def file(path: str, text: str = "x", **more: Any) -> SnapshotFile:
    return SnapshotFile(path, *blob(text), **more)


def snap(db: Database, *files: SnapshotFile, fresh: bool = True) -> str:
    blobs = [StoredBlob(f.sha256, f.size) for f in files if f.sha256 is not None] if fresh else []
    return db.write_sync(lambda s: service.store_snapshot(s, files, blobs))


def test_folders_are_seen_with_their_sums_in_natural_order(db: Database) -> None:
    for path, size in (
        ("run10.txt", 1),
        ("run9.txt", 2),
        ("Run1.txt", 3),
        ("b/x", 4),
        ("a10/y", 5),
        ("a9/z/w", 6),
        ("a9/z/v", 7),
    ):
        add(db, path, "x" * size)
    add(db, "elsewhere.txt", run=OTHER)
    assert listing(db) == [
        ("a9", "folder", 13),
        ("a10", "folder", 5),
        ("b", "folder", 4),
        ("Run1.txt", "file", 3),
        ("run9.txt", "file", 2),
        ("run10.txt", "file", 1),
    ]
    assert listing(db, "a9") == [("a9/z", "folder", 13)]
    assert listing(db, "./a9//z/") == [("a9/z/v", "file", 7), ("a9/z/w", "file", 6)]
    everything = [path for path, _, _ in listing(db, recursive=True)]
    assert everything == ["a9", "a9/z", "a9/z/v", "a9/z/w", "a10", "a10/y", "b", "b/x", "Run1.txt", "run9.txt", "run10.txt"]
    assert [path for path, _, _ in listing(db, "a9", recursive=True)] == ["a9/z", "a9/z/v", "a9/z/w"]


def test_lists_are_cut(db: Database) -> None:
    for n in range(5):
        add(db, f"{n}.txt")
    for limit, truncated in ((4, True), (5, False)):
        found = db.read_sync(lambda s, limit=limit: service.list_artifacts(s, RUN, limit=limit))  # type: ignore[misc]
        assert (len(found.entries), found.truncated) == (limit, truncated)


def test_names_that_are_special_to_sql(db: Database) -> None:
    for path in ("100%/a_b", "100x/c", "a_b/1", "aXb/2", "ü/é", "it's", "0/1", "/".join("deep")):
        add(db, path)
    assert [p for p, _, _ in listing(db, "100%")] == ["100%/a_b"]
    assert [p for p, _, _ in listing(db, "a_b")] == ["a_b/1"]
    assert [p for p, _, _ in listing(db, "ü")] == ["ü/é"]
    assert db.write_sync(lambda s: service.remove_artifact(s, RUN, "a_b")) == 1
    assert [p for p, _, _ in listing(db, "aXb")] == ["aXb/2"]


def test_overwrites_and_finds(db: Database) -> None:
    assert add(db, "a/b.txt", "old").path == "a/b.txt"
    add(db, "a/b.txt", "newer", at=9)
    found = db.read_sync(lambda s: service.find_artifact(s, RUN, "a/./b.txt"))
    assert (found.size, found.sha256, found.modified_at, found.type) == (5, blob("newer").sha256, 9, "file")
    for path in ("a", "a/b", "a/b.txt/c"):
        with pytest.raises(ArtifactNotFound):
            db.read_sync(lambda s, path=path: service.find_artifact(s, RUN, path))  # type: ignore[misc]
    with pytest.raises(ArtifactNotFound):
        listing(db, "nowhere")
    assert db.read_sync(lambda s: service.list_artifacts(s, OTHER)).entries == []


def test_file_and_folder_of_one_name_clash(db: Database) -> None:
    add(db, "model/weights.bin")
    for path in ("model", "model/weights.bin/part", "model/weights.bin/a/b"):
        with pytest.raises(ArtifactClash, match="Choose another path"):
            add(db, path)
    add(db, "model2")
    add(db, "model", run=OTHER)
    add(db, "model-x/y")


def test_removes_files_and_folders(db: Database) -> None:
    for path in ("a/1", "a/b/2", "ab", "c"):
        add(db, path)
    assert db.write_sync(lambda s: service.remove_artifact(s, RUN, "a")) == 2
    assert db.write_sync(lambda s: service.remove_artifact(s, RUN, "c")) == 1
    assert [p for p, _, _ in listing(db)] == ["ab"]
    with pytest.raises(ArtifactNotFound):
        db.write_sync(lambda s: service.remove_artifact(s, RUN, "c"))


@pytest.mark.parametrize("path", BAD_PATHS)
def test_bad_paths_are_refused_everywhere(db: Database, path: str) -> None:
    for ask in (
        lambda s: service.add_artifact(s, RUN, path, *blob("x"), 1),
        lambda s: service.find_artifact(s, RUN, path),
        lambda s: service.list_artifacts(s, RUN, path),
        lambda s: service.remove_artifact(s, RUN, path),
        lambda s: service.store_snapshot(s, [file(path)], [blob("x")]),
        lambda s: service.snapshot_list(s, "0" * 64, path),
        lambda s: service.snapshot_find(s, "0" * 64, path),
    ):
        with pytest.raises(BadPath):
            db.write_sync(ask)
    assert db.read_sync(lambda s: service.known_hashes(s, [blob("x").sha256])) == [blob("x").sha256]


def test_paths_too_long_for_an_index(db: Database) -> None:
    with pytest.raises(BadPath, match="bytes"):
        add(db, "/".join(["é" * 100] * 11))
    add(db, "/".join(["é" * 100] * 9))


def test_snapshots_are_named_by_what_is_in_them(db: Database) -> None:
    data = SnapshotFile("data", None, target="/srv/data")
    one = snap(db, file("n.ipynb"), file("lib/a.py", "aa", executable=True), data)
    assert one == snap(db, data, file("lib/a.py", "aa", executable=True), file("n.ipynb"), fresh=False)
    assert one != snap(db, file("n.ipynb"), file("lib/a.py", "aa"), data)
    assert one != snap(db, file("n.ipynb"), file("lib/a.py", "aa", executable=True))
    assert db.read_sync(lambda s: service.snapshot_size(s, one)) == (3, 3)
    found = db.read_sync(lambda s: service.snapshot_list(s, one))
    assert [(e.path, e.type, e.size, e.target) for e in found.entries] == [
        ("lib", "folder", 2, None),
        ("data", "link", 0, "/srv/data"),
        ("n.ipynb", "file", 1, None),
    ]
    assert db.read_sync(lambda s: service.snapshot_find(s, one, "lib/a.py")).sha256 == blob("aa").sha256
    laid_out = db.read_sync(lambda s: service.snapshot_files(s, one))
    assert sorted(laid_out) == sorted([file("n.ipynb"), file("lib/a.py", "aa", executable=True), data], key=lambda f: f.path)


def test_empty_snapshot_and_unknown_ones(db: Database) -> None:
    empty = snap(db)
    assert db.read_sync(lambda s: service.snapshot_list(s, empty)).entries == []
    for ask, error in (
        (lambda s: service.snapshot_list(s, "0" * 64), SnapshotNotFound),
        (lambda s: service.snapshot_find(s, "0" * 64, "x"), SnapshotNotFound),
        (lambda s: service.snapshot_files(s, "0" * 64), SnapshotNotFound),
        (lambda s: service.snapshot_list(s, empty, "x"), SnapshotFileNotFound),
        (lambda s: service.snapshot_find(s, empty, "x"), SnapshotFileNotFound),
    ):
        with pytest.raises(error):
            db.read_sync(ask)


@pytest.mark.parametrize(
    "files",
    [
        [file("a"), file("a", "yy")],
        [file("a"), file("a/b")],
        [file("a/b/c"), file("a/b")],
        [file("./a")],
        [file("a/")],
        [SnapshotFile("a", None)],
        [SnapshotFile("a", blob("x").sha256, 1, target="/x")],
        [SnapshotFile("a", blob("x").sha256, 2)],
    ],
)
def test_manifests_that_contradict_themselves(db: Database, files: list[SnapshotFile]) -> None:
    with pytest.raises(BadManifest):
        db.write_sync(lambda s: service.store_snapshot(s, files, [blob("x"), blob("yy")]))


def test_snapshot_needs_its_bytes(db: Database) -> None:
    with pytest.raises(BlobMissing, match=r"'a\.py'"):
        snap(db, file("a.py"), fresh=False)
    db.write_sync(lambda s: service.add_blobs(s, [blob("x")]))
    snap(db, file("a.py"), fresh=False)


def test_known_hashes(db: Database) -> None:
    add(db, "a", "x")
    asked = [blob("z").sha256, blob("x").sha256, blob("y").sha256, blob("z").sha256]
    assert db.read_sync(lambda s: service.known_hashes(s, asked)) == [blob("z").sha256, blob("y").sha256]
    assert db.read_sync(lambda s: service.known_hashes(s, [])) == []
    with pytest.raises(BadHash):
        db.read_sync(lambda s: service.known_hashes(s, ["x' OR 1=1 --"]))
    many = [hashlib.sha256(str(n).encode()).hexdigest() for n in range(100_000)]
    assert len(db.read_sync(lambda s: service.known_hashes(s, many))) == len(many)


def test_stat_cache(db: Database) -> None:
    add(db, "a", "x")
    long_ago = (int(time.time()) - 60) * 10**9
    db.write_sync(
        lambda s: service.remember_stats(
            s,
            {
                "/kept": FileStat(1, long_ago, 2**64 - 1, blob("x").sha256),
                "/just-changed": FileStat(1, time.time_ns(), 7, blob("x").sha256),
                "/bytes-gone": FileStat(1, long_ago, 7, blob("gone").sha256),
                "/bad\udc80name": FileStat(1, long_ago, 7, blob("x").sha256),
            },
        )
    )
    same = {
        "/kept": (1, long_ago, 2**64 - 1),
        "/just-changed": (1, time.time_ns(), 7),
        "/bytes-gone": (1, long_ago, 7),
        "/new": (1, 2, 3),
    }
    assert db.read_sync(lambda s: service.unchanged(s, same)) == {"/kept": blob("x").sha256}
    for changed in ((2, long_ago, 2**64 - 1), (1, long_ago + 1, 2**64 - 1), (1, long_ago, 8)):
        assert db.read_sync(lambda s, changed=changed: service.unchanged(s, {"/kept": changed})) == {}  # type: ignore[misc]


def test_deletes_runs_and_snapshots(db: Database) -> None:
    add(db, "a", "x")
    add(db, "b", "yy")
    add(db, "b", "yy", run=OTHER)
    snapshot = snap(db, file("b", "yy"), file("c", "zzz"))
    free = lambda runs, snaps: db.read_sync(lambda s: service.freed_bytes(s, runs, snaps))  # noqa: E731
    assert free([RUN], []) == 1
    assert free([OTHER], []) == 0
    assert free([RUN, OTHER], []) == 1
    assert free([], [snapshot]) == 3
    assert free([RUN, OTHER], [snapshot]) == 6
    assert free([], []) == 0
    assert db.read_sync(lambda s: service.number_of_artifacts(s, [RUN, OTHER])) == 3
    assert db.read_sync(lambda s: service.bytes_of_runs(s, [RUN, OTHER])) == {RUN: 3, OTHER: 2}
    db.write_sync(lambda s: service.delete_of_runs(s, [RUN]))
    db.write_sync(lambda s: service.delete_snapshots(s, [snapshot]))
    assert db.read_sync(lambda s: service.number_of_artifacts(s, [RUN])) == 0
    with pytest.raises(SnapshotNotFound):
        db.read_sync(lambda s: service.snapshot_list(s, snapshot))


def test_database_itself_keeps_blobs_that_are_named(db: Database) -> None:
    add(db, "a", "x")
    with pytest.raises(IntegrityError):
        db.write_sync(lambda s: store.forget_blobs(s, [blob("x").sha256]))
