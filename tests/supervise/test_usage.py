"""What a job's processes use, as its supervisor notes it: against work whose use is known."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time

import pytest

from mlws.supervise import processes, usage
from mlws.supervise.gpu import used
from tests.supervise.conftest import KERNEL_PATH

MIB = 1 << 20


def points(folder):
    return [json.loads(line) for line in (folder.path / "usage.jsonl").read_text().splitlines()]


def test_cpu_memory_and_number_of_processes(job):
    # Two children of a shell, each busy with one core.
    code = "import time\ndata = bytearray(b'x') * (60 << 20)\nend = time.monotonic() + 3\nwhile time.monotonic() < end: pass"
    folder = job("/bin/bash", "-c", f"for i in 1 2; do {sys.executable} -c {shlex.quote(code)} & done; wait")
    record = folder.run()
    found = points(folder)
    assert [point["n"] for point in found] == list(range(len(found)))
    assert len(found) >= 4
    busy = found[1:-1]
    assert all(point["procs"] == 3 for point in busy)
    assert max(point["mem"] for point in busy) > 110 * MIB
    cores = len(os.sched_getaffinity(0))
    assert 0.3 < max(point["cpu"] for point in busy) < cores + 0.3
    assert found[-1]["cpu_s"] == record["cpu_s"] > busy[0]["cpu_s"]
    assert [p["cpu_s"] for p in found] == sorted(p["cpu_s"] for p in found)
    assert record["peak_memory_bytes"] == max(point.get("mem", 0) for point in found)


def test_the_time_of_children_that_ended_counts(shell):
    burn = f"{sys.executable} -c 'import time\nend = time.process_time() + 0.5\nwhile time.process_time() < end: pass'"
    folder = shell(f"for i in 1 2 3; do {burn}; done; sleep 1.2")
    folder.run()
    before_the_end = points(folder)[-2]
    assert before_the_end["cpu_s"] > 1.4


def test_what_is_written_to_the_disk(shell):
    folder = shell("sleep 0.7; dd if=/dev/zero of=big bs=1M count=64 conv=fsync 2>/dev/null; sleep 1.5")
    folder.run()
    if not (written := [point["write"] for point in points(folder) if point.get("write")]):
        pytest.skip("this system does not tell what processes write")
    assert max(written) > 10 * MIB


def test_a_job_of_a_moment_has_one_point(shell):
    folder = shell("true")
    record = folder.run()
    [point] = points(folder)
    assert point["mem"] == record["peak_memory_bytes"] > 0


def test_another_attempt_counts_from_behind_the_first(shell):
    folder = shell("true", attempt=3)
    folder.run()
    assert points(folder)[0]["n"] == 2_000_000


def test_a_long_job_has_few_points():
    seconds, number, at = 10 * 3600, 0, usage.FIRST_S
    while at < seconds:
        number, at = number + 1, at + max(usage.EVERY_S, at / usage.THINNING)
    assert 1000 < number < 2000


LOOKS = """
import sys, time
from mlws.supervise import usage

watch = usage.Watch(sys.argv[1], {"memory_limit_bytes": 1 << 40})
watch.tick(time.monotonic())
spent, now = time.thread_time(), time.monotonic()
for n in range(1, 41):
    watch.tick(now + n * usage.CHECK_S)
print((time.thread_time() - spent) / (40 * usage.CHECK_S))
"""


def test_looking_costs_little(tmp_path):
    """All looks of a second, at the pace of a job with a limit, take less than a two-hundredth of it.

    In a process with nothing else in it, as a supervisor is: below that of the tests are the servers that others of them started.
    """
    done = subprocess.run([sys.executable, "-c", LOOKS, tmp_path], cwd=KERNEL_PATH, capture_output=True, text=True, check=True)
    assert 0 < float(done.stdout) < 0.005


def test_processes_of_a_listing():
    listing = """
      10     1 Ss     1000   0:01.50
      11    10 S+     2000   1:02:03
      12    11 Z         0   0:00.25
      13     1 S     50000   9:00.00
      14    11 R      4000 1-00:00:01
    """
    assert processes.parse_ps(listing, 10) == {
        11: (False, 3723.0, 2048000),
        12: (True, 0.25, 0),
        14: (False, 86401.0, 4096000),
    }


def test_a_listing_of_this_system_has_this_process():
    found = processes._listed(os.getppid())
    dead, seconds, size = found[os.getpid()]
    assert not dead
    assert seconds >= 0
    assert size > MIB


def test_gpus_of_the_job_alone():
    gpus = "0, GPU-a, 73\n1, GPU-b, 5\n2, GPU-c, [N/A]\n"
    running = "GPU-a, 41, 1024\nGPU-a, 42, 512\nGPU-b, 99, 3000\nGPU-c, 42, [N/A]\n"
    assert used(gpus, running, [41, 42]) == [
        {"i": 0, "util": 73.0, "mem": 1536 * MIB},
        {"i": 2, "util": 0.0, "mem": 0.0},
    ]
    assert used(gpus, "", [41]) == []


SMI = """#!{python}
import os, sys, time
{first}
job = open({pid!r}).read().strip()
print("GPU-a, " + job + ", 2048" if "compute-apps" in sys.argv[1] else "0, GPU-a, 87")
"""


def with_smi(tmp_path, monkeypatch, first: str = ""):
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text(SMI.format(python=sys.executable, pid=str(tmp_path / "pid"), first=first))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")


def test_gpus_come_into_the_points(shell, tmp_path, monkeypatch):
    with_smi(tmp_path, monkeypatch)
    (tmp_path / "pid").write_text("0")
    folder = shell(f"echo $$ > {tmp_path}/pid; sleep 7")
    folder.run()
    told = [point["gpu"] for point in points(folder) if "gpu" in point]
    assert told
    assert told[-1] == [{"i": 0, "util": 87.0, "mem": 2048 * MIB}]
    assert all(point["procs"] <= 2 for point in points(folder) if "procs" in point), "who asks is none of the job's processes"


def test_one_that_hangs_holds_up_nobody(shell, tmp_path, monkeypatch):
    with_smi(tmp_path, monkeypatch, "time.sleep(60)")
    began = time.monotonic()
    folder = shell("sleep 1.5; exit 4")
    assert folder.run()["exit_code"] == 4
    assert time.monotonic() - began < 4
    assert len(points(folder)) >= 2
    assert "outlive" not in folder.system_log
