"""Which endings are named as want of memory, and in which words."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlws.domain.jobs.folder import outcome_of
from jupyter_mlws.domain.jobs.memory import out_of_memory
from jupyter_mlws.domain.runs.states import RunStatus
from jupyter_mlws.kit.sizes import read_bytes, size_text

GIB = 1 << 30
ENDED: dict[str, Any] = {"reason": "exited", "exit_code": None, "signal": signal.SIGKILL, "peak_memory_bytes": int(4.1 * GIB)}
CELL = {"error": {"message": "The kernel died", "kind": "KernelDied", "cell": 6, "cell_name": "Train"}, "kernel_signal": 9}


def words(record: dict[str, Any], result: dict[str, Any] | None = None, progress: dict[str, Any] | None = None) -> str | None:
    error = out_of_memory({**ENDED, **record}, result or {}, progress)
    return None if error is None else error.message


def test_its_supervisor_ended_it():
    told = words({"reason": "out_of_memory", "memory_limit_bytes": 4 * GIB})
    assert told == "The job used 4.1 GiB; its limit is 4 GiB. Give it a higher limit, or let it hold less at once."


def test_the_cell_that_was_running_is_named():
    error = out_of_memory({**ENDED, "reason": "out_of_memory", "memory_limit_bytes": 4 * GIB}, CELL, None)
    assert error is not None
    assert "The job used 4.1 GiB; its limit is 4 GiB. Cell 7, “Train”, was running." in error.message
    assert (error.kind, error.cell, error.cell_name) == ("OutOfMemory", 6, "Train")
    killed_with_it = words({"reason": "out_of_memory", "memory_limit_bytes": GIB}, {}, {"current": 2, "label": "Load"})
    assert "Cell 3, “Load”, was running." in str(killed_with_it)


def test_the_kernel_kept_the_limit():
    full = {"memory_limit_bytes": 4 * GIB, "peak_memory_bytes": 4 * GIB - 4096, "oom_kills": 1}
    assert "used all of its memory; its limit is 4 GiB" in str(words(full))
    assert words({**full, "oom_kills": 0}) is None


@pytest.mark.parametrize(
    ("ending", "result"),
    [({}, {}), ({"signal": None, "exit_code": 137}, {}), ({"signal": None, "exit_code": 1}, CELL)],
    ids=["itself", "by a shell", "the notebook's kernel"],
)
def test_the_machine_ran_out_which_is_probable_only(ending, result):
    told = str(words({**ending, "machine_ran_out": True}, result))
    assert "most probably as the largest: it held 4.1 GiB" in told
    assert words({**ending, "machine_ran_out": False}, result) is None


@pytest.mark.parametrize(
    "ending",
    [{"reason": "canceled"}, {"reason": "timeout"}, {"signal": signal.SIGSEGV}, {"signal": None, "exit_code": 1}],
)
def test_another_ending_is_not_taken_for_it(ending):
    assert words({**ending, "machine_ran_out": True, "oom_kills": 1, "memory_limit_bytes": GIB}) is None


def test_a_job_that_came_through_has_not_failed(tmp_path: Path):
    record = {**ENDED, "signal": None, "exit_code": 0, "machine_ran_out": True}
    (tmp_path / "exit.json").write_text(json.dumps(record))
    assert outcome_of(tmp_path).status is RunStatus.COMPLETED


@pytest.mark.parametrize("value", ["x", None, -1, 1e300, [1]])
def test_a_record_that_somebody_wrote_breaks_nothing(value):
    assert (
        words({"reason": "out_of_memory", "peak_memory_bytes": value, "memory_limit_bytes": value}, {"error": value}, {})
        is not None
    )


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4GiB", 4 * GIB),
        ("512MB", 512_000_000),
        ("1.5G", 1_500_000_000),
        (" 100 mib ", 100 << 20),
        ("2048", 2048),
        ("7b", 7),
        ("1TiB", 1 << 40),
    ],
)
def test_sizes_that_people_write(text, size):
    assert read_bytes(text) == size


@pytest.mark.parametrize("text", ["", "GiB", "-1G", "4 GiBs", "1e9", "4,5G", "٤GiB", "4GiB\n4"])
def test_no_sizes(text):
    assert read_bytes(text) is None


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (int(4.1 * GIB), "4.1 GiB"), (150 << 20, "150 MiB"), (1 << 60, "1024 PiB")],
)
def test_sizes_that_people_read(size, text):
    assert size_text(size) == text
