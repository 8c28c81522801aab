"""A stock MLflow database of a PostgreSQL server, with the content that MLflow's client wrote."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import URL, CheckConstraint, MetaData, create_engine, insert, select

from tests.importing.conftest import Store
from tests.importing.sources import brought, command, compared, read_server
from tests.live import LiveServer
from tests.postgres import PostgresServer

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.timeout(400)]


def copied(source: str, target: URL) -> None:
    """All tables of an SQLite file, in PostgreSQL."""
    tables = MetaData()
    old, new = create_engine(source), create_engine(target)
    tables.reflect(old)
    for table in tables.sorted_tables:
        table.constraints = {
            one for one in table.constraints if not isinstance(one, CheckConstraint)
        }  # they are in SQLite's words
        for column in table.columns:
            column.type, column.server_default = column.type.as_generic(), None
    with old.connect() as reading, new.begin() as writing:
        tables.create_all(writing)
        for table in tables.sorted_tables:
            rows = [dict(row) for row in reading.execute(select(table)).mappings()]
            if rows:
                writing.execute(insert(table), rows)
    old.dispose()
    new.dispose()


def test_a_database_of_postgresql(workspace: str, database_store: Store, postgres: PostgresServer, new_server, tmp_path: Path):
    server: LiveServer = new_server().start()
    server.ok("POST", "/workspaces", {"name": workspace})
    target = postgres.new_database()
    copied(database_store.source, target)
    url = target.set(drivername="postgresql").render_as_string(hide_password=False)
    folder = Path(database_store.source.removeprefix("sqlite:///")).parent / "mlartifacts"
    report = brought(server, url, workspace, "--artifacts", str(folder))
    assert report["skipped"] == []
    assert str(target.password) not in str(report)
    found = compared(read_server(server, workspace), database_store.told)
    for part in ("runs", "logged", "registered", "versions"):
        assert found[part] == database_store.told[part], part
    again = brought(server, url, workspace, "--artifacts", str(folder))
    assert {name: count["imported"] for name, count in again["counts"].items() if count["imported"]} == {}

    wrong = target.set(drivername="postgresql", password="wrong-word").render_as_string(hide_password=False)
    refused = command(server, "import", "mlflow", wrong, "-w", workspace)
    assert refused.returncode == 2
    assert "wrong-word" not in refused.stderr
    other = command(server, "import", "mlflow", postgres.url().set(drivername="postgresql").render_as_string(hide_password=False))
    assert refused.returncode == other.returncode == 2
    assert "it has no table" in other.stderr
