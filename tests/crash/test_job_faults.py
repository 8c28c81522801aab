"""Faults around jobs: the clock jumps while they wait and run, and one forks without end. Each job ends once, and nothing stays behind."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.crash.test_jobs import LINES, LOGGING, command, record, steps_of
from tests.crash.test_takeover import one_end
from tests.live import LiveServer
from tests.servers import lean, processes_of, until

CLOCK = """
import time

_time, _time_ns = time.time, time.time_ns

def _offset():
    with open({clock!r}) as file:
        return int(file.read())

time.time = lambda: _time() + _offset()
time.time_ns = lambda: _time_ns() + _offset() * 10**9
"""
DAY = 86_400
CHAINS = 5
FORKS = f"""
import os, signal, time
for name in ("SIGINT", "SIGTERM", "SIGHUP"):
    signal.signal(getattr(signal, name), signal.SIG_IGN)
last = time.monotonic() + 120  # whatever becomes of the test
for _ in range({CHAINS}):
    if os.fork() == 0:
        while time.monotonic() < last:  # a child in a session of its own goes on, its parent ends: no process lives long
            try:
                if os.fork():
                    os._exit(0)
                os.setsid()
            except BlockingIOError:  # the system has enough of it for the moment
                pass
            time.sleep(0.1)
        os._exit(0)
time.sleep(300)
"""


@pytest.fixture
def jump(tmp_path: Path) -> Callable[[int], None]:
    """Sets the clock of the server and of its jobs' Python by so many seconds from the true time; that of the supervisors stays."""
    clock = tmp_path / "clock"

    def set_clock(offset: int) -> None:
        new = clock.with_suffix(".new")
        new.write_text(str(offset))
        new.replace(clock)

    set_clock(0)
    return set_clock


@pytest.fixture
def server(tmp_path: Path, jump: Callable[[int], None]) -> Iterator[LiveServer]:
    """A server whose clock is ours to set."""
    folder = tmp_path / "clocks"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(CLOCK.format(clock=str(tmp_path / "clock")))
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    live = lean(tmp_path / "server", environment={"PYTHONPATH": path}, options=["--MlwsApp.retry_backoff_s=3"]).start()
    yield live
    live.stop()
    until(lambda: not processes_of(live.data_dir), 20, "no process of its jobs is left")


def ended(server: LiveServer, run_id: str) -> dict[str, Any]:
    run = server.wait(run_id, timeout=60)
    assert one_end(server, run_id)
    return run


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("offset", [2 * DAY, -2 * DAY], ids=["forward", "back"])
def test_the_clock_jumps(server: LiveServer, jump: Callable[[int], None], offset: int):
    (server.root / "code").mkdir()
    (server.root / "code" / "job.py").write_text("import time\n" + LOGGING)
    runs = server.submit({**command("python job.py"), "code": "code"}, timeout_s=3600)
    again = server.submit(command('[ "$MLWS_ATTEMPT" = 2 ] || exit 3; echo came again'), max_retries=1)
    late = server.submit(command("sleep 30"), timeout_s=4)
    server.wait(runs, "Running")
    until(lambda: server.ok("GET", f"/jobs/{again}")["attempt"] == 2, 30, "it waits for its second attempt")
    server.wait(late, "Running")
    jump(offset)
    new = server.submit(command("echo new"))
    for run_id in (runs, again, new):
        run = ended(server, run_id)
        assert (run["status"], run["error"]) == ("Completed", None), server.ok("GET", f"/jobs/{run_id}/log")["text"]
        assert run["ended_at"] >= run["started_at"]
    run = ended(server, late)
    assert (run["status"], run["reason"]) == ("Failed", "timeout")
    assert steps_of(server, runs) == list(range(LINES))
    server.kill()
    jump(0)
    server.start()
    assert ended(server, server.submit(command("true")))["status"] == "Completed"


@pytest.mark.slow
def test_what_forks_without_end_is_canceled_to_its_last_process(server: LiveServer):
    (server.root / "code").mkdir()
    (server.root / "code" / "forks.py").write_text(FORKS)
    run_id = server.submit({**command("python forks.py"), "code": "code"})
    other = server.submit(command("until [ -e go ]; do sleep 0.1; done"))
    until(lambda: record(server, run_id, "pid.json"), 20)
    until(lambda: len([1 for _, line in processes_of(server.data_dir) if "forks.py" in line]) > CHAINS, 60, "it forks")
    first = {pid for pid, line in processes_of(server.data_dir) if "forks.py" in line}
    until(
        lambda: len({pid for pid, line in processes_of(server.data_dir) if "forks.py" in line} - first) >= CHAINS, 60, "and again"
    )
    server.ok("POST", f"/jobs/{run_id}/cancel")
    run = ended(server, run_id)
    assert (run["status"], run["reason"]) == ("Canceled", "canceled")
    until(lambda: not [line for _, line in processes_of(server.data_dir) if "forks.py" in line], 20, "none of them is left")
    (server.data_dir / "jobs" / other / "work" / "go").touch()
    assert ended(server, other)["status"] == "Completed"
