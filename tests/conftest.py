"""Fixtures that all tests share."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jupyter_mlws.domain.jobs import queue
from tests.databases import PostgresPool
from tests.live import LiveServer
from tests.postgres import PostgresServer, start_or_skip
from tests.skips import pytest_runtest_makereport  # noqa: F401 - a hook

pytest_plugins = ["pytester"]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first: with a file at a time, the quick ones then keep both workers busy to the end."""
    slow = {item.path for item in items if any(item.get_closest_marker(name) for name in ("slow", "soak", "postgres"))}
    items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish() -> None:
    """What was imported left the signals alone: blocked ones are inherited by each server and kernel, which then cannot be ended."""
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    assert not blocked, f"an import blocked {', '.join(sorted(one.name for one in map(signal.Signals, blocked)))}"


@pytest.fixture(autouse=True)
def queues_of_its_own() -> Iterator[None]:
    """What an engine of a test knew of its targets would else be the next test's answer to why a job waits."""
    yield
    known = queue.Queues
    for table in (known.limits, known.problems, known.environments, known.held_up, known.outside):
        table.clear()
    known.owner, known.shared = None, frozenset()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """One Jupyter server for all tests that do not disturb it."""
    live = LiveServer(tmp_path_factory.mktemp("server")).start()
    yield live
    live.stop()


@pytest.fixture
def new_server(tmp_path: Path) -> Iterator[Callable[..., LiveServer]]:
    """Makes servers of a test's own, and stops them at its end."""
    made: list[LiveServer] = []

    def make(**options: object) -> LiveServer:
        folder = tmp_path / f"server-{len(made)}"
        folder.mkdir()
        live = LiveServer(folder, **options)  # type: ignore[arg-type]
        made.append(live)
        return live

    yield make
    for live in made:
        live.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server of our own, started by the first test that wants it."""
    found = start_or_skip()
    yield found
    found.stop()


@pytest.fixture(scope="session")
def postgres_pool(postgres: PostgresServer) -> Iterator[PostgresPool]:
    """Its databases with the schema."""
    pool = PostgresPool(postgres)
    yield pool
    pool.close()
