"""Background work of metrics: compaction, in small writes, each of which leaves everything in order."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from jupyter_mlws.domain.metrics import chunks, history, store
from jupyter_mlws.domain.metrics.errors import DamagedChunk
from jupyter_mlws.domain.metrics.service import too_deep

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from jupyter_mlws.db.database import Database
    from jupyter_mlws.domain.metrics.chunks import Point

KEEP = 1_000
"""A tail of so many points stays as it is. The partial index in tables.py says the same number."""
MOVED = 2_000
"""Most rows of a tail that one write moves."""
MERGED = 5
"""Most chunks that one write merges."""
SMALL = 16
"""A tail of so many points takes no more room than a chunk of them would."""
SERIES_A_WRITE = 50


class Compacted(NamedTuple):
    """What `compact_all` did."""

    series: int
    steps: int
    damaged: list[int]
    """Series that have a chunk which cannot be read."""


def compaction_candidates(session: Session, limit: int) -> list[int]:
    """Ids of series whose tail is too long or whose chunks lie over one another; at most `limit`."""
    return store.due(session, limit)


def compact(session: Session, series_id: int, keep: int = KEEP) -> bool:
    """Bring one series a step nearer to order, in one write under 20 ms; False once there is nothing left to do.

    A step moves the first rows of a tail of more than `keep` points into chunks, or merges a few chunks that overlap too
    much. Points are the same before and after; identical ones become one.
    """
    state = store.latest_by_id(session, series_id)
    if state is None:
        return False
    tail_count, untidy = state
    if tail_count > keep or (untidy and tail_count):
        _move_tail(session, series_id, untidy=untidy)
        return True
    if untidy:
        _merge(session, series_id)
        return True
    return False


def compact_all(database: Database, progress: Callable[[int, int], None] | None = None) -> Compacted:
    """Bring every series to order, and every tail that is worth it into chunks. For a thread, where nobody else writes.

    `progress` is told how many series are done, of how many. A series with a damaged chunk is left as it is.
    """
    total = database.read_sync(lambda session: store.number_long(session, SMALL))
    done = steps = last = 0
    damaged: list[int] = []
    while due := database.read_sync(partial(store.long_after, series_id=last, tail=SMALL, limit=SERIES_A_WRITE)):
        last = due[-1]
        taken, failed = database.write_sync(partial(_compact_some, due=due))
        done, steps, damaged = done + len(due), steps + taken, damaged + failed
        if progress is not None:
            progress(done, total)
    return Compacted(done - len(damaged), steps, damaged)


def _compact_some(session: Session, due: list[int]) -> tuple[int, list[int]]:
    steps, damaged = 0, []
    for series_id in due:
        try:
            with session.begin_nested():
                while compact(session, series_id, SMALL):
                    steps += 1
        except DamagedChunk:
            damaged.append(series_id)
    return steps, damaged


async def compact_due(database: Database, limit: int) -> int:
    """Take one step for each of at most `limit` series that need it; the number of steps taken."""
    due = await database.read(lambda session: compaction_candidates(session, limit))
    steps = 0
    for series_id in due:
        steps += await database.write(partial(compact, series_id=series_id))
    return steps


def _move_tail(session: Session, series_id: int, *, untidy: bool) -> None:
    rows = store.tail(session, series_id, limit=MOVED)
    points = chunks.in_order([history.as_point(row) for row in rows])
    made = chunks.split(points)
    untidy = untidy or too_deep(session, series_id, made)
    store.add_chunks(session, series_id, made)
    store.remove_tail(session, [row.id for row in rows])
    store.settle(session, series_id, from_tail=len(rows), dropped=len(rows) - len(points), untidy=untidy)


def _merge(session: Session, series_id: int) -> None:
    group = _overlapping(store.heads(session, series_id))
    if not group:
        store.settle(session, series_id, from_tail=0, dropped=0, untidy=False)
        return
    points: list[Point] = []
    for head in group:
        points += history.read_chunk(session, head.id)
    ordered = chunks.in_order(points)
    store.remove_chunks(session, [head.id for head in group])
    store.add_chunks(session, series_id, chunks.split(ordered))
    store.settle(session, series_id, from_tail=0, dropped=len(points) - len(ordered), untidy=True)


def _overlapping(heads: list[store.Head]) -> list[store.Head]:
    """The first chunks (in order) that lie over one another, at most `MERGED`; empty if there are none."""
    group: list[store.Head] = []
    for head in heads:
        if group and head.first >= max(one.last for one in group):
            if len(group) > 1:
                break
            group = []
        group.append(head)
        if len(group) == MERGED:
            break
    return group if len(group) > 1 else []
