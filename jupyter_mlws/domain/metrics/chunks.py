"""Points as bytes: the format of `metric_chunk.data` and `metric_chunk.pieces`. Standard library only.

`data`, little-endian: version (u8) · crc32 of all that follows (u32) · count (u32) · bytes of the steps (u32) · bytes of the
times (u32) · steps · times · values. A column of integers starts with its kind (u8):

| kind | then | used when |
|---|---|---|
| 0 | first (i64), stride (i64) | each is the one before plus the stride |
| 1 | first (i64), deflate of the differences (i64 each), bytes regrouped by significance | differences fit in 64 bits |
| 2 | deflate of the integers (i64 each) | else |

Values are the deflate of float64. NaN comes back as `math.nan` itself, so that equal points are equal tuples; infinities and
all other values come back bit for bit (-0.0 is stored as 0.0 by the service).

`pieces`: the points cut into 4 runs of equal length, 72 bytes each: see `Piece`.
"""

from __future__ import annotations

import math
import struct
import sys
import zlib
from array import array
from itertools import accumulate, pairwise
from operator import sub
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from jupyter_mlws.domain.metrics.errors import DamagedChunk

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")
N = TypeVar("N", int, float)

Point = tuple[int, int, float]
"""(step, time in ms, value)."""
Place = tuple[int, int]
"""(step, time): where a point stands."""

CHUNK_POINTS = 1_000
PIECES = 4
MAX_POINTS = 1_000_000
"""No chunk is that large; a count above it is damage."""

_VERSION = 1
_HEAD = struct.Struct("<BIIII")
_CHECKED_FROM = 5
_RAMP = struct.Struct("<Bqq")
_START = struct.Struct("<Bq")
_PIECE = struct.Struct("<qqqqdqqdII")


class Piece(NamedTuple):
    """What a chart needs of a run of points: the places and values of its least and greatest finite ones.

    Without a finite value `low` and `high` are NaN. `points` is the number of points, the `not_finite` ones included.
    """

    first: Place
    low_at: Place
    low: float
    high_at: Place
    high: float
    points: int
    not_finite: int


class Columns(NamedTuple):
    """Points in order, distinct, a column each."""

    steps: list[int]
    times: list[int]
    values: list[float]


class Chunk(NamedTuple):
    """A chunk ready to be stored: header columns and bytes."""

    first: Place
    last: Place
    points: int
    not_finite: int
    min_value: float | None
    max_value: float | None
    pieces: bytes
    data: bytes


def point_order(point: Point) -> tuple[int, int, bool, float]:
    """Sort key of points: step, time, value, NaN last."""
    return point[0], point[1], point[2] != point[2], point[2]


def in_order(points: list[Point]) -> list[Point]:
    """The points in order, identical ones collapsed. NaNs must be `math.nan`. `points` itself may be sorted."""
    if any(p[2] != p[2] for p in points):
        points.sort(key=point_order)
    else:
        points.sort()
    return list(dict.fromkeys(points))


