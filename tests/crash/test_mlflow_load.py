"""MLflow clients log without pause while the server, or PostgreSQL under it, is killed again and again."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from tests.crash.found import Check, check_disk, check_objects
from tests.crash.load import Load, quiet_port
from tests.live import LiveServer
from tests.postgres import PostgresServer, start_or_skip
from tests.servers import SOAK, lean, say, seeded, until

ROUNDS = 100 if SOAK else 10
POSTGRES_ROUNDS = 30 if SOAK else 10
SAFE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
"""PostgreSQL as people run it: what was committed is on the disk."""


def under_load(server: LiveServer, folder: Path, name: str, rounds: int, strike: Callable[[], None]) -> str:
    """Let clients log to a started server, `strike` at random moments, and compare. What it came to, in words."""
    random = seeded(name)
    load = Load(server, random.getrandbits(32), folder)
    try:
        for _ in range(rounds):
            at_a_moment_of_load(load, random)
            strike()
        until(lambda: load.sending(), 20, "the clients go on")
        load.end()
    finally:
        load.stop()
    assert set(load.statuses()) <= {200, 429, 503}, (load.statuses(), load.words())
    assert load.cut() + load.statuses()[503] >= rounds, "nothing was in flight when it struck"
    return f"{rounds} kills of {name}, {load.cut()} requests cut; {Check(server).all(load)}"


def at_a_moment_of_load(load: Load, random: Random) -> None:
    """Wait until something new was acknowledged, a random while, and until a request is on its way."""
    before = load.acknowledged()
    until(lambda: load.sending() and load.acknowledged() > before, 60, "the clients go on")
    time.sleep(random.uniform(0.02, 0.9))
    until(load.sending, 20, "a write is in flight")


def kill_and_start(server: LiveServer) -> Callable[[], None]:
    def strike() -> None:
        server.kill()
        server.start(port=server.port)

    return strike


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.timeout(0 if SOAK else 300)
def test_the_server_is_killed_under_load(tmp_path: Path):
    server = lean(tmp_path / "server").start(port=quiet_port())
    try:
        say(under_load(server, tmp_path, "the server on SQLite", ROUNDS, kill_and_start(server)))
    finally:
        server.stop()
    check_disk(server)


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.postgres
@pytest.mark.timeout(0 if SOAK else 300)
def test_the_server_is_killed_under_load_on_postgresql(tmp_path: Path, postgres: PostgresServer):
    url = postgres.new_database().render_as_string(hide_password=False)
    server = lean(tmp_path / "server", environment={"MLWS_DATABASE_URL": url}).start(port=quiet_port())
    try:
        say(under_load(server, tmp_path, "the server on PostgreSQL", POSTGRES_ROUNDS, kill_and_start(server)))
    finally:
        server.stop()
    check_objects(server.data_dir)


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.postgres
@pytest.mark.timeout(0 if SOAK else 300)
def test_postgresql_is_stopped_at_once_under_load(tmp_path: Path):
    """As `pg_ctl stop -m immediate` does, and then started: it recovers from its log, and our server goes on by itself."""
    postgres = start_or_skip(SAFE, quiet_port())
    server = lean(
        tmp_path / "server", environment={"MLWS_DATABASE_URL": postgres.new_database().render_as_string(hide_password=False)}
    )
    try:
        server.start(port=quiet_port())
        pid = server.process and server.process.pid

        def strike() -> None:
            postgres.stop_at_once()
            time.sleep(0.2)
            postgres.start_again()

        say(under_load(server, tmp_path, "PostgreSQL", POSTGRES_ROUNDS, strike))
        assert server.process is not None
        assert (server.process.pid, server.process.poll()) == (pid, None), "the server itself goes on"
    finally:
        server.stop()
        postgres.stop()
