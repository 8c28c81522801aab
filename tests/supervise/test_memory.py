"""The memory limit of a job, on real processes that really take memory."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
import time
from pathlib import Path

import pytest

from mlws import jobdir
from mlws.supervise.processes import largest_elsewhere

MIB = 1 << 20
TAKE = """
import time
data = []
for _ in range({mib}):
    data.append(bytearray(b"x" * (1 << 20)))
print("took", len(data), flush=True)
time.sleep({stays})
"""
CHILD_OF_CHILD = """
import subprocess, sys
inner = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', " + repr({code!r}) + "]))"
sys.exit(subprocess.call([sys.executable, "-c", inner]))
"""


def python(job, code: str, limit: int, **fields):
    return job(sys.executable, "-c", code, memory_limit_bytes=limit * MIB, **fields)


def test_a_job_over_its_limit_is_ended_and_the_record_says_why(job):
    folder = python(job, TAKE.format(mib=600, stays=60), 200)
    record = folder.run()
    assert (record["reason"], record["signal"]) == ("out_of_memory", signal.SIGKILL)
    assert record["memory_limit_bytes"] == 200 * MIB
    assert 200 * MIB < record["peak_memory_bytes"] < 800 * MIB
    assert "its limit is 209715200" in folder.system_log


def test_a_job_just_under_its_limit_runs_through(job):
    folder = python(job, TAKE.format(mib=180, stays=1), 220)
    record = folder.run()
    assert (record["reason"], record["exit_code"]) == ("exited", 0)
    assert 180 * MIB < record["peak_memory_bytes"] <= 220 * MIB


def test_the_memory_of_a_child_of_a_child_counts(job):
    folder = python(job, CHILD_OF_CHILD.format(code=TAKE.format(mib=600, stays=60)), 200)
    record = folder.run()
    assert record["reason"] == "out_of_memory"
    assert record["peak_memory_bytes"] > 200 * MIB
    assert jobdir.leftovers(str(folder.path)) == []


def test_several_processes_count_together(job):
    code = "import subprocess, sys\nfor p in [subprocess.Popen([sys.executable, '-c', {code!r}]) for _ in range(4)]: p.wait()"
    folder = python(job, code.format(code=TAKE.format(mib=80, stays=60)), 200)
    assert folder.run()["reason"] == "out_of_memory"


def test_shared_and_file_pages_do_not_count_twice(job, tmp_path):
    # Four processes share 100 MiB, and each maps a file of 300 MiB, all of which the system may drop.
    (tmp_path / "data").write_bytes(bytes(300 * MIB))
    code = f"""
import mmap, os, time
shared = bytearray(b"x") * (100 << 20)
with open({str(tmp_path / "data")!r}, "rb") as file:
    mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
for _ in range(3):
    if os.fork() == 0:
        break
assert sum(mapped[i] for i in range(0, len(mapped), 4096)) == 0
time.sleep(2)
"""
    record = python(job, code, 200).run()
    assert (record["reason"], record["exit_code"]) == ("exited", 0)
    assert 100 * MIB < record["peak_memory_bytes"] < 200 * MIB


def test_a_cancel_that_came_first_stays_the_reason(job, eventually):
    code = (
        "import os, signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nprint('ready', flush=True)\n"
        "while not os.path.exists('../cancel'): pass\n"
    )
    folder = python(job, code + TAKE.format(mib=600, stays=60), 200, grace_s=30)
    supervisor = folder.start()
    eventually(lambda: (folder.path / "user_logs" / "std_log.txt").exists() and b"ready" in folder.log)
    began = time.monotonic()
    jobdir.request_cancel(str(folder.path))
    supervisor.wait(20)
    assert (folder.exit["reason"], folder.exit["signal"]) == ("canceled", signal.SIGKILL)
    assert time.monotonic() - began < 15, "it does not get the patience of a cancel while it eats the memory"


@pytest.mark.parametrize("limit", [None, 0])
def test_without_a_limit_nothing_is_ended(job, limit):
    record = job(sys.executable, "-c", TAKE.format(mib=300, stays=1.2), memory_limit_bytes=limit).run()
    assert (record["reason"], record["memory_limit_bytes"]) == ("exited", None)
    assert record["peak_memory_bytes"] > 300 * MIB
    assert json.dumps(record)


GROUP = Path("/sys/fs/cgroup/memory")


@pytest.fixture
def group():
    """A control group in which the kernel itself kills, and its MiB: more than any other process on the machine has."""
    own = next((line for line in Path("/proc/self/cgroup").read_text().splitlines() if ":memory:" in line), None)
    if os.geteuid() != 0 or own is None:
        pytest.skip("no control group of version 1 may be made here")
    mib = max(600, largest_elsewhere([]) // MIB + 400)
    folder = GROUP / own.split(":")[2].lstrip("/") / f"mlws-test-{os.getpid()}"
    folder.mkdir()
    (folder / "memory.limit_in_bytes").write_text(str(mib * MIB))
    yield folder, mib
    folder.rmdir()


def test_the_kernels_own_kill_is_noticed(shell, group):
    place, mib = group
    code = TAKE.format(mib=mib + 300, stays=60)
    folder = shell(f"echo $$ > {place}/cgroup.procs; {sys.executable} -c {shlex.quote(code)}; exit $?")
    record = folder.run()
    assert (record["reason"], record["exit_code"], record["signal"]) == ("exited", 137, None)
    assert record["machine_ran_out"] is True
    assert record["peak_memory_bytes"] > (mib - 100) * MIB


def test_where_nobody_was_killed_nothing_is_claimed(shell):
    record = shell("kill -9 $$").run()
    assert (record["signal"], record["machine_ran_out"], record["oom_kills"]) == (signal.SIGKILL, False, 0)
