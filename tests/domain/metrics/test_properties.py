"""Whatever is logged, in whatever order: the store answers as a plain list of points would.

The limits of the store are made tiny, so that a few points already fill tails and chunks, overlap, and are merged.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_mlws.domain.metrics import chunks, history, series, service, store, tasks
from jupyter_mlws.domain.metrics.schemas import MetricPoint, MetricSummary
from jupyter_mlws.kit.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from jupyter_mlws.db.database import Database
    from jupyter_mlws.domain.metrics.chunks import Point

INT64 = 2**63 - 1
values = st.one_of(st.sampled_from([0.0, -0.0, 1.0, -1.5, math.nan, math.inf, -math.inf, 5e-324]), st.floats(width=64))
steps = st.one_of(st.integers(-3, 12), st.sampled_from([-INT64 - 1, INT64]), st.integers(-INT64 - 1, INT64))
times = st.one_of(st.integers(0, 3), st.sampled_from([253_402_300_799_999]))
batches = st.lists(st.lists(st.tuples(steps, times, values), min_size=1, max_size=12), min_size=1, max_size=9)


@pytest.fixture(scope="module", params=[100, 1], ids=["all compared", "hardly any compared"])
def certain(request: pytest.FixtureRequest) -> Iterator[bool]:
    """Tiny limits; whether each batch is compared with all that is stored."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(service, "DIRECT_CHUNK", 4)
        patch.setattr(service, "DEEPEST", 1)
        patch.setattr(chunks, "CHUNK_POINTS", 5)
        patch.setattr(series, "CHUNK_POINTS", 5)
        patch.setattr(tasks, "KEEP", 6)
        patch.setattr(tasks, "MOVED", 5)
        patch.setattr(tasks, "MERGED", 3)
        patch.setattr(history, "TAIL_BLOCK", 3)
        patch.setattr(history, "CHECKED_CHUNKS", request.param)
        yield request.param > 1


def order(point: Point) -> tuple[int, int, bool, float]:
    return point[0], point[1], math.isnan(point[2]), 0.0 if math.isnan(point[2]) else point[2]


def distinct(points: list[Point]) -> list[Point]:
    """The naive history: each point once, in order."""
    return list({order(point): point for point in sorted(points, key=order)}.values())


def wire(points: list[Point]) -> list[tuple[int, int, float | str]]:
    words = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
    return [(step, time, words.get(str(value), value)) for step, time, value in points]


def naive_summary(points: list[Point], count: int) -> MetricSummary:
    numbers = [p[2] for p in points if not math.isnan(p[2])] or [math.nan]
    last = max(points, key=lambda p: (p[0], p[1], 0.0 if math.isnan(p[2]) else p[2], not math.isnan(p[2])))
    (_, _, end), (_, _, low), (_, _, high) = wire([last, (0, 0, min(numbers)), (0, 0, max(numbers))])
    return MetricSummary(key="k", last=end, min=low, max=high, step=last[0], time=last[1], count=count)  # type: ignore[arg-type]


def check(session: Session, run: str, logged: list[Point], *, certain: bool) -> None:
    expected = distinct(logged)
    assert list(service.iter_history(session, run, "k")) == wire(expected)
    found = service.summaries(session, [run], ["k"])[run]["k"]
    if certain:
        assert found == naive_summary(expected, len(expected))
    else:
        assert len(expected) <= found.count <= len(logged)
        assert found == naive_summary(expected, found.count)
    check_pages(session, run, wire(expected))
    check_chart(session, run, expected)


def check_pages(session: Session, run: str, expected: list[tuple[int, int, float | str]]) -> None:
    read: list[tuple[int, int, float | str]] = []
    cursor = None
    while True:
        page = service.history(session, run, "k", cursor, 4)
        read += zip(page.steps, page.times, page.values, strict=True)
        if (cursor := page.next_cursor) is None:
            break
    assert read == expected


def check_chart(session: Session, run: str, expected: list[Point]) -> None:
    shown = {(step, time, value if math.isfinite(value) else None) for step, time, value in expected}
    finite = [value for _, _, value in expected if math.isfinite(value)]
    for points in (1, 10, 1000):
        (chart,) = service.series(session, run, ["k"], points).series
        drawn = list(zip(chart.steps, chart.times, chart.values, strict=True))
        assert set(drawn) <= shown
        assert [p[:2] for p in drawn] == sorted(p[:2] for p in drawn)
        assert (drawn[0][:2], drawn[-1][:2]) == (expected[0][:2], expected[-1][:2])
        assert len(drawn) <= max(points, 4) or not chart.sampled
        kept = [value for value in chart.values if value is not None]
        assert not finite or (min(kept), max(kept)) == (min(finite), max(finite))
        if not chart.sampled:
            assert set(drawn) == shown


def replay(session: Session, logged: list[list[Point]], *, certain: bool) -> None:
    """Log the batches with steps of compaction between them, and compare before and after all of it is done."""
    run = new_id()
    so_far: list[Point] = []
    for n, batch in enumerate(logged):
        sent = [MetricPoint(key="k", step=step, time=time, value=value) for step, time, value in batch]
        new = service.log_points(session, run, 1, sent)
        so_far += batch
        if certain:
            assert new == len(distinct(so_far)) - len(distinct(so_far[: -len(batch)]))
        if n % 3 == 1:
            tasks.compact(session, store.ids_of(session, run, ["k"])["k"])
    check(session, run, so_far, certain=certain)
    number = store.ids_of(session, run, ["k"])["k"]
    ended = any(not tasks.compact(session, number) for _ in range(500))
    assert ended, "compaction does not end"
    check(session, run, so_far, certain=certain)


def test_history_and_summaries_are_those_of_a_plain_list(database: Database, certain: bool) -> None:
    @settings(
        max_examples=25 if database.writer_engine.dialect.name == "sqlite" else 6, deadline=None
    )  # what differs is little SQL
    @given(logged=batches)
    def holds(logged: list[list[Point]]) -> None:
        database.write_sync(lambda s: replay(s, logged, certain=certain))

    holds()
