"""Jobs that do what no program should, through the front door: the server bears it, and others notice nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live import LiveServer
from tests.servers import lean, peak_mb, pid_of, processes_of, until

LINE = 100_000_000
PIECE = 1 << 20
"""A line over this is stored as several."""
PAGE = 4 << 20
ENVELOPE = 1000
"""What an answer has beside the text of the log."""
QUOTA = 1 << 20

ONE_LINE = f"""head -c {LINE} /dev/zero | tr '\\0' x
until [ -e go ]; do sleep 0.1; done
echo ' the end'; echo after; echo 'and the next'"""

FILLS_AND_STAYS = r"""
import os, signal, time

for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGXFSZ):
    signal.signal(number, signal.SIG_IGN)

def fill(name):
    with open(f"outputs/{name}", "ab", buffering=0) as file:
        while True:
            try:
                file.write(b"x" * 65536)
            except OSError as error:
                if not os.path.exists(name):
                    os.write(1, f"{name}: {error.strerror}\n".encode())
                    with open(f"{name}.tmp", "w") as note:
                        note.write(str(os.getpid()))
                    os.rename(f"{name}.tmp", name)
                time.sleep(0.01)

if os.fork() == 0:
    fill("child")
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        fill("far")
    os._exit(0)
if os.fork() == 0:
    while True:  # one that is never the same process for long
        if os.fork() != 0:
            os._exit(0)
        time.sleep(0.05)
fill("parent")
"""


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[LiveServer]:
    """A server that nothing else has grown."""
    made = lean(tmp_path / "server").start()
    yield made
    for job in made.ok("GET", "/workspaces/default/jobs")["jobs"]:  # jobs outlive their server: a test that failed leaves none
        made.ok("POST", f"/jobs/{job['id']}/cancel")
        made.wait(job["id"], timeout=50)
    made.stop()


def command(line: str, **fields: Any) -> dict[str, Any]:
    return {"kind": "command", "command": line, **fields}


def work_of(server: LiveServer, run_id: str) -> Path:
    """A job's working folder."""
    return server.data_dir / "jobs" / run_id / "work"


def part(server: LiveServer, run_id: str, **query: int) -> dict[str, Any]:
    """A part of a job's log, which is no larger than what was asked for."""
    answer = server.get(f"/jobs/{run_id}/log", params=query, timeout=10)
    assert answer.status_code == 200, answer.text[:1000]
    assert len(answer.content) <= query.get("limit", 512 << 10) + ENVELOPE
    found: dict[str, Any] = answer.json()
    return found


def offsets_of(server: LiveServer, run_id: str, words: str) -> list[int]:
    """Where lines with these words begin, by as many searches as it takes."""
    found: list[int] = []
    offset, more = 0, True
    while more:
        answer = server.ok("GET", f"/jobs/{run_id}/log/search", params={"q": words, "offset": offset}, timeout=10)
        assert answer["next_offset"] > offset or not answer["more"]
        found += answer["offsets"]
        offset, more = answer["next_offset"], answer["more"]
    return found


def whole(server: LiveServer, run_id: str) -> Iterator[str]:
    """The log by its pages."""
    offset, done = 0, False
    while not done:
        page = part(server, run_id, offset=offset, limit=PAGE)
        assert page["next_offset"] > offset or page["done"]
        yield page["text"]
        offset, done = page["next_offset"], page["done"]


