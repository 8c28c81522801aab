"""The line that starts the far end, run here as a shell of the host runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from jupyter_mlws.domain.compute.ssh.bootstrap import command, package
from mlws.remote import frames


def test_of_two_connections_that_bring_the_supervisor_neither_takes_it_away_from_the_other(tmp_path: Path) -> None:
    line, code = command(sys.executable, str(tmp_path)), tmp_path / "mlws" / package().name
    ends = [subprocess.Popen(["/bin/sh", "-c", line], stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)]
    made = []
    try:
        for end in ends:
            assert end.stdout is not None
            assert end.stdout.read(len(frames.MARK)) == frames.MARK
            assert not frames.read(end.stdout)[0]["have"]
        for end in ends:
            assert end.stdin is not None
            assert end.stdout is not None
            end.stdin.write(frames.packed(dict(package().files)))
            end.stdin.write(frames.packed({"ask": "hello"}))
            end.stdin.flush()
            assert frames.read(end.stdout)[0] == {}
            assert frames.read(end.stdout)[0]["root"] == str(tmp_path)
            made.append(code.stat().st_ino)
    finally:
        for end in ends:
            end.communicate()
    assert made[0] == made[1]
    assert [path.name for path in code.parent.iterdir()] == [code.name]
