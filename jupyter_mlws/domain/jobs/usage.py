"""What jobs used of the machine: their supervisors' notes, taken in as metrics of the run.

The names are in the manner of MLflow's system metrics (`system/…`), so that its pages, too, show them apart. They begin with `system/job_`
because MLflow's own, which training may log to the same run, tell of the whole machine, and these of the job's processes.
"""

from __future__ import annotations

import contextlib
import json
import time
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from jupyter_mlws.domain.jobs import ingest
from jupyter_mlws.domain.jobs.errors import NotNow
from jupyter_mlws.domain.jobs.schemas import JobUsage, Spec
from jupyter_mlws.domain.metrics import service as metrics
from jupyter_mlws.domain.metrics.schemas import JOB_PREFIX
from jupyter_mlws.domain.runs.states import RunStatus
from mlws import jobdir
from mlws.errors import Rejected, ServerAway

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.jobs.engine import JobEngine
    from jupyter_mlws.domain.jobs.followed import Followed

    Taker = Callable[[dict[str, Any], str | None], None]

MEGABYTE = 1e6
CPU, CPU_TIME = f"{JOB_PREFIX}cpu_utilization_percentage", f"{JOB_PREFIX}cpu_time_seconds"
MEMORY, PROCESSES = f"{JOB_PREFIX}memory_usage_megabytes", f"{JOB_PREFIX}processes"
READ, WRITTEN = f"{JOB_PREFIX}disk_read_megabytes_per_second", f"{JOB_PREFIX}disk_write_megabytes_per_second"
NAMES = {"cpu": (CPU, 100), "cpu_s": (CPU_TIME, 1), "mem": (MEMORY, 1 / MEGABYTE), "procs": (PROCESSES, 1),
         "read": (READ, 1 / MEGABYTE), "write": (WRITTEN, 1 / MEGABYTE)}  # fmt: skip
"""Name and factor of each number that a supervisor notes."""
LINE = 100_000
BATCH = 200
"""So many lines at once."""
EVERY_S = 3.0


def follow(engine: JobEngine, followed: Followed) -> None:
    """Take in what is new of a running job, every few seconds."""
    now = time.monotonic()
    if followed.status is not RunStatus.RUNNING or now - followed.usage_at < EVERY_S:
        return
    followed.usage_at = now
    taker = ingest.of_job(engine.db, engine.blobs, followed.run_id, engine.stopping)
    # Who begins at 0 may follow another server.
    after = -1 if followed.usage_offset else engine.db.read_sync(lambda s: last_step(s, followed.run_id))
    with contextlib.suppress(ServerAway):  # the next look tries again
        followed.usage_offset = take(followed.folder, followed.run_id, taker, offset=followed.usage_offset, after=after)


def take_rest(folder: Path, run_id: str, taker: Taker, after: int) -> None:
    """Take in what is left at the end of a job, beyond the note of this number. Raises `NotNow`."""
    try:
        take(folder, run_id, taker, after=after)
    except ServerAway:
        raise NotNow(f"What job {run_id} used could not be stored now.") from None


def rest(folder: Path, run_id: str, after: int) -> list[dict[str, Any]]:
    """What is left at the end of a job, beyond the note of this number."""
    found: list[dict[str, Any]] = []
    take(folder, run_id, lambda record, _: found.append(record), after=after)
    return found


def last_step(session: Session, run_id: str) -> int:
    """The number of the last note that was taken in; -1 before the first."""
    found = metrics.summaries(session, [run_id], [CPU_TIME]).get(run_id, {}).get(CPU_TIME)
    return -1 if found is None else found.step


def take(folder: Path, run_id: str, taker: Taker, *, offset: int = 0, after: int = -1) -> int:
    """Hand on the notes from a byte offset on, those with a greater number than `after`; the offset behind the last whole line."""
    try:
        with (folder / jobdir.USAGE).open("rb") as file:
            file.seek(offset)
            lines = file.read().split(b"\n")[:-1]
    except OSError:
        return offset
    for start in range(0, len(lines), BATCH):
        some = lines[start : start + BATCH]
        points = [point for line in some for point in _points(line) if point["step"] > after]
        if points:
            name = f"usage-{points[0]['step']}-{points[-1]['step']}"
            with contextlib.suppress(Rejected):  # the run is in the bin, or gone: nobody asks for it
                taker({"op": "log", "run_id": run_id, "body": {"batch_id": name, "metrics": points}}, None)
        offset += sum(map(len, some)) + len(some)
    return offset


def _points(line: bytes) -> Iterator[dict[str, Any]]:
    """The metrics of one line. The folder is the user's, too: what is no such line is left out."""
    try:
        found = json.loads(line) if len(line) < LINE else None
    except (ValueError, RecursionError):
        return
    if not isinstance(found, dict) or not _is_number(found.get("n")) or not _is_number(found.get("t")):
        return
    place = {"step": int(found["n"]), "time": int(found["t"])}
    for name, (key, factor) in NAMES.items():
        if _is_number(found.get(name)):
            yield {"key": key, "value": found[name] * factor, **place}
    gpus = found.get("gpu")
    for gpu in gpus if isinstance(gpus, list) else ():
        if isinstance(gpu, dict) and all(_is_number(gpu.get(name)) for name in ("i", "util", "mem")):
            name = f"{JOB_PREFIX}gpu_{int(gpu['i'])}"
            yield {"key": f"{name}_utilization_percentage", "value": gpu["util"], **place}
            yield {"key": f"{name}_memory_usage_megabytes", "value": gpu["mem"] / MEGABYTE, **place}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 2**53


def usage_of(session: Session, run_id: str, spec: Spec) -> JobUsage | None:
    """The peak and the sum of what was taken in; None where nothing was."""
    peak, spent = peak_and_sum(session, run_id)
    if peak is None and spent is None:
        return None
    limit = None if spec.memory_limit is UNSET else spec.memory_limit
    return JobUsage(peak_memory_bytes=peak, memory_limit_bytes=limit, cpu_time_s=spent)


def peak_and_sum(session: Session, run_id: str) -> tuple[int | None, float | None]:
    """(most memory at once in bytes, CPU time in seconds) of what was taken in; None where nothing was."""
    found = metrics.summaries(session, [run_id], [MEMORY, CPU_TIME]).get(run_id, {})
    memory, spent = found.get(MEMORY), found.get(CPU_TIME)
    peak = None if memory is None else _measured(float(memory.max) * MEGABYTE)
    return None if peak is None else round(peak), None if spent is None else _measured(float(spent.last))


def _measured(value: float) -> float | None:
    """What a supervisor can have measured; the job itself may log anything under these names, be it infinite or no number."""
    return value if 0 <= value < 2**53 else None
