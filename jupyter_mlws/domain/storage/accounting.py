"""What the store holds and what nobody needs any more. `sweep` frees it; nothing else ever removes a blob."""

from __future__ import annotations

import itertools
import time
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from jupyter_mlws.domain.storage import store
from jupyter_mlws.domain.storage.holding import sweeping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from jupyter_mlws.db.database import Database
    from jupyter_mlws.domain.storage.blobs import BlobOnDisk, BlobStore

GRACE_S = 24 * 3600.0
"""Blobs this young may belong to an upload whose row is not written yet."""
BATCH = 500
CACHE_S = 90 * 24 * 3600.0
"""Files not seen for so long leave the stat cache."""


class Swept(NamedTuple):
    """What `sweep` removed, or would."""

    blobs: int
    bytes: int


def sweep(blobs: BlobStore, db: Database, grace_s: float = GRACE_S, *, dry_run: bool = False) -> Swept:
    """Remove blobs that no row names and that are older than the grace period, and what killed writers left. For a thread.

    First the rows, in short writes, then the files: whoever needs the same bytes meanwhile stores them again. A file is looked at
    once more as it goes, so that bytes stored just now stay. A grace period shorter than the longest upload endangers that one.
    While the store is being copied (`holding.held`) nothing goes.
    """
    before = time.time() - grace_s
    if dry_run:
        return _plan(blobs, db, before)
    with sweeping(blobs.root) as free:
        return _sweep(blobs, db, before) if free else Swept(0, 0)


def _sweep(blobs: BlobStore, db: Database, before: float) -> Swept:
    number = size = 0
    while batch := db.write_sync(partial(_forget, before=before)):
        for sha256 in batch:
            freed = blobs.discard(sha256, before)
            number, size = number + (freed > 0), size + freed
    for blob in _orphans(blobs, db, before):
        freed = blobs.discard(blob.sha256, before)
        number, size = number + (freed > 0), size + freed
    size += blobs.sweep_leftovers()
    db.write_sync(lambda session: store.forget_file_stats(session, int((time.time() - CACHE_S) * 1000)))
    return Swept(number, size)


def _forget(session: Session, *, before: float) -> list[str]:
    shas = [sha256 for sha256, _ in store.unreferenced(session, int(before * 1000), BATCH)]
    if shas:
        store.forget_blobs(session, shas)
    return shas


def _plan(blobs: BlobStore, db: Database, before: float) -> Swept:
    number, size = db.read_sync(lambda session: store.unreferenced_total(session, int(before * 1000)))
    for blob in _orphans(blobs, db, before):
        number, size = number + 1, size + blob.size
    return Swept(number, size)


def _orphans(blobs: BlobStore, db: Database, before: float) -> Iterator[BlobOnDisk]:
    """Old blobs on disk that have no row."""
    for batch in batches(blob for blob in blobs.all() if blob.mtime < before):
        known = db.read_sync(partial(store.known, shas=[blob.sha256 for blob in batch]))
        yield from (blob for blob in batch if blob.sha256 not in known)


def batches(found: Iterator[BlobOnDisk]) -> Iterator[list[BlobOnDisk]]:
    """Lists of at most `BATCH`."""
    while batch := list(itertools.islice(found, BATCH)):
        yield batch
