"""The bytes of chunks: what goes in comes out, and anything else is one clean error."""

from __future__ import annotations

import math
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlws.domain.metrics import chunks
from jupyter_mlws.domain.metrics.errors import DamagedChunk

int64 = st.integers(-(2**63), 2**63 - 1)
point = st.tuples(int64, int64, st.floats())


def bits(points: list[chunks.Point]) -> list[tuple[int, int, bytes]]:
    """Points with the very bits of their values; NaNs are all alike."""
    return [(step, time, struct.pack("<d", value if value == value else math.nan)) for step, time, value in points]


def distinct(points: list[chunks.Point]) -> list[chunks.Point]:
    return chunks.in_order([(step, time, value + 0.0 if value == value else math.nan) for step, time, value in points])


@given(st.lists(point, min_size=1, max_size=50))
def test_points_come_back_bit_for_bit(points: list[chunks.Point]) -> None:
    assert bits(chunks.decode(chunks.encode(points))) == bits(points)


@pytest.mark.parametrize(("first", "stride"), [(0, 1), (5, 0), (-(2**60), 2**40), (2**62, -(2**50)), (-(2**63), 1)])
def test_even_steps_take_no_room(first: int, stride: int) -> None:
    points = [(first + stride * n, 5, 1.0) for n in range(1000)]
    packed = chunks.encode(points)
    assert chunks.decode(packed) == points
    assert len(packed) < 150


@given(st.binary(max_size=200))
def test_random_bytes_are_a_damaged_chunk(data: bytes) -> None:
    with pytest.raises(DamagedChunk):
        chunks.decode(data)


@given(st.one_of(st.integers(0, 5), st.integers(0, 2**32 - 1)), st.integers(0, 40), st.integers(0, 40), st.binary(max_size=120))
def test_random_bytes_with_a_right_checksum_are_no_other_error(count: int, steps: int, times: int, rest: bytes) -> None:
    body = struct.pack("<III", count, steps, times) + rest
    try:
        points = chunks.decode(struct.pack("<BI", 1, zlib.crc32(body)) + body)
    except DamagedChunk:
        return
    assert len(points) == count


@given(st.lists(point, min_size=1, max_size=40), st.data())
def test_one_changed_byte_is_found(points: list[chunks.Point], data: st.DataObject) -> None:
    packed = bytearray(chunks.encode(points))
    packed[data.draw(st.integers(0, len(packed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(DamagedChunk):
        chunks.decode(bytes(packed))


def test_a_bomb_does_not_unpack() -> None:
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = b"\x02" + bomb.compress(bytes(50_000_000)) + bomb.flush()
    body = struct.pack("<III", 3, len(packed), 0) + packed
    with pytest.raises(DamagedChunk):
        chunks.decode(struct.pack("<BI", 1, zlib.crc32(body)) + body)


@pytest.mark.parametrize("packed", [b"", b"x" * 71, b"x" * 73])
def test_pieces_of_a_wrong_length_are_damaged(packed: bytes) -> None:
    with pytest.raises(DamagedChunk):
        chunks.read_pieces(packed)


@given(st.lists(point, min_size=1, max_size=60))
def test_the_header_tells_the_truth(listed: list[chunks.Point]) -> None:
    points = distinct(listed)
    chunk = chunks.make_chunk(points)
    finite = [value for _, _, value in points if math.isfinite(value)]
    assert (chunk.first, chunk.last, chunk.points) == (points[0][:2], points[-1][:2], len(points))
    assert chunk.not_finite == len(points) - len(finite)
    assert (chunk.min_value, chunk.max_value) == (min(finite, default=None), max(finite, default=None))
    pieces = chunks.read_pieces(chunk.pieces)
    for piece, part in zip(pieces, chunks.even_parts(points, chunks.PIECES), strict=True):
        assert (piece.first, piece.points) == (part[0][:2], len(part))
        numbers = [value for _, _, value in part if math.isfinite(value)]
        if numbers:
            assert {(*piece.low_at, min(numbers)), (*piece.high_at, max(numbers))} <= set(part)
        else:
            assert math.isnan(piece.low)
            assert math.isnan(piece.high)


@given(st.lists(point, min_size=1, max_size=60), st.integers(1, 70))
def test_parts_are_even(listed: list[chunks.Point], number: int) -> None:
    parts = chunks.even_parts(listed, number)
    assert [one for part in parts for one in part] == listed
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_split_makes_chunks_of_about_a_thousand() -> None:
    for number in (1, 999, 1499, 1500, 2499, 10_000):
        sizes = [chunk.points for chunk in chunks.split([(n, 0, 0.0) for n in range(number)])]
        assert sum(sizes) == number
        assert max(sizes) < 1500
        assert number < 500 or min(sizes) >= 500
    assert chunks.split([]) == []