def even_parts(items: Sequence[T], number: int) -> list[Sequence[T]]:
    """The items cut into `number` runs of nearly equal length (fewer when there are fewer items)."""
    number = min(number, len(items))
    edges = [i * len(items) // number for i in range(number + 1)] if number else []
    return [items[a:b] for a, b in pairwise(edges)]


def piece_of(points: Sequence[Point]) -> Piece:
    """The piece that stands for a run of points in order; at least one."""
    finite = [p[2] for p in points if math.isfinite(p[2])]
    first = points[0][:2]
    if not finite:
        return Piece(first, first, math.nan, first, math.nan, len(points), len(points))
    low, high = min(finite), max(finite)
    values = [p[2] for p in points]
    low_at, high_at = points[values.index(low)][:2], points[values.index(high)][:2]
    return Piece(first, low_at, low, high_at, high, len(points), len(points) - len(finite))


def make_chunk(points: Sequence[Point]) -> Chunk:
    """A chunk of points that are in order and distinct; at least one."""
    pieces = [piece_of(part) for part in even_parts(points, PIECES)]
    lows = [piece.low for piece in pieces if piece.low == piece.low]
    return Chunk(
        first=points[0][:2],
        last=points[-1][:2],
        points=len(points),
        not_finite=sum(piece.not_finite for piece in pieces),
        min_value=min(lows, default=None),
        max_value=max((piece.high for piece in pieces if piece.high == piece.high), default=None),
        pieces=b"".join(_PIECE.pack(*p.first, *p.low_at, p.low, *p.high_at, p.high, p.points, p.not_finite) for p in pieces),
        data=encode(points),
    )


def split(points: Sequence[Point]) -> list[Chunk]:
    """Chunks of about `CHUNK_POINTS` points each (less than half as many more), for points that are in order and distinct."""
    number = max(1, (len(points) + CHUNK_POINTS // 2) // CHUNK_POINTS)
    return [make_chunk(part) for part in even_parts(points, number)] if points else []


def read_pieces(packed: bytes) -> list[Piece]:
    """The pieces in a header. Raises `DamagedChunk`."""
    if not packed or len(packed) % _PIECE.size:
        raise DamagedChunk("The header of a chunk of metric points has a wrong length; restore the database from a backup.")
    rows = _PIECE.iter_unpack(packed)
    return [Piece((a, b), (c, d), low, (e, f), high, points, bad) for a, b, c, d, low, e, f, high, points, bad in rows]


def encode(points: Sequence[Point]) -> bytes:
    """The bytes of points (at least one)."""
    steps, times, values = zip(*points, strict=True)
    step_bytes, time_bytes = _pack_integers(steps), _pack_integers(times)
    value_bytes = _deflate(_little(array("d", values)).tobytes())
    body = struct.pack("<III", len(points), len(step_bytes), len(time_bytes)) + step_bytes + time_bytes + value_bytes
    return struct.pack("<BI", _VERSION, zlib.crc32(body)) + body


def decode(data: bytes) -> list[Point]:
    """The points in the bytes made by `encode`. Raises `DamagedChunk` for any other bytes."""
    steps, times, values = decode_columns(data)
    numbers: Sequence[float] = values
    if (total := sum(values)) != total:
        numbers = [v if v == v else math.nan for v in values]
    return list(zip(steps, times, numbers, strict=True))


def decode_columns(data: bytes, values_of: int = MAX_POINTS) -> tuple[Sequence[int], Sequence[int], array[float]]:
    """Steps, times and values of the points, a column each: what is cheap where no single point is asked for.

    `values_of`: the values of so many points at most, the first ones; the others need not be unpacked.
    """
    try:
        count, step_size, time_size = _checked_head(data)
        times_from = _HEAD.size + step_size
        values_from = times_from + time_size
        steps = _unpack_integers(data[_HEAD.size : times_from], count)
        times = _unpack_integers(data[times_from:values_from], count)
        values = _little(array("d", _inflate(data[values_from:], 8 * min(count, values_of))))
    except (ValueError, OverflowError, struct.error, zlib.error) as error:
        raise DamagedChunk(f"A chunk of metric points is damaged ({error}); restore the database from a backup.") from error
    if not len(steps) == len(times) == count:
        raise DamagedChunk("A chunk of metric points is damaged (length of a column); restore the database from a backup.")
    return steps, times, values


def _checked_head(data: bytes) -> tuple[int, int, int]:
    version, checksum, count, step_size, time_size = _HEAD.unpack_from(data)
    if version != _VERSION or not 0 < count <= MAX_POINTS or checksum != zlib.crc32(memoryview(data)[_CHECKED_FROM:]):
        raise ValueError("version, count or checksum")
    return count, step_size, time_size


def _pack_integers(numbers: Sequence[int]) -> bytes:
    try:
        steps = array("q", map(sub, numbers[1:], numbers))
    except OverflowError:
        return b"\x02" + _deflate(_little(array("q", numbers)).tobytes())
    if not steps or steps.count(steps[0]) == len(steps):
        return _RAMP.pack(0, numbers[0], steps[0] if steps else 0)
    return _START.pack(1, numbers[0]) + _deflate(_regroup(_little(steps).tobytes()))


def _unpack_integers(packed: bytes, count: int) -> Sequence[int]:
    kind = packed[0] if packed else -1
    if kind == 0:
        _, first, stride = _RAMP.unpack(packed)
        return range(first, first + stride * count, stride) if stride else [first] * count
    if kind == 1:
        _, first = _START.unpack_from(packed)
        raw = _ungroup(_inflate(packed[_START.size :], 8 * (count - 1)))
        return list(accumulate(_little(array("q", raw)), initial=first))
    if kind == 2:
        return _little(array("q", _inflate(packed[1:], 8 * count)))
    raise ValueError("kind of a column")


def _regroup(raw: bytes) -> bytes:
    """All first bytes, then all second bytes, ...: differences are small, so most of that is zeros."""
    return b"".join([raw[i::8] for i in range(8)])


def _ungroup(raw: bytes) -> bytes:
    out, part = bytearray(len(raw)), len(raw) // 8
    for i in range(8):
        out[i::8] = raw[i * part : (i + 1) * part]
    return bytes(out)


def _deflate(raw: bytes) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    return packer.compress(raw) + packer.flush()


def _inflate(packed: bytes, size: int) -> bytes:
    raw = zlib.decompressobj(-15).decompress(packed, size) if size else b""
    if len(raw) != size:
        raise ValueError("length of a column")
    return raw


def _little(column: array[N]) -> array[N]:
    """`column` with its bytes in little-endian order (or back from it), changed in place."""
    if sys.byteorder == "big":
        column.byteswap()
    return column
