"""Charts: each bucket keeps its least and greatest point, and both ends are there."""

from __future__ import annotations

import math
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from jupyter_mlws.db.database import Database
from jupyter_mlws.domain.metrics import chunks, history, series, service
from jupyter_mlws.domain.metrics.schemas import MetricPoint
from jupyter_mlws.kit.ids import new_id

values = st.lists(st.one_of(st.floats(-5, 5), st.sampled_from([math.nan, math.inf])), min_size=1, max_size=200)


@given(values, st.integers(1, 60))
def test_each_bucket_keeps_its_least_and_greatest(numbers: list[float], points: int) -> None:
    listed = [(step, 3 * step, value) for step, value in enumerate(numbers)]
    buckets = series.buckets_for(points)
    curve = series.sample(series.cut(listed, buckets), listed[0], listed[-1], points)
    drawn = dict(zip(curve.steps, curve.values, strict=True))
    assert len(drawn) <= max(points, 4)
    assert curve.steps == sorted(drawn)
    assert curve.times == [3 * step for step in curve.steps]
    assert {0, len(numbers) - 1} <= set(drawn)
    for part in chunks.even_parts(listed, buckets):
        kept = [drawn[step] for step, _, _ in part if step in drawn]
        finite = [value for _, _, value in part if math.isfinite(value)]
        if finite:
            assert {min(finite), max(finite)} <= set(kept)
        else:
            assert set(kept) == {None}
    assert curve.not_finite == sum(not math.isfinite(value) for value in numbers)


@given(values, st.integers(1, 60))
def test_columns_give_the_same_chart(numbers: list[float], points: int) -> None:
    listed = [(step, 3 * step, value) for step, value in enumerate(numbers)]
    columns = chunks.Columns([p[0] for p in listed], [p[1] for p in listed], numbers)
    slow = series.sample(series.cut(listed, series.buckets_for(points)), listed[0], listed[-1], points)
    fast = series.sample_columns(columns, points)
    assert fast == (slow if all(map(math.isfinite, numbers)) else None)


@pytest.mark.parametrize("order", ["appended", "over one another", "with a late tail"])
def test_the_chart_of_some_thousand_points_is_that_of_their_history(database: Database, order: str) -> None:
    run = new_id()
    truth = [(n, 2 * n, math.sin(n / 7) * n) for n in range(4_100)]
    listed = [MetricPoint(key="k", step=step, time=time, value=value) for step, time, value in truth]
    parts = {
        "appended": [listed[:2_000], listed[2_000:4_000], listed[4_000:]],
        "over one another": [listed[::2], listed[1::2]],
        "with a late tail": [listed[100:], listed[:100]],
    }[order]
    for part in parts:
        database.write_sync(partial(service.log_points, run_id=run, experiment_id=1, points=part))
    (chart,) = database.read_sync(lambda s: service.series(s, run, ["k"], 1_000)).series
    expected = series.sample(series.cut(truth, series.buckets_for(1_000)), truth[0], truth[-1], 1_000)
    assert (chart.steps, chart.times, chart.values) == (expected.steps, expected.times, expected.values)
    assert (chart.sampled, chart.count, chart.not_finite) == (True, 4_100, 0)


def test_a_long_series_is_drawn_from_headers(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    run = new_id()
    listed = [(step, step, math.sin(step / 50) * step) for step in range(40_000)]
    for start in range(0, 40_000, 8_000):
        sent = [MetricPoint(key="k", step=a, time=b, value=c) for a, b, c in listed[start : start + 8_000]]
        database.write_sync(partial(service.log_points, run_id=run, experiment_id=1, points=sent))
    read: list[int] = []
    original = history.read_chunk

    def counted(session: Session, chunk_id: int) -> list[chunks.Point]:
        read.append(chunk_id)
        return original(session, chunk_id)

    monkeypatch.setattr(history, "read_chunk", counted)
    (chart,) = database.read_sync(lambda s: service.series(s, run, ["k"], 82)).series
    assert len(read) <= 1
    assert (chart.sampled, chart.count, chart.not_finite) == (True, 40_000, 0)
    drawn = set(zip(chart.steps, chart.times, chart.values, strict=True))
    assert len(drawn) <= 82
    assert {listed[0], listed[-1]} <= drawn
    for part in chunks.even_parts(listed, 40):  # one chunk each
        assert {min(part, key=lambda p: p[2]), max(part, key=lambda p: p[2])} <= drawn


def test_a_short_series_is_drawn_whole_and_gaps_are_gaps(database: Database) -> None:
    run = new_id()
    sent = [MetricPoint(key="k", step=n, time=n, value=v) for n, v in enumerate([1.0, math.nan, 2.0, -math.inf])]
    database.write_sync(lambda s: service.log_points(s, run, 1, sent))
    reply = database.read_sync(lambda s: service.series(s, run, ["k", "none", "k"], 4))
    (chart,) = reply.series
    assert (chart.steps, chart.values) == ([0, 1, 2, 3], [1.0, None, 2.0, None])
    assert (chart.count, chart.sampled, chart.not_finite) == (4, False, 2)
