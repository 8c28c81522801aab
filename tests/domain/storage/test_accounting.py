"""What is freed is what `du` says; what is broken is found."""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlws.db.database import Database
from jupyter_mlws.domain.storage import service, store
from jupyter_mlws.domain.storage.accounting import sweep
from jupyter_mlws.domain.storage.blobs import BlobStore, StoredSource
from jupyter_mlws.domain.storage.check import check
from jupyter_mlws.domain.storage.service import SnapshotFile, StoredBlob
from jupyter_mlws.domain.storage.tables import FileStatRow

DAY = 24 * 3600


def du(root: Path) -> int:
    """Bytes of all files, as du counts them (folders, which stay, cancel out)."""
    done = subprocess.run(["du", "-sb", str(root)], capture_output=True, check=True, text=True)
    return int(done.stdout.split()[0])


def run_id(n: int) -> str:
    return f"{n:032x}"


def keep(db: Database, blobs: BlobStore, run: int, path: str, data: bytes) -> StoredBlob:
    blob = blobs.put_bytes(data)
    db.write_sync(lambda s: service.add_artifact(s, run_id(run), path, *blob))
    return blob


def age(db: Database, blobs: BlobStore) -> None:
    """Let everything be two days old."""
    for blob in blobs.all():
        os.utime(blobs.path(blob.sha256), (time.time() - 2 * DAY,) * 2)
    sizes = [StoredBlob(blob.sha256, blob.size) for blob in blobs.all()]
    rows = db.read_sync(lambda s: store.known(s, [blob.sha256 for blob in sizes]))
    db.write_sync(lambda s: store.add_blobs(s, [b for b in sizes if b.sha256 in rows], int((time.time() - 2 * DAY) * 1000)))


@pytest.mark.parametrize("seed", range(3))
def test_freed_bytes_are_what_du_says(db: Database, blobs: BlobStore, seed: int) -> None:
    """Content is shared at random between runs and snapshots; any set of them is deleted."""
    chance = random.Random(seed)
    contents = [chance.randbytes(chance.randrange(20_000)) for _ in range(25)]
    for run in range(6):
        for n in range(8):
            keep(db, blobs, run, f"f{n}", chance.choice(contents))
    snapshots = []
    for _ in range(4):
        stored = [blobs.put_bytes(chance.choice(contents)) for _ in range(5)]
        files = [SnapshotFile(f"f{n}", *blob) for n, blob in enumerate(stored)]
        snapshots.append(db.write_sync(lambda s, files=files, stored=stored: service.store_snapshot(s, files, stored)))  # type: ignore[misc]
    gone_runs = [run_id(n) for n in chance.sample(range(6), 3)]
    gone_snapshots = chance.sample(sorted(set(snapshots)), 2)
    age(db, blobs)
    assert sweep(blobs, db).bytes == 0
    before = du(blobs.root)
    freed = db.read_sync(lambda s: service.freed_bytes(s, gone_runs, gone_snapshots))
    db.write_sync(lambda s: service.delete_of_runs(s, gone_runs))
    db.write_sync(lambda s: service.delete_snapshots(s, gone_snapshots))
    planned = sweep(blobs, db, dry_run=True)
    assert du(blobs.root) == before
    assert sweep(blobs, db) == planned
    assert before - du(blobs.root) == planned.bytes == freed
    assert check(blobs, db).ok


