"""Reading the points of a series in order, from chunks and tail together, without holding the whole series."""

from __future__ import annotations

import heapq
import math
from bisect import bisect_left, bisect_right
from operator import itemgetter
from typing import TYPE_CHECKING

from jupyter_mlws.domain.metrics import chunks, store
from jupyter_mlws.domain.metrics.chunks import Columns, Place, Point, in_order, point_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy.orm import Session

TAIL_BLOCK = 2_000
CHECKED_CHUNKS = 24
"""Most chunks that one batch of points is compared with when it is logged."""

Source = tuple[Place, int | list[Point]]
"""Where a block of points in order begins, and the block itself or the id of the chunk that holds it."""


def as_point(row: store.TailPoint) -> Point:
    """A row of the tail as a point."""
    return row.step, row.time, math.nan if row.value is None else row.value


def read_chunk(session: Session, chunk_id: int) -> list[Point]:
    """The points of a chunk. Raises `DamagedChunk`."""
    return chunks.decode(store.data_of(session, chunk_id))


def blocks(session: Session, series_id: int, after: Point | None = None) -> Iterator[list[Point]]:
    """The points behind `after` in the order of (step, time, value), NaN last, identical ones once.

    Chunks are read when the sweep reaches their first point, so memory holds only the blocks that overlap there.
    """
    sources = heapq.merge(_chunk_sources(session, series_id, after), _tail_sources(session, series_id, after), key=itemgetter(0))
    held: list[Point] = []
    for begins, source in sources:
        ready = bisect_left(held, begins, key=place_of)
        if ready:
            yield from _behind(held[:ready], after)
            held = held[ready:]
        block = read_chunk(session, source) if isinstance(source, int) else source
        held = in_order(held + block) if held else block
    yield from _behind(held, after)


def place_of(point: Point) -> Place:
    """(step, time) of a point."""
    return point[:2]


def _behind(points: list[Point], after: Point | None) -> Iterator[list[Point]]:
    if points and after is not None and points[0][:2] <= after[:2]:
        points = points[bisect_right(points, point_order(after), key=point_order) :]
    if points:
        yield points


def _chunk_sources(session: Session, series_id: int, after: Point | None) -> Iterator[Source]:
    for head in store.heads(session, series_id, start=None if after is None else after[:2]):
        yield head.first, head.id


def _tail_sources(session: Session, series_id: int, after: Point | None) -> Iterator[Source]:
    while True:
        behind = None if after is None else (*after[:2], None if math.isnan(after[2]) else after[2])
        points = [as_point(row) for row in store.tail(session, series_id, after=behind, limit=TAIL_BLOCK)]
        if not points:
            return
        yield points[0][:2], list(dict.fromkeys(points))
        if len(points) < TAIL_BLOCK:
            return
        after = points[-1]


def columns(session: Session, series_id: int) -> Columns | None:
    """All points in order, as `blocks` gives them; None where chunks and tail lie over one another and must be merged."""
    found = Columns([], [], [])
    end: Place | None = None
    for first, last, data in store.chunks_of(session, series_id):
        if end is not None and first <= end:
            return None
        steps, times, values = chunks.decode_columns(data)
        found.steps.extend(steps)
        found.times.extend(times)
        found.values.extend(values)
        end = last
    tail = list(dict.fromkeys(as_point(row) for row in store.tail(session, series_id)))
    if tail and end is not None and tail[0][:2] <= end:
        return None
    for step, time, value in tail:
        found.steps.append(step)
        found.times.append(time)
        found.values.append(value)
    return found


def known(session: Session, asked: dict[int, list[Point]]) -> tuple[dict[int, set[Point]], set[int]]:
    """What is stored at the places of some points (in order, at least one each), by series id.

    The second result names the series for which that is not certain, because too many chunks would have to be read.
    """
    found: dict[int, set[Point]] = {series_id: set() for series_id in asked}
    places = [(series_id, point[0], point[1]) for series_id, points in asked.items() for point in points]
    for series_id, step, time, value in store.tail_at(session, places):
        found[series_id].add((step, time, math.nan if value is None else value))
    uncertain: set[int] = set()
    left = CHECKED_CHUNKS
    ends = [(series_id, *points[0][:2], *points[-1][:2]) for series_id, points in asked.items()]
    for series_id, head in store.heads_over(session, ends):
        points = asked[series_id]
        if bisect_left(points, head.first, key=place_of) == bisect_right(points, head.last, key=place_of):
            continue
        if left == 0:
            uncertain.add(series_id)
            continue
        left -= 1
        found[series_id].update(read_chunk(session, head.id))
    return found, uncertain


def spans(items: Iterable[store.Head | chunks.Chunk]) -> list[tuple[Place, Place]]:
    """(first, last) of chunks."""
    return [(item.first, item.last) for item in items]


def depth(covered: Iterable[tuple[Place, Place]]) -> int:
    """The greatest number of spans (first, last) that lie over one another; spans that only touch do not."""
    deepest = 0
    ends: list[Place] = []
    for first, last in sorted(covered):
        while ends and ends[0] <= first:
            heapq.heappop(ends)
        heapq.heappush(ends, last)
        deepest = max(deepest, len(ends))
    return deepest
