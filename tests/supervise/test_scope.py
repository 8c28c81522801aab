"""The scope of systemd: how it is asked for, and that it is believed only where it keeps the limit.

No systemd of the user runs where these tests run, so what stands for it here is a recorder on PATH: it notes its arguments, then becomes
the program that they name, as `systemd-run --scope` does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlws.supervise import scope

RECORDER = """#!{python}
import json, os, sys
if sys.argv[1:] == ["--version"]:
    print("systemd {version} (test)")
    sys.exit(0)
with open({record!r}, "a") as file:
    file.write(json.dumps(sys.argv[1:]) + "\\n")
rest = sys.argv[sys.argv.index("--") + 1:]
os.execv(rest[0], rest)
"""
HOSTILE = ["a;b", "$HOME ${HOME} $(id)", "two\nlines", "--unit=evil", "--", "-p", "", "*", "%n %h"]


@pytest.fixture
def recorder(tmp_path):
    def make(version: int) -> tuple[str, Path]:
        folder, record = tmp_path / "bin", tmp_path / "asked"
        folder.mkdir()
        program = folder / "systemd-run"
        program.write_text(RECORDER.format(python=sys.executable, version=version, record=str(record)))
        program.chmod(0o755)
        return str(folder), record

    return make


def asked(record: Path) -> list[list[str]]:
    return [json.loads(line) for line in record.read_text().splitlines()]


@pytest.mark.parametrize(("version", "literal"), [(249, False), (254, True), (257, True)])
def test_arguments_arrive_as_they_are(recorder, version, literal):
    path, record = recorder(version)
    found = scope.find(path)
    assert found is not None
    argv = [sys.executable, "-c", "import json, sys; print(json.dumps(sys.argv[1:]))", *HOSTILE]
    told = subprocess.run(found.wrapped(argv, 4 << 30, "mlws-abc-1"), capture_output=True, text=True, check=True)
    assert json.loads(told.stdout) == HOSTILE
    ours = ["--user", "--scope", "--quiet", "--collect", *(["--expand-environment=no"] if literal else []), "--unit=mlws-abc-1"]
    assert asked(record) == [[*ours, "-p", f"MemoryMax={4 << 30}", "-p", "MemorySwapMax=0", "--", *argv]]


def test_one_that_sets_no_limit_is_not_believed(recorder, job):
    path, record = recorder(252)
    found = scope.find(path)
    assert found is not None
    assert found.work({"PATH": os.environ["PATH"]}, "trial") is False
    assert len(asked(record)) == 1, "it was tried"
    folder = job(
        sys.executable, "-c", "import time; a = bytearray(b'x') * (400 << 20); time.sleep(60)", memory_limit_bytes=100 << 20
    )
    os.environ["PATH"], before = f"{path}:{os.environ['PATH']}", os.environ["PATH"]
    try:
        record_of_end = folder.run()
    finally:
        os.environ["PATH"] = before
    assert record_of_end["reason"] == "out_of_memory"
    assert "no systemd that keeps memory limits" in folder.system_log
    assert all(name.endswith("-trial") for call in asked(record)[1:] for name in call if name.startswith("--unit="))


def test_none_is_found_where_there_is_none(tmp_path):
    assert scope.find(str(tmp_path)) is None


def test_kills_of_a_group(tmp_path):
    (tmp_path / "memory.events").write_text("low 0\nhigh 0\nmax 12\noom 2\noom_kill 1\noom_group_kill 0\n")
    assert scope.oom_kills(str(tmp_path)) == 1
    assert scope.oom_kills(str(tmp_path / "gone")) == 0


def test_the_group_is_that_of_the_scope_alone():
    assert scope.group_of(os.getpid(), "mlws-abc-1") is None


def test_the_machine_tells_its_kills():
    assert scope.machine_oom_kills() is not None
