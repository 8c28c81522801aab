"""A real database and a real folder of blobs for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlws.db.database import Database
from jupyter_mlws.domain.storage.blobs import BlobStore
from tests.databases import ENGINES, fresh_database

BAD_PATHS = [
    *("..", "../x", "a/../../x", "a/..", "./../x", "/etc/passwd", "//etc/passwd", "~/../..", "\\..\\x", "a\\b", "C:/x", "c:x"),
    *("%2e%2e/x", "%2E%2E%2Fx", "a%2fb", "..%5cx", "a\0b", "a%00b", "a\nb", "a\x7f", "\ud800", "x" * 5000),
    *("x" * 300, "a/" * 3000, "..%c0%af"[:2] + "/x"),
]
"""Paths that lead out of a folder, or mean to."""


@pytest.fixture(params=ENGINES)
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with fresh_database(request, tmp_path) as found:
        yield found


@pytest.fixture
def blobs(tmp_path: Path) -> Iterator[BlobStore]:
    store = BlobStore(tmp_path / "objects")
    yield store
    store.close()
