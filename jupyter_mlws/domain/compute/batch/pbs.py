"""PBS: Torque, OpenPBS, PBS Pro, and what has their command line, as Slurm does with its wrappers. They ask for resources, and tell of
ends, in two ways: its *dialects*, `torque` and `pro`."""

from __future__ import annotations

import math
import re
import secrets
from typing import TYPE_CHECKING, Any, Literal

from jupyter_mlws.domain.compute.batch import qstat
from jupyter_mlws.domain.compute.batch.system import (
    SHOWS_S,
    Cause,
    End,
    Lately,
    Refusals,
    Seen,
    Unknown,
    Wanted,
    forgotten,
    megabytes,
    minutes,
    ran,
    said,
    silent,
)
from jupyter_mlws.domain.compute.errors import HostUnfit, HostUnreachable
from jupyter_mlws.domain.compute.schemas import PbsPlace

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from jupyter_mlws.domain.compute.batch.site import Done, Site
    from jupyter_mlws.domain.compute.schemas import BatchPlace

Dialect = Literal["torque", "pro"]
WAITS = frozenset("QHWT")
OVER = {"torque": frozenset("CU"), "pro": frozenset("FX")}
"""States of jobs that wait and that are over; all others run, or are about to be over. `U` is what Slurm's wrapper has for strange ends."""
WORDS = {"H": "it is held", "W": "its time has not come", "T": "on its way to another queue"}
"""Why a job waits that has no comment."""
NUMBER = re.compile(r"\d+(\[\])?(\.[A-Za-z0-9_.:-]+)?")
GONE = re.compile(r"Unknown Job|Job has finished", re.IGNORECASE)
NO_SUCH_JOB = 153
"""What `qstat` ends with where it knows none of the jobs, or not all."""
NO_HISTORY = re.compile(r"job history|job_history_enable", re.IGNORECASE)
NO_VERSION = re.compile(r"\b(option|usage)\b", re.IGNORECASE)
"""What `qstat` says that has no `--version`."""
KILLED: dict[str, dict[int, Cause]] = {
    "torque": {-10: "memory", -11: "timeout", -12: "limit"},
    "pro": {-24: "limit", -25: "limit", -26: "memory", -27: "memory", -28: "limit", -29: "timeout"},
}
"""Exit statuses of jobs that were ended since a limit was over."""
LATE_S = 5.0
"""By so much less than its limit the supervisor of a job lives that is ended for it: it starts after the job does."""
LONGEST_MS = 1 << 50
REFUSALS = Refusals(
    away=re.compile(
        r"cannot connect to|could not connect|Unable to contact|Connection refused|Communication failure|pbs_iff|trqauthd|munge"
        r"|End of File|Premature end of message|Server shutting down|Resource temporarily unavailable|Transport endpoint",
        re.IGNORECASE,
    ),
    full=re.compile(
        r"Maximum number of jobs|would exceed .*limit|max_queu|max_user_queuable|MaxSubmit|submit limit", re.IGNORECASE
    ),
    unknown=re.compile(r"time[d]? ?out|No reply|Protocol \(ASN\.1\) error|Unexpected message received", re.IGNORECASE),
)
"""What `qsub` says; where it is Slurm's, what `sbatch` says."""


