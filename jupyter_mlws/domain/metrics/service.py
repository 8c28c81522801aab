"""Rules of metrics. Whether the caller may see a run is for the slice of runs to say; here a run id is only a name."""

from __future__ import annotations

import math
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from jupyter_mlws.domain.metrics import batch, chunks, statements, store, thinning
from jupyter_mlws.domain.metrics import history as reading
from jupyter_mlws.domain.metrics import series as charts
from jupyter_mlws.domain.metrics.batch import Series
from jupyter_mlws.domain.metrics.schemas import MetricHistory, MetricList, MetricSeries, MetricSummary, SeriesReply
from jupyter_mlws.kit.errors import BadInput
from jupyter_mlws.kit.pagination import decode_cursor, encode_cursor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.orm import Session

    from jupyter_mlws.db.shortcut import Plain
    from jupyter_mlws.domain.metrics.chunks import Chunk, Point
    from jupyter_mlws.domain.metrics.schemas import MetricPoint
    from jupyter_mlws.kit.fields import MetricValue

DIRECT_CHUNK = 500
"""From this many points of one key in a batch on they are stored as chunks at once."""
DEEPEST = 4
"""So many chunks may lie over one another before compaction merges them."""
BEST_AT_ONCE = 50
_INT64 = range(-(2**63), 2**63)


# --- writing -----------------------------------------------------------------------------------------------------------


def log_points(session: Session, run_id: str, experiment_id: int, points: Sequence[MetricPoint]) -> int:
    """Store points of one run and return how many were new; a point that is stored already is left out.

    Only when a batch lies over more than 24 stored chunks it is not compared with all of them; identical points are then
    counted twice until compaction, and read once.
    """
    grouped = batch.by_key(points)
    if not grouped:
        return 0
    there = store.series_of(session, run_id, list(grouped))
    uncertain = _leave_out_known(session, grouped, there)
    made: dict[str, list[Chunk]] = {}
    new_stands, changed = [], []
    for key, some in grouped.items():
        series = there.get(key)
        untidy = series is not None and series.id in uncertain
        if len(some) >= DIRECT_CHUNK:
            made[key] = chunks.split(some)
            untidy = untidy or (series is not None and too_deep(session, series.id, made[key]))
        stand = batch.stand_of(some, in_tail=key not in made, untidy=untidy)
        if series is None:
            new_stands.append((key, stand))
        else:
            changed.append(Series(series.id, batch.together(series.stand, stand)))
    ids = {key: series.id for key, series in there.items()}
    store.set_series(session, changed)
    if new_stands:
        store.add_series(session, run_id, experiment_id, new_stands)
        ids.update(store.ids_of(session, run_id, [key for key, _ in new_stands]))
    for key, some_chunks in made.items():
        store.add_chunks(session, ids[key], some_chunks)
    store.add_tail(
        session,
        [
            (ids[key], step, time, value if value == value else None)
            for key, some in grouped.items()
            if key not in made
            for step, time, value in some
        ],
    )
    return sum(map(len, grouped.values()))


def append(connection: Plain, run_id: str, point: MetricPoint) -> bool:
    """In a shortcut on SQLite: as `log_points` for one point that lies behind the last one of its series. False: nothing was done."""
    ((key, points),) = batch.by_key([point]).items()
    return store.append(connection, run_id, key, points[0])


def appending(rows: str) -> str:
    """The same on PostgreSQL, as parts of a statement (see `statements.appending`)."""
    return statements.appending(rows)


def column_value(value: float) -> float | None:
    """A value as columns have it: NaN is NULL, and -0.0, which SQLite does not keep, is 0.0."""
    return value + 0.0 if value == value else None


