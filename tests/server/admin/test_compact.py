"""`mlws db compact`: fewer bytes, the same points."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from jupyter_mlws.domain.metrics.schemas import MetricPoint
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.schemas import LogBatch, RunCreate, RunEnd
from jupyter_mlws.server import admin
from jupyter_mlws.server.admin.errors import NoRoom
from tests.live import LiveServer
from tests.migrations import contents
from tests.server.admin.conftest import DataFolder

pytestmark = pytest.mark.slow

SERIES, POINTS, FEW = 20, 300, 5
DOUBLE = """
INSERT INTO metric_chunk
  (series_id, first_step, first_time, last_step, last_time, count, not_finite, min_value, max_value, pieces, data)
SELECT series_id, first_step, first_time, last_step, last_time, count, not_finite, min_value, max_value, pieces, x'78'
FROM metric_chunk WHERE id = :id
"""


def log_much(session: Session) -> None:
    """Tails that the background leaves alone, long ones and very short ones; and pages that become free."""
    run_id = runs.create_run(session, contents.ADA, "default", RunCreate(experiment="tails")).id
    for number, points in [*((n, POINTS) for n in range(SERIES)), *((n + SERIES, FEW) for n in range(3))]:
        values = [MetricPoint(key=f"m{number}", step=n, time=n, value=n / 7) for n in range(points)]
        for start in range(0, points, 10):  # small batches go to the tail
            batch = LogBatch(batch_id=f"batch-{number}-{start:05d}", metrics=values[start : start + 10])
            runs.log_batch(session, contents.ADA, run_id, batch)
    runs.end_run(session, contents.ADA, run_id, RunEnd(status="Completed"))


def tails(data: DataFolder) -> list[int]:
    query = text("SELECT count(*) FROM metric_tail GROUP BY series_id ORDER BY 1")
    return list(data.read(lambda session: session.execute(query).scalars().all()))


def test_points_go_into_chunks_and_bytes_become_free(data: DataFolder) -> None:
    data.write(log_much)
    before = data.read(contents.read)
    assert max(tails(data)) == POINTS
    done = data.json("compact")
    assert done["series"] >= SERIES
    assert done["damaged_series"] == 0
    assert max(tails(data)) <= 16
    assert tails(data).count(FEW) == 3, "a few points take less room as they are"
    assert data.read(contents.read) == before
    if data.sqlite:
        assert done["bytes_after"] < 0.8 * done["bytes_before"]
        assert data.folders.database.stat().st_size == done["bytes_after"]
    report = data.json("check")
    assert (report["faults"], report["bytes"]) == ([], report["bytes"])
    again = data.db("compact")
    assert (again.code, "Series    0 brought to order" in again.out) == (0, True), again


def test_a_series_with_a_damaged_chunk_is_left_as_it_is(sqlite: DataFolder) -> None:
    def damage(session: Session) -> None:
        chunk, series = session.execute(text("SELECT id, series_id FROM metric_chunk ORDER BY id LIMIT 1")).one()
        session.execute(text(DOUBLE), {"id": chunk})
        session.execute(text("UPDATE metric_latest SET untidy = 1 WHERE id = :id"), {"id": series})

    sqlite.write(damage)
    said = sqlite.db("compact")
    assert said.code == 1
    assert "1 series were left as they are, for they are damaged" in said.err


def test_under_a_server_it_is_refused_with_what_to_do(running: tuple[DataFolder, LiveServer]) -> None:
    data, server = running
    said = data.db("compact")
    assert said.code == 2
    assert f"A server owns the data folder {data.folders.root}: {server.url}/mlws" in said.err
    assert "A server moves long tails of metrics by itself" in said.err
    assert server.get("/health").status_code == 200


class Usage(NamedTuple):
    """What `shutil.disk_usage` answers."""

    total: int
    used: int
    free: int


def test_without_room_for_it_nothing_is_begun(sqlite: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    sqlite.write(log_much)
    before = sqlite.folders.database.read_bytes()

    def usage(_path: Any) -> Usage:
        return Usage(10**9, 10**9 - 2**24, 2**24)

    for name, value in sqlite.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("jupyter_mlws.server.admin.sources.shutil.disk_usage", usage)
    with pytest.raises(NoRoom, match=r"has 0\.02 GB free, and 0\.\d\d GB are needed. Nothing was changed"):
        admin.compact(admin.find(Path(sqlite.folders.root)))
    assert sqlite.folders.database.read_bytes() == before