def test_sweep_spares_the_young_and_the_named(db: Database, blobs: BlobStore) -> None:
    kept = keep(db, blobs, 1, "kept", b"kept")
    old_row, young_row = keep(db, blobs, 2, "old", b"old row"), keep(db, blobs, 3, "young", b"young row")
    db.write_sync(lambda s: service.delete_of_runs(s, [run_id(2), run_id(3)]))
    old_file, young_file = blobs.put_bytes(b"old file"), blobs.put_bytes(b"young file")
    uploading = blobs.put_bytes(b"known but gone from all runs, and on its way again")
    db.write_sync(lambda s: service.add_blobs(s, [uploading]))
    age(db, blobs)
    db.write_sync(lambda s: service.add_blobs(s, [young_row]))
    for blob in (young_file, uploading):
        os.utime(blobs.path(blob.sha256))
    assert sweep(blobs, db) == (2, old_row.size + old_file.size)
    assert {blob.sha256 for blob in blobs.all()} == {b.sha256 for b in (kept, young_row, young_file, uploading)}
    assert db.read_sync(lambda s: service.known_hashes(s, [old_row.sha256])) == [old_row.sha256]
    assert sweep(blobs, db) == (0, 0)


def test_sweep_takes_leftovers_and_stale_stats(db: Database, blobs: BlobStore, tmp_path: Path) -> None:
    with blobs.writer() as writer:
        writer.write(b"x" * 10_000_000)
        (left,) = blobs.root.rglob("tmp-*")
        os.utime(left, (time.time() - 2 * DAY,) * 2)
        assert sweep(blobs, db).bytes == 10_000_000
    source = tmp_path / "source"
    source.write_bytes(b"x")
    stored = blobs.put_file(source)
    assert isinstance(stored, StoredSource)
    stat = service.FileStat(stored.size, stored.mtime_ns, stored.inode, stored.sha256)
    db.write_sync(lambda s: service.add_blobs(s, [stored.blob]))
    db.write_sync(lambda s: service.remember_stats(s, {str(source): stat}))
    age(db, blobs)
    sweep(blobs, db)
    assert db.read_sync(lambda s: s.query(FileStatRow).count()) == 0


@pytest.fixture
def planted(db: Database, blobs: BlobStore) -> Iterator[dict[str, StoredBlob]]:
    """A healthy store with one of each damage."""
    made = {
        name: keep(db, blobs, 1, f"dir/{name}", name.encode() * 100)
        for name in ("healthy", "missing", "flipped", "short", "folder")
    }
    made["orphan"] = blobs.put_bytes(b"orphan")
    for name in ("missing", "folder"):
        blobs.path(made[name].sha256).unlink()
    blobs.path(made["folder"].sha256).mkdir()
    for name in ("flipped", "short"):
        path = blobs.path(made[name].sha256)
        path.chmod(0o600)
        data = bytearray(path.read_bytes())
        data[50] ^= 1
        path.write_bytes(data if name == "flipped" else data[:10])
    return (yield made)


def test_check_finds_each_damage(db: Database, blobs: BlobStore, planted: dict[str, StoredBlob]) -> None:
    seen: list[int] = []
    report = check(blobs, db, progress=seen.append)
    assert not report.ok
    assert (report.blobs, report.bytes) == (5, sum(planted[n].size for n in planted if n != "orphan"))
    by_name = {name: [p.sha256 for p in found] for name, found in report._asdict().items() if isinstance(found, list)}
    assert sorted(by_name["missing"]) == sorted([planted["missing"].sha256, planted["folder"].sha256])
    assert sorted(by_name["damaged"]) == sorted([planted["flipped"].sha256, planted["short"].sha256])
    assert by_name["orphans"] == [planted["orphan"].sha256]
    (problem,) = [p for p in report.missing if p.sha256 == planted["missing"].sha256]
    assert problem.needed_by == [("run", run_id(1), "dir/missing")]
    assert seen == [5]
    quick = check(blobs, db, rehash=False)
    assert [p.sha256 for p in quick.damaged] == [planted["short"].sha256]


def test_check_of_a_healthy_store(db: Database, blobs: BlobStore) -> None:
    assert check(blobs, db).ok
    snapshot = [SnapshotFile("a", *blobs.put_bytes(b"a"))]
    db.write_sync(lambda s: service.store_snapshot(s, snapshot, [blobs.put_bytes(b"a")]))
    report = check(blobs, db)
    assert (report.ok, report.blobs, report.orphans) == (True, 1, [])
