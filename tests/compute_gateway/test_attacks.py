"""Links that are cut again and again, servers that come back without their kernels, and cells that print very much."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.compute_gateway.bridges import Kernel, bridges
from tests.compute_gateway.test_jobs_there import submit
from tests.gateway import OtherServer, Wire
from tests.live import LiveServer
from tests.servers import seeded, until
from tests.ssh import log_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def loud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OtherServer]:
    """A Jupyter server that drops nothing of what kernels print."""
    made = OtherServer(tmp_path_factory.mktemp("loud"), ["--ZMQChannelsWebsocketConnection.limit_rate=False"])
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture
def link(loud: OtherServer) -> Iterator[Wire]:
    """A way to it that can be cut."""
    made = Wire(loud.port)
    yield made
    made.close()


@pytest.fixture
def start(tmp_path: Path, loud: OtherServer) -> Iterator[Callable[..., Kernel]]:
    """Starts bridges."""
    yield from bridges(tmp_path, loud)


@pytest.fixture
def target(server: LiveServer, loud: OtherServer, link: Wire) -> Iterator[str]:
    """It as a target, by that way."""
    place = {"url": link.url, "token": {"workspace": "default", "name": "OTHER"}, "patience_s": 30}
    server.ok("POST", "/compute", {"name": "loud", "gateway": place})
    yield "loud"
    server.ok("DELETE", "/compute/loud?force=true")
    until(lambda: loud.kernels() == [], 30, "no kernel is left")


def test_a_link_that_is_cut_twenty_times_in_a_cell_costs_nothing_but_output(
    server: LiveServer, link: Wire, target: str, tmp_path: Path
) -> None:
    ran, go = tmp_path / "ran", tmp_path / "go"
    cell = (
        f"import os, time\nopen({str(ran)!r}, 'a').write('x')\nprint('begun', flush=True)\nat = 0\n"
        f"while not os.path.exists({str(go)!r}):\n    at += 1\n    print('at', at, flush=True)\n    time.sleep(0.02)\nprint('over')"
    )
    run_id = submit(server, cell, f"open({str(ran)!r}, 'a').write('y')\nprint('next')", target=target)
    until(lambda: "begun" in log_of(server, run_id), 60, "the cell runs")
    chance = seeded("cuts")
    for _ in range(20):
        link.cut()
        time.sleep(chance.uniform(0, 0.4))
        link.mend()
        time.sleep(chance.uniform(0, 1.0))
    go.touch()
    run = server.wait(run_id, timeout=120)
    assert (run["status"], run["error"]) == ("Completed", None), log_of(server, run_id)[-3000:]
    assert ran.read_text() == "xy"
    assert {"over", "next"} <= set(log_of(server, run_id).split())


def test_whatever_is_lost_with_a_connection_each_cell_runs_once_or_is_said_to_be_lost(
    start: Callable[..., Kernel], link: Wire, tmp_path: Path
) -> None:
    kernel, chance, ran = start(url=link.url), seeded("faults"), tmp_path / "ran"
    kernel.run("import time")
    over = threading.Event()

    def faults() -> None:
        while not over.wait(chance.uniform(0, 0.6)):
            for what in chance.sample(["swallows", "deaf", "holds"], chance.randrange(3)):
                setattr(link, what, True)
            over.wait(chance.uniform(0, 0.4))
            link.cut()
            link.swallows = link.deaf = link.holds = False
            over.wait(chance.uniform(0, 0.3))
            link.mend()

    thread = threading.Thread(target=faults)
    thread.start()
    try:
        asked = []
        for at in range(30):
            asked.append(kernel.client.execute(f"open({str(ran)!r}, 'a').write('{at}\\n'); time.sleep(0.05)"))
            time.sleep(chance.uniform(0, 0.4))
    finally:
        over.set()
        thread.join()
    told: dict[int, dict[str, Any]] = {}
    while len(told) < len(asked):
        message = kernel.client.get_shell_msg(timeout=60)
        if message["parent_header"]["msg_id"] in asked:
            told[asked.index(message["parent_header"]["msg_id"])] = message["content"]
    done = [int(line) for line in ran.read_text().split()]
    assert done == sorted(set(done)), "none ran twice, or before its turn"
    for at, reply in told.items():
        assert (reply["status"] == "ok" and at in done) or reply.get("ename") == "ConnectionLost", (at, reply)


def test_a_server_that_comes_back_without_its_kernels_fails_the_job_and_runs_the_next(
    server: LiveServer, loud: OtherServer, target: str
) -> None:
    run_id = submit(server, "import time\nprint('begun', flush=True)\ntime.sleep(600)", target=target)
    until(lambda: "begun" in log_of(server, run_id), 60, "the cell runs")
    loud.kill()
    loud.start()
    run = server.wait(run_id, timeout=120)
    assert run["status"] == "Failed"
    assert "is gone" in run["error"]["message"]
    assert server.wait(submit(server, "print('again')", target=target))["status"] == "Completed"


def test_sixty_megabytes_of_one_cell_come_whole(server: LiveServer, target: str) -> None:
    code = "for at in range(60): print(chr(97 + at % 26) * 999_999)"
    run_id = submit(server, code, "print('the end')", target=target)
    run = server.wait(run_id, timeout=240)
    assert (run["status"], run["error"]) == ("Completed", None), log_of(server, run_id)[-3000:]
    log = server.data_dir / "jobs" / run_id / "user_logs" / "std_log.txt"
    text = log.read_text() if log.exists() else log_of(server, run_id)
    assert sum(len(line) == 999_999 for line in text.splitlines()) == 60
    assert "the end" in text[-1000:]


def test_a_hundred_thousand_lines_come_whole_and_in_order(server: LiveServer, target: str) -> None:
    code = "for at in range(100_000): print('line', at)"
    run_id = submit(server, code, "print('the end')", target=target)
    run = server.wait(run_id, timeout=240)
    assert (run["status"], run["error"]) == ("Completed", None), log_of(server, run_id)[-3000:]
    log = server.data_dir / "jobs" / run_id / "user_logs" / "std_log.txt"
    text = log.read_text() if log.exists() else log_of(server, run_id)
    numbers = [int(line.split()[1]) for line in text.splitlines() if line.startswith("line ")]
    assert numbers == list(range(100_000))
    assert "the end" in text[-1000:]