@pytest.mark.slow
def test_a_line_of_a_hundred_megabytes_is_kept_in_pieces_and_read_in_parts(alone: LiveServer):
    small = alone.submit(command("echo small"))
    alone.wait(small)
    assert offsets_of(alone, small, "small") == [0]
    before = peak_mb(pid_of(alone))
    run_id = alone.submit(command(ONE_LINE))
    stored = alone.data_dir / "jobs" / run_id / "user_logs" / "std_log.txt"
    pieces, rest = divmod(LINE, PIECE)
    until(lambda: stored.exists() and stored.stat().st_size == LINE + pieces, 60, "the line is stored as far as it goes")

    # While the line goes on.
    assert part(alone, run_id)["text"] == "x" * (512 << 10)
    assert part(alone, run_id, limit=PAGE)["text"] == ("x" * PIECE + "\n") * 3
    live = part(alone, run_id, offset=LINE + pieces - rest, limit=PAGE)
    assert (live["text"], live["partial"], live["done"]) == ("", "x" * rest, False)
    assert len(offsets_of(alone, run_id, "xxx")) == pieces

    (work_of(alone, run_id) / "go").touch()
    run = alone.wait(run_id)
    assert (run["status"], run["error"]) == ("Completed", None)
    words = " the end\nafter\nand the next\n"
    assert stored.stat().st_size == LINE + pieces + len(words)

    assert part(alone, run_id)["text"] == "x" * (512 << 10)
    last = part(alone, run_id, tail=4096)
    assert (last["text"], last["done"]) == ("after\nand the next\n", True)
    backwards = part(alone, run_id, before=last["offset"], limit=4096)
    assert backwards["text"] == "x" * (4096 - len(" the end\n")) + " the end\n"
    (after,) = offsets_of(alone, run_id, "AFTER")
    assert part(alone, run_id, offset=after, limit=1024)["text"] == "after\nand the next\n"
    assert len(offsets_of(alone, run_id, "xxx")) == pieces + 1
    count, longest, unfinished = 0, 0, ""
    for text in whole(alone, run_id):
        count += text.count("x")
        *lines, unfinished = (unfinished + text).split("\n")
        longest = max([longest, *map(len, lines)])
    assert (count, longest, unfinished) == (LINE + 1, PIECE, "")  # one more stands in the last line

    assert peak_mb(pid_of(alone)) - before < 100
    assert "Traceback" not in alone.log()


@pytest.mark.slow
def test_a_job_that_fills_its_quota_and_ignores_signals_is_canceled_with_all_its_children(alone: LiveServer):
    (alone.root / "code").mkdir()
    (alone.root / "code" / "fill.py").write_text(FILLS_AND_STAYS)
    other = alone.submit(command("echo begun; until [ -e go ]; do sleep 0.1; done; echo gone on"))
    run_id = alone.submit(command(f"ulimit -f {QUOTA >> 10}; exec python fill.py", code="code"))
    names = ("parent", "child", "far")
    work = work_of(alone, run_id) / "code"
    for name in names:
        until((work / name).exists, 30, f"{name} has filled its file")
    pids = {name: int((work / name).read_text()) for name in names}
    group = json.loads((alone.data_dir / "jobs" / run_id / "pid.json").read_text())["child_pid"]
    assert [os.getpgid(pids[name]) == group for name in names] == [True, True, False]
    assert len([pid for pid, line in processes_of(alone.data_dir) if "fill.py" in line]) >= 3

    assert alone.ok("POST", f"/jobs/{run_id}/cancel")["run"]["status"] == "CancelRequested"
    run = alone.wait(run_id, timeout=50)
    assert (run["status"], run["reason"]) == ("Canceled", "canceled")
    told = alone.ok("GET", f"/jobs/{run_id}/log", params={"stream": "system"})["text"]
    sent = [told.index(f"sent {name} to") for name in ("SIGINT", "SIGTERM", "SIGKILL")]
    assert sent == sorted(sent), told

    def are_gone() -> bool:  # the supervisor leaves a moment after its record
        return not any(run_id in line or "fill.py" in line for _, line in processes_of(alone.data_dir))

    until(are_gone, 10, "its processes are gone")
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)

    # What it printed and what fitted is there.
    log = alone.ok("GET", f"/jobs/{run_id}/log")["text"]
    assert sorted(log.splitlines()) == [f"{name}: File too large" for name in sorted(names)]
    found = alone.ok("GET", f"/runs/{run_id}/artifacts", params={"path": "outputs"})["entries"]
    assert {entry["path"]: entry["size"] for entry in found} == {f"outputs/{name}": QUOTA for name in names}

    assert alone.ok("GET", f"/runs/{other}")["status"] == "Running"
    (work_of(alone, other) / "go").touch()
    assert alone.wait(other)["status"] == "Completed"
    assert alone.ok("GET", f"/jobs/{other}/log")["text"] == "begun\ngone on\n"
    until(lambda: not processes_of(alone.data_dir), 10, "no process is left")
    assert "Traceback" not in alone.log()
