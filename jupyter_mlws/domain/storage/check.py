"""Does the store hold what the database says? It only looks; nothing is repaired or removed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from jupyter_mlws.domain.storage import store
from jupyter_mlws.domain.storage.accounting import BATCH, batches
from jupyter_mlws.domain.storage.errors import BlobMissing

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_mlws.db.database import Database
    from jupyter_mlws.domain.storage.blobs import BlobStore


class Problem(NamedTuple):
    """A blob that is not as it should be, and the files that need it, as (`run` or `snapshot`, id, path)."""

    sha256: str
    size: int
    needed_by: list[tuple[str, str, str]]


class CheckReport(NamedTuple):
    """What `check` found."""

    blobs: int
    bytes: int
    missing: list[Problem]
    """Rows without a file."""
    damaged: list[Problem]
    """Files of another size or content than their name says."""
    orphans: list[Problem]
    """Files without a row: uploads on their way, or left by a crash; gc removes the old ones."""

    @property
    def ok(self) -> bool:
        """Whether nothing that is needed is missing or damaged."""
        return not self.missing and not self.damaged


def check(blobs: BlobStore, db: Database, *, rehash: bool = True, progress: Callable[[int], None] | None = None) -> CheckReport:
    """Compare database and disk; `rehash` reads every byte. For a thread. `progress` is told the number of blobs seen."""
    missing: list[Problem] = []
    damaged: list[Problem] = []
    number = total = 0
    last = ""
    while rows := db.read_sync(partial(store.blobs_after, sha256=last, limit=BATCH)):
        last = rows[-1][0]
        for sha256, size in rows:
            state = _state(blobs, sha256, size, rehash=rehash)
            if state is not None and db.read_sync(partial(store.known, shas=[sha256])):  # not swept meanwhile
                needed_by = db.read_sync(partial(store.needed_by, sha256=sha256))
                (missing if state == "missing" else damaged).append(Problem(sha256, size, needed_by))
            number, total = number + 1, total + size
        if progress is not None:
            progress(number)
    return CheckReport(number, total, missing, damaged, _orphans(blobs, db))


def _state(blobs: BlobStore, sha256: str, size: int, *, rehash: bool) -> str | None:
    try:
        if blobs.size(sha256) != size or (rehash and not blobs.verify(sha256)):
            return "damaged"
    except BlobMissing:
        return "missing"
    except OSError:  # a disk that cannot read it
        return "damaged"
    return None


def _orphans(blobs: BlobStore, db: Database) -> list[Problem]:
    found = []
    for batch in batches(blobs.all()):
        known = db.read_sync(partial(store.known, shas=[blob.sha256 for blob in batch]))
        found += [Problem(blob.sha256, blob.size, []) for blob in batch if blob.sha256 not in known]
    return sorted(found)
