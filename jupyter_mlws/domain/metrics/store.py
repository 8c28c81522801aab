"""SQL of metrics.

What runs with each logged point is fixed text (`statements`) handed to the driver; the rest is SQLAlchemy Core. Values leave and
enter as in the tables: NaN is None.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import msgspec
from sqlalchemy import delete, func, insert, literal, select, text, tuple_, update

from jupyter_mlws.db import driver
from jupyter_mlws.db.values import listed
from jupyter_mlws.domain.metrics import statements
from jupyter_mlws.domain.metrics.batch import Series, Stand, stand_of, together
from jupyter_mlws.domain.metrics.tables import COMPACTION_DUE, MetricChunkRow, MetricLatestRow, MetricTailRow

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from jupyter_mlws.db.shortcut import Plain
    from jupyter_mlws.domain.metrics.chunks import Chunk, Place, Point

BATCH = 500
"""Most values in one IN."""
MANY_KEYS = 1_000
"""From here on SQLite reads the range of keys instead of seeking each, which is twice as fast where most of them are asked for."""


class Latest(NamedTuple):
    """A row of `metric_latest`."""

    id: int
    run_id: str
    key: str
    value: float | None
    min_value: float | None
    max_value: float | None
    step: int
    time: int
    points: int


class Head(NamedTuple):
    """Where a chunk lies."""

    id: int
    first: Place
    last: Place


class Header(NamedTuple):
    """A row of `metric_chunk`, whole."""

    id: int
    series_id: int
    first: Place
    last: Place
    points: int
    not_finite: int
    min_value: float | None
    max_value: float | None
    pieces: bytes
    data: bytes


class TailPoint(NamedTuple):
    """A row of `metric_tail`."""

    id: int
    step: int
    time: int
    value: float | None


TailRow = tuple[int, int, int, float | None]
"""(series id, step, time, value): a point to be stored."""


def _is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def _columns(rows: Sequence[tuple[Any, ...]]) -> tuple[list[Any], ...]:
    """Rows as one list for each column, for `unnest`."""
    return tuple(map(list, zip(*rows, strict=True)))


def _rows_for(session: Session, sql: dict[str, str], rows: Sequence[tuple[int, ...]]) -> list[tuple[Any, ...]]:
    """Run the dialect's `sql` over a list of rows of integers."""
    name = session.get_bind().dialect.name
    values = _columns(rows) if name == "postgresql" else (msgspec.json.encode(rows).decode(),)
    return driver.fetch(session, sql[name], values)


def _rows_of(session: Session, sql: dict[str, str], run_id: str, keys: Sequence[str]) -> list[tuple[Any, ...]]:
    """Run the dialect's `sql` over keys of a run."""
    name = session.get_bind().dialect.name
    if name == "sqlite" and len(keys) > MANY_KEYS:
        wanted = set(keys)
        return [row for row in driver.fetch(session, sql["range"], (run_id, min(keys), max(keys))) if row[0] in wanted]
    listed = list(keys) if name == "postgresql" else msgspec.json.encode(keys).decode()
    return driver.fetch(session, sql[name], (run_id, listed))


def series_of(session: Session, run_id: str, keys: Sequence[str]) -> dict[str, Series]:
    """The series of these keys that exist, by key; on PostgreSQL locked until the end of the transaction."""
    return {row[0]: Series(row[1], Stand._make(row[2:])) for row in _rows_of(session, statements.SERIES, run_id, keys)}


def ids_of(session: Session, run_id: str, keys: Sequence[str]) -> dict[str, int]:
    """The series ids of these keys, by key."""
    return dict(cast("list[tuple[str, int]]", _rows_of(session, statements.IDS, run_id, keys)))


def tail_at(session: Session, places: Sequence[tuple[int, int, int]]) -> list[TailRow]:
    """Rows of the tail at these (series id, step, time)."""
    return cast("list[TailRow]", _rows_for(session, statements.TAIL_AT, places))


def heads_over(session: Session, spans: Sequence[tuple[int, int, int, int, int]]) -> list[tuple[int, Head]]:
    """(series id, chunk) for chunks that hold points in these (series id, first step and time, last step and time)."""
    return [(series, Head(i, (a, b), (c, d))) for series, i, a, b, c, d in _rows_for(session, statements.CHUNKS_OVER, spans)]


