"""The disk fails or is full while MLflow clients log: they are told, what was acknowledged stays, and all goes on without a restart."""

from __future__ import annotations

import errno
import resource
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash.found import Check, check_disk
from tests.crash.load import Load, quiet_port
from tests.fiu import SYNCS, WRITES, faults_or_skip
from tests.live import LiveServer
from tests.servers import lean, pid_of, say, seeded, until

ROUNDS = 10
FAULTS = {"a full disk": (WRITES, errno.ENOSPC), "failing writes": (WRITES, errno.EIO), "failing fsync": (SYNCS, errno.EIO)}


def faults_under_load(server: LiveServer, folder: Path, name: str, on: Callable[[int], None], off: Callable[[int], None]) -> str:
    """Switch the fault of a started server on and off under load, and compare. What it came to, in words."""
    random = seeded(name)
    load = Load(server, random.getrandbits(32), folder, clients=4)
    pid = pid_of(server)
    try:
        for _ in range(ROUNDS):
            answered, refused = load.acknowledged(), failed(load)
            until(lambda seen=answered: load.sending() and load.acknowledged() > seen + 8, 60, "the clients go on")  # type: ignore[misc]
            on(pid)
            until(lambda seen=refused: failed(load) > seen + 4, 60, "the fault is told")  # type: ignore[misc]
            assert server.get("/workspaces").status_code == 200, "reading goes on"
            stood = load.acknowledged()
            time.sleep(random.uniform(0.1, 0.6))
            assert load.acknowledged() - stood <= len(load.clients), "writes are acknowledged that no disk can have taken"
            off(pid)
        load.end()
    finally:
        load.stop()
    assert set(load.statuses()) <= {200, 429, 503, 507}, (load.statuses(), load.words())
    assert load.cut() == 0, "every request was answered"
    assert [words for words in load.words() if "disk" not in words] == []
    assert server.process is not None
    assert (server.process.pid, server.process.poll()) == (pid, None), "without a restart"
    return f"{ROUNDS} times {name}, {failed(load)} requests told of it; {Check(server).all(load)}"


def failed(load: Load) -> int:
    """Requests that were answered with an error of the server."""
    return sum(number for status, number in load.statuses().items() if status >= 500)


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", FAULTS)
def test_a_disk_that_fails_under_load(tmp_path: Path, name: str):
    faults = faults_or_skip(tmp_path / "fiu")
    points, number = FAULTS[name]
    server = lean(tmp_path / "server", environment=faults.environment).start(port=quiet_port())
    try:
        told = faults_under_load(
            server, tmp_path, name, lambda pid: faults.on(pid, points, number), lambda pid: faults.off(pid, points)
        )
    finally:
        server.stop()
    check_disk(server)
    say(told)


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.timeout(300)
def test_files_that_may_not_grow_under_load(tmp_path: Path):
    """The limit of a process's files stands for a full disk wherever libfiu is not."""
    server = lean(tmp_path / "server").start(port=quiet_port())

    def limit(pid: int, size: int) -> None:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    try:
        told = faults_under_load(
            server,
            tmp_path,
            "files that may not grow",
            lambda pid: limit(pid, 0),
            lambda pid: limit(pid, resource.RLIM_INFINITY),
        )
    finally:
        server.stop()
    check_disk(server)
    say(told)
