"""Points that are evenly spread over a series: the same as from all of its points, however these are stored."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from jupyter_mlws.domain.metrics import service, tasks
from jupyter_mlws.domain.metrics.schemas import MetricPoint
from jupyter_mlws.domain.metrics.thinning import places
from jupyter_mlws.kit.ids import new_id

if TYPE_CHECKING:
    from jupyter_mlws.db.database import Database

RUN = new_id()


def log(database: Database, run_id: str, steps: list[int]) -> None:
    points = [MetricPoint(key="m", step=step, time=step % 7, value=step / 3) for step in steps]
    database.write_sync(lambda s: service.log_points(s, run_id, 1, points))


@pytest.mark.parametrize("total", [0, 1, 9, 10, 11, 19, 20, 1007])
def test_places(total: int):
    found = places(total, 10)
    assert len(found) == min(total, 10)
    assert found == sorted(set(found))
    assert not found or (found[0], found[-1]) == (0, total - 1)


@pytest.mark.parametrize("form", ["chunks", "tail", "both", "overlapping", "compacted"])
def test_the_same_as_from_all_points(database: Database, form: str):
    run_id = new_id()
    if form in ("chunks", "both", "compacted"):
        for start in (0, 900, 1800):
            log(database, run_id, list(range(start, start + 900)))
    if form in ("tail", "both", "compacted"):
        log(database, run_id, list(range(2700, 2900)))
    if form == "overlapping":
        shuffled = random.Random(3).sample(range(2400), 2400)
        for start in (0, 800, 1600):
            log(database, run_id, sorted(shuffled[start : start + 800]))
    if form == "compacted":
        for series in database.read_sync(lambda s: tasks.compaction_candidates(s, 10)):
            database.write_sync(lambda s, one=series: tasks.compact(s, one))  # type: ignore[misc]
    everything = database.read_sync(lambda s: list(service.iter_history(s, run_id, "m")))
    assert everything
    for first, last in ((None, None), (100, 2000), (850, 950), (5000, 6000), (2650, 2800)):
        expected = [p for p in everything if (first is None or p[0] >= first) and (last is None or p[0] <= last)]
        for most in (1, 7, 320, 5000):
            found = database.read_sync(
                lambda s, a=first, b=last, n=most: service.spread(s, run_id, "m", most=n, first_step=a, last_step=b)  # type: ignore[misc]
            )
            assert found == [expected[at] for at in places(len(expected), most)], (first, last, most)
