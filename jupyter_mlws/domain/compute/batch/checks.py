"""What Slurm has and lacks for us, step by step: each is tried for real, the last one by a small job."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

from jupyter_mlws.domain.compute.batch import psi, slurm
from jupyter_mlws.domain.compute.batch.site import NoAnswer, NotThere
from jupyter_mlws.domain.compute.errors import ExtraMissing, HostUnreachable
from jupyter_mlws.domain.compute.schemas import TestStep
from jupyter_mlws.kit.errors import MlwsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jupyter_mlws.domain.compute.batch.site import Laid, Site
    from jupyter_mlws.domain.compute.schemas import BatchPlace

TRIED_S = 30.0
"""So long the small job may take."""
PROGRAMS = ("sbatch", "squeue", "scontrol", "scancel")
FAR_TODO = (
    "Commands that come by ssh have no login shell, and what its profile sets is not there: put their folder on the PATH in `~/.bashrc` "
    "of that host, above what ends it for shells without a terminal; or name the host that has them: `--via`."
)
SEEN, LOG = "seen.txt", "test.log"
CODE = (
    "import fcntl, mlws.supervise, platform, sys; file = open(sys.argv[1], 'x'); "
    "fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB); "  # as a supervisor does: some network file systems are mounted without
    "file.write(platform.node() + ' ' + platform.python_version())"
)
NAMES = ("PSI/J", "Slurm's programs", "Slurm", "what jobs ask for", "a job")


class _Failed(Exception):
    def __init__(self, detail: str, todo: str) -> None:
        super().__init__(detail)
        self.todo = todo


def steps(name: str, place: BatchPlace, folder: Path, site: Site) -> list[TestStep]:
    """One after the other; behind what failed nothing is tried. Blocks, up to half a minute."""
    found: list[TestStep] = []
    try:
        for detail in _tried(name, place, folder, site):
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


def _tried(name: str, place: BatchPlace, folder: Path, site: Site) -> Iterator[str]:
    try:
        psi.library()
    except ExtraMissing as error:
        raise _Failed(error.message, "Install the extra, and restart the server.") from None
    yield "psij-python is installed"
    yield _has_programs(site)
    try:
        slurm.look(site)
        version = slurm.ran(site, ["sbatch", "--version"]).strip()
    except HostUnreachable as error:
        raise _Failed(error.message, "Ask who runs Slurm whether slurmctld is up: `scontrol ping`.") from None
    yield f"{version} answers"
    yield _takes(place, site)
    yield _runs(name, place, folder, site)


def skipped() -> list[TestStep]:
    """All of them, where they could not be tried."""
    return [TestStep(name=one, state="skipped", detail="not tried", todo="") for one in NAMES]


def _has_programs(site: Site) -> str:
    lacks = []
    for one in PROGRAMS:
        try:
            site.run([one, "--version"], TRIED_S)
        except NotThere:
            lacks.append(one)
        except (NoAnswer, HostUnreachable) as error:
            raise _Failed(str(error), "Try again.") from None
    if lacks:
        todo = "Install Slurm's client, or start the server where it is (Debian: apt install slurm-client); `--via` names an ssh target."
        raise _Failed(
            f"{', '.join(lacks)}: not on the PATH of {site.where}",
            todo if site.shared else FAR_TODO,
        )
    return f"{', '.join(PROGRAMS)}: on the PATH of {site.where}"


def _takes(place: BatchPlace, site: Site) -> str:
    asked = [f"--{name}={value}" for name in ("partition", "account", "qos", "reservation") if (value := getattr(place, name))]
    limit = [f"--time={-(-place.time_limit_s // 60)}"] if place.time_limit_s else []
    try:
        slurm.ran(site, ["sbatch", "--test-only", *asked, *limit, "--wrap=true"])
    except HostUnreachable as error:
        words = error.message.removeprefix("Slurm cannot be reached: ")
        raise _Failed(words, "See `sinfo` for the partitions; `mlws compute update NAME --partition …` names another.") from None
    return " ".join([*asked, *limit]) or "nothing but what Slurm gives by itself"


def _runs(name: str, place: BatchPlace, folder: Path, site: Site) -> str:
    """A job that looks for our supervisor from its node, and for the folder of jobs."""
    job_dir = folder / secrets.token_hex(8)
    submitter = psi.Submitter(folder, site)
    ask = psi.Wanted(place.partition, place.account, place.qos, place.reservation, None, None, 0, place.time_limit_s)
    native_id = ""
    try:
        laid = site.scratch(job_dir)
        argv = [place.python, "-S", "-c", CODE, f"{laid.folder}/{SEEN}"]
        script = submitter.script(f"mlws-test-{name}"[:100], argv, laid, ask, LOG)
        native_id = psi.number_of(site.submit(job_dir, {"name": job_dir.name}, None, script))
        return _awaited(native_id, site, job_dir, laid, place)
    except (psi.Unknown, NoAnswer) as error:
        raise _Failed(str(error), "Try again.") from None
    except MlwsError as error:
        raise _Failed(error.message, "Change what jobs ask for: `mlws compute update NAME …`.") from None
    finally:
        if native_id:
            _end(submitter, site, native_id)
        site.remove(job_dir)


def _awaited(native_id: str, site: Site, job_dir: Path, laid: Laid, place: BatchPlace) -> str:
    sees = "the data folder" if site.shared else f"the folder of {site.where}"
    until = time.monotonic() + TRIED_S
    job: slurm.Seen | None = None
    while time.monotonic() < until:
        job = next((one for one in slurm.look(site) if one.native_id == native_id), None)
        over = job is None or job.over
        if over and not site.read(job_dir, SEEN):
            time.sleep(1)  # a network file system may show the file a moment later
        if words := site.read(job_dir, SEEN):
            node, version = words.rsplit(" ", 1)
            return f"ran on {node} with Python {version}, and sees {sees}"
        if over:
            said = " ".join(site.read(job_dir, LOG).split())
            state = f"it ended as {job.state} ({job.reason})" if job is not None else "Slurm does not know it any more"
            raise _Failed(
                f"{state} and left nothing in {sees}" + (f": {said}" if said else ""),
                f"Its node must have {place.python}, and see {laid.folder.rpartition('/')[0]} and {laid.code}.",
            )
        time.sleep(0.2)
    assert job is not None  # noqa: S101 - else it was over
    raise _Waits(f"job {native_id} did not begin within {TRIED_S:.0f} s: {job.reason}")


def _end(submitter: psi.Submitter, site: Site, native_id: str) -> None:
    try:
        submitter.cancel(native_id)
    except MlwsError:
        return
    site.clean(native_id)
