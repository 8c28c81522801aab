"""What the metric store costs below HTTP, on SQLite: ingest, size on disk, charts, histories, compaction.

    python bench/metrics_store.py [points of the long metric, 1000000 unless given]

Wall time, and in brackets CPU time (best of the repeats where there are several), on a database in a temporary folder. Exit
code 1 when the wall time of a row that has a limit is over it.
"""

from __future__ import annotations

import math
import platform
import random
import sqlite3
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from jupyter_mlws.db import outbox
from jupyter_mlws.db.base import Base
from jupyter_mlws.db.database import Database
from jupyter_mlws.db.engine import sqlite_url
from jupyter_mlws.domain.metrics import service, store, tables, tasks
from jupyter_mlws.domain.metrics.schemas import MetricPoint
from jupyter_mlws.kit.ids import new_id
from jupyter_mlws.kit.pagination import encode_cursor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.orm import Session

TABLES = [row.__table__ for row in (outbox.ChangeRow, tables.MetricLatestRow, tables.MetricTailRow, tables.MetricChunkRow)]
BATCH = 10_000
START = 1_700_000_000_000
over: list[str] = []


class Took(NamedTuple):
    """ms."""

    wall: float
    cpu: float

    def per(self, number: int) -> Took:
        return Took(self.wall / number, self.cpu / number)


def row(what: str, took: Took, limit: float | None = None) -> None:
    """Print one line of the table."""
    note = "" if limit is None else f"  limit {limit:g}"
    if limit is not None and took.wall > limit:
        over.append(what)
        note += "  OVER"
    print(f"{what:<58} {took.wall:>10,.2f} ms  ({took.cpu:,.2f}){note}")


def best(work: Callable[[], object], repeats: int = 5) -> Took:
    """The quickest of some calls."""
    walls, cpus = [], []
    for _ in range(repeats):
        began, used = time.perf_counter(), time.process_time()
        work()
        walls.append((time.perf_counter() - began) * 1e3)
        cpus.append((time.process_time() - used) * 1e3)
    return Took(min(walls), min(cpus))


def loss(key: str, number: int) -> Iterator[list[MetricPoint]]:
    """A noisy loss curve of full 64-bit values with uneven times, in batches."""
    noise = random.Random(1)  # noqa: S311 - the same curve each time
    at = START
    for begin in range(0, number, BATCH):
        batch = []
        for step in range(begin, min(begin + BATCH, number)):
            at += 37 + noise.randrange(6)
            batch.append(MetricPoint(key=key, step=step, time=at, value=math.exp(-step / number) + noise.gauss(0, 0.02)))
        yield batch


def log(database: Database, run: str, points: list[MetricPoint]) -> None:
    database.write_sync(partial(service.log_points, run_id=run, experiment_id=1, points=points))


def log_all(database: Database, run: str, batches: list[list[MetricPoint]]) -> None:
    for batch in batches:
        log(database, run, batch)


def size(database: Database, path: Path) -> int:
    """Bytes of the database file once the write-ahead log is folded in."""
    with database.writer_engine.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").all()
        connection.exec_driver_sql("BEGIN")
    return path.stat().st_size