class Pbs:
    """PBS, by `qsub`, `qstat` and `qdel`."""

    kind = "pbs"
    name = "PBS"
    programs: tuple[str, ...] = ("qsub", "qstat", "qdel")
    tells_version = "--version"
    cancels = "qdel"
    package = "the client of your PBS, or start the server where it is"
    ask_owner = "Ask who runs PBS whether its server is up: `qstat -B`."
    passed: tuple[str, ...] = (
        "PBS",
        "SLURM",
        "CUDA_VISIBLE_DEVICES",
        "GPU_DEVICE_ORDINAL",
        "ROCR_VISIBLE_DEVICES",
        "ZE_AFFINITY_MASK",
    )
    shows_s = SHOWS_S
    takes_todo = "See `qstat -Q` for the queues; `mlws compute update NAME --queue …` names another."

    def __init__(self, dialect: Dialect | None) -> None:
        self._chosen = dialect
        self._found: Dialect | None = None
        self._history = True
        self._limits: Lately[str] = Lately()
        """Of jobs that it had lately: a job is asked for how it ended when what it logged is stored."""

    def name_of(self, key: str, ticket: str) -> str:  # noqa: ARG002 - some take no more than 15 characters
        """Not that of the run, which is too long."""
        return f"mlws-{ticket[:4]}{secrets.token_hex(3)}"

    def look(self, site: Site, numbers: Collection[str], *, unnumbered: bool) -> list[Seen]:
        """Asked for by their numbers: PBS may have thousands of jobs of others. Where some numbers are not known it is asked for all."""
        if not numbers and not unnumbered:
            self._ran(site, ["qstat", "-Q"])  # whether it answers
            return []
        dialect = self.dialect(site)
        jobs = _as_asked(qstat.jobs(self._full(site, dialect, [] if unnumbered else sorted(numbers))), numbers)
        if unnumbered and (rest := sorted(set(numbers) - set(jobs))):  # all are those of one server, and there may be others
            jobs |= _as_asked(qstat.jobs(self._full(site, dialect, rest)), rest)
        self._limits.keep({one: limit for one in numbers if (limit := jobs.get(one, {}).get("resource_list.walltime"))})
        gone = [forgotten(number) for number in numbers if number not in jobs]
        return [seen(dialect, number, job) for number, job in jobs.items()] + gone

    def _full(self, site: Site, dialect: Dialect, numbers: list[str]) -> str:
        """What `qstat -f` says. PBS Pro is asked for jobs that are over, too, where it keeps them; Torque shows them by itself."""
        argv = ["qstat", *(["-x"] if dialect == "pro" and self._history else []), "-f", *numbers]
        done = ran(self, site, argv)
        if done.code == 0:
            return done.out
        if "-x" in argv and NO_HISTORY.search(done.err + done.out):
            self._history = False
            return self._full(site, dialect, numbers)
        strange = [line for line in done.err.splitlines() if line.strip() and not GONE.search(line)]
        if done.code == NO_SUCH_JOB:  # whatever else is written there, as by a Perl that does not know the locale
            strange = [line for line in strange if line.startswith("qstat:") or REFUSALS.away.search(line)]
        if strange or (not done.err.strip() and done.code != NO_SUCH_JOB):
            raise silent(self, words_of(done))
        return done.out

    def end_of(self, site: Site, native_id: str, record: Mapping[str, Any]) -> End | None:
        """As `qstat -f` says, as long as it knows the job."""
        dialect = self.dialect(site)
        job = next(iter(qstat.jobs(self._full(site, dialect, [native_id])).values()), None)
        limit = self._limits.get(native_id) or ""
        if job is not None:
            return end(dialect, job, record)
        # Many a PBS forgets a job when it is over; that somebody signaled its supervisor is known all the same.
        told = {"exec_host": "?", "resource_list.walltime": limit}
        return end(dialect, told, record)._replace(state="not known any more", over=True) if record.get("signaled") else None

    def number_of(self, submitted: Done) -> str:
        """The last word of `qsub`."""
        last = submitted.out.split()[-1:]
        if submitted.code == 0 and last and NUMBER.fullmatch(last[0]):
            return last[0]
        words = words_of(submitted)
        raise Unknown(words) if submitted.code == 0 else REFUSALS.of(self, words)

    def executor(self, psij: Any) -> tuple[type, type]:
        """One of PSI/J's two, which differ in how they ask for resources alone: that is said by ourselves."""
        of = psij.executors.batch
        return of.pbs_classic.PBSClassicJobExecutor, of.pbs_base.PBSExecutorConfig

    def ask_for(self, site: Site, psij: Any, spec: Any, name: str, place: BatchPlace, wanted: Wanted) -> None:  # noqa: ARG002 - no specification of PSI/J's
        """Resources in one `-l`. PSI/J's own lines leave out GPUs of PBS Pro, and give Torque the memory among the nodes, in bytes."""
        asked, dialect = _place(place), self.dialect(site)
        if asked.project and dialect == "torque":
            raise HostUnfit(
                "Torque has no projects: `-P` is something else there. Take the project out: `mlws compute update NAME --project ''`."
            )
        spec.resources = None
        spec.attributes.queue_name, spec.attributes.account = asked.queue, asked.account
        if asked.project:
            spec.attributes.set_custom_attribute("pbs.P", asked.project)
        spec.attributes.set_custom_attribute("pbs.N", name)
        # Else the user's own shell reads the script, whatever its first line says.
        spec.attributes.set_custom_attribute("pbs.S", "/bin/bash")
        spec.attributes.set_custom_attribute("pbs.l", resources(dialect, wanted))

    def version(self, site: Site) -> str:
        """The first line that says it; Slurm's wrappers say none."""
        self._ran(site, ["qstat", "-Q"])
        dialect, done = self.dialect(site), self._version(site)
        line = next((line.strip() for line in (done.out + done.err).splitlines() if "version" in line.lower()), "")
        line = line if done.code == 0 and line else "qstat, which does not say of what version it is,"
        return (
            f"{line} answers; jobs ask for resources as {'OpenPBS and PBS Pro have' if dialect == 'pro' else 'Torque has'} them"
        )

    def takes(self, place: BatchPlace, site: Site) -> str:
        """PBS tries nothing without doing it: the queue alone is looked for."""
        asked = _place(place)
        if asked.queue is not None:
            done = ran(self, site, ["qstat", "-Q", asked.queue])
            if done.code != 0 or not done.out.strip():
                raise HostUnreachable(f"There is no queue {asked.queue!r}: {words_of(done)}.")
        given = [
            f"-{letter} {value}" for letter, value in (("q", asked.queue), ("A", asked.account), ("P", asked.project)) if value
        ]
        return " ".join([*given, *([f"-l walltime={clock(asked.time_limit_s)}"] if asked.time_limit_s else [])])

    def dialect(self, site: Site) -> Dialect:
        """How it is asked for resources: as somebody said, or as it says of itself. Raises `HostUnreachable`."""
        if self._chosen is not None:
            return self._chosen
        if self._found is None:
            done = self._version(site)
            if done.code != 0 and not NO_VERSION.search(done.err + done.out):  # it may be the other one
                raise silent(self, words_of(done))
            self._found = "pro" if "pbs_version" in done.out + done.err else "torque"
        return self._found

    def _version(self, site: Site) -> Done:
        return ran(self, site, ["qstat", "--version"])

    def _ran(self, site: Site, argv: list[str]) -> Done:
        done = ran(self, site, argv)
        if done.code != 0:
            raise silent(self, words_of(done))
        return done


