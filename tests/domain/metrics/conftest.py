"""A real database, shared by the tests of a file: each test logs into runs of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jupyter_mlws.db.database import Database
from tests.databases import ENGINES, fresh_database


@pytest.fixture(scope="module", params=ENGINES)
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with fresh_database(request, tmp_path_factory.mktemp("metrics")) as found:
        yield found
