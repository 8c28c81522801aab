"""What jobs leave on a host under names, and in states, that no file here can have: they end all the same, and all else comes back."""

from __future__ import annotations

import os

import pytest

from tests.live import LiveServer
from tests.ssh import Sshd, command, eventually, far_jobs, log_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

STRANGE = r"""
import os
open(b"outputs/no\xfftext.txt", "wb").write(b"x")
open("outputs/line\nbreak.txt", "w").write("x")
open("outputs/" + "\u00e4" * 127, "w").write("long")
open("outputs/model.bin", "w").write("model")
open("outputs/.model.bin.part", "w").write("part")
open("outputs/fine.txt", "w").write("fine")
"""

SLOWLY = r"""
import os, time, mlws
from mlws import files
def slowly(source, target):
    for n in range(20):
        os.write(target, b"piece %02d" % n)
        mlws.log_metric("n", n, step=n)
        time.sleep(0.2)
files._copy = slowly
open("large.bin", "w").write("x")
mlws.log_artifact("large.bin")
"""


def script(server: LiveServer, name: str, text: str) -> str:
    """A folder of code with one program."""
    folder = server.root / name
    folder.mkdir()
    (folder / "a.py").write_text(text)
    return name


def artifact(server: LiveServer, run_id: str, path: str) -> str:
    return server.get(f"/runs/{run_id}/artifacts/content", params={"path": path}).text


def test_names_that_no_file_here_can_have_stay_behind_and_all_else_comes_back(server: LiveServer, far: Sshd):
    run_id = server.submit(command("python3 a.py; echo end", code=script(server, "strange", STRANGE)), target="far")
    run = server.wait(run_id, timeout=120)
    assert run["status"] == "Completed", run["error"]
    assert log_of(server, run_id) == "end\n"
    for path, content in (("model.bin", "model"), (".model.bin.part", "part"), ("fine.txt", "fine"), ("\u00e4" * 127, "long")):
        assert artifact(server, run_id, f"outputs/{path}") == content
    eventually(lambda: run_id not in far_jobs(far))


def test_an_artifact_that_takes_long_to_copy_comes_whole(server: LiveServer):
    run_id = server.submit(command("python3 a.py", code=script(server, "slowly", SLOWLY)), target="far")
    run = server.wait(run_id, timeout=120)
    assert run["status"] == "Completed", run["error"]
    assert artifact(server, run_id, "large.bin") == "".join(f"piece {n:02d}" for n in range(20))


def test_a_file_that_cannot_be_read_there_stays_behind(server: LiveServer):
    # Root reads all plain files: for it what cannot be read is a pipe that nobody writes to.
    closed = "chmod 0 outputs/closed" if os.geteuid() else "rm outputs/closed; mkfifo outputs/closed"
    run_id = server.submit(command(f"echo x > outputs/closed; {closed}; echo y > outputs/open"), target="far")
    assert server.wait(run_id, timeout=120)["status"] == "Completed"
    assert artifact(server, run_id, "outputs/open") == "y\n"
