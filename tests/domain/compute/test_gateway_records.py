"""Whether anybody minds a kernel on another server, by the note of it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from jupyter_mlws.domain.compute.gateway import records
from mlws import jobdir


@pytest.mark.parametrize("knows", [True, False], ids=["proc", "no proc"])
def test_a_kernel_is_minded_while_its_bridge_lives_and_no_longer(knows: bool) -> None:
    """Where there is no /proc, notes have no start of their process."""
    bridge = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    told = {"pid": bridge.pid, "start_time": jobdir.start_time(bridge.pid) if knows else None}
    assert records.is_minded(told)
    bridge.communicate(b"\n")
    assert not records.is_minded(told)


@pytest.mark.parametrize("pid", [None, "1", 0, -1, 1 << 80])
def test_a_note_that_names_no_process_is_minded_by_nobody(pid: object) -> None:
    assert not records.is_minded({"pid": pid, "start_time": None})


def test_another_process_of_the_same_number_minds_nothing() -> None:
    assert not records.is_minded({"pid": os.getpid(), "start_time": "1"})
