"""What every database must do with metrics."""

from __future__ import annotations

import math
from functools import partial
from itertools import pairwise

import pytest
from sqlalchemy.orm import Session

from jupyter_mlws.db.database import Database
from jupyter_mlws.domain.metrics import service, store, tasks
from jupyter_mlws.domain.metrics.schemas import MetricPoint, MetricSummary
from jupyter_mlws.kit.errors import BadInput
from jupyter_mlws.kit.ids import new_id

INT64 = 2**63 - 1
EXPERIMENT = 7


def points(key: str, *triples: tuple[int, int, float]) -> list[MetricPoint]:
    return [MetricPoint(key=key, step=step, time=time, value=value) for step, time, value in triples]


def line(key: str, start: int, number: int) -> list[MetricPoint]:
    """`number` points from step `start`: value = step, time = 10 × step."""
    return points(key, *((step, 10 * step, float(step)) for step in range(start, start + number)))


def log(database: Database, run_id: str, logged: list[MetricPoint], experiment_id: int = EXPERIMENT) -> int:
    return database.write_sync(lambda s: service.log_points(s, run_id, experiment_id, logged))


def summary(database: Database, run_id: str, key: str) -> MetricSummary:
    return database.read_sync(lambda s: service.summaries(s, [run_id], [key]))[run_id][key]


def all_points(database: Database, run_id: str, key: str) -> list[tuple[int, int, float | str]]:
    return database.read_sync(lambda s: list(service.iter_history(s, run_id, key)))


def series_id(database: Database, run_id: str, key: str) -> int:
    return database.read_sync(lambda s: store.ids_of(s, run_id, [key]))[key]


def compact_all(database: Database, run_id: str, key: str) -> int:
    number = series_id(database, run_id, key)
    steps = 0
    while database.write_sync(lambda s: tasks.compact(s, number)):
        steps += 1
        assert steps < 500, "compaction does not end"
    return steps


def chunks_and_tail(database: Database, run_id: str, key: str) -> tuple[int, int]:
    number = series_id(database, run_id, key)
    return database.read_sync(lambda s: (len(store.heads(s, number)), len(store.tail(s, number))))