def bench_long(database: Database, path: Path, number: int) -> None:
    """One metric with many points."""
    run, before = new_id(), size(database, path)
    batches = list(loss("loss", number))
    took = best(lambda: log_all(database, run, batches), 1)
    row(f"ingest {number:,} points of one key, {BATCH:,} a call", took)
    print(f"{'':<58} {number / took.wall:>10,.0f} thousand points a second")
    print(f"{'':<58} {(size(database, path) - before) / number:>10,.2f} bytes a point on disk")
    row("the same call again (all points known)", best(lambda: log(database, run, batches[-1])))
    row("series of 2,000 points", best(lambda: database.read_sync(lambda s: service.series(s, run, ["loss"], 2000))), 60)
    row("series of 320 points", best(lambda: database.read_sync(lambda s: service.series(s, run, ["loss"], 320))), 50)
    row("page of 1,000 points from the middle", best(lambda: middle_page(database, run, batches[len(batches) // 2][0])))
    row("full history", best(lambda: database.read_sync(lambda s: sum(1 for _ in service.iter_history(s, run, "loss"))), 2))
    row("full history in pages of 25,000", best(lambda: pages(database, run), 1))


def middle_page(database: Database, run: str, point: MetricPoint) -> None:
    cursor = encode_cursor(point.step, point.time, float(point.value).hex())
    database.read_sync(lambda s: service.history(s, run, "loss", cursor, 1000))


def pages(database: Database, run: str) -> None:
    cursor: str | None = None
    while True:
        page = database.read_sync(partial(service.history, run_id=run, key="loss", cursor=cursor, limit=25_000))
        if (cursor := page.next_cursor) is None:
            return


def bench_calls(database: Database) -> None:
    """Batches of 10,000 and single points."""
    curves = [next(loss("curve", BATCH)) for _ in range(5)]
    row("10,000 points of one key in one call", best(lambda: log(database, new_id(), curves.pop())), 150)
    keys = [MetricPoint(key=f"layer {n} norm", step=0, time=START, value=n / 7) for n in range(BATCH)]
    run = new_id()
    row("10,000 new keys in one call", best(lambda: log(database, new_id(), keys)), 150)
    log(database, run, keys)
    nexts = iter(range(1, 100))

    def more() -> None:
        step = next(nexts)
        log(database, run, [MetricPoint(key=p.key, step=step, time=p.time, value=p.value) for p in keys])

    row("10,000 known keys in one call", best(more), 150)
    row("all of it again", best(lambda: log(database, run, keys)))
    row("summaries of one run with 10,000 keys", best(lambda: database.read_sync(lambda s: service.list_metrics(s, run))))

    def singles(session: Session) -> None:
        single = new_id()
        for step in range(2000):
            service.log_points(session, single, 1, [MetricPoint(key="one", step=step, time=START, value=0.5)])

    row("one point, without the commit", best(lambda: database.write_sync(singles), 3).per(2000))
    single = new_id()
    points = [[MetricPoint(key="one", step=step, time=START, value=0.5)] for step in range(900)]
    row(
        "one point, written and committed",
        best(lambda: log_all(database, single, [points.pop() for _ in range(300)]), 3).per(300),
    )


def bench_compaction(database: Database) -> None:
    """The slowest single step, for a long tail and for chunks that lie over one another."""
    tail, mixed = new_id(), new_id()
    points = next(loss("k", BATCH))
    for begin in range(0, 8000, 400):
        log(database, tail, points[begin : begin + 400])
    shuffled = [points[7919 * n % BATCH] for n in range(BATCH)]
    for begin in range(0, BATCH, 1000):
        log(database, mixed, shuffled[begin : begin + 1000])
    for what, run in (("a tail of 8,000 points", tail), ("10 chunks over one another", mixed)):
        number = database.read_sync(partial(store.ids_of, run_id=run, keys=["k"]))["k"]
        taken: list[Took] = []
        while len(taken) < 2 or taken[-1].wall > 2:
            taken.append(best(partial(database.write_sync, partial(tasks.compact, series_id=number)), 1))
        slowest = Took(max(one.wall for one in taken), max(one.cpu for one in taken))
        row(f"compaction of {what}: slowest of {len(taken)} steps", slowest, 20)


def main() -> int:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {platform.machine()}\n")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mlws.db"
        database = Database(sqlite_url(path))
        Base.metadata.create_all(database.writer_engine, tables=TABLES)  # type: ignore[arg-type]
        database.start()
        bench_long(database, path, number)
        bench_calls(database)
        bench_compaction(database)
        database.close()
    if over:
        print("\nover the limit: " + "; ".join(over))
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
