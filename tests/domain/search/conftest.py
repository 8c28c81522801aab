"""The databases that filters and orders are tried on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from sqlalchemy import Connection, Engine, create_engine

from tests.databases import ENGINES
from tests.domain.search import rows


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An empty database: SQLite in memory, or one of PostgreSQL."""
    engine = create_engine("sqlite://" if request.param == "sqlite" else request.getfixturevalue("postgres").new_database())
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def connection(engine: Engine) -> Iterator[Connection]:
    """A connection to a database that holds the sample runs; what it writes is rolled back."""
    with ExitStack() as stack:
        connection = stack.enter_context(engine.connect())
        stack.callback(connection.rollback)
        rows.fill(connection)
        yield connection
