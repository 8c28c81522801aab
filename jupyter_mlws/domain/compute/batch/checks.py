"""What Slurm has and lacks for us, step by step: each is tried for real, the last one by a small job."""

from __future__ import annotations

import secrets
import shutil
import time
from typing import TYPE_CHECKING

from jupyter_mlws.domain.compute.batch import psi, records, slurm
from jupyter_mlws.domain.compute.errors import ExtraMissing, HostUnfit, HostUnreachable, QueueFull
from jupyter_mlws.domain.compute.schemas import TestStep
from jupyter_mlws.kit.errors import MlwsError
from mlws import jobdir

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jupyter_mlws.domain.compute.schemas import BatchPlace

TRIED_S = 30.0
"""So long the small job may take."""
PROGRAMS = ("sbatch", "squeue", "scontrol", "scancel")
NAMES = ("PSI/J", "Slurm's programs", "Slurm", "what jobs ask for", "a job")


class _Failed(Exception):
    def __init__(self, detail: str, todo: str) -> None:
        super().__init__(detail)
        self.todo = todo


def steps(name: str, place: BatchPlace, folder: Path) -> list[TestStep]:
    """One after the other; behind what failed nothing is tried. Blocks, up to half a minute."""
    found: list[TestStep] = []
    try:
        for detail in _tried(name, place, folder):
            found.append(TestStep(name=NAMES[len(found)], state="ok", detail=detail, todo=""))
    except _Waits as waits:
        found.append(
            TestStep(name=NAMES[len(found)], state="missing", detail=str(waits), todo="Jobs can be submitted, and wait, too.")
        )
    except _Failed as failed:
        found.append(TestStep(name=NAMES[len(found)], state="failed", detail=str(failed), todo=failed.todo))
    return found + [TestStep(name=one, state="skipped", detail="not tried", todo="") for one in NAMES[len(found) :]]


class _Waits(Exception):
    """Slurm has the small job, and has not begun it in time."""


def _tried(name: str, place: BatchPlace, folder: Path) -> Iterator[str]:
    try:
        psi.library()
    except ExtraMissing as error:
        raise _Failed(error.message, "Install the extra, and restart the server.") from None
    yield "psij-python is installed"
    lacks = [one for one in PROGRAMS if shutil.which(one) is None]
    if lacks:
        todo = "Install Slurm's client, or start the server where it is (Debian: apt install slurm-client)."
        raise _Failed(f"{', '.join(lacks)}: not on the PATH of the server", todo)
    yield str(shutil.which("sbatch"))
    try:
        slurm.look()
        version = slurm.ran(["sbatch", "--version"]).strip()
    except HostUnreachable as error:
        raise _Failed(error.message, "Ask who runs Slurm whether slurmctld is up: `scontrol ping`.") from None
    yield f"{version} answers"
    yield _takes(place)
    yield _runs(name, place, folder)


def _takes(place: BatchPlace) -> str:
    asked = [f"--{name}={value}" for name in ("partition", "account", "qos", "reservation") if (value := getattr(place, name))]
    limit = [f"--time={-(-place.time_limit_s // 60)}"] if place.time_limit_s else []
    try:
        slurm.ran(["sbatch", "--test-only", *asked, *limit, "--wrap=true"])
    except HostUnreachable as error:
        words = error.message.removeprefix("Slurm cannot be reached: ")
        raise _Failed(words, "See `sinfo` for the partitions; `mlws compute update NAME --partition …` names another.") from None
    return " ".join([*asked, *limit]) or "nothing but what Slurm gives by itself"


def _runs(name: str, place: BatchPlace, folder: Path) -> str:
    """A job that looks for our supervisor from its node, and for the data folder."""
    ticket = secrets.token_hex(8)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    seen, log = folder / f"test-{ticket}", folder / f"test-{ticket}.log"
    code = (
        "import fcntl, mlws.supervise, platform, sys; file = open(sys.argv[1], 'x'); "
        "fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB); "  # as a supervisor does: some network file systems are mounted without
        "file.write(platform.node() + ' ' + platform.python_version())"
    )
    submitter = psi.Submitter(folder)
    ask = psi.Wanted(place.partition, place.account, place.qos, place.reservation, None, None, 0, place.time_limit_s)
    native_id = ""
    try:
        native_id = submitter.submit(
            f"mlws-test-{name}"[:100], [place.python, "-S", "-c", code, str(seen)], {"PYTHONPATH": jobdir.KERNEL_PATH}, log, ask
        )
        return _awaited(native_id, seen, log, place)
    except psi.Unknown as error:
        raise _Failed(str(error), "Try again.") from None
    except (HostUnreachable, HostUnfit, QueueFull) as error:
        raise _Failed(error.message, "Change what jobs ask for: `mlws compute update NAME …`.") from None
    finally:
        if native_id:
            _end(submitter, native_id)
        for path in (seen, log):
            path.unlink(missing_ok=True)


def _awaited(native_id: str, seen: Path, log: Path, place: BatchPlace) -> str:
    until = time.monotonic() + TRIED_S
    job: slurm.Seen | None = None
    while time.monotonic() < until:
        job = next((one for one in slurm.look() if one.native_id == native_id), None)
        if seen.exists() and (words := seen.read_text()):
            node, version = words.rsplit(" ", 1)
            return f"ran on {node} with Python {version}, and sees the data folder"
        if job is None or job.over:
            time.sleep(1)  # a network file system may show the file a moment later
            if not seen.exists():
                raise _Failed(
                    _why(log, job), f"Its node must have {place.python}, and see {seen.parent} and {jobdir.KERNEL_PATH}."
                )
        time.sleep(0.2)
    assert job is not None  # noqa: S101 - else it was over
    raise _Waits(f"job {native_id} did not begin within {TRIED_S:.0f} s: {job.reason}")


def _why(log: Path, job: slurm.Seen | None) -> str:
    words = records.last_of(log)
    state = f"it ended as {job.state} ({job.reason})" if job is not None else "Slurm does not know it any more"
    return f"{state} and left nothing in the data folder" + (f": {' '.join(words.split())}" if words else "")


def _end(submitter: psi.Submitter, native_id: str) -> None:
    try:
        submitter.cancel(native_id)
    except MlwsError:
        return
    submitter.clean(native_id)