class TestMetricsContract:
    def test_a_summary_has_last_least_greatest_and_count(self, database: Database) -> None:
        run = new_id()
        assert log(database, run, points("loss", (0, 5, 3.0), (2, 6, -1.5), (1, 9, 8.0))) == 3
        assert summary(database, run, "loss") == MetricSummary(key="loss", last=-1.5, min=-1.5, max=8.0, step=2, time=6, count=3)
        assert log(database, run, points("loss", (-4, 1, 9.0))) == 1
        assert summary(database, run, "loss") == MetricSummary(key="loss", last=-1.5, min=-1.5, max=9.0, step=2, time=6, count=4)

    def test_nan_and_infinities_are_kept_truly(self, database: Database) -> None:
        run = new_id()
        log(database, run, points("x", (0, 0, math.nan)))
        assert summary(database, run, "x") == MetricSummary(key="x", last="NaN", min="NaN", max="NaN", step=0, time=0, count=1)
        log(database, run, points("x", (1, 0, -math.inf), (2, 0, 5e-324), (3, 0, 1.7976931348623157e308), (4, 0, math.inf)))
        log(database, run, points("x", (5, 0, math.nan)))
        found = summary(database, run, "x")
        assert (found.last, found.min, found.max, found.count) == ("NaN", "-Infinity", "Infinity", 6)
        values = [value for _, _, value in all_points(database, run, "x")]
        assert values == ["NaN", "-Infinity", 5e-324, 1.7976931348623157e308, "Infinity", "NaN"]

    def test_values_may_come_as_words_or_whole_numbers(self, database: Database) -> None:
        run = new_id()
        logged = [
            MetricPoint(key="w", step=n, time=0, value=value)  # type: ignore[arg-type]
            for n, value in enumerate(["NaN", "Infinity", "-Infinity", 3, -0.0])
        ]
        log(database, run, logged)
        assert [value for _, _, value in all_points(database, run, "w")] == ["NaN", "Infinity", "-Infinity", 3.0, 0.0]

    @pytest.mark.parametrize(
        ("values", "last"),
        [
            ([1.0, 3.0, 2.0], 3.0),
            ([-1.0, math.nan], "NaN"),
            ([math.nan, 1.0], 1.0),
            ([math.nan, -1.0], "NaN"),
            ([math.nan, 0.0], 0.0),
        ],
    )
    @pytest.mark.parametrize("together", [True, False])
    def test_of_the_same_step_and_time_the_greatest_is_last_and_nan_counts_as_0(
        self, database: Database, values: list[float], last: float | str, together: bool
    ) -> None:
        for order in (values, values[::-1]):
            run = new_id()
            logged = points("tie", *((1, 1, value) for value in order))
            for batch in [logged] if together else [[one] for one in logged]:
                log(database, run, batch)
            assert summary(database, run, "tie").last == last

    def test_an_identical_point_is_stored_once(self, database: Database) -> None:
        run = new_id()
        few, many = points("a", (1, 1, 0.5), (1, 1, math.nan), (2, 1, 1.0)), line("b", 0, 3000)
        assert log(database, run, few + few + many) == 3003
        assert log(database, run, few + many) == 0
        assert log(database, run, many[1500:] + line("b", 3000, 1) + few[:1]) == 1
        assert [summary(database, run, key).count for key in "ab"] == [3, 3001]
        assert len(all_points(database, run, "b")) == 3001

    def test_extreme_steps_and_times(self, database: Database) -> None:
        run = new_id()
        far = [(INT64, 253_402_300_799_999, 1.0), (-INT64 - 1, 0, 2.0), (0, 0, 3.0)]
        log(database, run, points("far", *far))
        log(database, run, points("packed", *far, *((step, 0, 0.0) for step in range(1, 600))))
        assert all_points(database, run, "far") == sorted(far)
        assert (found := all_points(database, run, "packed"))[0] == far[1]
        assert found[-1] == far[0]

    def test_long_batches_go_to_chunks_and_short_ones_to_the_tail(self, database: Database) -> None:
        run = new_id()
        log(database, run, line("k", 0, 499))
        assert chunks_and_tail(database, run, "k") == (0, 499)
        log(database, run, line("k", 499, 500))
        assert chunks_and_tail(database, run, "k") == (1, 499)
        log(database, run, line("k", 999, 10_000))
        assert chunks_and_tail(database, run, "k") == (11, 499)
        assert all_points(database, run, "k") == [(step, 10 * step, float(step)) for step in range(10_999)]

    def test_many_keys_at_once_and_again(self, database: Database) -> None:
        run = new_id()
        batch = [MetricPoint(key=f"key {n}", step=0, time=1, value=float(n)) for n in range(2000)]
        assert log(database, run, batch) == 2000
        assert log(database, run, batch) == 0
        listed = database.read_sync(lambda s: service.list_metrics(s, run)).metrics
        assert [m.key for m in listed] == sorted(p.key for p in batch)
        assert all(m.count == 1 and m.key == f"key {m.last:.0f}" for m in listed if isinstance(m.last, float))

    def test_summaries_of_many_runs_and_of_some_keys(self, database: Database) -> None:
        runs = [new_id() for _ in range(700)]

        def fill(session: Session) -> None:
            for n, run in enumerate(runs):
                service.log_points(session, run, EXPERIMENT, points("a", (0, 0, float(n))) + points("b", (0, 0, 0.0)))

        database.write_sync(fill)
        found = database.read_sync(lambda s: service.summaries(s, [*runs, new_id()], ["a", "missing"]))
        assert {run: list(one) for run, one in found.items()} == {run: ["a"] for run in runs}
        assert [found[run]["a"].last for run in runs] == [float(n) for n in range(700)]
        assert database.read_sync(lambda s: service.summaries(s, [], None)) == {}
        assert database.read_sync(lambda s: service.summaries(s, runs[:1], [])) == {}

    def test_best_of_an_experiment(self, database: Database) -> None:
        runs = [new_id() for _ in range(5)]
        for run, value in zip(runs, [0.5, math.nan, 0.9, -math.inf, 0.7], strict=True):
            log(database, run, points("acc", (0, 0, value)), experiment_id=91)
        log(database, new_id(), points("acc", (0, 0, 7.0)), experiment_id=92)
        best = database.read_sync(lambda s: service.best_of_experiment(s, 91, "acc", "maximize"))
        assert best == [(runs[2], 0.9), (runs[4], 0.7), (runs[0], 0.5), (runs[3], "-Infinity")]
        best = database.read_sync(lambda s: service.best_of_experiment(s, 91, "acc", "minimize", [runs[3]], 2))
        assert best == [(runs[0], 0.5), (runs[4], 0.7)]
        database.write_sync(lambda s: service.move_run(s, runs[2], 93))
        best = database.read_sync(lambda s: service.best_of_experiment(s, 93, "acc", "maximize"))
        assert best == [(runs[2], 0.9)]

    def test_deleted_runs_leave_nothing(self, database: Database) -> None:
        gone, kept = new_id(), new_id()
        for run in (gone, kept):
            log(database, run, line("k", 0, 700) + line("t", 0, 3))
        ids = [series_id(database, gone, key) for key in "kt"]
        database.write_sync(lambda s: service.delete_of_runs(s, [gone]))
        assert database.read_sync(lambda s: service.list_metrics(s, gone)).metrics == []
        assert database.read_sync(lambda s: [(store.heads(s, i), store.tail(s, i)) for i in ids]) == [([], [])] * 2
        assert len(all_points(database, kept, "k")) == 700

    def test_a_metric_that_is_not_there_has_no_points(self, database: Database) -> None:
        page = database.read_sync(lambda s: service.history(s, new_id(), "none", None, 10))
        assert (page.steps, page.next_cursor) == ([], None)
        assert database.read_sync(lambda s: service.series(s, new_id(), ["none"], 10)).series == []
        assert log(database, new_id(), []) == 0


