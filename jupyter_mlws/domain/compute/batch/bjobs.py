"""What `bjobs -o` prints of jobs of LSF, one a line, and what its states and reasons mean."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from jupyter_mlws.domain.compute.batch.system import Cause, Seen

FIELDS = "jobid stat exit_code exec_host exit_reason pend_reason job_name delimiter='^'"
"""What is asked for. The name comes last: others may have what stands between the fields in theirs."""
WAITS = frozenset({"PEND", "PSUSP", "PROV", "WAIT"})
OVER = frozenset({"DONE", "EXIT"})
"""All other states are of jobs that run, or of which LSF does not know better now: a job of `UNKWN` or `ZOMBI` may still end well."""
WORDS = {"PSUSP": "it is suspended", "PROV": "its host is started", "WAIT": "it waits for jobs that run before it there"}
"""Why a job waits that has no reason."""
CAUSES: dict[str, Cause] = {
    "TERM_RUNLIMIT": "timeout",
    "TERM_DEADLINE": "deadline",
    "TERM_WINDOW": "deadline",
    "TERM_MEMLIMIT": "memory",
    "TERM_SWAP": "memory",
    "TERM_CPULIMIT": "limit",
    "TERM_PROCESSLIMIT": "limit",
    "TERM_THREADLIMIT": "limit",
    "TERM_PREEMPT": "preempted",
    "TERM_LOAD": "preempted",
    "TERM_MC_RECALL": "revoked",
    "TERM_RC_RECLAIM": "revoked",
    "TERM_ZOMBIE": "node",
    "TERM_REMOVE_HUNG_JOB": "node",
    "TERM_PRE_EXEC_FAIL": "failed",
    "TERM_CWD_NOTEXIST": "failed",
    "TERM_DATA": "failed",
    "TERM_CSM_ALLOC": "failed",
    "TERM_KUBE": "failed",
    "TERM_RMS": "failed",
    "TERM_SLURM": "failed",
    "TERM_OWNER": "cancelled",
    "TERM_FORCE_OWNER": "cancelled",
    "TERM_ADMIN": "cancelled",
    "TERM_FORCE_ADMIN": "cancelled",
    "TERM_BUCKET_KILL": "cancelled",
    "TERM_REQUEUE_OWNER": "cancelled",
    "TERM_REQUEUE_ADMIN": "cancelled",
    "TERM_ORPHAN_SYSTEM": "cancelled",
}
"""What ended a job, by the word that its reason begins with. Of any other such word it is known that LSF or somebody ended it."""
LONGEST = 1000
"""So many characters of a reason are told: one may name each host that a job cannot have."""
LINE = re.compile(r"\d+(\[\d+\])?\^")
HOST = re.compile(r"(?:\d+\*)?([^:\s]+)")


class Job(NamedTuple):
    """A job as `bjobs` has it."""

    number: str
    state: str
    exit_code: int
    """0 where it tells none."""
    hosts: str
    ended: str
    """Why it ended: `TERM_OWNER: job killed by owner`; empty where LSF does not say that."""
    pending: str
    name: str

    @property
    def term(self) -> str:
        """The word that its reason begins with."""
        found = re.match(r"TERM_\w+", self.ended)
        return found[0] if found else ""

    @property
    def seen(self) -> Seen:
        """For all batch systems alike."""
        stage: Literal["waits", "runs", "over"] = "waits" if self.state in WAITS else "over" if self.state in OVER else "runs"
        why = {"waits": self.pending or WORDS.get(self.state, ""), "over": self.ended}.get(stage, "")
        return Seen(self.number, self.name, self.state, why, self.hosts, stage)

    def cause(self, *, signaled: bool) -> Cause:
        """What ended it; `signaled`: its supervisor was told to end, or never came to its record."""
        if self.term:
            return CAUSES.get(self.term, "ended")
        if self.state == "EXIT" and not self.hosts:
            return "cancelled"  # before it was given a host
        # Our script ends well also where its supervisor was told to end, and has done so.
        return "ended" if signaled and (self.state == "DONE" or self.exit_code > 128) else ""


def jobs(text: str) -> dict[str, Job]:
    """The jobs, by their numbers. A reason may have several lines; they are one here."""
    lines: list[str] = []
    for line in text.splitlines():
        if LINE.match(line):
            lines.append(line)
        elif lines and line.strip():
            lines[-1] += f" {line.strip()}"
    fields = [line.split("^", 6) for line in lines]
    return {found[0]: _job(*found) for found in fields if len(found) == 7}


def _job(number: str, state: str, code: str, hosts: str, ended: str, pending: str, name: str) -> Job:
    ran_on = ", ".join(dict.fromkeys(HOST.findall(_told(hosts))))
    return Job(number, state, int(code) if code.isdigit() else 0, ran_on, _told(ended), _told(pending), name)


def _told(field: str) -> str:
    """A field, which has a dash where there is nothing to tell."""
    return "" if field.strip() == "-" else field.strip().rstrip(";.").rstrip()[:LONGEST]
