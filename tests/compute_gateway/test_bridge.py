"""The bridge kernel: what a kernel client sees of it, and what it leaves on the other server."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_core.paths import SYSTEM_JUPYTER_PATH

from tests.compute_gateway.bridges import Kernel, bridges
from tests.gateway import OtherServer, Wire, children_of
from tests.servers import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


START = b"POST /api/kernels"


@pytest.fixture
def start(tmp_path: Path, other: OtherServer) -> Iterator[Callable[..., Kernel]]:
    """Starts bridges."""
    yield from bridges(tmp_path, other)


def has_r() -> bool:
    """Whether the kernel of R stands where all Jupyter servers of the machine find it."""
    return any(Path(folder, "kernels", "ir", "kernel.json").exists() for folder in SYSTEM_JUPYTER_PATH)


def test_a_cell_runs_on_the_other_server(start: Callable[..., Kernel], other: OtherServer) -> None:
    kernel = start()
    reply, text = kernel.run("import os\nprint(os.getpid(), os.getppid())")
    assert reply["status"] == "ok"
    pid, parent = map(int, text.split())
    assert parent == other.pid
    assert pid in children_of(other.pid)
    [there] = other.kernels()
    assert kernel.record()["kernel_id"] == there["id"]
    kernel.manager.shutdown_kernel()
    assert other.kernels() == []
    assert not (kernel.folder / "k.gateway").exists()


def test_errors_buffers_and_large_outputs_come_as_from_any_kernel(start: Callable[..., Kernel]) -> None:
    kernel = start()
    reply, _ = kernel.run("1 / 0")
    assert reply["ename"] == "ZeroDivisionError"
    reply, text = kernel.run("print('ä' * 300_000)")
    assert text == "ä" * 300_000 + "\n"
    asked = kernel.client.execute("input('name? ')")
    reply, _ = kernel.reply(asked)
    assert reply["ename"] == "StdinNotImplementedError"


def test_answers_to_input_reach_the_kernel(start: Callable[..., Kernel]) -> None:
    kernel = start()
    kernel.client.allow_stdin = True
    asked = kernel.client.execute("print(input('name? ') * 2)", allow_stdin=True)
    question = kernel.client.get_stdin_msg(timeout=30)
    assert question["content"]["prompt"] == "name? "
    kernel.client.input("ab")
    reply, text = kernel.reply(asked)
    assert (reply["status"], text) == ("ok", "abab\n")


def test_an_interrupt_stops_the_cell_and_not_the_kernel(start: Callable[..., Kernel]) -> None:
    kernel = start()
    kernel.run("x = 5")
    asked = kernel.client.execute("import time\nprint('begun', flush=True)\ntime.sleep(600)")
    while kernel.client.get_iopub_msg(timeout=30)["msg_type"] != "stream":
        pass
    kernel.manager.interrupt_kernel()
    reply, _ = kernel.reply(asked)
    assert reply["ename"] == "KeyboardInterrupt"
    assert kernel.run("print(x)")[1] == "5\n"


def test_a_restart_begins_with_another_kernel(start: Callable[..., Kernel], other: OtherServer) -> None:
    kernel = start()
    kernel.run("x = 5")
    [before] = other.kernels()
    kernel.manager.restart_kernel()
    kernel.client.wait_for_ready(timeout=60)
    reply, _ = kernel.run("print(x)")
    assert reply["ename"] == "NameError"
    [after] = other.kernels()
    assert after["id"] != before["id"]


def test_the_signal_to_end_leaves_no_kernel(start: Callable[..., Kernel], other: OtherServer) -> None:
    kernel = start()
    kernel.run("1")
    os.kill(kernel.pid, signal.SIGTERM)
    until(lambda: not kernel.manager.is_alive(), 20, "the bridge ends")
    assert other.kernels() == []


def test_the_signal_to_end_while_the_kernel_starts_leaves_none(
    wire: Wire, start: Callable[..., Kernel], other: OtherServer
) -> None:
    wire.holds_from = START
    kernel = start(url=wire.url)
    until(lambda: len(other.kernels()) == 1, 30, "the kernel starts")
    os.kill(kernel.pid, signal.SIGTERM)
    until(lambda: "cut short" in kernel.said(), 10, "the bridge knows that it is to end")
    wire.holds = False
    until(lambda: not kernel.manager.is_alive(), 20, "the bridge ends")
    assert other.kernels() == []


@pytest.mark.parametrize("resets", [False, True], ids=["ended", "reset"])
def test_a_kernel_whose_start_was_answered_to_nobody_is_taken_and_not_started_twice(
    wire: Wire, start: Callable[..., Kernel], other: OtherServer, resets: bool
) -> None:
    wire.holds_from = START
    kernel = start(url=wire.url)
    until(lambda: len(other.kernels()) == 1, 30, "the kernel starts")
    wire.cut(resets=resets)
    wire.holds = False
    wire.mend()
    assert kernel.run("print(1)")[1] == "1\n"
    [there] = other.kernels()
    assert kernel.record()["kernel_id"] == there["id"]
    assert kernel.record()["asked"] == []


def test_a_bridge_that_is_killed_while_the_kernel_starts_leaves_a_note_of_it(
    wire: Wire, start: Callable[..., Kernel], other: OtherServer
) -> None:
    wire.holds_from = START
    kernel = start(url=wire.url)
    until(lambda: len(other.kernels()) == 1, 30, "the kernel starts")
    os.kill(kernel.pid, signal.SIGKILL)
    until(lambda: not kernel.manager.is_alive(), 20, "the bridge is gone")
    [there] = other.kernels()
    assert kernel.record()["asked"] == [there["id"]]
    other.delete(there["id"])


def test_a_bridge_that_is_killed_leaves_a_note_of_the_kernel(start: Callable[..., Kernel], other: OtherServer) -> None:
    kernel = start()
    kernel.run("1")
    os.kill(kernel.pid, signal.SIGKILL)
    until(lambda: not kernel.manager.is_alive(), 20, "the bridge is gone")
    [there] = other.kernels()
    assert kernel.record()["kernel_id"] == there["id"]
    assert other.token not in (kernel.folder / "k.gateway").read_text()
    other.delete(there["id"])


def test_a_cut_loses_neither_the_cell_nor_those_behind_it(wire: Wire, start: Callable[..., Kernel], tmp_path: Path) -> None:
    kernel = start(url=wire.url)
    kernel.run("runs = 0")
    goes_on = tmp_path / "go"
    waits = f"while not os.path.exists({str(goes_on)!r}): time.sleep(0.01)"
    code = f"import os, time\nruns += 1\nprint('begun', flush=True)\n{waits}\nprint('over')"
    asked = kernel.client.execute(code)
    while kernel.client.get_iopub_msg(timeout=30)["msg_type"] != "stream":
        pass
    wire.cut()
    behind = kernel.client.execute("runs += 10\nprint(runs)")
    goes_on.touch()
    wire.mend()
    reply, text = kernel.reply(asked)
    assert reply["status"] == "ok"
    assert "was cut for" in text
    assert text.endswith("over\n")
    assert kernel.reply(behind)[1] == "11\n"
    assert kernel.run("print(runs)")[1] == "11\n"


def test_a_cell_whose_end_is_lost_fails_in_words_and_does_not_run_again(
    wire: Wire, start: Callable[..., Kernel], other: OtherServer, tmp_path: Path
) -> None:
    kernel = start(url=wire.url)
    kernel.run("runs = 0")
    goes_on = tmp_path / "go"
    waits = f"while not os.path.exists({str(goes_on)!r}): time.sleep(0.01)"
    asked = kernel.client.execute(f"import os, time\nruns += 1\nprint('begun', flush=True)\n{waits}")
    while kernel.client.get_iopub_msg(timeout=30)["msg_type"] != "stream":
        pass
    wire.swallows = True
    goes_on.touch()
    until(lambda: other.kernels()[0]["execution_state"] == "idle", 30, "the cell is over")
    wire.cut()
    wire.swallows = False
    wire.mend()
    reply, text = kernel.reply(asked)
    assert reply["ename"] == "ConnectionLost"
    assert "was cut for" in text
    assert kernel.run("print(runs)")[1] == "1\n"


def test_a_cell_of_which_no_word_came_back_does_not_run_again(
    wire: Wire, start: Callable[..., Kernel], other: OtherServer, tmp_path: Path
) -> None:
    kernel = start(url=wire.url)
    kernel.run("runs = 0")
    ran, before = tmp_path / "ran", other.kernels()[0]["last_activity"]
    wire.swallows = True
    asked = kernel.client.execute(f"runs += 1\nopen({str(ran)!r}, 'a').close()")
    until(ran.exists, 30, "the cell has run")
    has_answered(other, before)
    wire.cut()
    wire.swallows = False
    wire.mend()
    assert kernel.reply(asked)[0]["ename"] == "ConnectionLost"
    assert kernel.run("print(runs)")[1] == "1\n"


def test_a_cell_of_which_no_word_came_is_not_forgotten_over_one_behind_it(
    wire: Wire, start: Callable[..., Kernel], other: OtherServer, tmp_path: Path
) -> None:
    kernel = start(url=wire.url)
    ran, began, go = (tmp_path / name for name in ("ran", "began", "go"))
    kernel.run("import os, time")
    wire.swallows = True
    first = kernel.client.execute(f"open({str(ran)!r}, 'a').write('x')")
    second = kernel.client.execute(f"open({str(began)!r}, 'w').close()\nwhile not os.path.exists({str(go)!r}): time.sleep(0.01)")
    until(began.exists, 30, "the first cell has run")
    until(lambda: other.kernels()[0]["execution_state"] == "busy", 30)
    wire.cut()
    wire.swallows = False
    wire.mend()
    go.touch()
    assert kernel.reply(second)[0]["status"] == "ok"
    assert kernel.reply(first)[0]["ename"] == "ConnectionLost"
    assert kernel.run("print(1)")[1] == "1\n"
    assert ran.read_text() == "x"


def has_answered(other: OtherServer, before: str) -> None:
    """Wait until the kernel has begun after that moment, and has answered: what is still to be said is not lost with a connection."""
    until(lambda: other.kernels()[0]["last_activity"] != before, 30, "the kernel has begun")
    until(lambda: other.kernels()[0]["execution_state"] == "idle", 30, "the kernel has answered")


def test_a_question_whose_answer_was_lost_is_asked_again_and_answered(
    wire: Wire, start: Callable[..., Kernel], other: OtherServer
) -> None:
    kernel = start(url=wire.url)
    kernel.run("1")
    before = other.kernels()[0]["last_activity"]
    wire.swallows = True
    asked = kernel.client.complete("impor")
    has_answered(other, before)
    wire.cut()
    wire.swallows = False
    wire.mend()
    assert kernel.reply(asked)[0]["status"] == "ok"


def test_a_cell_that_never_arrived_is_sent_again(wire: Wire, start: Callable[..., Kernel]) -> None:
    kernel = start(url=wire.url)
    kernel.run("runs = 0")
    wire.deaf = True
    asked = kernel.client.execute("runs += 1\nprint(runs)")
    kernel.client.kernel_info()
    kernel.manager.interrupt_kernel()  # it goes behind the cell, and is not heard either
    wire.cut()
    wire.deaf = False
    wire.mend()
    assert kernel.reply(asked)[1].endswith("1\n")
    assert kernel.run("print(runs)")[1] == "1\n"


@pytest.mark.parametrize("lost", ["asked", "answered"])
def test_cells_in_r_run_once_whatever_is_lost(
    wire: Wire, start: Callable[..., Kernel], other: OtherServer, tmp_path: Path, lost: str
) -> None:
    if not has_r():
        pytest.skip("R and its kernel are not installed there (Debian: apt install r-base-core r-cran-irkernel)")
    kernel = start(url=wire.url, kernel="ir")
    kernel.run("runs <- 0", timeout=60)
    ran, before = tmp_path / "ran", other.kernels()[0]["last_activity"]
    wire.swallows, wire.deaf = lost == "answered", lost == "asked"
    asked = kernel.client.execute(f'runs <- runs + 1\ncat(file="{ran}", "x")')
    if lost == "answered":
        until(ran.exists, 30, "the cell has run")
        has_answered(other, before)
    wire.cut()
    wire.swallows = wire.deaf = False
    wire.mend()
    assert kernel.reply(asked)[0]["status"] == ("error" if lost == "answered" else "ok")
    assert ran.exists()
    assert kernel.run("cat(runs)")[1].strip() == "1"


def test_a_message_that_the_other_server_does_not_take_fails_in_words(start: Callable[..., Kernel]) -> None:
    kernel = start()
    reply, _ = kernel.run(f"x = {'a' * (11 << 20)!r}", timeout=60)
    assert "does not get through" in reply["evalue"]
    assert kernel.run("print(1)")[1] == "1\n"


def test_messages_of_widgets_are_not_sent_again_after_a_cut(wire: Wire, start: Callable[..., Kernel]) -> None:
    kernel = start(url=wire.url)
    heard = "heard = []\ndef opened(comm, _):\n    comm.on_msg(lambda message: heard.append(message['content']['data']))\n"
    kernel.run(f"{heard}get_ipython().kernel.comm_manager.register_target('w', opened)")
    for kind, content in (
        ("comm_open", {"comm_id": "c", "target_name": "w", "data": {}}),
        ("comm_msg", {"comm_id": "c", "data": 1}),
    ):
        kernel.client.shell_channel.send(kernel.client.session.msg(kind, content))
    assert kernel.run("print(heard)")[1] == "[1]\n"
    wire.cut()
    wire.mend()
    assert kernel.run("print(heard)")[1].endswith("[1]\n")


def test_a_kernel_that_is_gone_after_a_cut_ends_the_bridge(wire: Wire, start: Callable[..., Kernel], other: OtherServer) -> None:
    kernel = start(url=wire.url)
    kernel.run("1")
    wire.cut()
    other.delete(kernel.record()["kernel_id"])
    wire.mend()
    until(lambda: not kernel.manager.is_alive(), 30, "the bridge ends")
    assert "is gone" in kernel.said()


def test_a_server_that_stays_away_ends_the_bridge_in_the_end(
    wire: Wire, start: Callable[..., Kernel], other: OtherServer
) -> None:
    kernel = start(url=wire.url, patience_s=1)
    kernel.run("1")
    wire.cut()
    until(lambda: not kernel.manager.is_alive(), 60, "the bridge ends")
    assert "given up" in kernel.said()
    [there] = other.kernels()
    other.delete(there["id"])


def test_a_kernel_that_dies_ends_the_bridge(start: Callable[..., Kernel], other: OtherServer) -> None:
    kernel = start()
    kernel.client.execute("import os\nos._exit(3)")
    until(lambda: not kernel.manager.is_alive(), 60, "the bridge ends")
    assert "died" in kernel.said()
    assert other.kernels() == []


@pytest.mark.parametrize(
    ("kernel_name", "token", "words"),
    [("no-such", "", "'no-such' is not installed"), ("python3", "wrong", "does not take the token")],
)
def test_what_cannot_start_is_told_in_words(
    start: Callable[..., Kernel], other: OtherServer, kernel_name: str, token: str, words: str
) -> None:
    kernel = start(token=token, kernel=kernel_name)
    until(lambda: not kernel.manager.is_alive(), 30, "the bridge ends")
    assert words in kernel.said()
    assert other.kernels() == []


def test_a_message_that_is_not_signed_is_left_out(start: Callable[..., Kernel]) -> None:
    kernel = start()
    kernel.run("x = 1")
    right, kernel.client.session.key = kernel.client.session.key, b"another"
    kernel.client.execute("x = 2")
    kernel.client.session.key = right
    assert kernel.run("print(x)")[1] == "1\n"
    assert "not signed" in kernel.said()


def test_variables_are_passed_on_and_the_token_is_not(start: Callable[..., Kernel], other: OtherServer) -> None:
    kernel = start(variables=["PATH", "NOT_THERE"], replace={"MLWS_X": "1"})
    _, text = kernel.run(
        "import os, mlws\nprint(os.environ['PATH'], os.environ['MLWS_X'], mlws.__file__)\nprint(dict(os.environ))"
    )
    assert text.startswith(f"{os.environ['PATH']} 1 ")
    assert ".zip" in text.splitlines()[0]
    assert other.token not in text


ANSWERS = [
    ([["work/outputs/hole", 1 << 40, "YQ=="]], 0, "at byte 1099511627776"),
    ([["work/outputs/../../above", 0, "YQ=="]], 0, "none of its own"),
    ([["spool/../above.wal", 0, "YQ=="]], 0, "none of its own"),
    ([["/etc/above", 0, "YQ=="]], 0, "none of its own"),
    ([["work/outputs/above", 0, "a"]], 0, "no answer"),
    ([["work/outputs/above"]], 0, "no answer"),
    ([], None, "no answer"),
    ([], 0, "tells nothing more"),
]


@pytest.mark.parametrize(("files", "left", "words"), ANSWERS)
def test_a_kernel_that_lies_about_its_files_writes_nothing_here(
    start: Callable[..., Kernel], tmp_path: Path, files: list[Any], left: int | None, words: str
) -> None:
    job = tmp_path / "a" / "job"
    (job / "work").mkdir(parents=True)
    kernel = start(job=str(job), work=str(job / "work"))
    answer = {"files": files, "more": True, "left": left}
    kernel.run(f"import sys\nsys.modules['_mlws_far'].__dict__['fetch'] = lambda had, ends: {answer!r}")
    kernel.manager.shutdown_kernel()
    assert words in kernel.said()
    assert "Traceback" not in kernel.said()
    assert [path for path in tmp_path.rglob("*") if path.name in ("hole", "above", "above.wal")] == []


def test_what_a_reply_brings_is_counted_as_well(start: Callable[..., Kernel], tmp_path: Path) -> None:
    (tmp_path / "job" / "work").mkdir(parents=True)
    kernel = start(job=str(tmp_path / "job"), work=str(tmp_path / "job" / "work"), fetch_limit=1_000_000)
    kernel.run("1")
    kernel.client.execute("1", user_expressions={"much": "'x' * 1_500_000"})
    until(lambda: not kernel.manager.is_alive(), 30, "the bridge ends")
    assert "brings more than 1 MB" in kernel.said()


def test_files_that_cannot_be_read_keep_no_others_back(start: Callable[..., Kernel], tmp_path: Path) -> None:
    job = tmp_path / "job"
    (job / "work").mkdir(parents=True)
    kernel = start(job=str(job), work=str(job / "work"))
    unread = "far = sys.modules['_mlws_far'].__dict__\nfiles = far['_files']\n"
    gone = "far['_files'] = lambda work, top: [('work/outputs/a', 'outputs/none', 1)] * (top == 'outputs') + files(work, top)\n"
    kernel.run(f"import sys\n{unread}{gone}open('outputs/b', 'w').write('kept')")
    kernel.manager.shutdown_kernel()
    assert "work/outputs/a cannot be read" in kernel.said()
    assert (job / "work" / "outputs" / "b").read_text() == "kept"


def test_servers_that_know_the_older_form_of_messages_alone(
    start: Callable[..., Kernel], tmp_path_factory: pytest.TempPathFactory
) -> None:
    option = "--ZMQChannelsWebsocketConnection.kernel_ws_protocol="
    old = OtherServer(tmp_path_factory.mktemp("old"), [option]).start()
    try:
        kernel = start(url=old.url, token=old.token)
        assert kernel.run("print('ä' * 3)")[1] == "äää\n"
        asked = "from ipykernel.comm import Comm\nc = Comm('x', buffers=[b'\\x00\\xff'])"
        kernel.client.execute(asked)
        message = kernel.client.get_iopub_msg(timeout=30)
        while message["msg_type"] != "comm_open":
            message = kernel.client.get_iopub_msg(timeout=30)
        assert [bytes(one) for one in message["buffers"]] == [b"\x00\xff"]
        kernel.close()
        assert old.kernels() == []
    finally:
        old.stop()
