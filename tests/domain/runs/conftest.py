"""A real database for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlws.db.database import Database
from jupyter_mlws.domain.workspaces import service as workspaces
from tests.databases import ENGINES, fresh_database


@pytest.fixture(params=ENGINES)
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with fresh_database(request, tmp_path) as found:
        found.write_sync(lambda s: workspaces.ensure_default(s, "ada"))
        yield found