def add_series(session: Session, run_id: str, experiment_id: int, stands: Sequence[tuple[str, Stand]]) -> None:
    """Make series of these keys; one that another server made meanwhile is merged."""
    if not stands:
        return
    rows = [(key, *stand) for key, stand in sorted(stands, key=itemgetter(0))]
    if _is_postgresql(session):
        driver.run(session, statements.ADD_SERIES["postgresql"], (run_id, experiment_id, *_columns(rows)))
    else:
        driver.run(session, statements.ADD_SERIES["sqlite"], [(run_id, experiment_id, *row) for row in rows], many=True)


def set_series(session: Session, stands: Sequence[Series]) -> None:
    """Note where series stand now."""
    rows = [(*stand, series_id) for series_id, stand in stands]
    if len(rows) > 1 and _is_postgresql(session):
        driver.run(session, statements.SET_MANY_SERIES, _columns(rows))
    elif rows:
        driver.run(session, statements.SET_SERIES, rows, many=True)


def add_tail(session: Session, rows: list[TailRow]) -> None:
    """Store points one by one."""
    if rows and not (len(rows) > 1 and driver.copy(session, "metric_tail", statements.TAIL, rows)):
        driver.run(session, statements.ADD_TAIL, rows, many=True)


def append(connection: Plain, run_id: str, key: str, point: Point) -> bool:
    """In a shortcut on SQLite: store a point of a series that is there and ends before it. False: nothing was done."""
    for row in connection.fetch(statements.ONE_SERIES, (run_id, key)):
        series = Series(row[0], Stand._make(row[1:]))
        if series.appended([point]):
            step, time, value = point
            stand = together(series.stand, stand_of([point], in_tail=True, untidy=False))
            connection.run(statements.SET_SERIES, [(*stand, series.id)])
            connection.run(statements.ADD_TAIL, [(series.id, step, time, value if value == value else None)])
            return True
    return False


def add_chunks(session: Session, series_id: int, chunks: Iterable[Chunk]) -> None:
    """Store chunks of one series."""
    rows = [
        {
            "series_id": series_id,
            "first_step": c.first[0],
            "first_time": c.first[1],
            "last_step": c.last[0],
            "last_time": c.last[1],
            "count": c.points,
            "not_finite": c.not_finite,
            "min_value": c.min_value,
            "max_value": c.max_value,
            "pieces": c.pieces,
            "data": c.data,
        }
        for c in chunks
    ]
    if rows:
        session.connection().execute(insert(MetricChunkRow), rows)


# --- reading -----------------------------------------------------------------------------------------------------------


def _latest() -> Select[int, str, str, float | None, float | None, float | None, int, int, int]:
    row = MetricLatestRow
    return select(row.id, row.run_id, row.key, row.value, row.min_value, row.max_value, row.step, row.time, row.count)


def latest_of_runs(session: Session, run_ids: Sequence[str], keys: Sequence[str] | None) -> Iterator[Latest]:
    """The series of runs, of all keys or of these, ordered by key within a run."""
    if keys is None:
        yield from map(Latest._make, driver.fetch_among(session, statements.LATEST, run_ids))
        return
    if len(run_ids) == 1:
        yield from map(Latest._make, driver.fetch_among(session, statements.LATEST_OF, keys, run_ids[0]))
        return
    for part in batches(run_ids):
        query = _latest().where(MetricLatestRow.run_id.in_(part))
        for some in batches(keys):
            wanted = query.where(MetricLatestRow.key.in_(some))
            for row in session.execute(wanted.order_by(MetricLatestRow.run_id, MetricLatestRow.key)):
                yield Latest._make(row)


def latest_by_id(session: Session, series_id: int) -> tuple[int, bool] | None:
    """(rows in the tail, whether chunks are to be merged) of a series."""
    query = select(MetricLatestRow.tail_count, MetricLatestRow.untidy).where(MetricLatestRow.id == series_id)
    row = session.execute(query).one_or_none()
    return None if row is None else (row.tail_count, row.untidy)


