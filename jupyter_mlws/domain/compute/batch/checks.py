"""What a batch system has and lacks for us, step by step: each is tried for real, the last one by a small job."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

from jupyter_mlws.domain.compute.batch import psi
from jupyter_mlws.domain.compute.batch.site import NoAnswer, NotThere
from jupyter_mlws.domain.compute.batch.system import Seen, System, Unknown, Wanted
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


class _Failed(Exception):
    def __init__(self, detail: str, todo: str) -> None:
        super().__init__(detail)
        self.todo = todo


def names(system: System) -> tuple[str, ...]:
    """What the steps are called."""
    return "PSI/J", f"{system.name}'s programs", system.name, "what jobs ask for", "a job"


def steps(name: str, place: BatchPlace, folder: Path, site: Site, system: System) -> list[TestStep]:
    """One after the other; behind what failed nothing is tried. Blocks, up to half a minute."""
    found: list[TestStep] = []
    called = names(system)
    try:
        for detail in _tried(name, place, folder, site, system):
            found.append(TestStep(name=called[len(found)], state="ok", detail=detail, todo=""))
    except _Waits as waits:
        found.append(
            TestStep(name=called[len(found)], state="missing", detail=str(waits), todo="Jobs can be submitted, and wait, too.")
        )
    except _Failed as failed:
        found.append(TestStep(name=called[len(found)], state="failed", detail=str(failed), todo=failed.todo))
    return found + [TestStep(name=one, state="skipped", detail="not tried", todo="") for one in called[len(found) :]]


class _Waits(Exception):
    """The batch system has the small job, and has not begun it in time."""


def _tried(name: str, place: BatchPlace, folder: Path, site: Site, system: System) -> Iterator[str]:
    try:
        psi.library()
    except ExtraMissing as error:
        raise _Failed(error.message, "Install the extra, and restart the server.") from None
    yield "psij-python is installed"
    yield _has_programs(site, system)
    try:
        version = system.version(site)
    except HostUnreachable as error:
        raise _Failed(error.message, system.ask_owner) from None
    yield version
    yield _takes(place, site, system)
    yield _runs(name, place, folder, site, system)


def skipped(system: System) -> list[TestStep]:
    """All of them, where they could not be tried."""
    return [TestStep(name=one, state="skipped", detail="not tried", todo="") for one in names(system)]


def _has_programs(site: Site, system: System) -> str:
    lacks = []
    for one in system.programs:
        try:
            site.run([one, system.tells_version], TRIED_S)
        except NotThere:
            lacks.append(one)
        except (NoAnswer, HostUnreachable) as error:
            raise _Failed(str(error), "Try again.") from None
    if lacks:
        todo = f"Install {system.package}; `--via` names an ssh target."
        raise _Failed(
            f"{', '.join(lacks)}: not on the PATH of {site.where}",
            todo if site.shared else FAR_TODO,
        )
    return f"{', '.join(system.programs)}: on the PATH of {site.where}"


def _takes(place: BatchPlace, site: Site, system: System) -> str:
    try:
        return system.takes(place, site) or f"nothing but what {system.name} gives by itself"
    except HostUnreachable as error:
        words = error.message.removeprefix(f"{system.name} cannot be reached: ")
        raise _Failed(words, system.takes_todo) from None


def _runs(name: str, place: BatchPlace, folder: Path, site: Site, system: System) -> str:
    """A job that looks for our supervisor from its node, and for the folder of jobs."""
    job_dir = folder / secrets.token_hex(8)
    submitter = psi.Submitter(folder, site, system)
    native_id = ""
    try:
        laid = site.scratch(job_dir)
        argv = [place.python, "-S", "-c", CODE, f"{laid.folder}/{SEEN}"]
        ask = Wanted(None, None, 0, place.time_limit_s)
        script = submitter.script(system.name_of(f"test-{name}"[:90], job_dir.name), argv, laid, place, ask, LOG)
        native_id = system.number_of(site.submit(job_dir, {"name": job_dir.name}, None, script))
        return _awaited(native_id, site, system, job_dir, laid, place)
    except (Unknown, NoAnswer) as error:
        raise _Failed(str(error), "Try again.") from None
    except MlwsError as error:
        raise _Failed(error.message, "Change what jobs ask for: `mlws compute update NAME …`.") from None
    finally:
        if native_id:
            _end(submitter, site, native_id)
        site.remove(job_dir)


def _awaited(native_id: str, site: Site, system: System, job_dir: Path, laid: Laid, place: BatchPlace) -> str:
    sees = "the data folder" if site.shared else f"the folder of {site.where}"
    until = time.monotonic() + TRIED_S
    job: Seen | None = None
    while time.monotonic() < until:
        job = next((one for one in system.look(site, [native_id], unnumbered=False) if one.native_id == native_id), None)
        over = job is None or job.over
        if over and not site.read(job_dir, SEEN):
            time.sleep(1)  # a network file system may show the file a moment later
        if words := site.read(job_dir, SEEN):
            node, version = words.rsplit(" ", 1)
            return f"ran on {node} with Python {version}, and sees {sees}"
        if over:
            said = " ".join(site.read(job_dir, LOG).split())
            state = f"it ended as {job.state}" if job is not None and job.state else f"{system.name} does not know it any more"
            state += f" ({job.reason})" if job is not None and job.reason else ""
            raise _Failed(
                f"{state} and left nothing in {sees}" + (f": {said}" if said else ""),
                f"Its node must have {place.python}, and see {laid.folder.rpartition('/')[0]} and {laid.code}.",
            )
        time.sleep(0.2)
    assert job is not None  # noqa: S101 - else it was over
    raise _Waits(f"job {native_id} did not begin within {TRIED_S:.0f} s: {job.reason or 'it is in the queue'}")


def _end(submitter: psi.Submitter, site: Site, native_id: str) -> None:
    try:
        submitter.cancel(native_id)
    except MlwsError:
        return
    site.clean(native_id)
