"""Supervisors that were forked are like those that were started: each its own session, with its own record, whoever ends first."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlws.domain.compute.local import LocalCompute
from jupyter_mlws.domain.compute.starter import Starter
from mlws import jobdir
from tests.supervise.conftest import KERNEL_PATH, JobFolder, until

MakeFolder = Callable[..., JobFolder]


@pytest.fixture
def starter() -> Iterator[subprocess.Popen[bytes]]:
    argv = [sys.executable, "-S", "-E", "-m", "mlws.supervise.starter"]
    process = subprocess.Popen(argv, cwd=KERNEL_PATH, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    yield process
    for pipe in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):
            pipe.close()  # type: ignore[union-attr]
    process.wait(10)


def ask(process: subprocess.Popen[bytes], *folders: JobFolder) -> None:
    assert process.stdin is not None
    process.stdin.write(b"".join(json.dumps(str(folder.path)).encode() + b"\n" for folder in folders))
    process.stdin.flush()


def answer(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert process.stdout is not None
    found: dict[str, Any] = json.loads(process.stdout.readline())
    return found


def pid_of(folder: JobFolder) -> int:
    return int(until(lambda: jobdir.read_pid(str(folder.path)))["pid"])


def test_many_at_once_each_with_its_record(starter: subprocess.Popen[bytes], make_folder: MakeFolder) -> None:
    folders = [make_folder(f"job{n}", "sh", "-c", f"echo {n}; exit {n}") for n in range(12)]
    ask(starter, *folders)
    ended = {answer(starter)["folder"] for _ in folders}
    assert ended == {str(folder.path) for folder in folders}
    for number, folder in enumerate(folders):
        assert folder.exit["exit_code"] == number
        assert folder.log == f"{number}\n".encode()


def test_it_leads_a_session_of_its_own_and_holds_none_of_our_pipes(
    starter: subprocess.Popen[bytes], make_folder: MakeFolder
) -> None:
    folder = make_folder("job", "sleep", "60")
    ask(starter, folder)
    pid = pid_of(folder)
    assert os.getsid(pid) == pid
    assert Path(f"/proc/{pid}/comm").read_text() == "mlws-job\n"
    pipes = {Path(f"/proc/{starter.pid}/fd/{fd}").readlink() for fd in (0, 1)}
    held = {fd.readlink() for fd in Path(f"/proc/{pid}/fd").iterdir()}
    assert not pipes & held
    os.kill(pid, signal.SIGTERM)
    assert answer(starter)["folder"] == str(folder.path)
    assert folder.exit["reason"] == "canceled"


@pytest.mark.parametrize("end", ["its input ends", "killed"])
def test_the_supervisors_outlive_it(starter: subprocess.Popen[bytes], make_folder: MakeFolder, end: str) -> None:
    folder = make_folder("job", "sh", "-c", "while [ ! -e go ]; do sleep 0.05; done; echo done")
    ask(starter, folder)
    pid = pid_of(folder)
    if end == "killed":
        starter.kill()
    else:
        starter.stdin.close()  # type: ignore[union-attr]
    starter.wait(10)
    assert jobdir.is_alive(str(folder.path))
    (folder.path / "work" / "go").touch()
    until(lambda: jobdir.read_exit(str(folder.path)))
    assert folder.exit["exit_code"] == 0
    until(lambda: jobdir.start_time(pid) is None)


def test_a_killed_supervisor_is_told_and_leaves_no_record(starter: subprocess.Popen[bytes], make_folder: MakeFolder) -> None:
    folder = make_folder("job", "sleep", "60")
    ask(starter, folder)
    os.kill(pid_of(folder), signal.SIGKILL)
    assert answer(starter)["folder"] == str(folder.path)
    assert jobdir.read_exit(str(folder.path)) is None


def test_the_target_starts_anew_what_was_killed(make_folder: MakeFolder, tmp_path: Path) -> None:
    target = LocalCompute("local", 2)
    ended: list[str] = []
    target.when_this_ends = ended.append
    first, second = make_folder("one", "sh", "-c", "sleep 0.3"), make_folder("two", "true")
    target.start(first.path)
    assert target.is_alive(first.path)
    process = target._starter._process
    assert process is not None
    pid_of(first)
    process.kill()
    process.wait(10)
    target.start(second.path)
    for folder in (first, second):
        until(lambda folder=folder: jobdir.read_exit(str(folder.path)))
        until(lambda folder=folder: not target.is_alive(folder.path))
        assert folder.exit["exit_code"] == 0
    until(lambda: ended)
    target.close()


def test_without_it_a_supervisor_is_started_by_itself(make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    target = LocalCompute("local", 1)
    monkeypatch.setattr(target._starter, "_argv", ["/nowhere/python"])
    folder = make_folder("job", "true")
    target.start(folder.path)
    until(lambda: jobdir.read_exit(str(folder.path)))
    until(lambda: not target.is_alive(folder.path))
    assert folder.exit["exit_code"] == 0


def test_it_does_not_import_what_lies_in_the_servers_folder(
    make_folder: MakeFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "signal.py").write_text("raise SystemExit('a module of the user')")
    monkeypatch.chdir(tmp_path)
    target = LocalCompute("local", 1)
    folder = make_folder("job", "true")
    target.start(folder.path)
    until(lambda: jobdir.read_exit(str(folder.path)))
    assert target._starter._process is not None
    assert target._starter._process.poll() is None
    target.close()


def test_what_it_did_not_come_to_before_it_died_is_started_otherwise(
    make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = LocalCompute("local", 1)
    monkeypatch.setattr(target._starter, "_argv", [sys.executable, "-c", "import sys; sys.stdin.readline(); sys.exit(1)"])
    folder = make_folder("job", "true")
    target.start(folder.path)
    until(lambda: jobdir.read_exit(str(folder.path)))
    until(lambda: not target.is_alive(folder.path))
    assert folder.exit["exit_code"] == 0
    target.close()


def test_one_that_cannot_be_started_at_all_leaves_the_others_heard() -> None:
    fake = """
