"""Snapshots that no run has: a submit that failed after its files were stored leaves one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_mlws.domain.runs import store
from jupyter_mlws.domain.storage import service as storage

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

STEP = 200


def unused_snapshots(session: Session, before: int) -> list[str]:
    """Ids of those that were stored before this time (ms)."""
    found: list[str] = []
    after = ""
    while ids := storage.old_snapshots(session, before, after, STEP):
        after = ids[-1]
        used = store.with_snapshots(session, ids)
        found += [one for one in ids if one not in used]
    return found


def remove_unused(session: Session, ids: list[str], before: int) -> int:
    """Remove those of the snapshots that still are unused and old; how many those were."""
    used = store.with_snapshots(session, ids)
    gone = [one for one in ids if one not in used and storage.is_old(session, one, before)]
    storage.delete_snapshots(session, gone)
    return len(gone)
