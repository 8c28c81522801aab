"""The migrations make what the tables say; the versions are named once; our types are used as they must be."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Column, Index, MetaData, String, Table, Text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from jupyter_mlws.db.base import NAMING, Base, EnumText, JsonText, one_of, varchar
from jupyter_mlws.migrations.upgrade import config_for, upgrade
from jupyter_mlws.server import schema, tables
from tests.migrations.compare import compare, differences, tables_of
from tests.migrations.conftest import NewEngine

ROOT = Path(__file__).parents[2]
tables.load()
ALL_TABLES = Base.metadata.sorted_tables


def test_the_migrations_make_what_the_tables_say(new_engine: NewEngine) -> None:
    wrong = compare(Base.metadata, new_engine(), new_engine())
    assert not wrong, wrong


def test_a_new_database_is_as_one_that_was_upgraded(new_engine: NewEngine) -> None:
    new, upgraded = new_engine(), new_engine()
    schema.ensure_schema(new)
    upgrade(upgraded, schema.HEAD)
    assert differences(new, upgraded) == []
    assert tables_of(new) == {table.name for table in ALL_TABLES} | {"alembic_version"}
    for engine in (new, upgraded):
        with engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all() == [schema.HEAD]


def test_alembic_finds_nothing_to_do(new_engine: NewEngine) -> None:
    engine = new_engine()
    upgrade(engine, schema.HEAD)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def copied_metadata() -> MetaData:
    metadata = MetaData(naming_convention=NAMING)
    for table in ALL_TABLES:
        table.to_metadata(metadata)
    return metadata


def add_a_column(metadata: MetaData) -> None:
    metadata.tables["runs"].append_column(Column("test_colour", varchar(20)))


def forget_a_collation(metadata: MetaData) -> None:
    metadata.tables["runs"].append_column(Column("name", Text()), replace_existing=True)


def add_a_status(metadata: MetaData) -> None:
    checks = metadata.tables["jobs"].constraints
    old = next(check for check in checks if isinstance(check, CheckConstraint))
    checks.remove(old)
    metadata.tables["jobs"].append_constraint(CheckConstraint("phase IN ('queued', 'lost')", name="phase"))


def add_an_index(metadata: MetaData) -> None:
    Index(None, metadata.tables["run_tags"].c.value)


def add_a_table(metadata: MetaData) -> None:
    Table("test_things", metadata, Column("id", varchar(32), primary_key=True))


def test_changes_without_a_migration_are_found_and_it_says_what_to_do(new_engine: NewEngine) -> None:
    metadata = copied_metadata()
    for change in (add_a_column, forget_a_collation, add_a_status, add_an_index, add_a_table):
        change(metadata)
    found = compare(metadata, new_engine(), new_engine())
    for step in ("make revision SAYS=", "REVISIONS in jupyter_mlws/server/schema.py", "make frozen"):
        assert step in found
    extra = [line for line in found.splitlines() if line.startswith("only in the tables:")]
    for what in (
        r"runs[.:] ?test_colour",
        r"runs[.:] ?name",
        r"ck_jobs_phase.*'lost'",
        "ix_run_tags_value",
        r"test_things[.:] ?id",
    ):
        assert [line for line in extra if re.search(what, line)], f"{what} is not among\n{found}"
    assert not [
        line for line in extra if "test_" not in line and not re.search(r"runs[.:] ?name|ck_jobs_phase|ix_run_tags_value", line)
    ]


def test_the_versions_are_those_of_the_files() -> None:
    scripts = list(ScriptDirectory.from_config(config_for()).walk_revisions())[::-1]
    assert [script.revision for script in scripts] == list(schema.REVISIONS)
    assert [script.down_revision for script in scripts] == [None, *schema.REVISIONS[:-1]]
    assert [f"{number:04d}" for number in range(1, len(scripts) + 1)] == list(schema.REVISIONS)
    for script in scripts:
        name = Path(script.path).name
        assert name.startswith(f"{script.revision}_")
        assert name.removesuffix(".py").replace("_", "").isalnum()


OPEN_TWICE = """
import json, sys
import jupyter_mlws.server.routes, jupyter_mlws.server.runtime
from jupyter_mlws.db.base import Base
from jupyter_mlws.db.engine import make_writer
from jupyter_mlws.server.schema import ensure_schema
from sqlalchemy import make_url
for _ in "new", "known":
    engine = make_writer(make_url(sys.argv[1]))
    ensure_schema(engine)
    engine.dispose()
print(json.dumps([sorted(sys.modules), sorted(Base.metadata.tables)]))
"""


def test_an_ordinary_start_does_not_import_alembic_and_knows_all_tables(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OPEN_TWICE, f"sqlite:///{tmp_path / 'mlws.db'}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    modules, names = json.loads(done.stdout)
    assert "sqlalchemy" in modules
    assert [name for name in modules if name.partition(".")[0] == "alembic"] == []
    files = sorted((ROOT / "jupyter_mlws" / "domain").glob("*/tables.py"))
    assert files
    assert [path.parent.name for path in files if f"jupyter_mlws.domain.{path.parent.name}.tables" not in modules] == []
    assert names == sorted(table.name for table in ALL_TABLES)


ENUMS = [column for table in ALL_TABLES for column in table.columns if isinstance(column.type, EnumText)]


@pytest.mark.parametrize("column", ENUMS, ids=str)
def test_the_database_knows_the_values_of_an_enum(column: Column) -> None:
    assert isinstance(column.type, EnumText)
    checks = [str(check.sqltext) for check in column.table.constraints if isinstance(check, CheckConstraint)]
    assert one_of(column.name, column.type.enum) in checks, f"{column} lacks CheckConstraint(one_of(…), name={column.name!r})"


@pytest.mark.parametrize("table", ALL_TABLES, ids=str)
def test_texts_compare_byte_by_byte_on_postgresql(table: Table) -> None:
    lines = str(CreateTable(table).compile(dialect=postgresql.dialect())).splitlines()
    words = [c for c in table.columns if not isinstance(c.type, JsonText) and isinstance(c.type, (String, EnumText))]
    plain = [c.name for c in words if not any(line.split()[:1] == [_quoted(c)] and 'COLLATE "C"' in line for line in lines)]
    assert plain == [], "use `varchar(…)` or plain `Mapped[str]` (db/base.py)"


def _quoted(column: Column) -> str:
    return postgresql.dialect().identifier_preparer.format_column(column)
