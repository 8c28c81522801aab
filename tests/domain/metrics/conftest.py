"""A real database, shared by the tests of a file: each test logs into runs of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jupyter_mlws.db import outbox
from jupyter_mlws.db.base import Base
from jupyter_mlws.db.database import Database
from jupyter_mlws.db.engine import sqlite_url
from jupyter_mlws.domain.metrics import tables

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLES = [row.__table__ for row in (outbox.ChangeRow, tables.MetricLatestRow, tables.MetricTailRow, tables.MetricChunkRow)]


@pytest.fixture(scope="module", params=["sqlite"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    assert request.param == "sqlite"
    found = Database(sqlite_url(tmp_path_factory.mktemp("metrics") / "mlws.db"))
    Base.metadata.create_all(found.writer_engine, tables=TABLES)  # type: ignore[arg-type]
    found.start()
    yield found
    found.close()