import json, sys
for line in sys.stdin:
    folder = json.loads(line)
    print(json.dumps({"folder": folder, **({"failed": "no more processes"} if folder == "bad" else {})}), flush=True)
"""
    ended: list[str] = []

    def failed(_: str) -> None:
        raise BlockingIOError("no more processes")

    starter = Starter([sys.executable, "-c", fake], os.environ, "/", ended=ended.append, failed=failed)
    assert starter.start("bad")
    assert starter.start("good")
    until(lambda: ended == ["good"])
    assert not starter.has("bad")
    assert not starter.has("good")
    starter.close()


def test_secrets_are_kept_until_all_of_their_line_is_there(make_folder: MakeFolder) -> None:
    ours, theirs = socket.socketpair()
    argv = [sys.executable, "-S", "-E", "-m", "mlws.supervise.starter"]
    with subprocess.Popen(argv, cwd=KERNEL_PATH, stdin=theirs.fileno(), stdout=subprocess.PIPE) as process, theirs, ours:
        folder = make_folder("job", "sh", "-c", 'test "$KEY" = canary')
        line = json.dumps({"folder": str(folder.path), "spare": None, "secrets": True}).encode() + b"\n"
        held = os.memfd_create("secrets")
        os.pwrite(held, b'{"KEY": "canary"}', 0)
        socket.send_fds(ours, [line[:10]], [held])
        os.close(held)
        time.sleep(0.5)  # so that it comes in two pieces, as a long row of lines does
        ours.sendall(line[10:])
        assert answer(process) == {"folder": str(folder.path)}
        assert folder.exit["exit_code"] == 0
        ours.sendall(line)  # without any
        assert answer(process)["failed"] == "its secrets did not come"


HASTY = """
import os, signal
real, starter = os.fork, os.getpid()
def fork():
    pid = real()
    if pid == 0 and os.getppid() == starter:
        os.kill(os.getpid(), signal.SIGTERM)
    return pid
os.fork = fork
from mlws.supervise.starter import Starter
Starter().run()
"""


def test_a_supervisor_that_is_asked_to_end_before_it_does_anything_leaves_a_record(make_folder: MakeFolder) -> None:
    folder = make_folder("job", "sleep", "600")
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", HASTY], cwd=KERNEL_PATH, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        ask(process, folder)
        assert answer(process)["folder"] == str(folder.path)
    finally:
        process.communicate(timeout=30)
    assert folder.exit["exit_code"] != 0
