"""The databases that filters and orders are tried on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from sqlalchemy import Connection, Engine, create_engine

from tests.domain.search import rows

POSTGRES_URL = "MLWS_TEST_POSTGRES_URL"


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An empty database: SQLite in memory, or the PostgreSQL that the environment names."""
    if request.param == "sqlite":
        engine = create_engine("sqlite://")
    else:
        pytest.importorskip("psycopg")
        if POSTGRES_URL not in os.environ:
            pytest.skip(f"{POSTGRES_URL} names no PostgreSQL server")
        engine = create_engine(os.environ[POSTGRES_URL])
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