def _as_asked(found: dict[str, dict[str, str]], numbers: Collection[str]) -> dict[str, dict[str, str]]:
    """The jobs by their numbers as `qsub` told them. It and `qstat` may differ in how they write a server's name, and two servers may have
    jobs of one number."""
    asked = set(numbers)
    others = sorted(asked - set(found))
    return {number if number in asked else _meant(number, others): job for number, job in found.items()}


def _meant(number: str, asked: list[str]) -> str:
    """Which of those that were asked for is this one; itself where none is."""
    digits, _, server = number.partition(".")
    same = {one: one.partition(".")[2] for one in asked if one.partition(".")[0] == digits}
    if len(same) > 1:
        same = {
            one: other
            for one, other in same.items()
            if f"{server}.".startswith(f"{other}.") or f"{other}.".startswith(f"{server}.")
        }
    return next(iter(same), number)


def resources(dialect: Dialect, wanted: Wanted) -> str:
    """What is asked for with `-l`: one node, and of that what a job needs."""
    cpus = max(1, math.ceil(wanted.cpus or 1))
    memory = f"mem={megabytes(wanted.memory_bytes)}mb" if wanted.memory_bytes else ""
    if dialect == "pro":
        words = [":".join(filter(None, ("select=1", f"ncpus={cpus}", memory, f"ngpus={wanted.gpus}" if wanted.gpus else "")))]
    else:
        words = [f"nodes=1:ppn={cpus}" + (f":gpus={wanted.gpus}" if wanted.gpus else ""), memory]
    if wanted.time_s is not None:
        words.append(f"walltime={clock(wanted.time_s)}")
    return ",".join(filter(None, words))


def clock(seconds: int) -> str:
    """Rounded up to minutes, as `hours:minutes:seconds`."""
    hours, rest = divmod(minutes(seconds), 60)
    return f"{hours:02}:{rest:02}:00"


def seen(dialect: Dialect, number: str, job: dict[str, str]) -> Seen:
    """A job as `qstat -f` has it."""
    state = job.get("job_state", "")
    stage: Literal["waits", "runs", "over"] = "waits" if state in WAITS else "over" if state in OVER[dialect] else "runs"
    reason = job.get("comment", "").rstrip(".") or WORDS.get(state, "")
    return Seen(number, job.get("job_name", ""), state, reason, qstat.nodes(job.get("exec_host", "")), stage)


def end(dialect: Dialect, job: dict[str, str], record: Mapping[str, Any]) -> End:
    """How a job ended of which `qstat -f` says this, and its supervisor's exit record that.

    A high status is a signal: by `qdel`, or at a limit. Slurm's wrappers tell no status at all: the supervisor knows that it was signaled.
    """
    limit = job.get("resource_list.walltime", "")
    over = seen(dialect, "", job).over
    status = int(found) if re.fullmatch(r"-?\d+", found := job.get("exit_status", "")) else None
    cause: Cause = ""
    if status is not None and status < 0:
        cause = KILLED[dialect].get(status, "failed")
    elif not job.get("exec_host") and (status is None or status > 128):
        cause = "cancelled"  # before it was given a node
    elif (record.get("signaled") or record.get("reason") == "batch") if status is None else status > 128:
        used = max(_ran_s(record) + LATE_S, qstat.seconds(job.get("resources_used.walltime", "")) or 0)
        cause = "timeout" if used >= (qstat.seconds(limit) or math.inf) else "ended"
    state = job.get("job_state", "") if status is None else f"exit status {status}"
    return End(state, job.get("comment", "").rstrip("."), cause, limit, over)


def _ran_s(record: Mapping[str, Any]) -> float:
    begun, ended = record.get("started_at"), record.get("ended_at")  # the job's user can write that file
    return max(0, min(ended - begun, LONGEST_MS)) / 1000 if isinstance(begun, int) and isinstance(ended, int) else 0.0


def words_of(done: Done) -> str:
    """What a program says that failed, in one line; Slurm's wrapper puts a line of its own around it."""
    text = f"{done.out}\n{done.err}".rpartition("and the output was:")[2]
    return said(re.sub(r"(?m)^\s*'|'\s*$", "", text))


def _place(place: BatchPlace) -> PbsPlace:
    assert isinstance(place, PbsPlace)  # noqa: S101 - that of this kind
    return place
