"""Empty databases of both kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine

from jupyter_mlws.db.engine import make_writer, sqlite_url
from tests.databases import ENGINES

NewUrl = Callable[[], URL]
NewEngine = Callable[[], Engine]


@pytest.fixture(params=ENGINES)
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> NewUrl:
    """Makes empty databases."""
    made: list[URL] = []

    def make() -> URL:
        if request.param == "postgresql":
            return request.getfixturevalue("postgres").new_database()
        made.append(sqlite_url(tmp_path / f"{len(made)}.db"))
        return made[-1]

    return make


@pytest.fixture
def new_engine(new_url: NewUrl) -> Iterator[NewEngine]:
    """Makes empty databases, opened as the server's writer opens them."""
    made: list[Engine] = []

    def make() -> Engine:
        made.append(make_writer(new_url()))
        return made[-1]

    yield make
    for engine in made:
        engine.dispose()