def _leave_out_known(session: Session, grouped: dict[str, list[Point]], there: dict[str, Series]) -> set[int]:
    """Drop the points that are stored already; the ids of series for which that is not certain.

    Points behind the last one of their series are new, so what is only appended costs nothing here.
    """
    late = {series.id: key for key, series in there.items() if not series.appended(grouped[key])}
    if not late:
        return set()
    known, uncertain = reading.known(session, {series_id: grouped[key] for series_id, key in late.items()})
    for series_id, key in late.items():
        grouped[key] = [point for point in grouped[key] if point not in known[series_id]]
        if not grouped[key]:
            del grouped[key]
    return uncertain


def too_deep(session: Session, series_id: int, made: list[Chunk]) -> bool:
    """Whether with these chunks too many of a series would lie over one another."""
    beside = store.heads(session, series_id, made[0].first, made[-1].last)
    return reading.depth([*reading.spans(beside), *reading.spans(made)]) > DEEPEST


def delete_of_runs(session: Session, run_ids: Sequence[str]) -> None:
    """Remove all metrics of runs."""
    store.remove_runs(session, run_ids)


def move_run(session: Session, run_id: str, experiment_id: int) -> None:
    """Note that a run belongs to another experiment now."""
    store.move_run(session, run_id, experiment_id)


# --- reading -----------------------------------------------------------------------------------------------------------


def wire_value(value: float | None) -> MetricValue:
    """A value as the wire has it; None and NaN are both NaN."""
    if value is None or value != value:
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def summaries(session: Session, run_ids: Sequence[str], keys: Sequence[str] | None = None) -> dict[str, dict[str, MetricSummary]]:
    """Summaries by run id and key, of all keys or of these; a run without metrics is left out."""
    found: dict[str, dict[str, MetricSummary]] = {}
    for row in store.latest_of_runs(session, run_ids, keys):
        found.setdefault(row.run_id, {})[row.key] = _summary(row)
    return found


class LatestPoint(NamedTuple):
    """The last point of a metric."""

    key: str
    value: float | None
    """None is NaN."""
    time: int
    step: int


def latest_points(session: Session, run_ids: Sequence[str]) -> dict[str, list[LatestPoint]]:
    """The last point of every metric, by run id."""
    found: dict[str, list[LatestPoint]] = {}
    for row in store.latest_of_runs(session, run_ids, None):
        found.setdefault(row.run_id, []).append(LatestPoint(row.key, row.value, row.time, row.step))
    return found


def list_metrics(session: Session, run_id: str) -> MetricList:
    """All metrics of a run, by key."""
    return MetricList(metrics=[_summary(row) for row in store.latest_of_runs(session, [run_id], None)])


def _summary(row: store.Latest) -> MetricSummary:
    return MetricSummary(
        key=row.key,
        last=wire_value(row.value),
        min=wire_value(row.min_value),
        max=wire_value(row.max_value),
        step=row.step,
        time=row.time,
        count=row.points,
    )


def best_of_experiment(
    session: Session,
    experiment_id: int,
    key: str,
    direction: str,
    exclude_run_ids: Sequence[str] = (),
    limit: int = BEST_AT_ONCE,
) -> list[tuple[str, MetricValue]]:
    """(run id, last value) of the best runs of an experiment by one metric, the best first; NaN never counts.

    `direction` is `maximize` or `minimize`. At most `limit` runs, deleted ones among them: the caller knows which those are,
    and asks again without them if it needs more.
    """
    greatest = direction == "maximize"
    found = store.best(session, experiment_id, key, greatest=greatest, without=exclude_run_ids, limit=limit)
    return [(run_id, wire_value(value)) for run_id, value in found]


def series(session: Session, run_id: str, keys: Sequence[str], points: int) -> SeriesReply:
    """Charts of those of `keys` that the run has, in the order of `keys`, each of at most `max(points, 4)` points."""
    rows = {row.key: row for row in store.latest_of_runs(session, [run_id], list(dict.fromkeys(keys)))}
    return SeriesReply(series=[_chart(session, rows[key], points) for key in dict.fromkeys(keys) if key in rows])


