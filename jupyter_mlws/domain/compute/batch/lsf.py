"""LSF: by `bsub`, `bjobs` and `bkill` of IBM Spectrum LSF, as version 10.1 has them."""

from __future__ import annotations

import io
import math
import re
import time
from typing import IO, TYPE_CHECKING, Any

from jupyter_mlws.domain.compute.batch import bjobs
from jupyter_mlws.domain.compute.batch.system import (
    End,
    Lately,
    Refusals,
    Seen,
    Unknown,
    Wanted,
    forgotten,
    megabytes,
    minutes,
    printed,
    ran,
    said,
    silent,
)
from jupyter_mlws.domain.compute.errors import HostUnreachable
from jupyter_mlws.domain.compute.schemas import LsfPlace

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from jupyter_mlws.domain.compute.batch.bjobs import Job
    from jupyter_mlws.domain.compute.batch.site import Done, Site
    from jupyter_mlws.domain.compute.schemas import BatchPlace

SUBMITTED = re.compile(r"Job <(\d+)> is submitted")
GONE = re.compile(r"Job <[^>]*> is not found|No (\w+ )?job found", re.IGNORECASE)
GONE_S = 60.0
"""So long a job must not be known to be taken for gone: `bjobs` is answered by a copy of what LSF knew, which may be some seconds old, and
is without jobs that were submitted since."""
NOT_YET = "bjobs does not show it now"
VARIABLE = re.compile(r"(?m)^#BSUB -env (?=[A-Za-z_]\w*=)")
"""How PSI/J gives a variable to a job. `bsub` takes one `-env`, which is `none` already."""
OUTLIVES = "trap '' USR2 XCPU"
"""What LSF sends first to all of a job whose time is over: the script waits for the supervisor, which ends the job then, and records it."""
LOGIN = "-L /bin/bash"
"""The environment of a job is that of its user's login on the host, and not what the server has."""
OPTIONS = "mlws.bsub"
"""What a job asks for, among the attributes of PSI/J's specification."""
REFUSALS = Refusals(
    away=re.compile(
        r"LSF is down|not responding|Cannot connect to LSF|LIM is down|library call|Connection refused|mbatchd|Lost connection"
        r"|master (host )?(is )?(unknown|not known)|query limit exceeded|Internal library error|sys call failed",
        re.IGNORECASE,
    ),
    full=re.compile(r"Pending (job|slot)s? threshold|pending (job|slot)s? limit|Too many (pending )?jobs", re.IGNORECASE),
    unknown=re.compile(r"time[d]? ?out|Failed in (sending|receiving)", re.IGNORECASE),
)
"""What `bsub` says."""