class TestPages:
    def read(
        self, database: Database, run: str, limit: int, between: list[list[MetricPoint]]
    ) -> list[tuple[int, int, float | str]]:
        """All pages of `k`; before each page but the first, the next batch of `between` is logged."""
        found: list[tuple[int, int, float | str]] = []
        cursor = None
        while True:
            page = database.read_sync(partial(service.history, run_id=run, key="k", cursor=cursor, limit=limit))
            assert len(page.steps) == len(page.times) == len(page.values) <= limit
            found += zip(page.steps, page.times, page.values, strict=True)
            if (cursor := page.next_cursor) is None:
                return found
            if between:
                log(database, run, between.pop(0))

    @pytest.mark.parametrize("limit", [1, 7, 100, 1000])
    def test_pages_join_to_the_history(self, database: Database, limit: int) -> None:
        run = new_id()
        log(database, run, line("k", 0, 40))
        log(database, run, line("k", 60, 600 if limit > 5 else 20))
        log(database, run, points("k", *((50, 5, value) for value in (math.nan, 2.0, -1.0, math.inf, -math.inf))))
        assert self.read(database, run, limit, []) == all_points(database, run, "k")

    def test_points_logged_between_pages_are_neither_missed_nor_doubled(self, database: Database) -> None:
        run = new_id()
        log(database, run, line("k", 1000, 2500))
        before = all_points(database, run, "k")
        between = [line("k", 3500 + 600 * n, 600) + line("k", 10 * n, 10) for n in range(4)]
        between += [points("k", (3000 + 977 * n % 3000, 1, 0.5)) for n in range(20)]
        found = self.read(database, run, 200, between)
        assert len(found) == len(set(found))
        assert found == sorted(found)
        assert set(before) <= set(found) <= set(all_points(database, run, "k"))
        assert set(line_triples(3500, 2400)) <= set(found)  # behind the cursor when they were logged

    @pytest.mark.parametrize("cursor", ["x", "WzFd", "WzEsMiwzXQ", "WzEsMiwibm8iXQ", "Wyd4J10", "WzFlOTksMiwiMHgxcDAiXQ"])
    def test_a_made_up_cursor_is_refused(self, database: Database, cursor: str) -> None:
        run = new_id()
        log(database, run, line("k", 0, 3))
        with pytest.raises(BadInput) as caught:
            database.read_sync(lambda s: service.history(s, run, "k", cursor, 10))
        assert caught.value.field == "cursor"


def line_triples(start: int, number: int) -> list[tuple[int, int, float]]:
    return [(step, 10 * step, float(step)) for step in range(start, start + number)]


class TestCompaction:
    def test_a_long_tail_becomes_chunks(self, database: Database) -> None:
        run = new_id()
        for start in range(0, 1200, 400):
            log(database, run, line("k", start, 400))
        before = all_points(database, run, "k")
        number = series_id(database, run, "k")
        assert number in database.read_sync(lambda s: tasks.compaction_candidates(s, 1000))
        assert compact_all(database, run, "k") == 1
        assert chunks_and_tail(database, run, "k") == (1, 0)
        assert number not in database.read_sync(lambda s: tasks.compaction_candidates(s, 1000))
        assert all_points(database, run, "k") == before
        assert summary(database, run, "k").count == 1200

    async def test_compact_due_takes_a_step_for_each(self, database: Database) -> None:
        runs = [new_id(), new_id()]
        for run in runs:
            for start in range(0, 1200, 400):
                log(database, run, line("k", start, 400))
        assert await tasks.compact_due(database, 1000) >= 2
        assert [chunks_and_tail(database, run, "k") for run in runs] == [(1, 0)] * 2
        assert not database.write_sync(lambda s: tasks.compact(s, 10**9))

    def test_steps_out_of_order_are_brought_in_order(self, database: Database) -> None:
        run, ordered = new_id(), line("k", 0, 12_000)
        logged = [ordered[7919 * n % 12_000] for n in range(12_000)]
        for start in range(0, 12_000, 1000):
            log(database, run, logged[start : start + 1000])
        assert compact_all(database, run, "k") > 0
        number = series_id(database, run, "k")
        heads = database.read_sync(lambda s: store.heads(s, number))
        assert all(a.last < b.first for a, b in pairwise(heads))
        assert all_points(database, run, "k") == line_triples(0, 12_000)

    def test_a_step_that_fails_changes_nothing(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        run = new_id()
        for start in range(0, 1200, 400):
            log(database, run, line("k", start, 400))
        number = series_id(database, run, "k")
        before = all_points(database, run, "k")
        with monkeypatch.context() as patched:
            patched.setattr(store, "settle", lambda *_, **__: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                database.write_sync(lambda s: tasks.compact(s, number))
        assert chunks_and_tail(database, run, "k") == (0, 1200)
        compact_all(database, run, "k")
        assert all_points(database, run, "k") == before