def _chart(session: Session, row: store.Latest, points: int) -> MetricSeries:
    if row.points <= points:
        curve, sampled = charts.whole(chain.from_iterable(reading.blocks(session, row.id))), False
    else:
        curve, sampled = _sample(session, row, points), True
    return MetricSeries(
        key=row.key,
        steps=curve.steps,
        times=curve.times,
        values=curve.values,
        count=row.points if sampled else len(curve.steps),
        sampled=sampled,
        not_finite=curve.not_finite,
    )


def _sample(session: Session, row: store.Latest, points: int) -> charts.Curve:
    """From headers if they hold at least half as many pieces as there are buckets, else from all points."""
    buckets = charts.buckets_for(points)
    last = (row.step, row.time, math.nan if row.value is None else row.value)
    if row.points // chunks.CHUNK_POINTS * chunks.PIECES < buckets // 2:
        columns = reading.columns(session, row.id)
        curve = None if columns is None else charts.sample_columns(columns, points)
        if curve is not None:
            return curve
        everything = list(chain.from_iterable(reading.blocks(session, row.id)))
        return charts.sample(charts.cut(everything, buckets), everything[0], last, points)
    pieces = [piece for packed in store.pieces_of(session, row.id) for piece in chunks.read_pieces(packed)]
    tail = [reading.as_point(found) for found in store.tail(session, row.id)]
    first = next(reading.blocks(session, row.id))[0]
    return charts.sample(pieces + charts.cut_tail(tail), first, last, points)


def history(session: Session, run_id: str, key: str, cursor: str | None, limit: int) -> MetricHistory:
    """One page of a metric in the order of (step, time, value); empty if the run has no such metric.

    The next page begins behind the last point of this one, whatever was logged meanwhile. Raises `BadInput` for a cursor
    that this function did not make.
    """
    page: list[Point] = []
    after = _after(cursor) if cursor else None
    for row in store.latest_of_runs(session, [run_id], [key]):
        for block in reading.blocks(session, row.id, after):
            page += block
            if len(page) > limit:
                break
    more = len(page) > limit
    del page[limit:]
    return MetricHistory(
        key=key,
        steps=[p[0] for p in page],
        times=[p[1] for p in page],
        values=[p[2] if math.isfinite(p[2]) else wire_value(p[2]) for p in page],
        next_cursor=encode_cursor(page[-1][0], page[-1][1], page[-1][2].hex()) if more else None,
    )


def _after(cursor: str) -> Point:
    """The point that a cursor stands for."""
    step, time, value = decode_cursor(cursor, 3)
    try:
        number = float.fromhex(value)
    except (TypeError, ValueError, OverflowError):
        number = None
    if number is None or type(step) is not int or type(time) is not int or step not in _INT64 or time not in _INT64:
        raise BadInput("This cursor was not made by this server for this list; ask for the first page again.", field="cursor")
    return step, time, math.nan if number != number else number


def spread(
    session: Session, run_id: str, key: str, *, most: int, first_step: int | None = None, last_step: int | None = None
) -> list[tuple[int, int, MetricValue]]:
    """At most `most` points of a metric, (step, time, value) each, evenly spread by their number over these steps; the last one too."""
    first = first_step if first_step is not None else _INT64[0]
    last = last_step if last_step is not None else _INT64[-1]
    found: list[Point] = []
    for row in store.latest_of_runs(session, [run_id], [key]):
        some = thinning.thinned(session, row.id, first, last, most)
        if some is None:
            points = [point for block in reading.blocks(session, row.id) for point in block if first <= point[0] <= last]
            some = [points[at] for at in thinning.places(len(points), most)]
        found += some
    return [(step, time, value if math.isfinite(value) else wire_value(value)) for step, time, value in found]


def iter_history(session: Session, run_id: str, key: str) -> Iterator[tuple[int, int, MetricValue]]:
    """All points of a metric, (step, time, value) each, in the order of `history`; holds about a thousand at a time."""
    for row in store.latest_of_runs(session, [run_id], [key]):
        for block in reading.blocks(session, row.id):
            for step, time, value in block:
                yield step, time, value if math.isfinite(value) else wire_value(value)