def heads(session: Session, series_id: int, start: Place | None = None, end: Place | None = None) -> list[Head]:
    """Chunks with points from `start` to `end` (both included), in the order of their first points. Reads an index only."""
    row = MetricChunkRow
    query = select(row.id, row.first_step, row.first_time, row.last_step, row.last_time).where(row.series_id == series_id)
    if start is not None:
        query = query.where(tuple_(row.last_step, row.last_time) >= start)
    if end is not None:
        query = query.where(tuple_(row.first_step, row.first_time) <= end)
    query = query.order_by(row.first_step, row.first_time, row.last_step, row.last_time)
    return [Head(i, (a, b), (c, d)) for i, a, b, c, d in session.execute(query)]


def counted_heads(session: Session, series_id: int, start: Place, end: Place) -> list[tuple[Head, int]]:
    """As `heads`, with the number of points of each."""
    row = MetricChunkRow
    query = select(row.id, row.first_step, row.first_time, row.last_step, row.last_time, row.count)
    query = query.where(row.series_id == series_id, tuple_(row.last_step, row.last_time) >= start)
    query = query.where(tuple_(row.first_step, row.first_time) <= end)
    found = session.execute(query.order_by(row.first_step, row.first_time, row.last_step, row.last_time))
    return [(Head(i, (a, b), (c, d)), points) for i, a, b, c, d, points in found]


def data_of(session: Session, chunk_id: int) -> bytes:
    """The bytes of a chunk."""
    return session.execute(select(MetricChunkRow.data).where(MetricChunkRow.id == chunk_id)).scalar_one()


def data_of_some(session: Session, chunk_ids: Sequence[int]) -> dict[int, bytes]:
    """The bytes of chunks, by id."""
    return dict(driver.fetch_among(session, "SELECT id, data FROM metric_chunk WHERE id {among}", chunk_ids) if chunk_ids else ())


def chunks_of(session: Session, series_id: int) -> Iterator[tuple[Place, Place, bytes]]:
    """(first place, last place, bytes) of all chunks of a series, in the order of their first points."""
    row = MetricChunkRow
    query = select(row.first_step, row.first_time, row.last_step, row.last_time, row.data).where(row.series_id == series_id)
    for a, b, c, d, data in session.execute(query.order_by(row.first_step, row.first_time)):
        yield (a, b), (c, d), data


def pieces_of(session: Session, series_id: int) -> list[bytes]:
    """The packed pieces of all chunks of a series."""
    return list(session.execute(select(MetricChunkRow.pieces).where(MetricChunkRow.series_id == series_id)).scalars())


def chunked_points(session: Session, series_id: int) -> tuple[int, int]:
    """(chunks, points in them) of a series."""
    query = select(func.count(), func.coalesce(func.sum(MetricChunkRow.count), 0)).where(MetricChunkRow.series_id == series_id)
    chunks, points = session.execute(query).one()
    return chunks, points


def tail(
    session: Session,
    series_id: int,
    *,
    after: tuple[int, int, float | None] | None = None,
    start: Place | None = None,
    end: Place | None = None,
    limit: int | None = None,
) -> list[TailPoint]:
    """Points of the tail in order (NaN last): behind the point `after`, or from `start` to `end` (both included)."""
    row = MetricTailRow
    query = select(row.id, row.step, row.time, row.value).where(row.series_id == series_id)
    place = tuple_(row.step, row.time)
    if after is not None:
        step, time, value = after
        query = query.where(place >= (step, time))
        beyond = (row.step != step) | (row.time != time)
        query = query.where(beyond if value is None else beyond | (row.value > value) | row.value.is_(None))
    if start is not None:
        query = query.where(place >= start)
    if end is not None:
        query = query.where(place <= end)
    query = query.order_by(row.step, row.time, row.value.is_(None), row.value)
    return [TailPoint._make(found) for found in session.execute(query if limit is None else query.limit(limit))]


