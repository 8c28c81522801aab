"""A kernel ends: killed, restarted, shut down; idle, busy, or deaf. What becomes of the run that was open."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.live import LiveServer, write_notebook
from tests.live_kernel import Kernel
from tests.servers import kill, say

pytestmark = pytest.mark.slow

WITHIN_S = 10.0
DEAF = """
import signal, time
for each in (signal.SIGINT, signal.SIGTERM): signal.signal(each, signal.SIG_IGN)
print("deaf", flush=True)
while True: time.sleep(1)
"""


@pytest.fixture
def kernel(jupyter: LiveServer):
    """A kernel in which a run is open, with one metric that the server has."""
    write_notebook(jupyter.root / "ends.ipynb", "1")
    with Kernel(jupyter, "ends.ipynb") as made:
        made.run("import mlws\nrun = mlws.start_run()\nmlws.log_metric('m', 1)\nassert mlws.flush()")
        yield made


def ended(server: LiveServer, run_id: str, since: float) -> dict[str, Any]:
    """The run, which must have ended in time."""
    run = server.wait(run_id, timeout=WITHIN_S)
    say(f"{run['status']} ({run['reason']}) {time.monotonic() - since:.1f} s after the end of its kernel")
    assert time.monotonic() - since < WITHIN_S
    return run


def assert_kernel_ended(run: dict[str, Any]) -> None:
    """Failed, and the reason is told."""
    assert (run["status"], run["reason"]) == ("Failed", "kernel_ended")
    assert "ended without ending the run" in run["error"]["message"]
    assert run["metrics"]["m"]["last"] == 1


def test_killed(jupyter: LiveServer, kernel: Kernel):
    run_id, pid = kernel.value("run.id"), kernel.value("__import__('os').getpid()")
    kernel.run("mlws.log_metric('last words', 2)\nimport mlws.sender\nmlws.sender.sender()._spool_queue()")
    since = time.monotonic()
    kill(pid)
    run = ended(jupyter, run_id, since)
    assert_kernel_ended(run)
    assert run["metrics"]["last words"]["last"] == 2
    assert run["ended_at"] is not None


@pytest.mark.parametrize("how", ["restart", "shut_down"])
def test_ended_while_deaf(jupyter: LiveServer, kernel: Kernel, how: str):
    """The cell hears neither the interrupt nor the request to end, so Jupyter kills the kernel after its patience."""
    run_id = kernel.value("run.id")
    kernel.wait(kernel.send(DEAF), until="deaf")
    getattr(kernel, how)()
    assert_kernel_ended(ended(jupyter, run_id, time.monotonic()))


@pytest.mark.parametrize("how", ["restart", "shut_down"])
def test_ended_while_idle(jupyter: LiveServer, kernel: Kernel, how: str):
    """All cells went well: so did the run that was never ended."""
    run_id = kernel.value("run.id")
    kernel.run("mlws.log_metric('m', 2)")
    getattr(kernel, how)()
    run = ended(jupyter, run_id, time.monotonic())
    assert (run["status"], run["metrics"]["m"]["last"]) == ("Completed", 2)


@pytest.mark.parametrize("how", ["restart", "shut_down"])
def test_ended_while_training(jupyter: LiveServer, kernel: Kernel, how: str):
    """Jupyter interrupts the cell first."""
    run_id = kernel.value("run.id")
    kernel.wait(kernel.send("print('training', flush=True)\nimport time\nwhile True: time.sleep(0.1)"), until="training")
    getattr(kernel, how)()
    assert ended(jupyter, run_id, time.monotonic())["status"] == "Canceled"


def test_ended_in_the_block_of_its_run(jupyter: LiveServer, kernel: Kernel):
    kernel.run("run.end()")
    code = "with mlws.start_run() as run:\n    print('id', run.id, flush=True)\n    import time\n    while True: time.sleep(0.1)"
    run_id = kernel.wait(kernel.send(code), until="\n").text.split()[1]
    kernel.restart()
    assert ended(jupyter, run_id, time.monotonic())["status"] == "Canceled"


def test_ended_after_a_cell_that_failed(jupyter: LiveServer, kernel: Kernel):
    run_id = kernel.value("run.id")
    assert kernel.fails("raise ValueError('diverged')").error == "ValueError"
    kernel.shut_down()
    run = ended(jupyter, run_id, time.monotonic())
    assert (run["status"], run["error"]["kind"], run["error"]["message"]) == ("Failed", "ValueError", "diverged")
    assert "raise ValueError" in run["error"]["traceback"]


def test_ended_after_a_cell_that_was_mended(jupyter: LiveServer, kernel: Kernel):
    run_id = kernel.value("run.id")
    kernel.fails("1 / 0")
    kernel.run("1 / 1")
    kernel.wait(kernel.send("1 +"))  # was never run
    kernel.shut_down()
    assert ended(jupyter, run_id, time.monotonic())["status"] == "Completed"


def test_its_token_ends_with_it_and_lives_through_a_restart(jupyter: LiveServer, kernel: Kernel):
    token = kernel.value("__import__('os').environ['MLWS_TOKEN']")
    other = jupyter.ok("POST", "/tokens/exchange", {"workspace": "vision"}, token=token)["secret"]
    kernel.restart()
    assert kernel.value("__import__('os').environ['MLWS_TOKEN']") == token
    assert [jupyter.get("/info", token=one).status_code for one in (token, other)] == [200, 200]
    kernel.shut_down()
    assert [jupyter.get("/info", token=one).status_code for one in (token, other)] == [401, 401]
