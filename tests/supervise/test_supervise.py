"""The supervisor, by running it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlws import jobdir

# Forks away from session and parent, ignores what can be ignored, and writes down who it is.
STUBBORN = """
import os, signal, sys, time
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open("grandchild.tmp", "w").write(str(os.getpid()))
        os.rename("grandchild.tmp", "grandchild")
        while True:
            time.sleep(1)
    os._exit(0)
os.wait()
print("ready", flush=True)
while {stays}:
    time.sleep(1)
"""


def stubborn(job, *, stays: bool, **fields):
    return job(sys.executable, "-c", STUBBORN.format(stays=stays), **fields)


def grandchild(folder, eventually) -> int:
    path = folder.path / "work" / "grandchild"
    eventually(path.exists)
    return int(path.read_text())


def test_exit_code_output_and_record(shell):
    folder = shell("echo out; echo err >&2; pwd; exit 7")
    record = folder.run()
    assert (record["exit_code"], record["signal"], record["reason"], record["attempt"]) == (7, None, "exited", 1)
    assert folder.log.decode() == f"out\nerr\n{folder.path}/work\n"
    assert 0 < record["started_at"] <= record["ended_at"] <= time.time() * 1000 + 1
    assert record["max_rss_bytes"] > 1_000_000
    assert not (folder.path / ".exit.json.tmp").exists()


def test_signal_of_the_job_is_told(shell):
    record = shell("kill -SEGV $$").run()
    assert (record["exit_code"], record["signal"], record["reason"]) == (None, signal.SIGSEGV, "exited")


@pytest.mark.parametrize(
    ("argv", "cwd", "words"),
    [(["/no/such"], None, "'/no/such' cannot be started"), (["true"], "/no/where", "'/no/where' cannot be entered")],
)
def test_what_cannot_start_leaves_a_record(job, argv, cwd, words):
    folder = job(*argv, **({"cwd": cwd} if cwd else {}))
    record = folder.run()
    assert record["reason"] == "spawn_failed"
    assert words in record["message"]
    assert words.encode() in folder.log


def test_broken_job_file_leaves_a_record(shell):
    folder = shell("true")
    (folder.path / "job.json").write_text("{")
    assert folder.run()["reason"] == "spawn_failed"


def test_ends_once(shell):
    folder = shell("echo once")
    folder.run()
    before = (folder.path / "exit.json").read_bytes()
    assert folder.start().wait(20) == 3
    assert (folder.path / "exit.json").read_bytes() == before


@pytest.mark.parametrize("moment", [0.03, 0.05, 0.07, 0.1, 0.2])
def test_a_signal_at_any_moment_leaves_a_record(shell, moment):
    folder = shell("sleep 30")
    supervisor = folder.start()
    time.sleep(moment)
    started = (folder.path / "system_logs").exists()  # before that it is still Python that starts
    supervisor.send_signal(signal.SIGTERM)
    code = supervisor.wait(20)
    if started:
        assert (code, folder.exit["reason"]) == (0, "canceled")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR2, signal.SIGXCPU])
def test_what_a_batch_system_begins_to_end_a_job_with_leaves_a_record(shell, eventually, number):
    folder = shell("trap 'echo stopping; exit 5' INT; echo ready; while true; do sleep 0.1; done")
    supervisor = folder.start()
    eventually(lambda: (folder.path / "user_logs" / "std_log.txt").exists() and b"ready" in folder.log)
    supervisor.send_signal(number)
    assert supervisor.wait(20) == 0
    assert (folder.exit["reason"], folder.exit["signaled"], folder.exit["exit_code"]) == ("canceled", True, 5)
    assert b"stopping" in folder.log


def test_only_one_supervisor_has_a_job(shell, eventually):
    folder = shell("sleep 30")
    first = folder.start()
    eventually(lambda: jobdir.read_pid(str(folder.path)))
    assert folder.start().wait(20) == 3
    first.send_signal(signal.SIGTERM)
    first.wait(20)
    assert folder.exit["reason"] == "canceled"


def test_cancel_by_file(shell, eventually):
    folder = shell("trap 'echo stopping; exit 5' INT; echo ready; while true; do sleep 0.1; done")
    supervisor = folder.start()
    eventually(lambda: (folder.path / "user_logs" / "std_log.txt").exists() and b"ready" in folder.log)
    assert jobdir.is_alive(str(folder.path))
    assert abs((jobdir.read_heartbeat(str(folder.path)) or 0) - time.time() * 1000) < 5000
    jobdir.request_cancel(str(folder.path))
    jobdir.request_cancel(str(folder.path), "timeout")
    supervisor.wait(20)
    assert (folder.exit["reason"], folder.exit["exit_code"]) == ("canceled", 5)
    assert b"stopping" in folder.log
    assert not jobdir.is_alive(str(folder.path))


def test_cancel_kills_what_forked_away_and_ignores_everything(job, eventually):
    folder = stubborn(job, stays=True, grace_s=0.3)
    supervisor = folder.start()
    pid = grandchild(folder, eventually)
    supervisor.send_signal(signal.SIGTERM)
    supervisor.wait(20)
    assert jobdir.start_time(pid) is None
    assert (folder.exit["reason"], folder.exit["signal"]) == ("canceled", signal.SIGKILL)


def test_timeout_kills_the_whole_tree(job, eventually):
    folder = stubborn(job, stays=True, grace_s=0.3, timeout_s=1)
    record = folder.run()
    assert record["reason"] == "timeout"
    assert jobdir.start_time(grandchild(folder, eventually)) is None


def test_what_outlives_the_job_is_ended(job, eventually):
    folder = stubborn(job, stays=False)
    # The job ends before its grandchild has said who it is, now and then.
    began = time.monotonic()
    record = folder.run()
    assert (record["reason"], record["exit_code"]) == ("exited", 0)
    assert "outlive" in folder.system_log
    assert 1.9 < time.monotonic() - began < 20
    assert jobdir.leftovers(str(folder.path)) == []


def test_killed_supervisor_leaves_no_record_and_no_process(job, eventually):
    folder = stubborn(job, stays=True)
    supervisor = folder.start()
    pid = grandchild(folder, eventually)
    record = eventually(lambda: jobdir.read_pid(str(folder.path)))
    assert (record["pid"], record["boot_id"]) == (supervisor.pid, jobdir.boot_id())
    assert jobdir.kill_leftovers(str(folder.path)) == 0, "never while the supervisor lives"
    supervisor.kill()
    supervisor.wait()
    assert not (folder.path / "exit.json").exists()
    assert not jobdir.is_alive(str(folder.path))
    eventually(lambda: jobdir.start_time(record["child_pid"]) is None)
    assert jobdir.start_time(pid) is not None
    assert jobdir.kill_leftovers(str(folder.path)) == 1
    eventually(lambda: jobdir.start_time(pid) is None)


def test_reused_pid_and_other_boot_are_not_alive(tmp_path):
    mine = {
        "pid": os.getpid(),
        "start_time": jobdir.start_time(os.getpid()),
        "boot_id": jobdir.boot_id(),
        "host": os.uname().nodename,
    }
    for change, alive in (({}, True), ({"start_time": "1"}, False), ({"boot_id": "x"}, False), ({"host": "elsewhere"}, False)):
        (tmp_path / "pid.json").write_text(json.dumps({**mine, **change}))
        assert jobdir.is_alive(str(tmp_path)) is alive, change


def test_the_supervisor_leaves_the_session_of_its_starter(shell, eventually):
    folder = shell("sleep 30")
    supervisor = folder.start()
    eventually(lambda: jobdir.read_pid(str(folder.path)))
    assert os.getsid(supervisor.pid) == supervisor.pid
    supervisor.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    assert supervisor.poll() is None
    supervisor.send_signal(signal.SIGINT)
    supervisor.wait(20)


def test_job_has_default_signals_no_input_and_no_open_files(job, make_folder):
    folder = job(sys.executable, "-c", "import os; print(sorted(os.listdir('/proc/self/fd'))); print(os.read(0, 1))")
    folder.run()
    assert folder.log.decode() == "['0', '1', '2', '3']\nb''\n"  # 3 is the listing itself
    other = make_folder("second", "/bin/grep", "SigIgn", "/proc/self/status")
    other.run()
    own_of_libc = sum(1 << (n - 1) for n in range(1, 65) if n not in signal.valid_signals())  # no program can set these
    assert int(other.log.split()[1], 16) & ~own_of_libc == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_full_disk_loses_lines_but_not_the_end(make_folder, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small], stderr=subprocess.DEVNULL).returncode != 0:
        pytest.skip("no right to mount a file system here")
    try:
        copy = make_folder("small/job", "/bin/bash", "-c", "yes 0123456789 | head -c 3000000; exit 4")
        record = copy.run()
        assert (record["reason"], record["exit_code"]) == ("exited", 4)
        assert 500_000 < len(copy.log) < 1_048_576
    finally:
        subprocess.run(["umount", small], check=True)


def installed(version: str) -> list[str]:
    """Where interpreters of this version may be."""
    found = shutil.which(f"python{version}")
    return [*([found] if found else []), *map(str, Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))]


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10", "3.13"])
def test_runs_on_other_pythons(shell, version):
    python = next(
        (p for p in installed(version) if subprocess.run([p, "-c", ""], stderr=subprocess.DEVNULL).returncode == 0), None
    )
    if python is None:
        pytest.skip(f"no Python {version} here")
    folder = shell("echo hi; exit 3")
    assert folder.run(python)["exit_code"] == 3
    assert folder.log == b"hi\n"
