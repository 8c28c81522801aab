"""A metric prepared for a chart: the least and the greatest point of each bucket. Pure; see `MetricSeries`.

Buckets hold nearly equal numbers of points in the order of (step, time). They are made of whole pieces, so a long series is
drawn from the headers of its chunks and no chunk but the first is read.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from jupyter_mlws.domain.metrics.chunks import CHUNK_POINTS, PIECES, Piece, even_parts, piece_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jupyter_mlws.domain.metrics.chunks import Columns, Place, Point


class Curve(NamedTuple):
    """Columns of a chart; None is a gap."""

    steps: list[int]
    times: list[int]
    values: list[float | None]
    not_finite: int


def buckets_for(points: int) -> int:
    """How many buckets a chart of at most `points` points has: two points each, and both ends."""
    return max(1, (points - 2) // 2)


def cut(points: Sequence[Point], number: int) -> list[Piece]:
    """Points (in order) as `number` pieces of nearly equal length."""
    return [piece_of(part) for part in even_parts(points, number)]


def cut_tail(points: Sequence[Point]) -> list[Piece]:
    """Points (in order) as pieces of the size that those of chunks have."""
    return cut(points, -(-len(points) * PIECES // CHUNK_POINTS))


def whole(points: Iterable[Point]) -> Curve:
    """All points, for a series that is short enough."""
    listed = list(points)
    values = [p[2] if math.isfinite(p[2]) else None for p in listed]
    return Curve([p[0] for p in listed], [p[1] for p in listed], values, values.count(None))


def sample(pieces: list[Piece], first: Point, last: Point, points: int) -> Curve:
    """At most `max(points, 4)` points: `first`, `last`, and for each bucket its least and greatest, or a gap if it has no number.

    `pieces` (at least one) in any order; where they overlap, so do the buckets.
    """
    pieces.sort(key=_first)
    chosen: set[tuple[int, int, float | None]] = {(*p[:2], p[2] if math.isfinite(p[2]) else None) for p in (first, last)}
    for bucket in even_parts(pieces, buckets_for(points)):
        numbers = [piece for piece in bucket if piece.low == piece.low]
        if not numbers:
            chosen.add((*bucket[0].first, None))
            continue
        low, high = min(numbers, key=_low), max(numbers, key=_high)
        chosen.add((*low.low_at, low.low))
        chosen.add((*high.high_at, high.high))
    ordered = sorted(chosen, key=_place_and_value)
    return Curve(
        [p[0] for p in ordered], [p[1] for p in ordered], [p[2] for p in ordered], sum(piece.not_finite for piece in pieces)
    )


def sample_columns(columns: Columns, points: int) -> Curve | None:
    """What `sample` makes of all points, in a tenth of its time; None if a value is not finite, which only `sample` can tell."""
    steps, times, values = columns
    if not math.isfinite(sum(values)):
        return None
    chosen = [0]
    number = min(buckets_for(points), len(values))
    edges = [i * len(values) // number for i in range(number + 1)]
    for start, end in pairwise(edges):
        bucket = values[start:end]
        low, high = start + bucket.index(min(bucket)), start + bucket.index(max(bucket))
        chosen += (low, high) if low <= high else (high, low)
    chosen.append(len(values) - 1)
    places = list(dict.fromkeys(chosen))
    return Curve([steps[i] for i in places], [times[i] for i in places], [values[i] for i in places], 0)


def _first(piece: Piece) -> Place:
    return piece.first


def _low(piece: Piece) -> float:
    return piece.low


def _high(piece: Piece) -> float:
    return piece.high


def _place_and_value(point: tuple[int, int, float | None]) -> tuple[int, int, bool, float]:
    return point[0], point[1], point[2] is None, point[2] or 0.0