class Lsf:
    """LSF, by its command line."""

    kind = "lsf"
    name = "LSF"
    programs: tuple[str, ...] = ("bsub", "bjobs", "bkill", "bqueues", "lsid")
    tells_version = "-V"
    cancels = "bkill"
    package = "the client of LSF, whose `profile.lsf` sets the PATH, or start the server where it is"
    ask_owner = "Ask who runs LSF whether it is up: `lsid`, `bqueues`. `profile.lsf` sets the variables that its programs need."
    passed: tuple[str, ...] = ("LSB", "LSF", "LS_", "CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES")
    shows_s = GONE_S
    takes_todo = "See `bqueues` for the queues; `mlws compute update NAME --queue …` names another."

    def __init__(self) -> None:
        self._lately: Lately[Job] = Lately()
        """Jobs that it had: what they ended of is asked for when what they logged is stored, and then it may know them no more."""
        self._missed: dict[str, float] = {}
        """Since when it does not know those that it does not know now."""

    def name_of(self, key: str, ticket: str) -> str:
        """With the number of the run."""
        return f"mlws-{key}-{ticket[:4]}"

    def look(self, site: Site, numbers: Collection[str], *, unnumbered: bool) -> list[Seen]:
        """Asked for by their numbers; where some are not known it is asked for all jobs of this user."""
        if not numbers and not unnumbered:
            printed(self, site, ["bqueues"])  # whether it answers
            return []
        try:
            jobs = self._jobs(site, [] if unnumbered else sorted(numbers))
        except HostUnreachable:
            self._missed = {}  # it counts how long LSF answers without them
            raise
        self._lately.keep({number: jobs[number] for number in numbers if number in jobs})
        now = time.monotonic()
        self._missed = {number: self._missed.get(number, now) for number in numbers if number not in jobs}
        return [job.seen for job in jobs.values()] + [self._missing(number, now - at) for number, at in self._missed.items()]

    def _missing(self, number: str, for_s: float) -> Seen:
        if for_s > GONE_S:
            return forgotten(number)
        last = self._lately.get(number)
        return last.seen if last is not None else Seen(number, "", "PEND", NOT_YET, "", "waits")

    def _jobs(self, site: Site, numbers: list[str]) -> dict[str, Job]:
        """Those that it knows, also those that are over since a while. `bjobs` may end as failed where it does not know one of them, or
        where all are over, and as well where it knows none: what prints neither a job nor that there is none is no answer."""
        done = ran(self, site, ["bjobs", "-a", "-noheader", "-o", bjobs.FIELDS, *numbers])
        jobs, words = bjobs.jobs(done.out), f"{done.err}\n{done.out}"
        if (done.code != 0 and REFUSALS.away.search(done.err)) or not (jobs or GONE.search(words)):
            raise silent(self, said(words))
        return jobs

    def end_of(self, site: Site, native_id: str, record: Mapping[str, Any]) -> End | None:
        """As `bjobs` says, or has said before."""
        job, last = self._jobs(site, [native_id]).get(native_id), self._lately.get(native_id)
        if job is None and last is not None and last.seen.over:
            job = last
        signaled = bool(record.get("signaled")) or record.get("reason") == "batch"
        if job is None:
            return End("not known any more", "", "ended", "") if record.get("signaled") else None
        return End(job.term or job.state, job.ended, job.cause(signaled=signaled), "", job.seen.over)

    def number_of(self, submitted: Done) -> str:
        """As `bsub` tells it, among what the site has it say."""
        if found := SUBMITTED.findall(submitted.out):
            return str(found[-1])
        words = said(f"{submitted.out}\n{submitted.err}")
        raise Unknown(words) if submitted.code == 0 else REFUSALS.of(self, words)

    def executor(self, psij: Any) -> tuple[type, type]:
        """PSI/J's, with what a job asks for in our own lines: see `_write`."""
        of = psij.executors.batch.lsf
        return type("Lsf", (of.LsfJobExecutor,), {"generate_submit_script": _write}), of.LsfExecutorConfig

    def ask_for(self, site: Site, psij: Any, spec: Any, name: str, place: BatchPlace, wanted: Wanted) -> None:  # noqa: ARG002 - no specification of PSI/J's
        """PSI/J's own lines give a job without a time limit none at all, put quotes into those of requirements, take the account for
        group and project in one, and ask for the memory of a process, in kilobytes."""
        spec.resources = None
        spec.attributes.set_custom_attribute(OPTIONS, [f'-J "{name}"', LOGIN, *asked(_place(place)), *resources(wanted)])

    def version(self, site: Site) -> str:
        """The first line of `lsid`, once its queues were looked at."""
        printed(self, site, ["bqueues"])
        lines = [line.strip() for line in printed(self, site, ["lsid"]).splitlines() if line.strip()]
        return f"{next((line for line in lines if 'LSF' in line), 'LSF')} answers"

    def takes(self, place: BatchPlace, site: Site) -> str:
        """LSF tries nothing without doing it: the queue alone is looked for."""
        found = _place(place)
        if found.queue is not None:
            printed(self, site, ["bqueues", found.queue])
        limit = [f"-W {minutes(found.time_limit_s)}"] if found.time_limit_s else []
        return " ".join([*(one.replace('"', "") for one in asked(found)), *limit])


def asked(place: LsfPlace) -> list[str]:
    """The options of all jobs of a target."""
    given = (("q", place.queue), ("P", place.project), ("G", place.user_group), ("app", place.application))
    return [f'-{option} "{value}"' for option, value in given if value]


def resources(wanted: Wanted) -> list[str]:
    """The options of one job: one host, and of that what it needs. With their units, so that LSF's own for limits does not count."""
    options = [f"-n {max(1, math.ceil(wanted.cpus or 1))}", '-R "span[hosts=1]"']
    if wanted.memory_bytes:
        memory = f"{megabytes(wanted.memory_bytes)}MB"
        options += [f"-M {memory}", f'-R "rusage[mem={memory}]"']
    if wanted.gpus:
        options.append(f'-gpu "num={wanted.gpus}"')
    if wanted.time_s is not None:
        options.append(f"-W {minutes(wanted.time_s)}")
    return options


def _write(executor: Any, job: Any, context: dict[str, object], submit_file: IO[str]) -> None:
    """PSI/J's script with our options, and with variables that are set by the script itself."""
    text = io.StringIO()
    executor.generator.generate_submit_script(job, context, text)
    first, _, rest = VARIABLE.sub("export ", text.getvalue()).partition("\n")
    options = [f"#BSUB {option}" for option in job.spec.attributes.get_custom_attribute(OPTIONS)]
    submit_file.write("\n".join([first, *options, OUTLIVES, rest]))


def _place(place: BatchPlace) -> LsfPlace:
    assert isinstance(place, LsfPlace)  # noqa: S101 - that of this kind
    return place
