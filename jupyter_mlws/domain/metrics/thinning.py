"""Some points of a series, evenly spread over it by their number: what a chart of another program asks for.

Only the chunks that hold one of these points are read.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from jupyter_mlws.domain.metrics import chunks, store
from jupyter_mlws.domain.metrics.history import as_point

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.metrics.chunks import Point

FAR = 2**63 - 1
AT_ONCE = 100
"""Chunks that are read by one statement; about 10 kB each."""

Block = tuple[int, "int | list[Point]"]
"""How many points in order, and these themselves or the id of the chunk that they all are."""


def places(total: int, most: int) -> list[int]:
    """Which of `total` points to take: the first of each of `most` equal parts, and the last one of all instead of the last part's."""
    if total <= most:
        return list(range(total))
    size, longer = divmod(total, most)
    return [n * size + min(n, longer) for n in range(most - 1)] + [total - 1]


def thinned(session: Session, series_id: int, first_step: int, last_step: int, most: int) -> list[Point] | None:
    """At most `most` points of a series with a step from `first_step` to `last_step`; None where chunks lie over one another."""
    blocks = _blocks(session, series_id, first_step, last_step)
    if blocks is None:
        return None
    return list(_at(session, blocks, places(sum(points for points, _ in blocks), most)))


def _blocks(session: Session, series_id: int, first_step: int, last_step: int) -> list[Block] | None:
    begin, end = (first_step, -FAR), (last_step, FAR)
    heads = store.counted_heads(session, series_id, begin, end)
    tail = list(dict.fromkeys(as_point(row) for row in store.tail(session, series_id, start=begin, end=end)))
    if any(one.last >= following.first for (one, _), (following, _) in pairwise(heads)):
        return None
    if heads and tail and tail[0][:2] <= heads[-1][0].last:
        return None
    found: list[Block] = []
    for head, points in heads:
        if begin <= head.first and head.last <= end:
            found.append((points, head.id))
        else:
            inside = [point for point in chunks.decode(store.data_of(session, head.id)) if first_step <= point[0] <= last_step]
            found.append((len(inside), inside))
    return [*found, (len(tail), tail)]


def _at(session: Session, blocks: Sequence[Block], wanted: Sequence[int]) -> Iterator[Point]:
    chosen = list(_chosen(blocks, wanted))
    for start in range(0, len(chosen), AT_ONCE):
        some = chosen[start : start + AT_ONCE]
        data = store.data_of_some(session, [source for source, _ in some if isinstance(source, int)])
        for source, here in some:
            if isinstance(source, int):
                steps, times, values = chunks.decode_columns(data[source], here[-1] + 1)
                yield from ((steps[n], times[n], values[n]) for n in here)
            else:
                yield from (source[n] for n in here)


def _chosen(blocks: Sequence[Block], wanted: Sequence[int]) -> Iterator[tuple[int | list[Point], list[int]]]:
    """The blocks that hold some of the points, and where in them these stand."""
    offset, next_one = 0, 0
    for points, source in blocks:
        here = []
        while next_one < len(wanted) and wanted[next_one] < offset + points:
            here.append(wanted[next_one] - offset)
            next_one += 1
        if here:
            yield source, here
        offset += points
