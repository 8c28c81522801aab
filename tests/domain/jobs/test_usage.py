"""What a job used comes into its run: while it runs, at its end, once, and apart from what was measured."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlws.db.database import Database
from jupyter_mlws.domain.jobs import service as jobs
from jupyter_mlws.domain.jobs import usage
from jupyter_mlws.domain.jobs.engine import JobEngine
from jupyter_mlws.domain.jobs.schemas import Job
from jupyter_mlws.domain.metrics import service as metrics
from jupyter_mlws.domain.runs.states import RunStatus
from jupyter_mlws.kit.paths import Folders
from mlws.errors import Rejected, ServerAway
from tests.domain.jobs.test_engine import ended, run_of, submitted
from tests.domain.runs.rows import ADA
from tests.servers import until

MIB = 1 << 20
WAIT = "until [ -e {} ]; do sleep 0.1; done"
Make = Callable[[], JobEngine]


def points(db: Database, run_id: str, key: str = usage.CPU_TIME) -> list[tuple[int, int, Any]]:
    return db.read_sync(lambda s: list(metrics.iter_history(s, run_id, key)))


def job_of(db: Database, run_id: str) -> Job:
    return db.read_sync(lambda s: jobs.get_job(s, ADA, run_id))


def noted(tmp_path: Path, run_id: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (Folders(tmp_path / "data").job(run_id) / "usage.jsonl").read_text().splitlines()]


def test_live_then_all_of_it(db: Database, make_engine: Make, tmp_path: Path):
    go = tmp_path / "go"
    line = f"python3 -c \"a = bytearray(b'x') * (80 << 20); import subprocess; subprocess.run(['sh', '-c', '{WAIT.format(go)}'])\"; sleep 1"
    run_id = submitted(db, line)
    make_engine()
    until(lambda: len(points(db, run_id)) >= 2, 60, "points while it runs")
    assert run_of(db, run_id).status is RunStatus.RUNNING
    assert job_of(db, run_id).usage is not None
    go.touch()
    run = ended(db, run_id)
    lines = noted(tmp_path, run_id)
    assert [(step, time) for step, time, _ in points(db, run_id)] == [(line["n"], line["t"]) for line in lines]
    assert [value for _, _, value in points(db, run_id, usage.PROCESSES)] == [line["procs"] for line in lines if "procs" in line]
    used = job_of(db, run_id).usage
    assert used is not None
    assert 80 * MIB < (used.peak_memory_bytes or 0) < 200 * MIB
    assert used.peak_memory_bytes == max(line.get("mem", 0) for line in lines)
    assert used.cpu_time_s == lines[-1]["cpu_s"]
    assert run.metrics == {}, "apart from what was measured"


def test_another_server_takes_it_up_and_nothing_comes_twice(db: Database, make_engine: Make, tmp_path: Path):
    go = tmp_path / "go"
    run_id = submitted(db, WAIT.format(go))
    first = make_engine()
    until(lambda: len(points(db, run_id)) >= 2, 60)
    first.stop()
    before = len(points(db, run_id))
    until(lambda: len(noted(tmp_path, run_id)) > before + 1, 60, "noted while there was no server")
    make_engine()
    until(lambda: len(points(db, run_id)) > before, 60)
    go.touch()
    ended(db, run_id)
    steps = [step for step, _, _ in points(db, run_id)]
    assert steps == [line["n"] for line in noted(tmp_path, run_id)]


def test_whoever_begins_anew_hands_on_what_is_new_alone(tmp_path: Path):
    (tmp_path / "usage.jsonl").write_text(
        "".join(json.dumps({"n": n, "t": n, "cpu_s": n}) + "\n" for n in range(500)) + '{"n": 500'
    )
    taken: list[dict[str, Any]] = []
    offset = usage.take(tmp_path, "r", lambda record, _: taken.append(record), after=100)
    found = [point["step"] for record in taken for point in record["body"]["metrics"]]
    assert found == list(range(101, 500))
    assert len({record["body"]["batch_id"] for record in taken}) == len(taken) == 3
    assert usage.take(tmp_path, "r", lambda record, _: taken.append(record), offset=offset) == offset, (
        "a torn line waits for its end"
    )


def test_what_is_no_note_is_left_out(tmp_path: Path):
    lines = [
        "",
        "x",
        "[]",
        "1",
        '{"n": "a", "t": 1}',
        '{"n": 1, "t": 1, "cpu": "x", "gpu": 3}',
        "[" * 9999,
        '{"n": 2, "t": 2, "mem": 1e6, "gpu": [1]}',
    ]
    (tmp_path / "usage.jsonl").write_text("\n".join(lines) + "\n")
    taken: list[dict[str, Any]] = []
    usage.take(tmp_path, "r", lambda record, _: taken.append(record))
    assert [point for record in taken for point in record["body"]["metrics"]] == [
        {"key": usage.MEMORY, "value": 1.0, "step": 2, "time": 2}
    ]


def test_gpus_by_their_number(tmp_path: Path):
    (tmp_path / "usage.jsonl").write_text('{"n": 1, "t": 5, "gpu": [{"i": 3, "util": 90.0, "mem": 2e9}]}\n')
    taken: list[dict[str, Any]] = []
    usage.take(tmp_path, "r", lambda record, _: taken.append(record))
    assert {point["key"]: point["value"] for point in taken[0]["body"]["metrics"]} == {
        "system/job_gpu_3_utilization_percentage": 90.0,
        "system/job_gpu_3_memory_usage_megabytes": 2000.0,
    }


def test_a_server_that_cannot_take_it_now_gets_it_later(tmp_path: Path):
    (tmp_path / "usage.jsonl").write_text('{"n": 1, "t": 5, "cpu_s": 1}\n')

    def away(*_: Any) -> None:
        raise ServerAway("busy")

    def never(*_: Any) -> None:
        raise Rejected("the run is in the bin", 409, "deleted")

    with pytest.raises(ServerAway):
        usage.take(tmp_path, "r", away)
    assert usage.take(tmp_path, "r", never) > 0


def test_a_limit_goes_to_the_supervisor_and_the_ending_is_named(db: Database, make_engine: Make):
    run_id = submitted(
        db, "python3 -c \"import time; a = bytearray(b'x') * (500 << 20); time.sleep(60)\"", memory_limit=200 * MIB
    )
    make_engine()
    run = ended(db, run_id)
    assert (run.status, run.reason) == (RunStatus.FAILED, "out_of_memory")
    assert run.error is not None
    assert run.error.message.startswith("The job used ")
    assert "; its limit is 200 MiB. " in run.error.message
    used = job_of(db, run_id).usage
    assert used is not None
    assert used.memory_limit_bytes == 200 * MIB < (used.peak_memory_bytes or 0)
