"""Upgrades keep all data or change nothing; what is newer, or another program's, is refused in words."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, text
from sqlalchemy.orm import Session

from jupyter_mlws.db.engine import make_writer, sqlite_url
from jupyter_mlws.migrations.upgrade import upgrade
from jupyter_mlws.server import schema
from jupyter_mlws.server.schema import HEAD, ensure_schema
from tests.migrations import contents, frozen
from tests.migrations.compare import differences, parts_of
from tests.migrations.conftest import NewEngine
from tests.migrations.future import NEXT, build_future, live_in_the_future
from tests.servers import until

OPEN = """
import sys
from sqlalchemy import make_url
from jupyter_mlws.db.engine import make_writer
from jupyter_mlws.server.schema import ensure_schema
ensure_schema(make_writer(make_url(sys.argv[1])))
"""


@pytest.fixture
def old(new_engine: NewEngine, tmp_path: Path, request: pytest.FixtureRequest) -> Engine:
    """A database of the version that is asked for (by default the present one), with the frozen data."""
    version = getattr(request, "param", HEAD)
    engine = new_engine()
    if engine.dialect.name == "sqlite":
        frozen.thaw(version, Path(str(engine.url.database)))
    else:
        upgrade(engine, version)
        frozen.copy_rows(frozen.thaw(version, tmp_path / "thawed.db"), engine)
    return engine


def lost(engine: Engine, version: str = HEAD) -> list[str]:
    """What of the frozen data is no longer there."""
    with Session(engine) as session:
        return contents.missing(frozen.expected_of(version), contents.read(session))


def version_of(engine: Engine) -> str:
    with engine.connect() as connection:
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()


def check_unchanged(engine: Engine, before: set[str]) -> None:
    """The present program finds all as it was, and nothing besides."""
    ensure_schema(engine)
    assert version_of(engine) == HEAD
    assert lost(engine) == []
    assert parts_of(engine) == before
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1


class TestFrozen:
    @pytest.mark.parametrize("old", frozen.VERSIONS, indirect=True)
    def test_each_opens_with_all_its_data(self, old: Engine, new_engine: NewEngine) -> None:
        version = version_of(old)
        ensure_schema(old)
        assert version_of(old) == HEAD
        assert lost(old, version) == []
        new = new_engine()
        ensure_schema(new)
        assert differences(new, old) == []

    @pytest.mark.parametrize("version", frozen.VERSIONS)
    def test_each_is_what_its_migration_makes(self, version: str, tmp_path: Path) -> None:
        kept, made = (
            make_writer(sqlite_url(frozen.thaw(version, tmp_path / "kept.db"))),
            make_writer(sqlite_url(tmp_path / "made.db")),
        )
        upgrade(made, version)
        found = differences(kept, made)
        kept.dispose()
        made.dispose()
        assert found == [], "a revision that was released must not change; before its release: `make frozen AGAIN=--again`"

    def test_there_is_one_of_each_version(self) -> None:
        assert list(schema.REVISIONS) == frozen.VERSIONS, "run `make frozen`"
        for path in frozen.FOLDER.iterdir():
            assert path.stat().st_size < frozen.LIMIT, path.name

    def test_they_are_made_as_the_test_reads_them(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        made = frozen.freeze(tmp_path)
        assert [path.name for path in made] == [f"{HEAD}.db.gz", f"{HEAD}.json.gz"]
        monkeypatch.setattr(frozen, "FOLDER", tmp_path)
        engine = make_writer(sqlite_url(frozen.thaw(HEAD, tmp_path / "mlws.db")))
        assert lost(engine) == []
        with engine.begin() as connection:
            connection.execute(text("UPDATE run_params SET value = 'other' WHERE key = 'depth'"))
            connection.execute(text("DELETE FROM metric_tail"))
        gone = lost(engine)
        engine.dispose()
        assert [line for line in gone if "/params/depth: 'other' instead of '3'" in line]
        assert [line for line in gone if "/points/acc" in line]


class TestLaterVersion:
    def test_a_table_is_made_anew_and_all_that_refers_to_it_stays(
        self, old: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as later:
            live_in_the_future(later, tmp_path)
            ensure_schema(old)
        assert version_of(old) == NEXT
        assert lost(old) == []
        with old.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM runs WHERE test_colour = 'red'")).scalar_one() == 2
            assert inspect(connection).get_columns("runs")[-1]["name"] == "test_colour"
        with pytest.raises(schema.NewerSchema) as caught:
            ensure_schema(old)
        assert f"has schema '{NEXT}', which this version does not know" in str(caught.value)
        assert "Upgrade jupyter_mlws" in str(caught.value)
        assert (caught.value.status, caught.value.code) == (503, "newer_schema")

    def test_a_copy_is_kept_beside_the_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = frozen.thaw(HEAD, tmp_path / "data" / "mlws.db")
        engine = make_writer(sqlite_url(path))
        with engine.begin() as connection:  # what lies in the journal alone belongs to it
            connection.execute(text("UPDATE runs SET note = 'the last word' WHERE status = 'Failed'"))
        copy = path.with_name(f"mlws.db.bak-{HEAD}")
        copy.write_text("left by an earlier attempt")
        with monkeypatch.context() as later:
            live_in_the_future(later, tmp_path)
            ensure_schema(engine)
        engine.dispose()
        assert copy.stat().st_mode & 0o777 == 0o600
        kept = make_writer(sqlite_url(copy))
        ensure_schema(kept)
        with kept.connect() as connection:
            notes = connection.execute(text("SELECT note FROM runs WHERE status = 'Failed'")).scalars().all()
        assert notes == ["the last word", "the last word"]
        kept.dispose()
        assert {one.name for one in path.parent.iterdir()} == {"mlws.db", copy.name}

    def test_without_room_for_the_copy_nothing_is_changed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = frozen.thaw(HEAD, tmp_path / "data" / "mlws.db")
        engine = make_writer(sqlite_url(path))
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        with monkeypatch.context() as later:
            live_in_the_future(later, tmp_path)
            resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
            try:
                with pytest.raises(schema.UpgradeFailed, match="copy that is made before could not be written"):
                    ensure_schema(engine)
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert [one.name for one in path.parent.iterdir() if ".bak" in one.name] == []
        ensure_schema(engine)
        assert lost(engine) == []
        engine.dispose()

    @pytest.mark.parametrize(
        "then",
        ["op.execute('INSERT INTO nowhere VALUES (1)')", "op.execute(\"DELETE FROM experiments WHERE name = 'Other'\")"],
        ids=["statement", "reference"],
    )
    def test_one_that_fails_midway_changes_nothing(
        self, old: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then: str
    ) -> None:
        before = parts_of(old)
        with monkeypatch.context() as later:
            live_in_the_future(later, tmp_path, then)
            with pytest.raises(schema.UpgradeFailed) as caught:
                ensure_schema(old)
        assert f"could not be upgraded from schema {HEAD} to {NEXT}, and is as it was" in str(caught.value)
        check_unchanged(old, before)

    def test_one_that_is_killed_midway_changes_nothing(self, old: Engine, tmp_path: Path) -> None:
        midway, before = tmp_path / "midway", parts_of(old)
        environment = {**os.environ, **build_future(tmp_path / "future")}
        command = [sys.executable, "-c", OPEN, old.url.render_as_string(hide_password=False)]
        old.dispose()
        process = subprocess.Popen(command, env={**environment, "MIDWAY": str(midway)}, cwd=tmp_path)
        until(lambda: midway.exists() or process.poll() is not None, 30)
        assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        check_unchanged(old, before)


class TestRefusals:
    def make(self, engine: Engine, *statements: str) -> None:
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def test_the_database_of_another_program(self, new_engine: NewEngine) -> None:
        engine = new_engine()
        stamp, table = "CREATE TABLE alembic_version (version_num VARCHAR(32))", "CREATE TABLE runs (id INTEGER)"
        for statements, says in (
            ([stamp, "INSERT INTO alembic_version VALUES ('1bd49d398cd23')"], "'1bd49d398cd23'"),
            ([stamp, "INSERT INTO alembic_version VALUES ('0001'), ('x')"], "'x'"),
            ([table], "it has a table 'runs' already"),
            ([table, stamp], "it has a table 'runs' already"),
        ):
            self.make(engine, *statements)
            before = parts_of(engine)
            with pytest.raises(schema.ForeignDatabase, match="an empty one of its own") as caught:
                ensure_schema(engine)
            assert says in str(caught.value)
            assert str(engine.url.password) not in str(caught.value)
            assert parts_of(engine) == before
            self.make(engine, *(f"DROP TABLE IF EXISTS {name}" for name in ("alembic_version", "runs")))
        self.make(engine, stamp, "CREATE TABLE users (id INTEGER)")  # tables with other names do not matter
        ensure_schema(engine)
        assert version_of(engine) == HEAD

    @pytest.mark.postgres
    def test_an_encoding_that_lacks_letters(self, postgres) -> None:
        engine = make_writer(postgres.new_database(options="ENCODING 'LATIN1'"))
        with pytest.raises(schema.UnsuitableDatabase, match="LATIN1") as caught:
            ensure_schema(engine)
        engine.dispose()
        assert "ENCODING 'UTF8'" in str(caught.value)


def test_servers_that_come_at_once_make_it_once(new_url) -> None:
    url = new_url()
    engines = [make_writer(url) for _ in range(5)]
    failures: list[Exception] = []
    barrier = threading.Barrier(len(engines))

    def start(engine: Engine) -> None:
        barrier.wait()
        try:
            ensure_schema(engine)
        except Exception as error:  # noqa: BLE001 - compared below
            failures.append(error)

    threads = [threading.Thread(target=start, args=(engine,)) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert version_of(engines[0]) == HEAD
    for engine in engines:
        engine.dispose()
