"""A real database and a real folder of blobs for each test; PostgreSQL too, where MLWS_TEST_POSTGRES names an empty one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlws.db import outbox
from jupyter_mlws.db.base import Base
from jupyter_mlws.db.database import Database
from jupyter_mlws.db.engine import sqlite_url
from jupyter_mlws.domain.storage import tables as t
from jupyter_mlws.domain.storage.blobs import BlobStore

ROWS = (outbox.ChangeRow, t.BlobRow, t.ArtifactRow, t.SnapshotRow, t.SnapshotFileRow, t.FileStatRow)
POSTGRES = os.environ.get("MLWS_TEST_POSTGRES", "")

BAD_PATHS = [
    *("..", "../x", "a/../../x", "a/..", "./../x", "/etc/passwd", "//etc/passwd", "~/../..", "\\..\\x", "a\\b", "C:/x", "c:x"),
    *("%2e%2e/x", "%2E%2E%2Fx", "a%2fb", "..%5cx", "a\0b", "a%00b", "a\nb", "a\x7f", "\ud800", "x" * 5000),
    *("x" * 300, "a/" * 3000, "..%c0%af"[:2] + "/x"),
]
"""Paths that lead out of a folder, or mean to."""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "postgresql" and not POSTGRES:
        pytest.skip("MLWS_TEST_POSTGRES names no database")
    found = Database(POSTGRES if request.param == "postgresql" else sqlite_url(tmp_path / "mlws.db"))
    made = [row.__table__ for row in ROWS]
    Base.metadata.create_all(found.writer_engine, tables=made)  # type: ignore[arg-type]
    found.start()
    yield found
    if request.param == "postgresql":
        Base.metadata.drop_all(found.writer_engine, tables=made)  # type: ignore[arg-type]
    found.close()


@pytest.fixture
def blobs(tmp_path: Path) -> Iterator[BlobStore]:
    store = BlobStore(tmp_path / "objects")
    yield store
    store.close()
