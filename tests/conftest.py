"""Fixtures that all tests share."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlws.domain.jobs import queue
from tests.databases import PostgresPool
from tests.live import WITH_LAB, LiveServer
from tests.postgres import PostgresServer, start_or_skip
from tests.servers import SOAK
from tests.skips import pytest_runtest_makereport  # noqa: F401 - a hook

pytest_plugins = ["pytester"]


CLUSTERS = ("compute_lsf", "compute_lsf_via", "compute_pbs", "compute_pbs_via", "compute_slurm", "compute_via")
"""Folders of tests of one worker, for two would start two clusters, and a server for each."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """`--dist loadfile`: a file at a time, or a folder whose tests share much."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling  # noqa: PLC0415 - it is not there for who runs tests without it

    class Files(LoadFileScheduling):  # type: ignore[misc]  # what is imported where it is needed has no type
        def _split_scope(self, nodeid: str) -> str:
            path = Path(nodeid.partition("::")[0])
            return str(path.parent if path.parent.name in CLUSTERS else path)

    return Files(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Files with slow tests first: with a file at a time, the quick ones then keep both workers busy to the end. Without those that are for
    a long run alone."""
    if not SOAK:
        again = [item for item in items if item.get_closest_marker("again")]
        config.hook.pytest_deselected(items=again)
        items[:] = [item for item in items if item not in again]
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
    live = LiveServer(tmp_path_factory.mktemp("server"), extensions=WITH_LAB).start()
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