def best(
    session: Session, experiment_id: int, key: str, *, greatest: bool, without: Sequence[str], limit: int
) -> list[tuple[str, float]]:
    """(run id, last value) of the runs of an experiment that are best in a metric; NaN left out."""
    row = MetricLatestRow
    query = select(row.run_id, row.value).where(row.experiment_id == experiment_id, row.key == key, row.value.is_not(None))
    if without:
        query = query.where(row.run_id.not_in(listed(session, without)))
    query = query.order_by(row.value.desc() if greatest else row.value).limit(limit)
    return [(run_id, value) for run_id, value in session.execute(query) if value is not None]


def due(session: Session, limit: int) -> list[int]:
    """Ids of series that compaction should look at."""
    return list(session.execute(select(MetricLatestRow.id).where(text(COMPACTION_DUE)).limit(limit)).scalars())


def _long(tail: int) -> Any:
    return (MetricLatestRow.tail_count > tail) | MetricLatestRow.untidy


def number_long(session: Session, tail: int) -> int:
    """How many series have a tail of more points, or chunks to be merged."""
    return session.execute(select(func.count()).select_from(MetricLatestRow).where(_long(tail))).scalar_one()


def long_after(session: Session, series_id: int, tail: int, limit: int) -> list[int]:
    """Ids of those series, in order, after this one."""
    row = MetricLatestRow
    query = select(row.id).where(row.id > series_id, _long(tail)).order_by(row.id).limit(limit)
    return list(session.execute(query).scalars())


def headers_after(session: Session, chunk_id: int, limit: int) -> list[Header]:
    """Chunks as they are stored, in the order of their ids, after this one."""
    row = MetricChunkRow
    places = (row.first_step, row.first_time, row.last_step, row.last_time)
    query = select(row.id, row.series_id, *places, row.count, row.not_finite, row.min_value, row.max_value, row.pieces, row.data)
    found = session.execute(query.where(row.id > chunk_id).order_by(row.id).limit(limit))
    return [Header(i, series, (a, b), (c, d), *rest) for i, series, a, b, c, d, *rest in found]


def names_of(session: Session, series: Collection[int]) -> dict[int, tuple[str, str]]:
    """(run id, key) of series, by their ids."""
    row = MetricLatestRow
    query = select(row.id, row.run_id, row.key).where(row.id.in_(listed(session, series)))
    return {i: (run_id, key) for i, run_id, key in session.execute(query)}


# --- changing ----------------------------------------------------------------------------------------------------------


def remove_tail(session: Session, ids: Sequence[int]) -> None:
    """Remove points of the tail."""
    if ids:
        driver.run(session, "DELETE FROM metric_tail WHERE id = ?", [(one,) for one in ids], many=True)


def remove_chunks(session: Session, ids: Sequence[int]) -> None:
    """Remove chunks."""
    session.execute(delete(MetricChunkRow).where(MetricChunkRow.id.in_(ids)), execution_options={"synchronize_session": False})


def settle(session: Session, series_id: int, *, from_tail: int, dropped: int, untidy: bool) -> None:
    """Note what compaction did: rows taken out of the tail, identical points dropped, whether there is more to merge."""
    row = MetricLatestRow
    session.execute(
        update(row)
        .where(row.id == series_id)
        .values(tail_count=row.tail_count - from_tail, count=row.count - dropped, untidy=literal(untidy)),
        execution_options={"synchronize_session": False},
    )


def remove_runs(session: Session, run_ids: Sequence[str]) -> None:
    """Remove all metrics of runs."""
    for part in batches(run_ids):
        series = select(MetricLatestRow.id).where(MetricLatestRow.run_id.in_(part))
        for table in (MetricTailRow, MetricChunkRow):
            session.execute(delete(table).where(table.series_id.in_(series)), execution_options={"synchronize_session": False})
        session.execute(
            delete(MetricLatestRow).where(MetricLatestRow.run_id.in_(part)), execution_options={"synchronize_session": False}
        )


def move_run(session: Session, run_id: str, experiment_id: int) -> None:
    """Note that a run belongs to another experiment."""
    session.execute(
        update(MetricLatestRow).where(MetricLatestRow.run_id == run_id).values(experiment_id=experiment_id),
        execution_options={"synchronize_session": False},
    )


def batches(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """Runs of at most `BATCH` values."""
    for start in range(0, len(values), BATCH):
        yield values[start : start + BATCH]
